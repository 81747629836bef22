//! `sandsweep run`: the main job.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::{Failure, print_bytes, settings};
use crate::cli::RunOptions;
use crate::config::{Charts, Config};
use crate::corpus::{Case, Corpus, walk};
use crate::judge::Verdict;
use crate::report::record::{CaseRecord, SCHEMA_VERSION};
use crate::report::row::Row;
use crate::report::terminal::{LiveOutput, Progress, say, single_summary, sweep_summary};
use crate::report::{
    Environment, IgnoredRecord, SweepDir, SweepRecord, Totals, summary_csv, trace_chart, write_sweep_charts,
};
use crate::sandbox::{Interpreters, Sandboxes, Uids, limit_records};
use crate::sweep::{self, Cancel, Event, Finished, Kitchen, SweepClock, Watcher};
use crate::units::Span;
use crate::{exit_code, report};

/// Sweeps the paths.
pub fn run(paths: Vec<PathBuf>, options: RunOptions) -> Result<u8, Failure> {
    let quiet = options.quiet;
    let config = settings::load(&paths, options)?;
    let corpus = walk(&paths, &config).map_err(Failure::usage)?;
    let mut warnings = Vec::new();
    for case in &corpus.cases {
        config.case_settings(&case.relative);
    }
    // A single script is not what the globs of a corpus are about.
    let single = matches!(&paths[..], [path] if !path.is_dir());
    if !single {
        warnings.extend(config.unmatched_globs());
    }
    warnings.extend(
        corpus.unreadable.iter().map(|place| format!("cannot read {}: {}", place.relative.display(), place.reason)),
    );
    for warning in &warnings {
        say(format!("warning: {}", report::escape_controls(warning)));
    }
    if corpus.cases.is_empty() {
        return Err(Failure::usage(nothing_to_run(&paths, &corpus)));
    }

    let jobs = config.jobs.min(corpus.cases.len());
    let sandboxes = settings::sandboxes(&config, jobs)?;
    let cancel = Arc::new(Cancel::new().map_err(Failure::harness)?);
    listen_for_signals(&cancel)?;
    sandboxes.probe().map_err(|why| Failure::no_sandbox(format!("{why}; see `sandsweep doctor`")))?;

    let clock = SweepClock::start();
    let tree = SweepDir::create(&config.reports, clock.start_utc()).map_err(Failure::harness)?;
    let live = single.then(LiveOutput::new);
    let sweep = Sweep { config: &config, sandboxes: &sandboxes, cancel: &cancel, clock: &clock, tree: &tree };
    let mut ended = sweep.run_cases(&corpus.cases, jobs, quiet || single, live.as_ref())?;
    ended.rows.sort_by_key(|row| row.index);
    warnings.append(&mut ended.warnings);

    let totals = Totals::of(&ended.rows, corpus.cases.len(), ended.lost);
    let wall_time = clock.elapsed();
    sweep.write_reports(&paths, &corpus, &ended.rows, &totals, &warnings, wall_time)?;
    if !quiet {
        match (single, &ended.rows[..]) {
            (true, [row]) => {
                if let Some(record) = read_record(&tree, row) {
                    say(single_summary(&record, &tree.case(&row.id.directory())).trim_end());
                }
            }
            _ => {
                print_bytes(sweep_summary(&totals, &ended.rows, Span(wall_time), tree.path()).as_bytes());
            }
        }
    }
    Ok(exit_status(&config, &totals, &ended.rows, &corpus, cancel.signal()))
}

fn read_record(tree: &SweepDir, row: &Row) -> Option<CaseRecord> {
    let bytes = std::fs::read(tree.case(&row.id.directory()).join("result.json")).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn nothing_to_run(paths: &[PathBuf], corpus: &Corpus) -> String {
    let names: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    let mut message = format!("no scripts in {}", names.join(", "));
    if let Some(first) = corpus.ignored.first() {
        message += &format!(
            "; {} ignored, e.g. {}: {}",
            if corpus.ignored.len() == 1 {
                "1 file was".to_owned()
            } else {
                format!("{} files were", corpus.ignored.len())
            },
            first.relative.display(),
            first.reason
        );
    }
    message + "; scripts are recognised by extension or `#!` line, and [languages.NAME] adds to the table"
}

/// The first signal asks every worker to stop; the second ends the program. Either way nothing of
/// a sandbox survives: its init leaves when the harness does.
fn listen_for_signals(cancel: &Arc<Cancel>) -> Result<(), Failure> {
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])
        .map_err(|why| Failure::harness(format!("cannot listen for signals: {why}")))?;
    let cancel = Arc::clone(cancel);
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                if cancel.is_raised() {
                    std::process::exit(i32::from(interrupted_code(signal)));
                }
                cancel.raise(signal);
            }
        })
        .map_err(|why| Failure::harness(format!("cannot start a thread: {why}")))?;
    Ok(())
}

