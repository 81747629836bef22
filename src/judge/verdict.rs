//! The verdicts: what facts about a run amount to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::sweep::outcome::{LimitKind, Outcome, Termination};

/// What became of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Exited with status 0.
    Ok,
    /// Exited with another status.
    Failed,
    /// Ended by a signal that was not ours.
    Crashed,
    /// Took too long, by wall clock or by CPU.
    TimeLimit,
    /// Used too much memory.
    MemoryLimit,
    /// Printed too much.
    OutputLimit,
    /// Filled its disk.
    DiskLimit,
    /// A tripwire fired.
    Escaped,
    /// The harness could not run it, or was told to stop. Never the script's doing.
    Error,
}

impl Verdict {
    /// Every verdict, best first; the order of tables and charts.
    pub const ALL: [Self; 9] = [
        Self::Ok,
        Self::Failed,
        Self::Crashed,
        Self::TimeLimit,
        Self::MemoryLimit,
        Self::OutputLimit,
        Self::DiskLimit,
        Self::Escaped,
        Self::Error,
    ];

    /// The name used in JSON, CSV, configuration and on the terminal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Crashed => "crashed",
            Self::TimeLimit => "time_limit",
            Self::MemoryLimit => "memory_limit",
            Self::OutputLimit => "output_limit",
            Self::DiskLimit => "disk_limit",
            Self::Escaped => "escaped",
            Self::Error => "error",
        }
    }

    /// Judges an outcome. Nothing but facts goes in: no exit code is taken for a limit, no output
    /// for a result.
    ///
    /// Precedence: evidence of an escape; our own kill; a limit that was exceeded although the
    /// script ended before we could end it (time before memory); then how it ended.
    pub fn of(outcome: &Outcome) -> Self {
        if !outcome.evidence.is_empty() {
            return Self::Escaped;
        }
        match &outcome.termination {
            Termination::NotStarted { .. } => Self::Error,
            Termination::Killed { limit, .. } => match limit {
                LimitKind::WallTime | LimitKind::CpuTime => Self::TimeLimit,
                LimitKind::Memory => Self::MemoryLimit,
                LimitKind::Output => Self::OutputLimit,
                LimitKind::Disk => Self::DiskLimit,
                LimitKind::Cancelled => Self::Error,
            },
            Termination::Exited { .. } | Termination::Signaled { .. } if outcome.exceeded_cpu_time() => Self::TimeLimit,
            Termination::Exited { .. } | Termination::Signaled { .. } if outcome.exceeded_memory() => Self::MemoryLimit,
            Termination::Signaled { signal } if outcome.hit_file_size_limit(*signal) => Self::DiskLimit,
            Termination::Signaled { .. } => Self::Crashed,
            Termination::Exited { code: 0 } => Self::Ok,
            // It failed, and the kernel had refused it space.
            Termination::Exited { .. } if outcome.disk_was_full => Self::DiskLimit,
            Termination::Exited { .. } => Self::Failed,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Verdict {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|verdict| verdict.name()).collect();
            format!("`{text}` is not a verdict; the verdicts are {}", names.join(", "))
        })
    }
}
