//! How much a case may use.

use serde::Deserialize;

use crate::units::{Bytes, KIB, MIB, Span};
use std::time::Duration;

/// The limits of one case. Every sandbox has all of them but [`Limits::address_space`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the first instruction of the script to the end of its first process.
    pub wall_time: Span,
    /// User and system time of the whole process tree.
    pub cpu_time: Span,
    /// Memory of the whole process tree.
    pub memory: Bytes,
    /// Processes and threads at one time.
    pub processes: u64,
    /// Open descriptors of one process.
    pub open_files: u64,
    /// Bytes on standard output.
    pub stdout: Bytes,
    /// Bytes on standard error.
    pub stderr: Bytes,
    /// Bytes in the work directory, and as many again in `/tmp`.
    pub disk: Bytes,
    /// Size of one file.
    pub file_size: Bytes,
    /// Address space of one process. Off by default: node reserves gigabytes and uses few.
    pub address_space: Option<Bytes>,
}

impl Default for Limits {
    /// Ample for a student's script, small enough that one bad script is no trouble.
    fn default() -> Self {
        Self {
            wall_time: Span(Duration::from_secs(10)),
            cpu_time: Span(Duration::from_secs(5)),
            memory: Bytes(512 * MIB),
            processes: 64,
            open_files: 256,
            stdout: Bytes(8 * MIB),
            stderr: Bytes(8 * MIB),
            disk: Bytes(64 * MIB),
            file_size: Bytes(64 * MIB),
            address_space: None,
        }
    }
}

/// Some of the limits, as a table of the configuration or the flags name them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct LimitsPatch {
    /// Wall time a script may take, e.g. 10s
    #[arg(long, value_name = "DURATION", help_heading = "Limits")]
    pub wall_time: Option<Span>,
    /// CPU time of the whole process tree, e.g. 5s
    #[arg(long, value_name = "DURATION", help_heading = "Limits")]
    pub cpu_time: Option<Span>,
    /// Memory of the whole process tree, e.g. 512MiB
    #[arg(long, value_name = "SIZE", help_heading = "Limits")]
    pub memory: Option<Bytes>,
    /// Processes and threads at one time
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub processes: Option<u64>,
    /// Open files of one process
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub open_files: Option<u64>,
    /// Bytes on standard output before the script is ended
    #[arg(long, value_name = "SIZE", help_heading = "Limits")]
    pub stdout: Option<Bytes>,
    /// Bytes on standard error before the script is ended
    #[arg(long, value_name = "SIZE", help_heading = "Limits")]
    pub stderr: Option<Bytes>,
    /// Size of the work directory, and of /tmp
    #[arg(long, value_name = "SIZE", help_heading = "Limits")]
    pub disk: Option<Bytes>,
    /// Size of one file
    #[arg(long, value_name = "SIZE", help_heading = "Limits")]
    pub file_size: Option<Bytes>,
    /// Address space of one process (off by default: it breaks node)
    #[arg(long, value_name = "SIZE", help_heading = "Limits")]
    pub address_space: Option<Bytes>,
}

impl LimitsPatch {
    /// Puts what is named here over `limits`.
    pub fn apply(&self, limits: &mut Limits) {
        fn set<T: Copy>(field: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *field = value;
            }
        }
        set(&mut limits.wall_time, self.wall_time);
        set(&mut limits.cpu_time, self.cpu_time);
        set(&mut limits.memory, self.memory);
        set(&mut limits.processes, self.processes);
        set(&mut limits.open_files, self.open_files);
        set(&mut limits.stdout, self.stdout);
        set(&mut limits.stderr, self.stderr);
        set(&mut limits.disk, self.disk);
        set(&mut limits.file_size, self.file_size);
        if self.address_space.is_some() {
            limits.address_space = self.address_space;
        }
    }

    /// Values that no script could start under, named with the smallest that is allowed.
    pub fn check(&self) -> Result<(), String> {
        let floor = |name: &str, value: Option<u64>, least: u64, unit: &str| match value {
            Some(value) if value < least => {
                Err(format!("`{name}` is {value}{unit}, too small for any script; the least is {least}{unit}"))
            }
            _ => Ok(()),
        };
        let ms = |span: Option<Span>| span.map(|s| s.0.as_millis() as u64);
        let size = |bytes: Option<Bytes>| bytes.map(|b| b.0);
        floor("wall_time", ms(self.wall_time), 1, " ms")?;
        floor("cpu_time", ms(self.cpu_time), 1, " ms")?;
        floor("memory", size(self.memory), MIB, " bytes")?;
        floor("processes", self.processes, 1, "")?;
        floor("open_files", self.open_files, 8, "")?;
        floor("disk", size(self.disk), 64 * KIB, " bytes")?;
        floor("address_space", size(self.address_space), 16 * MIB, " bytes")
    }
}