fn interrupted_code(signal: i32) -> u8 {
    if signal == SIGINT { exit_code::INTERRUPTED } else { exit_code::TERMINATED }
}

/// The most serious of what happened: an escape, an interruption, trouble of our own, then what
/// was not expected.
fn exit_status(config: &Config, totals: &Totals, rows: &[Row], corpus: &Corpus, signal: Option<i32>) -> u8 {
    let asked_for = |row: &Row| row.met.is_none() && config.fail_on.contains(&row.verdict);
    if totals.count(Verdict::Escaped) > 0 {
        exit_code::ESCAPED
    } else if let Some(signal) = signal {
        interrupted_code(signal)
    } else if rows.iter().any(|row| row.is_error() && row.met != Some(true))
        || totals.lost > 0
        || !corpus.unreadable.is_empty()
    {
        exit_code::HARNESS
    } else if totals.unexpected > 0 || rows.iter().any(asked_for) {
        exit_code::UNEXPECTED
    } else {
        exit_code::OK
    }
}

struct Sweep<'a> {
    config: &'a Config,
    sandboxes: &'a Sandboxes,
    cancel: &'a Cancel,
    clock: &'a SweepClock,
    tree: &'a SweepDir,
}

/// What is known when the last worker has stopped.
#[derive(Default)]
struct Ended {
    rows: Vec<Row>,
    lost: u64,
    warnings: Vec<String>,
}

