//! The bwrap on this machine.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A usable bwrap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bwrap {
    /// Where it is.
    pub path: PathBuf,
    /// What it calls itself.
    pub version: Version,
}

/// A version of bwrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl Version {
    /// The oldest that has `--disable-userns`, `--size` and `--perms`.
    pub const OLDEST_USABLE: Self = Self(0, 8, 0);
    /// The oldest that creates mount points without following links out of the sandbox
    /// (GHSA-pxhw-h44j-8pfx). Older ones are safe here only because no mount point of ours lies
    /// in a tree that a script can write to.
    pub const OLDEST_WITHOUT_ADVISORY: Self = Self(0, 12, 0);

    /// Reads `bubblewrap 0.8.0`, also with a suffix.
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.trim().strip_prefix("bubblewrap ")?;
        let mut parts = number.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().ok());
        Some(Self(parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// How to get bwrap.
pub const INSTALL: &str = "install it: `apt-get install bubblewrap`, `dnf install bubblewrap`, `pacman -S bubblewrap` \
                           or `apk add bubblewrap`";

/// Why there is no usable bwrap.
#[derive(Debug, thiserror::Error)]
pub enum BwrapError {
    /// It is nowhere on PATH.
    #[error("bwrap was not found on PATH; {INSTALL}")]
    Missing,
    /// `SANDSWEEP_BWRAP` names something that is not there.
    #[error("SANDSWEEP_BWRAP names {}, which is not a file; correct or unset it", .0.display())]
    Misnamed(PathBuf),
    /// It does not answer.
    #[error("{} --version does not answer as bwrap does ({answer}); {INSTALL}", path.display())]
    Unusable {
        /// Where it is.
        path: PathBuf,
        /// What it said.
        answer: String,
    },
    /// It is too old.
    #[error(
        "{} is version {version}; sandsweep needs {} or newer, for --disable-userns and --size",
        path.display(),
        Version::OLDEST_USABLE
    )]
    TooOld {
        /// Where it is.
        path: PathBuf,
        /// What it calls itself.
        version: Version,
    },
    /// It is installed setuid root.
    #[error(
        "{} is setuid root: it would set sandboxes up with more rights than the user has; remove the bit \
         (`chmod u-s`) and allow user namespaces instead",
        path.display()
    )]
    SetUid {
        /// Where it is.
        path: PathBuf,
    },
}

impl Bwrap {
    /// Finds bwrap on PATH, or where `SANDSWEEP_BWRAP` says, and asks for its version.
    ///
    /// # Errors
    /// There is none, or it cannot be used.
    pub fn find() -> Result<Self, BwrapError> {
        let path = match std::env::var_os("SANDSWEEP_BWRAP") {
            Some(path) if Path::new(&path).is_file() => PathBuf::from(path),
            Some(path) => return Err(BwrapError::Misnamed(path.into())),
            None => std::env::var_os("PATH")
                .iter()
                .flat_map(std::env::split_paths)
                .filter(|directory| directory.is_absolute())
                .map(|directory| directory.join("bwrap"))
                .find(|path| path.is_file())
                .ok_or(BwrapError::Missing)?,
        };
        let answer = match Command::new(&path).arg("--version").env_clear().output() {
            Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
            Err(why) => return Err(BwrapError::Unusable { path, answer: why.to_string() }),
        };
        let Some(version) = Version::parse(&answer) else {
            return Err(BwrapError::Unusable { path, answer });
        };
        if version < Version::OLDEST_USABLE {
            return Err(BwrapError::TooOld { path, version });
        }
        if std::fs::metadata(&path).is_ok_and(|meta| meta.mode() & 0o4000 != 0) {
            return Err(BwrapError::SetUid { path });
        }
        Ok(Self { path, version })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_ordered() {
        assert_eq!(Version::parse("bubblewrap 0.8.0\n"), Some(Version(0, 8, 0)));
        assert_eq!(Version::parse("bubblewrap 0.11"), Some(Version(0, 11, 0)));
        assert_eq!(Version::parse("bubblewrap 0.12.1-dev"), Some(Version(0, 12, 1)));
        assert_eq!(Version::parse("busybox"), None);
        assert!(Version(0, 11, 2) < Version::OLDEST_WITHOUT_ADVISORY);
    }
}
