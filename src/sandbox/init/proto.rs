// The conversation between the harness and the sandbox's pid 1. This file is compiled twice: as a
// module of the harness and as a module of the freestanding init, so it must stay `no_std` and
// hold nothing but plain data.
//
// All messages are arrays of `u64` in native byte order over one SOCK_SEQPACKET socket pair: both
// ends run on the same machine and come from the same build.

/// Descriptor number on which the init finds its control socket.
pub const CONTROL_FD: i32 = 3;

/// First word of every message; a different build refuses to talk.
pub const MAGIC: u64 = 0x5357_4545_5000_0001;

/// Init → harness, with [`READY_FDS`] descriptors attached: the sandbox stands, nothing of the
/// script has run. Words: `MAGIC, READY`.
pub const READY: u64 = 1;
/// Harness → init: run the script under these resource limits. Words: `MAGIC, GO, n`, then `n`
/// pairs `resource, value` (soft and hard alike).
pub const GO: u64 = 2;
/// Harness → init: kill every process of the sandbox, collect what they used, then report.
pub const KILL: u64 = 3;
/// Init → harness: the script could not be started. Words: `MAGIC, FAILED, step, errno`.
pub const FAILED: u64 = 4;
/// Init → harness: the script has ended and no process is left. Words: see [`exited`].
pub const EXITED: u64 = 5;

/// Descriptors that come with [`READY`], in this order.
#[allow(dead_code)] // The init counts its own list; only the harness names this.
pub const READY_FDS: usize = 5;

/// Most `(resource, value)` pairs a [`GO`] message may carry: RLIM_NLIMITS of Linux.
pub const MAX_LIMITS: usize = 16;

/// Steps named by [`FAILED`].
pub mod step {
    pub const RLIMIT: u64 = 1;
    pub const EXEC: u64 = 2;
    pub const FORK: u64 = 3;
    pub const PROTOCOL: u64 = 4;
    pub const SETUP: u64 = 5;
}

/// Word offsets in an [`EXITED`] message.
pub mod exited {
    /// wait(2) status of the script's first process.
    pub const STATUS: usize = 2;
    /// CLOCK_MONOTONIC, nanoseconds, just before the fork of the script.
    pub const STARTED_NS: usize = 3;
    /// CLOCK_MONOTONIC, nanoseconds, when the script's first process was reaped.
    pub const ENDED_NS: usize = 4;
    /// RUSAGE_CHILDREN of the init, after everything was reaped.
    pub const USER_US: usize = 5;
    pub const SYSTEM_US: usize = 6;
    /// Largest resident set of any single process, KiB.
    pub const MAX_RSS_KIB: usize = 7;
    pub const MAJOR_FAULTS: usize = 8;
    pub const INVOLUNTARY_SWITCHES: usize = 9;
    /// Processes still there when the script's first process had ended; the init killed them.
    pub const LEFT_BEHIND: usize = 10;
    /// Bytes that the reaped processes asked read-like calls for, and handed to write-like calls:
    /// `rchar` and `wchar` of `/proc/1/io`, which take in reaped children (proc(5)), less what the
    /// init had used before it started the script. [`UNKNOWN`] where the kernel does not count.
    pub const READ_CHARS: usize = 11;
    pub const WRITTEN_CHARS: usize = 12;
    pub const WORDS: usize = 13;
    pub const UNKNOWN: u64 = u64::MAX;
}
