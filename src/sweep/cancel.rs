//! Telling every worker at once to stop.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::event::{EventfdFlags, eventfd};

/// A flag with a descriptor that becomes, and stays, readable when it is raised.
#[derive(Debug)]
pub struct Cancel {
    event: OwnedFd,
    signal: AtomicI32,
}

impl Cancel {
    /// Not raised.
    ///
    /// # Errors
    /// Out of descriptors.
    pub fn new() -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { event, signal: AtomicI32::new(0) })
    }

    /// Raises it on behalf of a signal. Nobody ever reads the descriptor, so it stays readable.
    pub fn raise(&self, signal: i32) {
        let _ = self.signal.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
        let _ = rustix::io::write(&self.event, &1u64.to_ne_bytes());
    }

    /// The signal it was raised for.
    pub fn signal(&self) -> Option<i32> {
        let signal = self.signal.load(Ordering::SeqCst);
        (signal != 0).then_some(signal)
    }

    /// Whether it was raised.
    pub fn is_raised(&self) -> bool {
        self.signal().is_some()
    }
}

impl AsFd for Cancel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}
