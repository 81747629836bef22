//! The facts about one run. No judgement in here.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::capture::Captured;
use crate::config::Limits;
use crate::trace::{Series, Usage};
use crate::units::Bytes;

/// A limit that the supervisor enforces by killing, or its order to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// [`crate::config::Limits::wall_time`]
    WallTime,
    /// [`crate::config::Limits::cpu_time`]
    CpuTime,
    /// [`crate::config::Limits::memory`]
    Memory,
    /// [`crate::config::Limits::stdout`] or [`crate::config::Limits::stderr`]
    Output,
    /// [`crate::config::Limits::disk`]
    Disk,
    /// The sweep was told to stop.
    Cancelled,
}

impl LimitKind {
    /// The name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::WallTime => "wall_time",
            Self::CpuTime => "cpu_time",
            Self::Memory => "memory",
            Self::Output => "output",
            Self::Disk => "disk",
            Self::Cancelled => "cancelled",
        }
    }
}

/// How a run ended, from our own record and the kernel's wait status: never from an exit code
/// that looks like something else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Termination {
    /// The script's first process called exit.
    Exited {
        /// 0 to 255.
        code: i32,
    },
    /// A signal that we did not send ended the script's first process.
    Signaled {
        /// Its number on this machine.
        signal: i32,
    },
    /// We ended it.
    Killed {
        /// Why.
        limit: LimitKind,
        /// What was seen: seconds for times, bytes for sizes; absent when cancelled.
        observed: Option<f64>,
        /// The limit's value in the same unit.
        allowed: Option<f64>,
        /// Which of several it was, e.g. `stdout`.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        detail: Option<String>,
        /// Seconds from the start of the script to the decision.
        at_s: f64,
    },
    /// It never ran.
    NotStarted {
        /// What went wrong and what to do about it.
        reason: String,
    },
}

/// One tripwire that fired.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Which.
    pub tripwire: String,
    /// What was seen.
    pub detail: String,
    /// Seconds from the start of the script.
    pub at_s: f64,
}

/// Everything that is known of one run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub termination: Termination,
    /// What it used.
    pub usage: Usage,
    /// How it used it over time.
    pub series: Series,
    /// What it printed on standard output.
    pub stdout: Captured,
    /// What it printed on standard error.
    pub stderr: Captured,
    /// Tripwires that fired.
    pub evidence: Vec<Evidence>,
    /// A file system of the sandbox had no space left when the script ended.
    pub disk_was_full: bool,
    /// What it was allowed to use.
    pub limits: Limits,
}

const SIGXFSZ: i32 = 25;

impl Outcome {
    /// Whether the process tree used more CPU time than it was allowed. Also true of a script that
    /// ended by itself, or by RLIMIT_CPU, before the supervisor's next look: the verdict must not
    /// depend on when we looked.
    pub fn exceeded_cpu_time(&self) -> bool {
        self.usage.cpu_time_s.value.is_some_and(|used| used > self.limits.cpu_time.0.as_secs_f64())
    }

    /// Whether it used more memory than it was allowed, by the kernel's or our own record.
    pub fn exceeded_memory(&self) -> bool {
        self.usage.peak_memory_bytes.value.is_some_and(|used| used > self.limits.memory.0)
    }

    /// The kernel sends SIGXFSZ to a process that writes beyond RLIMIT_FSIZE. A script can send it
    /// to itself; it counts only where as much was really written.
    pub fn hit_file_size_limit(&self, signal: i32) -> bool {
        let on_disk = self.usage.peak_disk_bytes.value.unwrap_or(0);
        let written = self.usage.written_bytes.value.unwrap_or(0);
        signal == SIGXFSZ && on_disk.max(written) >= self.limits.file_size.0
    }
}

impl std::fmt::Display for Termination {
    /// In a few words, without the script's own words.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited { code } => write!(f, "exit {code}"),
            Self::Signaled { signal } => match signal_name(*signal) {
                Some(name) => write!(f, "signal {signal} ({name})"),
                None => write!(f, "signal {signal}"),
            },
            Self::Killed { limit: LimitKind::Cancelled, .. } => f.write_str("cancelled"),
            Self::Killed { limit, observed, allowed, detail, .. } => {
                write!(f, "killed: {}", detail.as_deref().unwrap_or(limit.name()))?;
                if let (Some(observed), Some(allowed)) = (observed, allowed) {
                    let show = |value: f64| match limit {
                        LimitKind::WallTime | LimitKind::CpuTime => {
                            crate::units::Span(Duration::from_secs_f64(value.max(0.0))).to_string()
                        }
                        LimitKind::Disk => format!("{value:.0}"),
                        _ => Bytes(value as u64).to_string(),
                    };
                    write!(f, " {} of {}", show(*observed), show(*allowed))?;
                }
                Ok(())
            }
            Self::NotStarted { reason } => write!(f, "not started: {reason}"),
        }
    }
}

/// The usual name of a signal (signal(7); the numbers of x86-64 and aarch64).
pub fn signal_name(signal: i32) -> Option<&'static str> {
    const NAMES: [&str; 32] = [
        "",
        "SIGHUP",
        "SIGINT",
        "SIGQUIT",
        "SIGILL",
        "SIGTRAP",
        "SIGABRT",
        "SIGBUS",
        "SIGFPE",
        "SIGKILL",
        "SIGUSR1",
        "SIGSEGV",
        "SIGUSR2",
        "SIGPIPE",
        "SIGALRM",
        "SIGTERM",
        "SIGSTKFLT",
        "SIGCHLD",
        "SIGCONT",
        "SIGSTOP",
        "SIGTSTP",
        "SIGTTIN",
        "SIGTTOU",
        "SIGURG",
        "SIGXCPU",
        "SIGXFSZ",
        "SIGVTALRM",
        "SIGPROF",
        "SIGWINCH",
        "SIGIO",
        "SIGPWR",
        "SIGSYS",
    ];
    usize::try_from(signal).ok().filter(|&n| n > 0).and_then(|n| NAMES.get(n)).copied()
}
