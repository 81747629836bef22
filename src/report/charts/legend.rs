//! Which colour means which verdict.

use super::glyphs;
use super::label;
use super::page::{Anchor, Page, VALUE};
use super::theme::{ChartError, MARGIN, SMALL, WIDTH, colour};
use crate::judge::Verdict;
use crate::report::row::Row;

/// Height of a line of a legend.
const LINE: i32 = 22;

/// How many rows have each verdict; those without any are left out.
pub(super) fn verdict_counts(rows: &[Row]) -> Vec<(Verdict, usize)> {
    let mut counts = [0usize; Verdict::ALL.len()];
    for row in rows {
        counts[rank(row.verdict)] += 1;
    }
    Verdict::ALL.into_iter().zip(counts).filter(|&(_, count)| count > 0).collect()
}

/// The verdict's place in [`Verdict::ALL`].
pub(super) fn rank(verdict: Verdict) -> usize {
    Verdict::ALL.iter().position(|&other| other == verdict).unwrap_or(0)
}

/// Names and counts with the places of their swatches.
pub(super) struct Legend {
    entries: Vec<(Verdict, String, (i32, i32))>,
    /// The row below it.
    pub bottom: i32,
}

impl Legend {
    /// Lays the verdicts out in as many lines as they need, starting at the row `top`.
    pub fn new(top: i32, counts: &[(Verdict, usize)]) -> Result<Self, ChartError> {
        let (mut x, mut y) = (MARGIN, top);
        let mut entries = Vec::with_capacity(counts.len());
        for &(verdict, count) in counts {
            let text = format!("{} {}", verdict.name(), label::grouped(count));
            let width = 18 + glyphs::width(&text, SMALL, false)?.ceil() as i32;
            if x > MARGIN && x + width > WIDTH - MARGIN {
                (x, y) = (MARGIN, y + LINE);
            }
            entries.push((verdict, text, (x, y + LINE / 2)));
            x += width + 20;
        }
        Ok(Self { entries, bottom: y + LINE })
    }

    /// Draws it.
    pub fn draw(&self, page: &Page<'_>) -> Result<(), ChartError> {
        for (verdict, text, (x, middle)) in &self.entries {
            page.fill((*x, middle - 6), (x + 12, middle + 6), colour(*verdict))?;
            page.text(text, (x + 18, *middle), Anchor::Left, VALUE)?;
        }
        Ok(())
    }
}
