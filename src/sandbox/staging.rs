//! Making configured binds reachable for a sandbox's unprivileged uid.
//!
//! Started as root, bwrap runs under another uid and must find the source of each bind by its
//! path; `/root/.pyenv` lies behind a directory that only root may enter. Such a source is bound,
//! in a mount namespace of the harness's own, to a place that everybody may enter.

use std::io;
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, MountPropagationFlags, mount_bind, mount_change};
use rustix::thread::UnshareFlags;

/// Where staged binds can be reached.
#[derive(Debug, Default)]
pub struct Staging {
    directory: Option<PathBuf>,
    sources: Vec<PathBuf>,
}

/// A bind could not be staged.
#[derive(Debug, thiserror::Error)]
#[error("cannot make {} reachable for the sandbox's uid ({step}): {source}; move it to a place that everybody may enter", path.display())]
pub struct StagingError {
    path: PathBuf,
    step: &'static str,
    source: io::Error,
}

impl Staging {
    /// Nothing is staged: every source is reached by its own path.
    pub fn none() -> Self {
        Self::default()
    }

    /// Stages those sources that other users could not reach. Must be called before any thread is
    /// started: a mount namespace belongs to a thread.
    ///
    /// # Errors
    /// Mounting is refused.
    pub fn of(sources: impl IntoIterator<Item = PathBuf>) -> Result<Self, StagingError> {
        let mut sources: Vec<PathBuf> =
            sources.into_iter().filter(|path| path.exists() && !open_to_all(path)).collect();
        sources.sort();
        sources.dedup();
        let Some(first) = sources.first() else { return Ok(Self::none()) };
        let failed = |path: &Path, step| {
            let path = path.to_owned();
            move |source: io::Error| StagingError { path, step, source }
        };

        let directory = PathBuf::from(format!("/run/sandsweep-{}", std::process::id()));
        // SAFETY: no thread has been started yet (the caller's promise), and a mount namespace of
        // our own with everything the old one had takes nothing away from this thread.
        unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS) }
            .map_err(|e| failed(first, "make a mount namespace")(e.into()))?;
        mount_change("/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE)
            .map_err(|e| failed(first, "make the mounts private")(e.into()))?;
        std::fs::create_dir(&directory).map_err(failed(first, "make a directory in /run"))?;
        let staging = Self { directory: Some(directory.clone()), sources };
        for (index, source) in staging.sources.iter().enumerate() {
            let target = directory.join(index.to_string());
            let made = if source.is_dir() { std::fs::create_dir(&target) } else { std::fs::write(&target, b"") };
            made.map_err(failed(source, "make a mount point in /run"))?;
            mount_bind(source, &target).map_err(|e| failed(source, "bind it")(e.into()))?;
            let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::BIND;
            rustix::mount::mount_remount(&target, flags, c"").map_err(|e| failed(source, "bind it")(e.into()))?;
        }
        Ok(staging)
    }

    /// Where a source can be reached.
    pub fn reachable(&self, source: &Path) -> PathBuf {
        match (&self.directory, self.sources.iter().position(|staged| staged == source)) {
            (Some(directory), Some(index)) => directory.join(index.to_string()),
            _ => source.to_owned(),
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let Some(directory) = &self.directory else { return };
        for index in 0..self.sources.len() {
            let target = directory.join(index.to_string());
            let _ = rustix::mount::unmount(&target, rustix::mount::UnmountFlags::DETACH);
            // Only ever an empty directory or file of ours: a source is never removed, because a
            // mount point that is still in use cannot be.
            let _ = if target.is_dir() { std::fs::remove_dir(&target) } else { std::fs::remove_file(&target) };
        }
        let _ = std::fs::remove_dir(directory);
    }
}

/// Whether a user without rights could get to the path: every directory above it lets others
/// through, and it can be read by others itself.
fn open_to_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let Ok(real) = std::fs::canonicalize(path) else { return false };
    let mode = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.permissions().mode());
    real.ancestors().skip(1).all(|directory| mode(directory) & 0o001 != 0) && mode(&real) & 0o004 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_can_reach_is_not_staged() {
        assert!(open_to_all(Path::new("/usr/bin")));
        let staging = Staging::of([PathBuf::from("/usr/bin")]).unwrap();
        assert_eq!(staging.reachable(Path::new("/usr/bin")), Path::new("/usr/bin"));
    }

    #[test]
    fn a_private_directory_is_not_open_to_all() {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(directory.path(), private).unwrap();
        assert!(!open_to_all(&inner));
    }
}
