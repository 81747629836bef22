//! `sweep.json`: what is known of a sweep as a whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::record::LimitRecord;
use super::row::Row;
use crate::config::Charts;
use crate::judge::Verdict;

/// One sweep, as stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepRecord {
    /// [`super::record::SCHEMA_VERSION`] of the program that wrote it.
    pub schema_version: u32,
    /// Name of its directory.
    pub id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC.
    pub finished_at: String,
    /// From start to end.
    pub wall_time_s: f64,
    /// Whether every case has a result; false when it was interrupted.
    pub complete: bool,
    /// What was swept, as on the command line.
    pub paths: Vec<String>,
    /// The configuration in force before any override.
    pub configuration: Configuration,
    /// Where it ran.
    pub environment: Environment,
    /// How it came out.
    pub totals: Totals,
    /// Files that were not run, and why.
    pub ignored: Vec<IgnoredRecord>,
    /// Places that could not be read: scripts may have been missed.
    pub unreadable: Vec<IgnoredRecord>,
    /// Warnings that were printed.
    pub warnings: Vec<String>,
}

/// The configuration in force before any override.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// The file it came from.
    pub file: Option<String>,
    /// The chosen profile.
    pub profile: Option<String>,
    /// Scripts run at a time.
    pub jobs: usize,
    /// First and largest distance between two samples.
    pub sampling_s: [f64; 2],
    /// Which charts are drawn.
    pub charts: Charts,
    /// Of each output stream.
    pub keep_output_bytes: u64,
    /// By name with unit.
    pub limits: BTreeMap<String, LimitRecord>,
    /// Network, binds, variables.
    pub policy: serde_json::Value,
}

/// The machine and the programs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// This program's version.
    pub sandsweep_version: String,
    /// bwrap's version.
    pub bwrap_version: String,
    /// The kernel's release.
    pub kernel: String,
    /// x86_64 or aarch64.
    pub architecture: String,
    /// CPUs that this process may use.
    pub cpus: usize,
    /// The uid that started it.
    pub uid: u32,
    /// The first uid of sandboxes, when they have their own.
    pub sandbox_uid_base: Option<u32>,
}

impl Environment {
    /// Of this process.
    pub fn here(bwrap_version: String, sandbox_uid_base: Option<u32>) -> Self {
        let system = rustix::system::uname();
        Self {
            sandsweep_version: env!("CARGO_PKG_VERSION").to_owned(),
            bwrap_version,
            kernel: system.release().to_string_lossy().into_owned(),
            architecture: system.machine().to_string_lossy().into_owned(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            uid: rustix::process::geteuid().as_raw(),
            sandbox_uid_base,
        }
    }
}

/// A file that was not run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IgnoredRecord {
    /// Relative to its root, with U+FFFD for what is not UTF-8.
    pub path: String,
    /// Why.
    pub reason: String,
}

impl From<&crate::corpus::Ignored> for IgnoredRecord {
    fn from(ignored: &crate::corpus::Ignored) -> Self {
        Self { path: ignored.relative.to_string_lossy().into_owned(), reason: ignored.reason.clone() }
    }
}

/// Counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Cases found.
    pub cases: u64,
    /// Cases with a result.
    pub finished: u64,
    /// By verdict; every verdict is there.
    pub verdicts: BTreeMap<String, u64>,
    /// Verdict as declared.
    pub expected: u64,
    /// Verdict not as declared.
    pub unexpected: u64,
    /// Nothing declared.
    pub undeclared: u64,
    /// Results that could not be written.
    pub lost: u64,
}

impl Totals {
    /// Counts rows.
    pub fn of(rows: &[Row], cases: usize, lost: u64) -> Self {
        let mut totals = Self { cases: cases as u64, finished: rows.len() as u64, lost, ..Self::default() };
        for verdict in Verdict::ALL {
            let count = rows.iter().filter(|row| row.verdict == verdict).count() as u64;
            totals.verdicts.insert(verdict.name().to_owned(), count);
        }
        for row in rows {
            match row.met {
                Some(true) => totals.expected += 1,
                Some(false) => totals.unexpected += 1,
                None => totals.undeclared += 1,
            }
        }
        totals
    }

    /// How many have this verdict.
    pub fn count(&self, verdict: Verdict) -> u64 {
        self.verdicts.get(verdict.name()).copied().unwrap_or(0)
    }
}
