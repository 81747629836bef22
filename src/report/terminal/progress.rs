//! How far a sweep is: a bar on a terminal, plain lines elsewhere. Everything goes to standard
//! error, so it never mixes with what a script or a report prints.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{say, verdict_style};
use crate::judge::Verdict;
use crate::report::row::Row;
use crate::report::sanitize::{escape_controls, shorten};

/// How often a line is printed where there is no terminal.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

/// The progress of one sweep.
#[derive(Debug)]
pub struct Progress {
    shown: Shown,
    total: usize,
    finished: usize,
    verdicts: BTreeMap<Verdict, usize>,
    running: BTreeMap<usize, String>,
    started: Instant,
}

#[derive(Debug)]
enum Shown {
    Bar(ProgressBar),
    Lines { last: Instant },
    Nothing,
}

impl Progress {
    /// For a sweep over this many cases.
    pub fn new(total: usize, quiet: bool) -> Self {
        let shown = if quiet {
            Shown::Nothing
        } else if std::io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr_with_hz(10));
            let style = ProgressStyle::with_template("{bar:28.green/dim} {pos}/{len} {elapsed} eta {eta}  {wide_msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.set_style(style);
            bar.enable_steady_tick(Duration::from_millis(500));
            Shown::Bar(bar)
        } else {
            Shown::Lines { last: Instant::now() }
        };
        Self { shown, total, finished: 0, verdicts: BTreeMap::new(), running: BTreeMap::new(), started: Instant::now() }
    }

    /// A worker has started a case.
    pub fn started(&mut self, worker: usize, id: &str) {
        self.running.insert(worker, id.to_owned());
        self.refresh();
    }

    /// A worker has finished a case. What was not expected is said at once.
    pub fn finished(&mut self, worker: usize, row: &Row) {
        self.running.remove(&worker);
        self.finished += 1;
        *self.verdicts.entry(row.verdict).or_default() += 1;
        let name = escape_controls(&row.path()).into_owned();
        if row.met == Some(false) {
            let verdict = verdict_style(row.verdict).apply_to(row.verdict);
            let expected = row.expected.as_deref().unwrap_or_default();
            self.say(&format!(
                "unexpected: {name}: {verdict}, expected {expected} ({})",
                escape_controls(&row.termination)
            ));
        } else if row.is_error() && row.met.is_none() {
            let verdict = verdict_style(row.verdict).apply_to(row.verdict);
            self.say(&format!("{verdict}: {name}: {}", escape_controls(&row.termination)));
        }
        self.refresh();
    }

    /// A result was lost, or something else is wrong.
    pub fn warn(&self, message: &str) {
        self.say(&format!("warning: {}", escape_controls(message)));
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }

    fn say(&self, line: &str) {
        match &self.shown {
            Shown::Bar(bar) => bar.suspend(|| say(line)),
            Shown::Lines { .. } => say(line),
            Shown::Nothing => {}
        }
    }

    fn refresh(&mut self) {
        let counts = || {
            let texts: Vec<_> = self
                .verdicts
                .iter()
                .map(|(verdict, count)| format!("{count} {}", verdict_style(*verdict).apply_to(verdict)))
                .collect();
            texts.join(", ")
        };
        match &mut self.shown {
            Shown::Bar(bar) => {
                let running: Vec<_> =
                    self.running.values().map(|id| shorten(&escape_controls(id), 28).into_owned()).collect();
                bar.set_position(self.finished as u64);
                bar.set_message(format!("{}  {}", counts(), running.join(" ")));
            }
            Shown::Lines { last } if last.elapsed() >= PLAIN_INTERVAL => {
                *last = Instant::now();
                let elapsed = self.started.elapsed().as_secs_f64();
                say(format!("{} of {} cases after {elapsed:.0} s: {}", self.finished, self.total, counts()));
            }
            Shown::Lines { .. } | Shown::Nothing => {}
        }
    }
}
