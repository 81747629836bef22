//! Files that exist only as descriptors: what bwrap copies into a sandbox.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags};

/// A file in memory with fixed content. It cannot be changed, also not by somebody who gets hold
/// of a descriptor of it: it is sealed.
#[derive(Debug)]
pub struct SealedFile(OwnedFd);

impl SealedFile {
    /// Makes one.
    ///
    /// # Errors
    /// Out of descriptors or memory.
    pub fn new(name: &str, content: &[u8]) -> io::Result<Self> {
        let name = CString::new(name).expect("names of data files are ours and hold no NUL");
        let fd = rustix::fs::memfd_create(&name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        let mut file = File::from(fd);
        file.write_all(content)?;
        let fd = OwnedFd::from(file);
        rustix::fs::fcntl_add_seals(&fd, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
        Ok(Self(fd))
    }

    /// The only descriptor, reading from the start: for a file with one reader.
    ///
    /// # Errors
    /// None that is known; the kernel's, should it refuse to go back to the start.
    pub fn into_reader(self) -> io::Result<OwnedFd> {
        rustix::fs::seek(&self.0, rustix::fs::SeekFrom::Start(0))?;
        Ok(self.0)
    }

    /// A new descriptor that reads from the start, whatever others read meanwhile: a duplicate
    /// would share the position.
    ///
    /// # Errors
    /// Out of descriptors, or no `/proc`.
    pub fn reader(&self) -> io::Result<OwnedFd> {
        let path = format!("/proc/self/fd/{}", self.0.as_raw_fd());
        Ok(rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn every_reader_starts_at_the_beginning_and_nobody_can_write() {
        let sealed = SealedFile::new("t", b"content").unwrap();
        for _ in 0..2 {
            let mut text = String::new();
            File::from(sealed.reader().unwrap()).read_to_string(&mut text).unwrap();
            assert_eq!(text, "content");
        }
        let path = format!("/proc/self/fd/{}", sealed.0.as_raw_fd());
        let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        assert_eq!(file.write(b"x").unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}
