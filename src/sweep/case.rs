//! One case through its stages: read, prepare, supervise, judge, record.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::cancel::Cancel;
use super::capture::{Captured, hex};
use super::outcome::{LimitKind, Outcome, Termination};
use super::supervise::{Departing, Supervised, Watch, Watcher, supervise};
use crate::config::{CaseSettings, Config};
use crate::corpus::{Case, read_regular_file};
use crate::judge::Verdict;
use crate::report::record::{
    CaseRecord, ExpectationRecord, OutputRecord, Placement, SCHEMA_VERSION, SandboxRecord, ScriptRecord, StreamRecord,
    TraceRecord,
};
use crate::sandbox::seccomp::allowed_calls;
use crate::sandbox::{
    Interpreters, NAMESPACES, SCRIPT_DIRECTORY, Sandboxes, Started, UID_INSIDE, Wanted, limit_records,
};
use crate::trace::{Columns, Series, Usage};

/// A case whose sandbox is being set up, or that has already failed.
#[derive(Debug)]
pub struct Waiting {
    /// Position in the order of the walk.
    pub index: usize,
    settings: CaseSettings,
    script: ScriptRecord,
    started: Result<Started, String>,
    requested: Duration,
    requested_at: String,
    slot: u32,
    host_uid: u32,
}

/// A finished case: its record and what it printed.
#[derive(Debug)]
pub struct Finished {
    /// What is stored.
    pub record: CaseRecord,
    /// Standard output.
    pub stdout: Captured,
    /// Standard error.
    pub stderr: Captured,
    /// Its sandbox, which the kernel takes down; `None` where none came up.
    pub departing: Option<Departing>,
}

/// What every case of a sweep shares.
#[derive(Clone, Copy)]
pub struct Kitchen<'a> {
    /// Makes sandboxes.
    pub sandboxes: &'a Sandboxes,
    /// Interpreters that were looked for.
    pub interpreters: &'a Interpreters,
    /// In force.
    pub config: &'a Config,
    /// When the sweep began.
    pub clock: &'a Clock,
    /// Raised when everything is to stop.
    pub cancel: &'a Cancel,
    /// Wants to see output live.
    pub watcher: Option<&'a (dyn Watcher + Sync)>,
}

/// The file name under which a script lies in its sandbox: `main` with the script's own extension
/// where that is plain (node tells `.mjs` from `.cjs` by it), else the language's first.
pub fn script_name(case: &Case, config: &Config) -> String {
    let own = case.path.extension().and_then(|e| e.to_str()).filter(|extension| {
        config.languages.by_extension(extension).is_some() && extension.bytes().all(|b| b.is_ascii_alphanumeric())
    });
    let first = || {
        let language = config.languages.iter().find(|language| language.name == case.language)?;
        language.extensions.first().map(String::as_str)
    };
    match own.or_else(first) {
        Some(extension) => format!("main.{extension}"),
        None => "main".to_owned(),
    }
}

