//! The harness's end of the conversation with the sandbox's pid 1.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendFlags, SocketFlags,
    SocketType,
};

#[path = "init/proto.rs"]
#[allow(missing_docs, reason = "shared with the freestanding init, where it is documented by plain comments")]
pub(crate) mod proto;

use proto::{MAGIC, exited, step};

/// A socket to the sandbox's pid 1.
#[derive(Debug)]
pub struct Control(OwnedFd);

/// What pid 1 says when the sandbox stands: descriptors from inside.
#[derive(Debug)]
pub struct Ready {
    /// The sandbox's `/proc`.
    pub proc: OwnedFd,
    /// Its work directory.
    pub work: OwnedFd,
    /// Its `/tmp`.
    pub tmp: OwnedFd,
    /// Its `/dev/shm`.
    pub shm: OwnedFd,
    /// Its pid 1. Readable when that has died, and with it every process of the sandbox.
    pub pid1: OwnedFd,
}

/// The last word of pid 1: every process of the sandbox is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// wait(2) status of the script's first process.
    pub status: i32,
    /// CLOCK_MONOTONIC just before the script was started.
    pub started: Duration,
    /// CLOCK_MONOTONIC when its first process was reaped.
    pub ended: Duration,
    /// CPU of every process that was reaped.
    pub user: Duration,
    /// CPU of every process that was reaped.
    pub system: Duration,
    /// Largest resident set of a single process, bytes.
    pub max_rss_bytes: u64,
    /// Page faults that read from disk.
    pub major_faults: u64,
    /// Involuntary context switches.
    pub involuntary_switches: u64,
    /// Processes that outlived the script's first process.
    pub left_behind: u64,
    /// Bytes asked for by read-like calls; `None` where the kernel does not count.
    pub read_chars: Option<u64>,
    /// Bytes handed to write-like calls.
    pub written_chars: Option<u64>,
}

/// A message from pid 1.
#[derive(Debug)]
pub enum Message {
    /// The sandbox stands.
    Ready(Ready),
    /// The script could not be started.
    Failed(StartFailure),
    /// The script has ended, and everything else with it.
    Exited(Exit),
    /// Pid 1 has hung up.
    Closed,
}

/// Which step of starting the script failed inside the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}", step_name(*step), io::Error::from_raw_os_error(*errno))]
pub struct StartFailure {
    step: u64,
    errno: i32,
}

fn step_name(step: u64) -> &'static str {
    match step {
        step::RLIMIT => "cannot set the resource limits in the sandbox",
        step::EXEC => "cannot execute the interpreter in the sandbox",
        step::FORK => "cannot fork in the sandbox",
        step::PROTOCOL => "the sandbox's init does not understand this harness",
        step::SETUP => "the sandbox's init cannot set itself up",
        _ => "the sandbox's init failed",
    }
}

impl Control {
    /// Our end, and the one to be inherited by bwrap.
    ///
    /// # Errors
    /// Out of descriptors.
    pub fn pair() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) =
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Self(ours), theirs))
    }

    /// Tells pid 1 to start the script under these `(resource, value)` limits.
    ///
    /// # Errors
    /// Pid 1 has gone.
    pub fn go(&self, limits: &[(u64, u64)]) -> io::Result<()> {
        assert!(limits.len() <= proto::MAX_LIMITS, "the kernel has no more resource limits");
        let mut words = vec![MAGIC, proto::GO, limits.len() as u64];
        words.extend(limits.iter().flat_map(|&(resource, value)| [resource, value]));
        self.send(&words)
    }

    /// Tells pid 1 to kill everything and to report.
    ///
    /// # Errors
    /// Pid 1 has gone.
    pub fn kill(&self) -> io::Result<()> {
        self.send(&[MAGIC, proto::KILL])
    }

    fn send(&self, words: &[u64]) -> io::Result<()> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        rustix::net::sendmsg(&self.0, &[IoSlice::new(&bytes)], &mut SendAncillaryBuffer::default(), flags)?;
        Ok(())
    }

    /// The next message; waits for it.
    ///
    /// # Errors
    /// What came is no message of the init.
    pub fn receive(&self) -> io::Result<Message> {
        let mut bytes = [0u8; 8 * exited::WORDS];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(proto::READY_FDS))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = loop {
            let into = &mut [IoSliceMut::new(&mut bytes)];
            match rustix::net::recvmsg(&self.0, into, &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
                Err(rustix::io::Errno::INTR) => {}
                other => break other,
            }
        };
        let received = match received {
            Ok(received) => received.bytes,
            Err(rustix::io::Errno::CONNRESET) => 0,
            Err(errno) => return Err(errno.into()),
        };
        let fds: Vec<OwnedFd> = ancillary
            .drain()
            .filter_map(|message| match message {
                RecvAncillaryMessage::ScmRights(fds) => Some(fds),
                _ => None,
            })
            .flatten()
            .collect();
        let words: Vec<u64> = bytes[..received]
            .chunks_exact(8)
            .map(|chunk| u64::from_ne_bytes(chunk.try_into().expect("chunks of eight")))
            .collect();
        decode(&words, fds)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "unknown message from the sandbox's init"))
    }
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn decode(words: &[u64], fds: Vec<OwnedFd>) -> Option<Message> {
    let &[magic, kind, ref rest @ ..] = words else {
        return words.is_empty().then_some(Message::Closed);
    };
    if magic != MAGIC {
        return None;
    }
    match (kind, rest) {
        (proto::READY, []) => {
            let [proc, work, tmp, shm, pid1] = <[OwnedFd; proto::READY_FDS]>::try_from(fds).ok()?;
            Some(Message::Ready(Ready { proc, work, tmp, shm, pid1 }))
        }
        (proto::FAILED, &[step, errno]) => {
            Some(Message::Failed(StartFailure { step, errno: i32::try_from(errno).ok()? }))
        }
        (proto::EXITED, _) if words.len() == exited::WORDS => {
            let count = |index: usize| (words[index] != exited::UNKNOWN).then_some(words[index]);
            Some(Message::Exited(Exit {
                status: words[exited::STATUS] as u32 as i32,
                started: Duration::from_nanos(words[exited::STARTED_NS]),
                ended: Duration::from_nanos(words[exited::ENDED_NS]),
                user: Duration::from_micros(words[exited::USER_US]),
                system: Duration::from_micros(words[exited::SYSTEM_US]),
                max_rss_bytes: words[exited::MAX_RSS_KIB] * 1024,
                major_faults: words[exited::MAJOR_FAULTS],
                involuntary_switches: words[exited::INVOLUNTARY_SWITCHES],
                left_behind: words[exited::LEFT_BEHIND],
                read_chars: count(exited::READ_CHARS),
                written_chars: count(exited::WRITTEN_CHARS),
            }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_words_are_decoded_or_refused_without_panic(words in proptest::collection::vec(any::<u64>(), 0..20)) {
            let _ = decode(&words, Vec::new());
            let mut framed = vec![MAGIC];
            framed.extend(&words);
            let _ = decode(&framed, Vec::new());
        }
    }
}
