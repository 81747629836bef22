//! Measured figures and where they come from.

use serde::{Deserialize, Serialize};

/// How a figure was obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provenance {
    /// Read from a cgroup v2 counter.
    Cgroup2,
    /// Read from a cgroup v1 counter.
    Cgroup1,
    /// The kernel's accounting of processes that were waited for (getrusage(2)), read by pid 1 of
    /// the sandbox after everything else had gone.
    Rusage,
    /// The kernel's monotonic clock, read by pid 1 of the sandbox just before it started the
    /// script and just after it had reaped it.
    Clock,
    /// Seen in procfs, or in the sandbox's file systems, at intervals: a lower bound.
    Sampled,
    /// Counted by the supervisor itself.
    Counted,
    /// Not known; the figure is null.
    Unavailable,
}

/// A measured value with its provenance. Serialized as `{ "value": …, "provenance": "…" }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure<T> {
    /// `None` when it is not known.
    pub value: Option<T>,
    /// How it was obtained.
    pub provenance: Provenance,
    /// Why it is not known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

impl<T> Figure<T> {
    /// A value that was obtained.
    pub fn known(value: T, provenance: Provenance) -> Self {
        Self { value: Some(value), provenance, reason: None }
    }

    /// A value that could not be.
    pub fn unavailable(reason: &str) -> Self {
        Self { value: None, provenance: Provenance::Unavailable, reason: Some(reason.to_owned()) }
    }
}

/// What a run used. Times in seconds, sizes in bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// From the start of the script to the end of its first process; sandbox set-up is not in it.
    pub wall_time_s: Figure<f64>,
    /// User and system time of every process of the sandbox but its pid 1.
    pub cpu_time_s: Figure<f64>,
    /// In user mode.
    pub cpu_user_s: Figure<f64>,
    /// In the kernel.
    pub cpu_system_s: Figure<f64>,
    /// Largest resident memory of the whole tree.
    pub peak_memory_bytes: Figure<u64>,
    /// Most processes at one time.
    pub peak_processes: Figure<u64>,
    /// Most threads at one time.
    pub peak_threads: Figure<u64>,
    /// Bytes asked for by read-like calls.
    pub read_bytes: Figure<u64>,
    /// Bytes handed to write-like calls.
    pub written_bytes: Figure<u64>,
    /// Most bytes in the work directory, `/tmp` and `/dev/shm` together.
    pub peak_disk_bytes: Figure<u64>,
    /// Page faults that needed a read from disk.
    pub major_faults: Figure<u64>,
    /// Times a process was made to wait for another to run.
    pub involuntary_context_switches: Figure<u64>,
    /// Processes that outlived the script's first process; they were killed.
    pub left_behind: Figure<u64>,
}

impl Usage {
    /// Nothing is known, for this reason.
    pub fn unavailable(reason: &str) -> Self {
        Self {
            wall_time_s: Figure::unavailable(reason),
            cpu_time_s: Figure::unavailable(reason),
            cpu_user_s: Figure::unavailable(reason),
            cpu_system_s: Figure::unavailable(reason),
            peak_memory_bytes: Figure::unavailable(reason),
            peak_processes: Figure::unavailable(reason),
            peak_threads: Figure::unavailable(reason),
            read_bytes: Figure::unavailable(reason),
            written_bytes: Figure::unavailable(reason),
            peak_disk_bytes: Figure::unavailable(reason),
            major_faults: Figure::unavailable(reason),
            involuntary_context_switches: Figure::unavailable(reason),
            left_behind: Figure::unavailable(reason),
        }
    }
}