impl Kitchen<'_> {
    /// Reads the script and starts to set its sandbox up.
    pub fn start(&self, index: usize, case: &Case, slot: u32) -> Waiting {
        let settings = self.config.case_settings(&case.relative);
        let requested = self.clock.elapsed();
        let requested_at = self.clock.rfc3339(requested);
        let mut script = ScriptRecord {
            path: case.relative.to_string_lossy().into_owned(),
            sha256: None,
            bytes: None,
            language: case.language.clone(),
            interpreter: None,
        };
        let started = self.try_start(case, slot, &settings, &mut script);
        let host_uid = self.sandboxes.uids().of_slot(slot).0;
        Waiting { index, settings, script, started, requested, requested_at, slot, host_uid }
    }

    fn try_start(
        &self,
        case: &Case,
        slot: u32,
        settings: &CaseSettings,
        script: &mut ScriptRecord,
    ) -> Result<Started, String> {
        let source = read_regular_file(&case.path, self.config.script_size.0).map_err(|why| {
            let remedy = match why.kind() {
                ErrorKind::PermissionDenied => "; make it readable for this user",
                ErrorKind::FileTooLarge => "; raise `script_size` in [sweep] if it is meant to be that large",
                ErrorKind::NotFound => "; it was there when the directory was walked",
                _ => "",
            };
            format!("cannot read the script {}: {why}{remedy}", case.path.display())
        })?;
        script.sha256 = Some(hex(&Sha256::digest(&source)));
        script.bytes = Some(source.len() as u64);
        let language = self
            .config
            .languages
            .iter()
            .find(|language| language.name == case.language)
            .ok_or_else(|| format!("the language `{}` is not configured any more", case.language))?;
        let interpreter = self.interpreters.find(language, &settings.policy).map_err(|why| why.to_string())?;
        script.interpreter = Some(interpreter.path.to_string_lossy().into_owned());
        let name = script_name(case, self.config);
        let command: Vec<OsString> = interpreter.command(&format!("{SCRIPT_DIRECTORY}/{name}"));
        let wanted = Wanted {
            slot,
            script: &source,
            script_name: &name,
            command: &command,
            policy: &settings.policy,
            language_binds: &language.ro_bind,
            limits: &settings.limits,
        };
        self.sandboxes.start(&wanted).map_err(|why| why.to_string())
    }

    /// Runs a case to its end and judges it. `on_release` is called just before the script starts.
    pub fn finish(&self, waiting: Waiting, case: &Case, worker: usize, on_release: impl FnOnce()) -> Finished {
        let Waiting { index, settings, script, started, requested, requested_at, host_uid, .. } = waiting;
        let prepared = started.and_then(|started| started.wait_until_ready().map_err(|why| why.to_string()));
        let mut released = None;
        let (outcome, sandbox, departing) = match prepared {
            Ok(prepared) => {
                on_release();
                let watch = Watch {
                    limits: &settings.limits,
                    sampling: self.config.sampling,
                    keep_output: self.config.keep_output,
                    cancel: self.cancel,
                    watcher: self.watcher,
                };
                let Supervised { outcome, started, departing } = supervise(prepared, watch);
                released = Some(self.clock.since_start(started));
                (outcome, Some(self.sandbox_record(&settings, host_uid)), Some(departing))
            }
            Err(reason) => (not_started(reason, &settings), None, None),
        };
        let verdict = Verdict::of(&outcome);
        // A case that was cancelled has neither met what was declared nor failed to.
        let cancelled = matches!(outcome.termination, Termination::Killed { limit: LimitKind::Cancelled, .. });
        let declared = settings.expect.as_ref().filter(|_| !cancelled);
        let expectation = declared.map(|expect| ExpectationRecord {
            declared: expect.names().into_iter().map(str::to_owned).collect(),
            met: expect.met_by(verdict),
        });
        let stream = |captured: &Captured, file: &str| StreamRecord {
            bytes: captured.bytes,
            kept_bytes: captured.kept(),
            truncated: captured.truncated(),
            head_bytes: captured.head.len() as u64,
            sha256: captured.sha256.clone(),
            file: (captured.bytes > 0).then(|| file.to_owned()),
        };
        let record = CaseRecord {
            schema_version: SCHEMA_VERSION,
            id: case.id.clone(),
            directory: case.id.directory().to_string_lossy().into_owned(),
            started_at: requested_at,
            script,
            termination: outcome.termination.clone(),
            verdict,
            expectation,
            usage: outcome.usage.clone(),
            limits: limit_records(&settings.limits),
            output: OutputRecord {
                stdout: stream(&outcome.stdout, "stdout"),
                stderr: stream(&outcome.stderr, "stderr"),
            },
            trace: TraceRecord {
                interval_s: self.config.sampling.first.as_secs_f64(),
                max_interval_s: self.config.sampling.largest.as_secs_f64(),
                samples: outcome.series.samples(),
                largest_gap_s: outcome.series.largest_gap_s(),
                series: Columns::from(&outcome.series),
            },
            evidence: outcome.evidence.clone(),
            sandbox,
            placement: Placement {
                index: index as u64,
                worker,
                requested_s: requested.as_secs_f64(),
                started_s: released.map(|at| at.as_secs_f64()),
                ended_s: self.clock.elapsed().as_secs_f64(),
            },
            grade: None,
        };
        Finished { record, stdout: outcome.stdout, stderr: outcome.stderr, departing }
    }

    fn sandbox_record(&self, settings: &CaseSettings, host_uid: u32) -> SandboxRecord {
        SandboxRecord {
            bwrap_version: self.sandboxes.bwrap().version.to_string(),
            namespaces: NAMESPACES.map(str::to_owned).to_vec(),
            uid: UID_INSIDE,
            host_uid,
            seccomp: Some(format!("allowlist of {} calls", allowed_calls())),
            network: settings.policy.network.name().to_owned(),
            layers: ["seccomp", "no_new_privs", "capabilities_dropped", "userns_disabled", "read_only_root", "rlimits"]
                .map(str::to_owned)
                .to_vec(),
            degraded: Vec::new(),
        }
    }
}

impl Waiting {
    /// The uid slot it holds.
    pub fn slot(&self) -> u32 {
        self.slot
    }

    /// Lets it go without running its script.
    pub fn discard(self) {
        if let Ok(started) = self.started {
            started.discard();
        }
    }
}

fn not_started(reason: String, settings: &CaseSettings) -> Outcome {
    let nothing = || super::capture::Capture::new(0).finish();
    Outcome {
        termination: Termination::NotStarted { reason },
        usage: Usage::unavailable("the script did not run"),
        series: Series::default(),
        stdout: nothing(),
        stderr: nothing(),
        evidence: Vec::new(),
        disk_was_full: false,
        limits: settings.limits,
    }
}

/// The moment a sweep began, on the monotonic clock and in UTC: later times are computed from it,
/// so that a clock that is set meanwhile does not disorder them.
#[derive(Debug)]
pub struct Clock {
    /// Monotonic.
    start: Instant,
    /// UTC.
    start_utc: jiff::Timestamp,
}

impl Clock {
    /// Now.
    pub fn start() -> Self {
        Self { start: Instant::now(), start_utc: jiff::Timestamp::now() }
    }

    /// Since the start.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// From the start to `at`.
    pub fn since_start(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.start)
    }

    /// A moment of the sweep in UTC, with milliseconds.
    pub fn rfc3339(&self, since_start: Duration) -> String {
        let at = self.start_utc.checked_add(since_start).unwrap_or(self.start_utc);
        format!("{at:.3}")
    }

    /// When it began, in UTC.
    pub fn start_utc(&self) -> jiff::Timestamp {
        self.start_utc
    }
}
