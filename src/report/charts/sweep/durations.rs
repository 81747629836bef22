//! `durations.png`: which part of the cases ended within which time.

use super::common;
use crate::judge::Verdict;
use crate::report::charts::curve::Curve;
use crate::report::charts::frame::Frame;
use crate::report::charts::label::{self, sane};
use crate::report::charts::legend::{self, Legend};
use crate::report::charts::page::{Anchor, NOTE, draw_png};
use crate::report::charts::scale::Axis;
use crate::report::charts::theme::{AXIS, CPU, ChartError, GRID, HEIGHT, PANEL, colour, mix};
use crate::report::row::Row;

/// Times that differ by more than this factor are drawn by powers of ten.
pub(super) const WIDE: f64 = 20.0;

/// Height of a verdict's row of marks below the curve.
const RUG: i32 = 10;

pub(super) fn draw(rows: &[Row], title: &str) -> Result<Vec<u8>, ChartError> {
    let mut times: Vec<f64> = rows.iter().filter_map(|row| row.wall_time_s.and_then(sane)).collect();
    times.sort_by(f64::total_cmp);
    let counts = legend::verdict_counts(rows);
    let limit = common(rows.iter().map(|row| row.wall_limit_s)).and_then(sane);
    draw_png(HEIGHT, |page| {
        page.heading(title, &subtitle(&times))?;
        let legend = Legend::new(70, &counts)?;
        legend.draw(page)?;
        let top = legend.bottom + 24;
        let parts = Axis::percent(100.0, 4.0);
        let mut frame = Frame::below(top, &parts)?;
        // Verdicts of cases that never ran have no times to mark.
        let timed = |verdict| rows.iter().any(|row| row.verdict == verdict && row.wall_time_s.and_then(sane).is_some());
        let counts: Vec<_> = counts.iter().copied().filter(|&(verdict, _)| timed(verdict)).collect();
        frame.bottom -= RUG * counts.len() as i32 + 6;
        frame.ground(page)?;
        frame.grid_y(page, &parts)?;
        let (Some(&least), Some(&most)) = (times.first(), times.last()) else {
            let middle = ((frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2);
            return page.text("no case has a wall time", middle, Anchor::Centre, NOTE);
        };
        let time = axis(least, most, limit);
        frame.grid_x(page, &time)?;

        // One corner for each column is enough: thousands of steps fall into one.
        let place = |seconds: f64| time.place(seconds, frame.left, frame.right - 1);
        let height = |done: usize| parts.place(100.0 * done as f64 / times.len() as f64, frame.bottom, frame.top);
        let mut curve = Curve::new(frame.left, frame.right);
        let mut at = (f64::from(frame.left), f64::from(frame.bottom));
        for (done, same) in (1..).zip(&times) {
            let (x, y) = (place(*same), height(done));
            if x.floor() > at.0.floor() || done == times.len() {
                curve.add(at, (x, at.1));
                curve.add((x, at.1), (x, y));
                at = (x, y);
            } else {
                curve.add((at.0, at.1), (at.0, y));
                at.1 = y;
            }
        }
        curve.add(at, (f64::from(frame.right - 1), at.1));
        curve.fill(page, frame.bottom, mix(CPU, PANEL, 0.18))?;
        curve.stroke(page, CPU, 2.0)?;

        let rug = Frame { top: frame.bottom + 6, bottom: frame.bottom + 6 + RUG * counts.len() as i32, ..frame };
        rug_rows(page, rug, &time, rows, &counts)?;
        page.line((frame.left, frame.bottom), (frame.right - 1, frame.bottom), AXIS)?;
        rug.base_line(page, &time)?;
        rug.labels_x(page, &time, rug.bottom + 16)?;
        page.text("wall time", (rug.right, HEIGHT - 14), Anchor::Right, NOTE)?;
        if let Some(limit) = limit.filter(|&limit| limit <= time.high()) {
            frame.limit_x(page, &time, limit, &format!("limit {}", label::seconds(limit)))?;
        }
        Ok(())
    })
}

/// An axis for times, with the limit on it when that is not far.
pub(super) fn axis(least: f64, most: f64, limit: Option<f64>) -> Axis {
    let least = least.max(1e-4);
    let most = most.max(1e-4);
    if most / least > WIDE {
        let high = limit.filter(|&limit| limit > most && limit <= most * 10.0).unwrap_or(most);
        Axis::log_seconds(least / 1.25, high * 1.25)
    } else {
        let high = limit.filter(|&limit| limit > most && limit <= most * 2.0).unwrap_or(most);
        Axis::seconds(high * 1.06, 8.0)
    }
}

fn subtitle(times: &[f64]) -> String {
    let Some(last) = times.last() else { return "Wall time".to_owned() };
    if times.len() == 1 {
        return format!("Wall time of 1 case: {}", label::seconds(*last));
    }
    // The smallest time within which at least this part of the cases ended.
    let quantile = |part: f64| times[((part * times.len() as f64).ceil() as usize).clamp(1, times.len()) - 1];
    format!(
        "Wall time of {}: half within {}, 90 % within {}, longest {}",
        label::cases(times.len()),
        label::seconds(quantile(0.5)),
        label::seconds(quantile(0.9)),
        label::seconds(*last),
    )
}

/// A row for each verdict, with a mark wherever a case of it ended.
fn rug_rows(
    page: &crate::report::charts::page::Page<'_>,
    rug: Frame,
    time: &Axis,
    rows: &[Row],
    counts: &[(Verdict, usize)],
) -> Result<(), ChartError> {
    for (&(verdict, _), row) in counts.iter().zip((rug.top..).step_by(RUG as usize)) {
        page.line((rug.left, row + RUG / 2), (rug.right - 1, row + RUG / 2), GRID)?;
        let mut marked = vec![false; (rug.right - rug.left) as usize];
        for case in rows.iter().filter(|case| case.verdict == verdict) {
            if let Some(seconds) = case.wall_time_s.and_then(sane) {
                marked[(rug.x(time, seconds) - rug.left) as usize] = true;
            }
        }
        for (x, _) in (rug.left..).zip(&marked).filter(|&(_, &marked)| marked) {
            page.fill((x, row + 1), (x + 2, row + RUG - 1), colour(verdict))?;
        }
    }
    Ok(())
}
