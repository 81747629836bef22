//! The reports tree on disk: where things lie, and writing them so that no reader ever sees half a
//! file and no planted link is followed.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};

/// The directory of one sweep.
#[derive(Clone, Debug)]
pub struct SweepDir {
    path: PathBuf,
}

/// A file of the reports tree could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}{}", path.display(), hint(source))]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; make room or name another --reports",
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => "; name a writable --reports",
        _ => "",
    }
}

/// How the name of a directory ends that is not finished; no id has the `~` with which it begins.
const TEMPORARY: &str = ".tmp";
/// Name of the symbolic link that leads to the newest finished sweep.
const LATEST: &str = "latest";

impl SweepDir {
    /// Makes a new sweep's directory below `reports`.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(reports: &Path, start: jiff::Timestamp) -> Result<Self, WriteError> {
        let fail = |path: &Path| {
            let path = path.to_owned();
            move |source| WriteError { path, source }
        };
        std::fs::create_dir_all(reports).map_err(fail(reports))?;
        for _ in 0..16 {
            let path = reports.join(sweep_id(start));
            match std::fs::create_dir(&path) {
                Ok(()) => {
                    let sweep = Self { path };
                    for inner in ["cases", "charts"] {
                        let inner = sweep.path.join(inner);
                        std::fs::create_dir(&inner).map_err(fail(&inner))?;
                    }
                    return Ok(sweep);
                }
                Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(WriteError { path, source }),
            }
        }
        let source = io::Error::new(io::ErrorKind::AlreadyExists, "no free name for the sweep");
        Err(WriteError { path: reports.to_owned(), source })
    }

    /// The directory of an earlier sweep.
    pub fn open(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The sweep's name.
    pub fn id(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The directory of a case.
    pub fn case(&self, directory: &Path) -> PathBuf {
        self.path.join("cases").join(directory)
    }

    /// Writes a file of the sweep.
    ///
    /// # Errors
    /// It cannot be written; what was there before is still there.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), WriteError> {
        write_atomically(&self.path.join(name), content)
    }

    /// Writes all files of a case under a temporary directory and renames that into place: a
    /// reader sees the whole case or nothing of it.
    ///
    /// # Errors
    /// A file cannot be written; then nothing of the case is there.
    pub fn write_case(&self, directory: &Path, files: &[(&str, &[u8])]) -> Result<(), WriteError> {
        let path = self.case(directory);
        let parent = path.parent().unwrap_or(&self.path);
        // Case directories are below this one; no id has a tilde, so no case is called like it.
        let mut name = std::ffi::OsString::from("~");
        name.push(path.file_name().unwrap_or_default());
        name.push(TEMPORARY);
        let mut temporary = parent.join(name);
        if temporary.file_name().is_some_and(|name| name.len() > 255) {
            temporary = parent.join(format!("~{}{TEMPORARY}", std::process::id()));
        }
        let written = make_directory(&temporary, parent)
            .and_then(|()| {
                files.iter().try_for_each(|(name, content)| {
                    let file = temporary.join(name);
                    write_new(&file, content).map_err(|source| WriteError { path: file, source })
                })
            })
            .and_then(|()| {
                replace_directory(&temporary, &path).map_err(|source| WriteError { path: path.clone(), source })
            });
        if written.is_err() {
            let _ = std::fs::remove_dir_all(&temporary);
        }
        written
    }

    /// Whether a directory below `cases/` is one that [`SweepDir::write_case`] had not finished: a
    /// harness that was killed leaves it.
    pub fn is_temporary(name: &OsStr) -> bool {
        let name = name.as_encoded_bytes();
        name.starts_with(b"~") && name.ends_with(TEMPORARY.as_bytes())
    }

    /// Lets `latest` beside the sweep's directory lead to it.
    ///
    /// # Errors
    /// The link cannot be made.
    pub fn mark_latest(&self) -> Result<(), WriteError> {
        let link = self.path.with_file_name(LATEST);
        let temporary = self.path.with_file_name(format!(".{LATEST}.{}", std::process::id()));
        let _ = std::fs::remove_file(&temporary);
        std::os::unix::fs::symlink(self.id(), &temporary)
            .and_then(|()| std::fs::rename(&temporary, &link))
            .map_err(|source| WriteError { path: link, source })
    }

    /// Waits until everything below is on the disk.
    ///
    /// # Errors
    /// The disk reports a failure.
    pub fn sync(&self) -> Result<(), WriteError> {
        let fail = |source| WriteError { path: self.path.clone(), source };
        let directory = File::open(&self.path).map_err(fail)?;
        rustix::fs::syncfs(&directory).map_err(|errno| fail(errno.into()))
    }
}

