//! `result.json`: what is stored of one case. It is the source of truth; every other file of the
//! reports tree can be made from these and `sweep.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::corpus::CaseId;
use crate::judge::Verdict;
use crate::sweep::outcome::{Evidence, Termination};
use crate::trace::{Columns, Usage};

/// Version of the stored formats. It grows when a field changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 1;

/// One case, as stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseRecord {
    /// [`SCHEMA_VERSION`] of the program that wrote it.
    pub schema_version: u32,
    /// The case's name.
    pub id: CaseId,
    /// Where its files are, below `cases/`; the id itself unless a file system could not hold it.
    pub directory: String,
    /// When the sandbox was asked for: RFC 3339, UTC.
    pub started_at: String,
    /// Which script it was.
    pub script: ScriptRecord,
    /// How it ended.
    pub termination: Termination,
    /// What that amounts to.
    pub verdict: Verdict,
    /// What was declared, and whether it came true.
    pub expectation: Option<ExpectationRecord>,
    /// What it used.
    pub usage: Usage,
    /// What it was allowed to use.
    pub limits: BTreeMap<String, LimitRecord>,
    /// What it printed.
    pub output: OutputRecord,
    /// How it used what it used.
    pub trace: TraceRecord,
    /// Tripwires that fired.
    pub evidence: Vec<Evidence>,
    /// What it ran in; `None` when no sandbox came up.
    pub sandbox: Option<SandboxRecord>,
    /// Where in the sweep it ran.
    pub placement: Placement,
    /// Scores, where there are tests.
    pub grade: Option<serde_json::Value>,
}

/// Which script a case ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScriptRecord {
    /// Path relative to the swept root, with U+FFFD for what is not UTF-8; the case's id is the
    /// lossless form.
    pub path: String,
    /// SHA-256 of the bytes that were run, in hexadecimal.
    pub sha256: Option<String>,
    /// How many bytes.
    pub bytes: Option<u64>,
    /// Name in the table of languages.
    pub language: String,
    /// The interpreter's path.
    pub interpreter: Option<String>,
}

/// What was declared of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExpectationRecord {
    /// Verdict names, or `contained`.
    pub declared: Vec<String>,
    /// Whether the verdict is one of them.
    pub met: bool,
}

/// Who makes a limit hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Enforcement {
    /// The kernel refuses or kills.
    Kernel,
    /// The supervisor watches and kills.
    Supervised,
    /// Nobody.
    Absent,
}

impl Enforcement {
    /// The name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Supervised => "supervised",
            Self::Absent => "absent",
        }
    }
}

/// One limit: seconds, bytes or a count, as its name says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimitRecord {
    /// `None` where there is no limit.
    pub value: Option<f64>,
    /// Who makes it hold.
    pub enforcement: Enforcement,
    /// By which means.
    pub mechanism: String,
}

/// What a case printed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputRecord {
    /// Standard output.
    pub stdout: StreamRecord,
    /// Standard error.
    pub stderr: StreamRecord,
}

/// One output stream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StreamRecord {
    /// How many bytes came.
    pub bytes: u64,
    /// How many of them are in the file.
    pub kept_bytes: u64,
    /// Whether something was left out.
    pub truncated: bool,
    /// The file starts with this many bytes of the stream's beginning; when truncated, a line that
    /// says how much is missing follows, then the stream's end.
    pub head_bytes: u64,
    /// SHA-256 of every byte that came, in hexadecimal.
    pub sha256: String,
    /// File beside this one; absent when the stream was empty.
    pub file: Option<String>,
}

/// A trace as columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceRecord {
    /// First distance between two samples.
    pub interval_s: f64,
    /// Largest distance that was asked for.
    pub max_interval_s: f64,
    /// How many samples were taken; neighbours may share a point.
    pub samples: u64,
    /// Longest time without a sample.
    pub largest_gap_s: f64,
    /// One point for each sample, or for several with their peaks.
    pub series: Columns,
}

/// The sandbox a case ran in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SandboxRecord {
    /// As `bwrap --version` says.
    pub bwrap_version: String,
    /// Namespaces of its own.
    pub namespaces: Vec<String>,
    /// Uid in the sandbox.
    pub uid: u32,
    /// The kernel's uid: the same as seen from outside.
    pub host_uid: u32,
    /// Seccomp filter in force; `None` when there is none.
    pub seccomp: Option<String>,
    /// `none` or `loopback`.
    pub network: String,
    /// Every further layer in force, by name.
    pub layers: Vec<String>,
    /// Layers that the user allowed to be missing.
    pub degraded: Vec<String>,
}

/// Where and when in its sweep a case ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// Position in the order of the walk, from 0.
    pub index: u64,
    /// Worker, from 0.
    pub worker: usize,
    /// Seconds from the start of the sweep to the request for a sandbox.
    pub requested_s: f64,
    /// Seconds from the start of the sweep to the start of the script.
    pub started_s: Option<f64>,
    /// Seconds from the start of the sweep to the end of the sandbox.
    pub ended_s: f64,
}
