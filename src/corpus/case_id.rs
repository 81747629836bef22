//! Names of cases: unique, reversible, safe in a URL, a shell and a file system.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A script's path relative to the swept root, with every byte outside `[A-Za-z0-9._/-]`
/// percent-encoded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseId(String);

/// Longest name of one file on every file system we know of (NAME_MAX).
const NAME_MAX: usize = 255;
/// Longest directory below `cases/` that we make; leaves ample room below PATH_MAX (4096).
const DIRECTORY_MAX: usize = 1024;

impl CaseId {
    /// Encodes a relative path.
    pub fn from_path(path: &Path) -> Self {
        use fmt::Write as _;
        let mut id = String::new();
        for &byte in path.as_os_str().as_bytes() {
            if byte.is_ascii_alphanumeric() || b"._/-".contains(&byte) {
                id.push(char::from(byte));
            } else {
                write!(id, "%{byte:02X}").expect("writing to a string");
            }
        }
        Self(id)
    }

    /// The path that was encoded; `None` when the text is not an encoding.
    pub fn to_path(&self) -> Option<PathBuf> {
        let mut bytes = Vec::with_capacity(self.0.len());
        let mut rest = self.0.as_bytes();
        while let [first, tail @ ..] = rest {
            if *first == b'%' {
                let hex = std::str::from_utf8(tail.get(..2)?).ok()?;
                bytes.push(u8::from_str_radix(hex, 16).ok()?);
                rest = &tail[2..];
            } else {
                bytes.push(*first);
                rest = tail;
            }
        }
        Some(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
    }

    /// The same id below another name, for sweeps over several roots.
    pub fn under(&self, prefix: &str) -> Self {
        let prefix = Self::from_path(Path::new(OsStr::new(prefix)));
        Self(format!("{}/{}", prefix.0, self.0))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where below `cases/` this case's files go: the id itself, unless a file system could not
    /// hold it. Then the part that is too long ends in `~` and a hash; no id contains a `~`, so
    /// the place is unique.
    pub fn directory(&self) -> PathBuf {
        if self.0.len() > DIRECTORY_MAX {
            return PathBuf::from(format!("~{}", short_hash(&self.0)));
        }
        self.0
            .split('/')
            .map(|part| {
                if part.len() <= NAME_MAX {
                    part.to_owned()
                } else {
                    // The id is ASCII, so any byte is a boundary.
                    format!("{}~{}", &part[..NAME_MAX - 17], short_hash(part))
                }
            })
            .collect()
    }
}

fn short_hash(text: &str) -> String {
    use fmt::Write as _;
    Sha256::digest(text.as_bytes())[..8].iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a string");
        hex
    })
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(bytes: &[u8]) -> CaseId {
        CaseId::from_path(Path::new(OsStr::from_bytes(bytes)))
    }

    #[test]
    fn hostile_names_become_plain() {
        assert_eq!(encode(b"a b/\x1b[31m\n.py").as_str(), "a%20b/%1B%5B31m%0A.py");
        assert_eq!(encode(b"=cmd(),\xff.py").as_str(), "%3Dcmd%28%29%2C%FF.py");
        assert_eq!(encode(b"plain-1_2.py").as_str(), "plain-1_2.py");
    }

    #[test]
    fn names_that_a_file_system_cannot_hold_are_shortened_and_stay_apart() {
        let long = encode("é".repeat(127).as_bytes()).directory();
        let other = encode(("é".repeat(126) + "è").as_bytes()).directory();
        assert_ne!(long, other);
        assert!(long.as_os_str().len() <= NAME_MAX);
        let deep = encode("d/".repeat(5000).as_bytes()).directory();
        assert!(deep.as_os_str().len() < 64);
    }

    fn component() -> impl Strategy<Value = Vec<u8>> {
        // As a file system allows it: at most 255 bytes, no slash, no NUL.
        proptest::collection::vec((1u8..).prop_map(|byte| if byte == b'/' { b'_' } else { byte }), 1..256)
    }

    proptest! {
        #[test]
        fn every_path_round_trips(bytes in proptest::collection::vec(1u8.., 1..300)) {
            let id = encode(&bytes);
            prop_assert!(id.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b"._/-%".contains(&b)));
            let back = id.to_path().unwrap();
            prop_assert_eq!(back.as_os_str().as_bytes(), &bytes[..]);
        }

        #[test]
        fn different_paths_have_different_directories(
            a in proptest::collection::vec(component(), 1..8), b in proptest::collection::vec(component(), 1..8)
        ) {
            prop_assume!(a != b);
            let (a, b) = (a.join(&b'/'), b.join(&b'/'));
            prop_assert_ne!(encode(&a).directory(), encode(&b).directory());
        }
    }
}
