//! A case in a few hundred bytes: what tables, charts and the summary keep of each.

use std::borrow::Cow;

use super::record::CaseRecord;
use crate::corpus::CaseId;
use crate::judge::Verdict;
use crate::sweep::outcome::{LimitKind, Termination};
use crate::trace::Provenance;

/// The part of a [`CaseRecord`] that the whole-sweep reports need. A sweep holds one of each case in
/// memory, so it is kept small.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The case's name.
    pub id: CaseId,
    /// Name in the table of languages.
    pub language: Box<str>,
    /// What became of it.
    pub verdict: Verdict,
    /// Declared names, joined by ` or `.
    pub expected: Option<Box<str>>,
    /// Whether the verdict was declared.
    pub met: Option<bool>,
    /// How it ended, in a few words.
    pub termination: Box<str>,
    /// Exit status, when it exited.
    pub exit_code: Option<i32>,
    /// Signal, when one ended it.
    pub signal: Option<i32>,
    /// Limit, when we ended it.
    pub limit: Option<LimitKind>,
    /// Seconds.
    pub wall_time_s: Option<f64>,
    /// Seconds.
    pub cpu_time_s: Option<f64>,
    /// How `cpu_time_s` was obtained.
    pub cpu_provenance: Provenance,
    /// Bytes.
    pub peak_memory_bytes: Option<u64>,
    /// How `peak_memory_bytes` was obtained.
    pub memory_provenance: Provenance,
    /// Count.
    pub peak_processes: Option<u64>,
    /// Bytes.
    pub stdout_bytes: u64,
    /// Bytes.
    pub stderr_bytes: u64,
    /// The limit that was in force, seconds.
    pub wall_limit_s: Option<f64>,
    /// The limit that was in force, bytes.
    pub memory_limit_bytes: Option<f64>,
    /// How many tripwires fired.
    pub evidence: usize,
    /// Position in the order of the walk, from 0.
    pub index: u64,
    /// Worker, from 0.
    pub worker: usize,
    /// Seconds since the start of the sweep.
    pub started_s: Option<f64>,
    /// Seconds since the start of the sweep.
    pub ended_s: f64,
}

impl Row {
    /// Whether the sweep was stopped while this case ran.
    pub fn was_cancelled(&self) -> bool {
        self.limit == Some(LimitKind::Cancelled)
    }

    /// The script's path as people know it, with U+FFFD for what is not UTF-8; where several roots
    /// were swept, with the root's name before it.
    pub fn path(&self) -> Cow<'_, str> {
        match self.id.to_path() {
            Some(path) => Cow::Owned(path.to_string_lossy().into_owned()),
            None => Cow::Borrowed(self.id.as_str()),
        }
    }

    /// Whether the harness could not run it.
    pub fn is_error(&self) -> bool {
        self.verdict == Verdict::Error && !self.was_cancelled()
    }
}

impl From<&CaseRecord> for Row {
    fn from(record: &CaseRecord) -> Self {
        let limit = |name: &str| record.limits.get(name).and_then(|limit| limit.value);
        let (exit_code, signal, killed_by) = match &record.termination {
            Termination::Exited { code } => (Some(*code), None, None),
            Termination::Signaled { signal } => (None, Some(*signal), None),
            Termination::Killed { limit, .. } => (None, None, Some(*limit)),
            Termination::NotStarted { .. } => (None, None, None),
        };
        Self {
            id: record.id.clone(),
            language: record.script.language.as_str().into(),
            verdict: record.verdict,
            expected: record.expectation.as_ref().map(|e| e.declared.join(" or ").into()),
            met: record.expectation.as_ref().map(|e| e.met),
            termination: record.termination.to_string().into(),
            exit_code,
            signal,
            limit: killed_by,
            wall_time_s: record.usage.wall_time_s.value,
            cpu_time_s: record.usage.cpu_time_s.value,
            cpu_provenance: record.usage.cpu_time_s.provenance,
            peak_memory_bytes: record.usage.peak_memory_bytes.value,
            memory_provenance: record.usage.peak_memory_bytes.provenance,
            peak_processes: record.usage.peak_processes.value,
            stdout_bytes: record.output.stdout.bytes,
            stderr_bytes: record.output.stderr.bytes,
            wall_limit_s: limit("wall_time_s"),
            memory_limit_bytes: limit("memory_bytes"),
            evidence: record.evidence.len(),
            index: record.placement.index,
            worker: record.placement.worker,
            started_s: record.placement.started_s,
            ended_s: record.placement.ended_s,
        }
    }
}