impl Sweep<'_> {
    fn run_cases(
        &self,
        cases: &[Case],
        jobs: usize,
        no_progress: bool,
        live: Option<&LiveOutput>,
    ) -> Result<Ended, Failure> {
        let interpreters = Interpreters::default();
        let kitchen = Kitchen {
            sandboxes: self.sandboxes,
            interpreters: &interpreters,
            config: self.config,
            clock: self.clock,
            cancel: self.cancel,
            watcher: live.map(|live| live as &(dyn Watcher + Sync)),
        };
        let store = |finished: &Finished| self.store(finished);
        let (events, heard) = channel();
        std::thread::scope(|scope| {
            // The pool's threads hold their own ends of the channel; this one goes when they do.
            let sweeping = std::thread::Builder::new()
                .name("sweep".to_owned())
                .spawn_scoped(scope, move || sweep::run(kitchen, cases, jobs, &store, events))
                .map_err(|why| Failure::harness(format!("cannot start a thread: {why}")))?;
            let ended = self.follow(&heard, cases.len(), no_progress)?;
            match sweeping.join() {
                Ok(Ok(())) => Ok(ended),
                Ok(Err(why)) => Err(Failure::harness(format!("cannot start {jobs} workers: {why}; lower --jobs"))),
                Err(_) => Err(Failure::harness("the pool panicked; please report it as a bug")),
            }
        })
    }

    /// Hears what workers say until none is left.
    fn follow(&self, heard: &Receiver<Event>, cases: usize, no_progress: bool) -> Result<Ended, Failure> {
        let path = self.tree.path().join("journal.ndjson");
        let mut journal = OpenOptions::new()
            .create_new(true)
            .append(true)
            .open(&path)
            .map_err(|why| Failure::harness(format!("cannot write {}: {why}", path.display())))?;
        let mut progress = Progress::new(cases, no_progress);
        let mut ended = Ended::default();
        let mut note = |line: serde_json::Value, ended: &mut Ended| {
            if let Err(why) = writeln!(journal, "{line}")
                && !ended.warnings.iter().any(|warning| warning.starts_with("cannot write the journal"))
            {
                ended.warnings.push(format!("cannot write the journal {}: {why}", path.display()));
            }
        };
        let begin = serde_json::json!({
            "event": "sweep_started", "schema_version": SCHEMA_VERSION, "id": self.tree.id(), "cases": cases,
            "at": self.clock.rfc3339(Duration::ZERO),
        });
        note(begin, &mut ended);
        for event in heard {
            match event {
                Event::Started { worker, id, at, .. } => {
                    progress.started(worker, id.as_str());
                    let line = serde_json::json!({
                        "event": "case_started", "id": id, "worker": worker, "at": self.clock.rfc3339(at),
                    });
                    note(line, &mut ended);
                }
                Event::Finished { worker, row } => {
                    progress.finished(worker, &row);
                    let line = serde_json::json!({
                        "event": "case_finished", "id": row.id, "verdict": row.verdict,
                    });
                    note(line, &mut ended);
                    ended.rows.push(*row);
                }
                Event::Warning { what } => {
                    progress.warn(&what);
                    ended.warnings.push(what);
                }
                Event::Lost { worker: _, id, why } => {
                    let message = format!("no result for {id}: {why}");
                    progress.warn(&message);
                    note(serde_json::json!({ "event": "case_lost", "id": id, "reason": why }), &mut ended);
                    ended.lost += 1;
                    ended.warnings.push(message);
                }
            }
        }
        progress.end();
        let end = serde_json::json!({
            "event": "sweep_finished", "finished": ended.rows.len(), "interrupted": self.cancel.is_raised(),
            "at": self.clock.rfc3339(self.clock.elapsed()),
        });
        note(end, &mut ended);
        Ok(ended)
    }

    /// Writes one case's files. Runs on the worker, so that the work is shared.
    fn store(&self, finished: &Finished) -> Result<Row, String> {
        let record = &finished.record;
        let json = serde_json::to_vec(record).map_err(|why| format!("cannot serialize the result: {why}"))?;
        let (stdout, stderr) = (finished.stdout.to_file(), finished.stderr.to_file());
        let chart = match self.config.charts {
            // A chart that cannot be drawn is no reason to lose a result.
            Charts::All => trace_chart(record).ok(),
            Charts::Sweep | Charts::None => None,
        };
        let mut files: Vec<(&str, &[u8])> = Vec::with_capacity(4);
        if finished.stdout.bytes > 0 {
            files.push(("stdout", &stdout));
        }
        if finished.stderr.bytes > 0 {
            files.push(("stderr", &stderr));
        }
        if let Some(chart) = &chart {
            files.push(("trace.png", chart));
        }
        files.push(("result.json", &json));
        self.tree.write_case(&record.id.directory(), &files).map_err(|why| why.to_string())?;
        Ok(Row::from(record))
    }

    fn write_reports(
        &self,
        paths: &[PathBuf],
        corpus: &Corpus,
        rows: &[Row],
        totals: &Totals,
        warnings: &[String],
        wall_time: Duration,
    ) -> Result<(), Failure> {
        let mut warnings = warnings.to_vec();
        if self.config.charts != Charts::None {
            let drawn = write_sweep_charts(self.tree, rows, &self.tree.id());
            drawn.iter().for_each(|warning| say(format!("warning: {warning}")));
            warnings.extend(drawn);
        }
        let complete = totals.finished == totals.cases && !self.cancel.is_raised();
        let record = SweepRecord {
            schema_version: SCHEMA_VERSION,
            id: self.tree.id(),
            started_at: self.clock.rfc3339(Duration::ZERO),
            finished_at: self.clock.rfc3339(wall_time),
            wall_time_s: wall_time.as_secs_f64(),
            complete,
            paths: paths.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
            configuration: self.configuration(),
            environment: Environment::here(
                self.sandboxes.bwrap().version.to_string(),
                match self.sandboxes.uids() {
                    Uids::Slots { base } => Some(base),
                    Uids::Own { .. } => None,
                },
            ),
            totals: totals.clone(),
            ignored: corpus.ignored.iter().map(IgnoredRecord::from).collect(),
            unreadable: corpus.unreadable.iter().map(IgnoredRecord::from).collect(),
            warnings,
        };
        let json = serde_json::to_vec_pretty(&record).map_err(Failure::harness)?;
        self.tree.write("summary.csv", &summary_csv(rows)).map_err(Failure::harness)?;
        self.tree.write("sweep.json", &json).map_err(Failure::harness)?;
        self.tree.sync().map_err(Failure::harness)?;
        if complete {
            self.tree.mark_latest().map_err(Failure::harness)?;
        }
        Ok(())
    }

    fn configuration(&self) -> report::Configuration {
        let config = self.config;
        report::Configuration {
            file: config.file.as_ref().map(|path| path.to_string_lossy().into_owned()),
            profile: config.profile.clone(),
            jobs: config.jobs,
            sampling_s: [config.sampling.first.as_secs_f64(), config.sampling.largest.as_secs_f64()],
            charts: config.charts,
            keep_output_bytes: config.keep_output.0,
            limits: limit_records(&config.base_limits()),
            policy: serde_json::to_value(config.base_policy()).unwrap_or_default(),
        }
    }
}
