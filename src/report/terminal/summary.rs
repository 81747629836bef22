//! The last thing a sweep prints.

use std::fmt::Write as _;
use std::path::Path;

use comfy_table::{Cell, CellAlignment, Table, presets};

use super::verdict_style;
use crate::judge::Verdict;
use crate::report::record::CaseRecord;
use crate::report::row::Row;
use crate::report::sanitize::{escape_controls, shorten};
use crate::report::sweep_json::Totals;
use crate::trace::Figure;
use crate::units::{Bytes, Span};

/// Most rows in a list of the summary.
const LISTED: usize = 10;
/// Columns that a path may take.
const PATH_WIDTH: usize = 48;

/// Counts, what was not expected, the slowest, and where to look.
pub fn sweep_summary(totals: &Totals, rows: &[Row], wall_time: Span, reports: &Path) -> String {
    let mut text = String::new();
    let mut counts = plain_table();
    for verdict in Verdict::ALL {
        let count = totals.count(verdict);
        if count > 0 {
            let name = verdict_style(verdict).for_stdout().apply_to(format!("{verdict:<13}"));
            counts.add_row([Cell::new(name), right(count)]);
        }
    }
    lines(&mut text, &counts);

    let unexpected: Vec<&Row> = rows.iter().filter(|row| row.met == Some(false) && !row.is_error()).collect();
    list(&mut text, "unexpected", &unexpected, |row| {
        vec![
            Cell::new(verdict(row.verdict)),
            Cell::new(format!("expected {}", row.expected.as_deref().unwrap_or_default())),
            path_cell(row),
            Cell::new(shorten(&escape_controls(&row.termination), 48)),
        ]
    });
    let errors: Vec<&Row> = rows.iter().filter(|row| row.is_error()).collect();
    if !errors.is_empty() {
        // In full: the reason ends with what to do.
        line(&mut text, "\ncould not be run:");
        for row in errors.iter().take(LISTED) {
            line(&mut text, &format!(" {}: {}", escape_controls(&row.path()), escape_controls(&row.termination)));
        }
        more(&mut text, errors.len());
    }

    let mut slowest: Vec<&Row> = rows.iter().filter(|row| row.wall_time_s.is_some()).collect();
    slowest.sort_by(|a, b| b.wall_time_s.partial_cmp(&a.wall_time_s).unwrap_or(std::cmp::Ordering::Equal));
    slowest.truncate(5);
    if rows.len() > 1 {
        list(&mut text, "slowest", &slowest, |row| {
            vec![
                right(seconds(row.wall_time_s)),
                right(format!("{} CPU", seconds(row.cpu_time_s))),
                right(row.peak_memory_bytes.map_or_else(|| "-".to_owned(), |bytes| Bytes(bytes).to_string())),
                path_cell(row),
                Cell::new(verdict(row.verdict)),
            ]
        });
    }

    let mut parts = Vec::new();
    if totals.expected + totals.unexpected > 0 {
        parts.push(format!("{} as expected", totals.expected));
        parts.push(format!("{} unexpected", totals.unexpected));
    }
    let cancelled = rows.iter().filter(|row| row.was_cancelled()).count() as u64;
    if totals.undeclared > cancelled && !parts.is_empty() {
        parts.push(format!("{} undeclared", totals.undeclared - cancelled));
    }
    if cancelled > 0 {
        parts.push(format!("{cancelled} cancelled"));
    }
    if totals.finished < totals.cases {
        parts.push(format!("{} not run", totals.cases - totals.finished - totals.lost));
    }
    if totals.lost > 0 {
        parts.push(format!("{} results lost", totals.lost));
    }
    let detail = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    let noun = if totals.cases == 1 { "case" } else { "cases" };
    line(&mut text, &format!("\n{} {noun} in {wall_time}{detail}", totals.finished));
    line(&mut text, &format!("reports: {}", reports.display()));
    text
}

/// What a single script came to.
pub fn single_summary(record: &CaseRecord, reports: &Path) -> String {
    let usage = &record.usage;
    let mut text = String::new();
    let termination = escape_controls(&record.termination.to_string()).into_owned();
    line(&mut text, &format!("{}: {termination}", verdict_style(record.verdict).apply_to(record.verdict)));
    if let Some(expectation) = record.expectation.as_ref().filter(|expectation| !expectation.met) {
        line(&mut text, &format!("unexpected: {} was declared", expectation.declared.join(" or ")));
    }
    let seconds = |figure: &Figure<f64>| figure.value.map(|value| seconds(Some(value)));
    let bytes = |figure: &Figure<u64>| figure.value.map(|value| Bytes(value).to_string());
    let parts: Vec<String> = [
        seconds(&usage.wall_time_s).map(|s| format!("wall {s}")),
        seconds(&usage.cpu_time_s).map(|s| format!("CPU {s}")),
        bytes(&usage.peak_memory_bytes).map(|b| format!("memory {b}")),
        usage.peak_processes.value.map(|n| format!("processes {n}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !parts.is_empty() {
        line(&mut text, &parts.join(", "));
    }
    line(&mut text, &format!("reports: {}", reports.display()));
    text
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("writing to a string");
}

fn list(text: &mut String, title: &str, rows: &[&Row], cells: impl Fn(&Row) -> Vec<Cell>) {
    if rows.is_empty() {
        return;
    }
    let mut table = plain_table();
    for row in rows.iter().take(LISTED) {
        table.add_row(cells(row));
    }
    line(text, &format!("\n{title}:"));
    lines(text, &table);
    more(text, rows.len());
}

fn more(text: &mut String, count: usize) {
    if count > LISTED {
        line(text, &format!(" … and {} more; see summary.csv", count - LISTED));
    }
}

/// A table without the blanks that fill its last column.
fn lines(text: &mut String, table: &Table) {
    for row in table.to_string().lines() {
        line(text, row.trim_end());
    }
}

fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

fn right(value: impl ToString) -> Cell {
    Cell::new(value.to_string()).set_alignment(CellAlignment::Right)
}

fn verdict(verdict: Verdict) -> String {
    verdict_style(verdict).for_stdout().apply_to(verdict).to_string()
}

fn path_cell(row: &Row) -> Cell {
    Cell::new(shorten(&escape_controls(&row.path()), PATH_WIDTH))
}

fn seconds(value: Option<f64>) -> String {
    match value.and_then(|value| std::time::Duration::try_from_secs_f64(value).ok()) {
        Some(duration) => Span(duration).to_string(),
        None => "-".to_owned(),
    }
}
