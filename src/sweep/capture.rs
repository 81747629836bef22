//! Keeping what a script prints: the head and the tail, and the truth about the rest.

use sha2::{Digest, Sha256};

/// A stream while it is read. Holds at most the kept size in memory.
#[derive(Clone, Debug)]
pub struct Capture {
    head: Vec<u8>,
    head_max: usize,
    /// The last bytes beyond the head, as a ring.
    tail: Vec<u8>,
    tail_max: usize,
    tail_start: usize,
    bytes: u64,
    hash: Sha256,
}

/// A stream that was read to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// The first bytes.
    pub head: Vec<u8>,
    /// The last bytes that are not in the head.
    pub tail: Vec<u8>,
    /// How many came in all.
    pub bytes: u64,
    /// Of all that came, in hexadecimal.
    pub sha256: String,
}

impl Capture {
    /// Keeps at most `keep` bytes, half of them from the beginning.
    pub fn new(keep: usize) -> Self {
        Self {
            head: Vec::new(),
            head_max: keep.div_ceil(2),
            tail: Vec::new(),
            tail_max: keep / 2,
            tail_start: 0,
            bytes: 0,
            hash: Sha256::new(),
        }
    }

    /// Takes what came next.
    pub fn push(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
        self.hash.update(chunk);
        let room = self.head_max - self.head.len();
        let (first, rest) = chunk.split_at(room.min(chunk.len()));
        self.head.extend_from_slice(first);
        self.push_tail(rest);
    }

    fn push_tail(&mut self, chunk: &[u8]) {
        if self.tail_max == 0 {
            return;
        }
        let chunk = &chunk[chunk.len().saturating_sub(self.tail_max)..];
        let room = self.tail_max - self.tail.len();
        let (grow, wrap) = chunk.split_at(room.min(chunk.len()));
        self.tail.extend_from_slice(grow);
        let (to_end, to_start) = wrap.split_at(wrap.len().min(self.tail.len() - self.tail_start));
        self.tail[self.tail_start..self.tail_start + to_end.len()].copy_from_slice(to_end);
        self.tail[..to_start.len()].copy_from_slice(to_start);
        if !wrap.is_empty() {
            self.tail_start = (self.tail_start + wrap.len()) % self.tail_max;
        }
    }

    /// How many bytes came so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Ends the stream.
    pub fn finish(mut self) -> Captured {
        self.tail.rotate_left(self.tail_start);
        Captured { head: self.head, tail: self.tail, bytes: self.bytes, sha256: hex(&self.hash.finalize()) }
    }
}

impl Captured {
    /// How many bytes were kept.
    pub fn kept(&self) -> u64 {
        (self.head.len() + self.tail.len()) as u64
    }

    /// Whether something is missing between head and tail.
    pub fn truncated(&self) -> bool {
        self.kept() < self.bytes
    }

    /// What is written to disk: head, a line that says what is missing, tail.
    pub fn to_file(&self) -> Vec<u8> {
        let mut file = self.head.clone();
        if self.truncated() {
            let missing = self.bytes - self.kept();
            file.extend_from_slice(format!("\n[sandsweep: {missing} bytes left out here]\n").as_bytes());
        }
        file.extend_from_slice(&self.tail);
        file
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn short_output_is_kept_whole() {
        let mut capture = Capture::new(8);
        capture.push(b"abc");
        capture.push(b"defgh");
        let captured = capture.finish();
        assert!(!captured.truncated());
        assert_eq!(captured.to_file(), b"abcdefgh");
        assert_eq!(captured.sha256, hex(&Sha256::digest(b"abcdefgh")));
    }

    #[test]
    fn what_is_left_out_is_said() {
        let mut capture = Capture::new(4);
        capture.push(b"0123456789");
        assert_eq!(capture.finish().to_file(), b"01\n[sandsweep: 6 bytes left out here]\n89");
    }

    proptest! {
        #[test]
        fn head_and_tail_are_those_of_the_stream(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..40), keep in 0usize..64
        ) {
            let whole = chunks.concat();
            let mut capture = Capture::new(keep);
            chunks.iter().for_each(|chunk| capture.push(chunk));
            let captured = capture.finish();
            prop_assert_eq!(captured.bytes, whole.len() as u64);
            prop_assert!(captured.kept() <= keep as u64);
            prop_assert!(whole.starts_with(&captured.head) && whole.ends_with(&captured.tail));
            prop_assert_eq!(captured.truncated(), whole.len() > keep);
            prop_assert_eq!(&captured.sha256, &hex(&Sha256::digest(&whole)));
        }
    }
}
