//! `sandsweep report`: derived files again, from the stored results alone.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::{Failure, print_bytes};
use crate::config::Charts;
use crate::report::record::{CaseRecord, SCHEMA_VERSION};
use crate::report::row::Row;
use crate::report::terminal::say;
use crate::report::{SweepDir, SweepRecord, summary_csv, trace_chart, write_atomically, write_sweep_charts};

/// Rebuilds `summary.csv`, the sweep's charts and each case's chart.
pub fn report(dir: PathBuf) -> Result<u8, Failure> {
    let cases = dir.join("cases");
    if !cases.is_dir() {
        return Err(Failure::usage(format!(
            "{} is not the directory of a sweep: it has no `cases`; name one, e.g. reports/latest",
            dir.display()
        )));
    }
    let real = std::fs::canonicalize(&dir).map_err(|why| Failure::usage(format!("{}: {why}", dir.display())))?;
    let tree = SweepDir::open(real);
    let (id, charts) = of_sweep(&tree);
    let mut rows = Vec::new();
    let mut redrawn = 0;
    let walk = WalkDir::new(tree.path().join("cases")).follow_links(false).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(|entry| !SweepDir::is_temporary(entry.file_name())) {
        let entry = entry.map_err(Failure::harness)?;
        if entry.file_type().is_file() && entry.file_name() == "result.json" {
            let record = read(entry.path())?;
            if charts == Charts::All {
                let chart = entry.path().with_file_name("trace.png");
                let png = trace_chart(&record).map_err(Failure::harness)?;
                write_atomically(&chart, &png).map_err(Failure::harness)?;
                redrawn += 1;
            }
            rows.push(Row::from(&record));
        }
    }
    rows.sort_by_key(|row| row.index);
    tree.write("summary.csv", &summary_csv(&rows)).map_err(Failure::harness)?;
    let drawn = charts != Charts::None;
    let warnings = if drawn { write_sweep_charts(&tree, &rows, &id) } else { Vec::new() };
    for warning in &warnings {
        say(format!("warning: {warning}"));
    }
    let text = format!(
        "{} cases: summary.csv{} and {redrawn} trace charts made again in {}\n",
        rows.len(),
        if drawn { ", the sweep's charts" } else { "" },
        tree.path().display()
    );
    Ok(print_bytes(text.as_bytes()))
}

/// The sweep's name, and which charts it was told to draw: only those are made again. Without a
/// readable `sweep.json`, as when a sweep was killed, all of them.
fn of_sweep(tree: &SweepDir) -> (String, Charts) {
    let stored = std::fs::read(tree.path().join("sweep.json")).ok();
    let record = stored.and_then(|bytes| serde_json::from_slice::<SweepRecord>(&bytes).ok());
    record.map_or_else(|| (tree.id(), Charts::All), |record| (record.id, record.configuration.charts))
}

fn read(path: &Path) -> Result<CaseRecord, Failure> {
    let bytes =
        std::fs::read(path).map_err(|why| Failure::harness(format!("cannot read {}: {why}", path.display())))?;
    let record: CaseRecord = serde_json::from_slice(&bytes).map_err(|why| {
        Failure::usage(format!("{} is not a result of sandsweep: {why}; move it away", path.display()))
    })?;
    if record.schema_version > SCHEMA_VERSION {
        return Err(Failure::usage(format!(
            "{} was written by a newer sandsweep (schema {}, this one knows {SCHEMA_VERSION}); update sandsweep",
            path.display(),
            record.schema_version
        )));
    }
    Ok(record)
}
