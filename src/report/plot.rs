//! From records to charts.

use super::charts::{ChartError, TraceChart, sweep_charts, trace_png};
use super::record::CaseRecord;
use super::row::Row;
use super::tree::SweepDir;
use crate::sweep::outcome::Termination;

/// The chart of one case.
///
/// # Errors
/// It cannot be drawn.
pub fn trace_chart(record: &CaseRecord) -> Result<Vec<u8>, ChartError> {
    let limit = |name: &str| record.limits.get(name).and_then(|limit| limit.value);
    let ended_at_s = match record.termination {
        Termination::Killed { at_s, .. } => Some(at_s),
        _ => None,
    };
    trace_png(&TraceChart {
        title: &record.script.path,
        verdict: record.verdict,
        subtitle: &record.termination.to_string(),
        series: &record.trace.series,
        wall_time_s: record.usage.wall_time_s.value,
        ended_at_s,
        wall_limit_s: limit("wall_time_s"),
        cpu_limit_s: limit("cpu_time_s"),
        memory_limit_bytes: limit("memory_bytes"),
        processes_limit: limit("processes"),
        peak_memory_bytes: record.usage.peak_memory_bytes.value,
    })
}

/// Draws the charts of a sweep; one warning for each that cannot be.
pub fn write_sweep_charts(sweep: &SweepDir, rows: &[Row], title: &str) -> Vec<String> {
    sweep_charts(rows, title)
        .into_iter()
        .filter_map(|(name, drawn)| {
            let written = drawn
                .map_err(|why| format!("cannot draw charts/{name}: {why}"))
                .and_then(|png| sweep.write(&format!("charts/{name}"), &png).map_err(|why| why.to_string()));
            written.err()
        })
        .collect()
}
