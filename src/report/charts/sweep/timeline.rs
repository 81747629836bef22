//! `timeline.png`: which worker was busy when, and what came of it.

use std::collections::BTreeMap;

use crate::judge::Verdict;
use crate::report::charts::frame::Frame;
use crate::report::charts::label::{self, sane};
use crate::report::charts::legend::{self, Legend};
use crate::report::charts::page::{Anchor, NOTE, Page, VALUE, draw_png};
use crate::report::charts::scale::Axis;
use crate::report::charts::theme::{ChartError, MARGIN, PANEL, SMALL, WIDTH, colour};
use crate::report::row::Row;

/// Most lanes; a page with more would be too tall to look at.
const LANES: usize = 64;

/// Narrower bars, in pixels, are added up by column.
const NARROW: f64 = 3.0;

/// Width of a column, in pixels, where the lanes have too many bars for each to be seen.
const DENSE: i32 = 5;

/// What bars come to in one column, in pixels, by verdict.
type Column = [f64; Verdict::ALL.len()];

pub(super) fn draw(rows: &[Row], title: &str) -> Result<Vec<u8>, ChartError> {
    let mut lanes: BTreeMap<usize, Vec<(f64, f64, Verdict)>> = BTreeMap::new();
    let mut end = 0.0f64;
    for row in rows {
        let (Some(start), Some(stop)) = (row.started_s.and_then(sane), sane(row.ended_s)) else { continue };
        let stop = stop.max(start);
        lanes.entry(row.worker).or_default().push((start, stop, row.verdict));
        end = end.max(stop);
    }
    let shown = lanes.len().min(LANES);
    let pitch = match shown {
        0..=4 => 44,
        5..=8 => 34,
        9..=16 => 24,
        _ => 18,
    };
    let counts = legend::verdict_counts(rows);
    let legend = Legend::new(70, &counts)?;
    let top = legend.bottom + 12;
    let bottom = top + pitch * shown.max(1) as i32;
    draw_png(bottom + 56, |page| {
        let workers = if lanes.len() == 1 { "1 worker".to_owned() } else { format!("{} workers", lanes.len()) };
        let more = if lanes.len() > LANES { format!("; the first {LANES} are shown") } else { String::new() };
        let ran: usize = lanes.values().map(Vec::len).sum();
        let subtitle = format!("{} on {workers} in {}{more}", label::cases(ran), label::seconds(end));
        page.heading(title, &subtitle)?;
        legend.draw(page)?;
        let frame = Frame { left: MARGIN + 76, right: WIDTH - MARGIN - 16, top, bottom };
        frame.ground(page)?;
        if lanes.is_empty() {
            let middle = ((frame.left + frame.right) / 2, (top + bottom) / 2);
            return page.text("no case was started", middle, Anchor::Centre, NOTE);
        }
        let time = Axis::seconds(end.max(1e-3), 8.0);
        frame.grid_x(page, &time)?;
        let longest_lane = lanes.values().map(Vec::len).max().unwrap_or(0);
        let dense = longest_lane > (frame.right - frame.left) as usize / 6;
        for ((worker, bars), row) in lanes.iter().take(LANES).zip((top..).step_by(pitch as usize)) {
            let name = label::shorten(&format!("worker {worker}"), frame.left - MARGIN / 2, SMALL, false)?;
            page.text(&name, (frame.left - 8, row + pitch / 2), Anchor::Right, VALUE)?;
            let gap = (pitch / 9).max(2);
            lane(page, Frame { top: row + gap, bottom: row + pitch - gap, ..frame }, &time, bars, dense)?;
        }
        frame.base_line(page, &time)?;
        frame.labels_x(page, &time, bottom + 16)?;
        if dense {
            let note = "too many cases for a bar each: columns show what part of the time went to which verdict";
            page.text(note, (frame.left, bottom + 42), Anchor::Left, NOTE)?;
        }
        page.text("time since the start of the sweep", (frame.right, bottom + 42), Anchor::Right, NOTE)
    })
}

fn lane(
    page: &Page<'_>,
    frame: Frame,
    time: &Axis,
    bars: &[(f64, f64, Verdict)],
    dense: bool,
) -> Result<(), ChartError> {
    let width = if dense { DENSE } else { 1 };
    let mut columns = vec![Column::default(); ((frame.right - frame.left + width - 1) / width) as usize];
    let place = |seconds: f64| time.place(seconds, 0, frame.right - frame.left);
    for &(start, stop, verdict) in bars {
        let (from, to) = (place(start), place(stop));
        if !dense && to - from >= NARROW {
            // The last column stays free: it parts this bar from the next.
            let (left, right) = (frame.left + from.round() as i32, frame.left + to.round() as i32 - 1);
            page.fill((left, frame.top), (right, frame.bottom), colour(verdict))?;
            continue;
        }
        // At least a trace of a bar without any length.
        let to = to.max(from + 0.01);
        let column = |x: f64| ((x / f64::from(width)) as usize).min(columns.len() - 1);
        let (first, last) = (column(from), column(to));
        for (index, sums) in (first..).zip(&mut columns[first..=last]) {
            let start = f64::from(width) * index as f64;
            let covered = to.min(start + f64::from(width)) - from.max(start);
            sums[legend::rank(verdict)] += covered.max(0.0) / f64::from(width);
        }
    }
    for (x, column) in (frame.left..).step_by(width as usize).zip(&columns) {
        stack(page, frame, (x, (x + width).min(frame.right)), column)?;
    }
    Ok(())
}

/// Fills a column from below in the proportions of the verdicts; none that is there vanishes.
fn stack(page: &Page<'_>, frame: Frame, (left, right): (i32, i32), column: &Column) -> Result<(), ChartError> {
    let sum: f64 = column.iter().sum();
    if sum <= 0.0 {
        return Ok(());
    }
    page.fill((left, frame.top), (right, frame.bottom), PANEL)?;
    // Idle time shows as a lower column; the pauses between two cases, and ends of bars within a
    // single pixel, do not.
    let busy = if sum > 0.5 || right - left == 1 { 1.0 } else { sum.max(0.2) } * f64::from(frame.bottom - frame.top);
    let mut bottom = frame.bottom;
    let mut before = 0.0;
    for (verdict, part) in Verdict::ALL.into_iter().zip(column).filter(|&(_, &part)| part > 0.0) {
        before += part / sum;
        let top = (frame.bottom - (busy * before).round() as i32).min(bottom - 1).max(frame.top);
        page.fill((left, top), (right, bottom), colour(verdict))?;
        bottom = top;
    }
    Ok(())
}