/// UTC start time and a short random suffix.
fn sweep_id(start: jiff::Timestamp) -> String {
    let mut random = [0u8; 3];
    // Where the kernel has no random bytes yet, names may collide, and then another is tried.
    let _ = rustix::rand::getrandom(&mut random[..], rustix::rand::GetRandomFlags::NONBLOCK);
    let stamp: String = format!("{start:.0}").chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    format!("{stamp}-{}", crate::sweep::hex(&random))
}

/// Writes a file under a temporary name and renames it into place: a reader sees the old file or
/// the new one.
///
/// # Errors
/// It cannot be written; what was there before is still there.
pub fn write_atomically(path: &Path, content: &[u8]) -> Result<(), WriteError> {
    let fail = |source: io::Error| WriteError { path: path.to_owned(), source };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let open = rustix::fs::open(directory, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| fail(errno.into()))?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("file");
    write_in(&open, name, content).map_err(fail)
}

/// Makes a directory that was not there, and its parents.
fn make_directory(path: &Path, parent: &Path) -> Result<(), WriteError> {
    let made = match std::fs::create_dir(path) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(parent).and_then(|()| std::fs::create_dir(path))
        }
        // Left over by a harness that was killed.
        Err(there) if there.kind() == io::ErrorKind::AlreadyExists => {
            std::fs::remove_dir_all(path).and_then(|()| std::fs::create_dir(path))
        }
        other => other,
    };
    made.map_err(|source| WriteError { path: path.to_owned(), source })
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    File::from(rustix::fs::open(path, flags, Mode::from_raw_mode(0o644))?).write_all(content)
}

/// Renames a directory over one that may be there from an earlier run.
fn replace_directory(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::rename(from, to) {
        Err(taken)
            if matches!(taken.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists)
                && to.symlink_metadata().is_ok_and(|meta| meta.is_dir()) =>
        {
            std::fs::remove_dir_all(to)?;
            std::fs::rename(from, to)
        }
        other => other,
    }
}

fn write_in(directory: &OwnedFd, name: &str, content: &[u8]) -> io::Result<()> {
    let temporary = format!(".{name}.{}.tmp", std::process::id());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(0o644);
    let fd = match rustix::fs::openat(directory, &temporary, flags, mode) {
        // Left over by a harness that was killed and had our pid.
        Err(rustix::io::Errno::EXIST) => {
            rustix::fs::unlinkat(directory, &temporary, AtFlags::empty())?;
            rustix::fs::openat(directory, &temporary, flags, mode)?
        }
        other => other?,
    };
    let mut file = File::from(fd);
    let written = file.write_all(content).and_then(|()| {
        rustix::fs::renameat(directory, &temporary, directory, name)?;
        Ok(())
    });
    if written.is_err() {
        let _ = rustix::fs::unlinkat(directory, &temporary, AtFlags::empty());
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_are_plain() {
        let id = sweep_id("2026-11-23T22:05:09.123Z".parse().unwrap());
        assert!(id.starts_with("20261123T220509Z-") && id.len() == 23, "{id}");
    }

    #[test]
    fn a_planted_link_is_replaced_and_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let (secret, planted) = (directory.path().join("secret"), directory.path().join("result.json"));
        std::fs::write(&secret, "untouched").unwrap();
        std::os::unix::fs::symlink(&secret, &planted).unwrap();
        write_atomically(&planted, b"new").unwrap();
        assert_eq!(std::fs::read_to_string(&secret).unwrap(), "untouched");
        assert_eq!(std::fs::read_to_string(&planted).unwrap(), "new");
        assert!(!planted.symlink_metadata().unwrap().is_symlink());
    }

    #[test]
    fn a_case_appears_whole_and_can_be_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let sweep = SweepDir::create(directory.path(), jiff::Timestamp::now()).unwrap();
        let case = Path::new("deep/er/a.py");
        sweep.write_case(case, &[("stdout", b"one"), ("result.json", b"{}")]).unwrap();
        sweep.write_case(case, &[("result.json", b"{2}")]).unwrap();
        let names: Vec<_> = std::fs::read_dir(sweep.case(case)).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["result.json"]);
        let beside = std::fs::read_dir(sweep.case(Path::new("deep/er"))).unwrap().count();
        assert_eq!(beside, 1, "nothing temporary is left");
        assert!(SweepDir::is_temporary("~a.py.tmp".as_ref()) && !SweepDir::is_temporary("a.tmp".as_ref()));
    }

    #[test]
    fn a_failed_write_names_the_file_and_leaves_nothing() {
        let error = write_atomically(Path::new("/proc/nowhere/x.json"), b"").unwrap_err().to_string();
        assert!(error.starts_with("cannot write /proc/nowhere/x.json"), "{error}");
    }
}
