//! Opening files of an untrusted tree.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};

/// Opens a regular file for reading: never a link, and nothing else is opened at all, not even
/// for a moment (opening a FIFO, a device or a socket can block or have effects). The file is
/// first located without opening it (O_PATH), looked at, and then opened through that descriptor,
/// so nothing can be swapped in between.
///
/// # Errors
/// The file is missing, unreadable, a link, or not a regular file.
pub fn open_regular_file(path: &Path) -> io::Result<(File, u64)> {
    let located = rustix::fs::open(path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let stat = rustix::fs::fstat(&located)?;
    let refuse = |what: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, what.to_owned()));
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {}
        FileType::Symlink => return refuse("it is a symbolic link, and links are never followed"),
        FileType::Directory => return refuse("it is a directory"),
        FileType::Fifo => return refuse("it is a FIFO, not a regular file"),
        FileType::Socket => return refuse("it is a socket, not a regular file"),
        FileType::CharacterDevice | FileType::BlockDevice => return refuse("it is a device, not a regular file"),
        FileType::Unknown => return refuse("it is not a regular file"),
    }
    let reopen = format!("/proc/self/fd/{}", located.as_raw_fd());
    let file = rustix::fs::open(reopen, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    Ok((File::from(file), stat.st_size.cast_unsigned()))
}

/// Reads a whole regular file of at most `limit` bytes.
///
/// # Errors
/// As [`open_regular_file`], or the file is larger.
pub fn read_regular_file(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let (file, size) = open_regular_file(path)?;
    let too_large = |size: u64| {
        let (size, limit) = (crate::units::Bytes(size), crate::units::Bytes(limit));
        io::Error::new(io::ErrorKind::FileTooLarge, format!("it has {size}, more than the {limit} that are read"))
    };
    if size > limit {
        return Err(too_large(size));
    }
    let mut bytes = Vec::with_capacity(size as usize + 1);
    // One byte more than allowed: the file may have grown since.
    let read = file.take(limit + 1).read_to_end(&mut bytes)? as u64;
    if read > limit { Err(too_large(read)) } else { Ok(bytes) }
}

/// The first line of a regular file, without its end, at most 256 bytes.
///
/// # Errors
/// As [`open_regular_file`].
pub fn first_line(path: &Path) -> io::Result<Vec<u8>> {
    let (file, _) = open_regular_file(path)?;
    let mut line = Vec::with_capacity(256);
    file.take(256).read_to_end(&mut line)?;
    if let Some(end) = line.iter().position(|&byte| byte == b'\n') {
        line.truncate(end);
    }
    Ok(line)
}
