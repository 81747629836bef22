//! Charts of a whole sweep. Each does a bounded amount of drawing however many cases there are.

mod bars;
mod durations;
mod memory_time;
mod timeline;

use super::theme::ChartError;
use crate::report::row::Row;

/// Every chart of the sweep with the name of its file; nothing when there are no rows.
pub fn sweep_charts(rows: &[Row], title: &str) -> Vec<(&'static str, Result<Vec<u8>, ChartError>)> {
    if rows.is_empty() {
        return Vec::new();
    }
    vec![
        ("verdicts.png", bars::verdicts(rows, title)),
        ("durations.png", durations::draw(rows, title)),
        ("memory_time.png", memory_time::draw(rows, title)),
        ("timeline.png", timeline::draw(rows, title)),
        ("languages.png", bars::languages(rows, title)),
        ("slowest.png", bars::slowest(rows, title)),
    ]
}

/// The value that more than half of the rows share.
fn common(values: impl Iterator<Item = Option<f64>> + Clone) -> Option<f64> {
    // If any value has a majority, this count (Boyer and Moore) ends on it.
    let (mut candidate, mut lead) = (None, 0usize);
    for value in values.clone() {
        if lead == 0 {
            (candidate, lead) = (value, 1);
        } else if value == candidate {
            lead += 1;
        } else {
            lead -= 1;
        }
    }
    let all = values.clone().count();
    let have = values.filter(|value| *value == candidate).count();
    candidate.filter(|_| have * 2 > all)
}
