//! `memory_time.png`: peak memory against wall time.

use std::collections::HashSet;

use super::{common, durations};
use crate::report::charts::frame::Frame;
use crate::report::charts::label::{self, sane};
use crate::report::charts::legend::{self, Legend};
use crate::report::charts::page::{Anchor, NOTE, draw_png};
use crate::report::charts::scale::Axis;
use crate::report::charts::theme::{ChartError, HEIGHT, PAPER, colour};
use crate::report::row::Row;

pub(super) fn draw(rows: &[Row], title: &str) -> Result<Vec<u8>, ChartError> {
    let of = |row: &Row| Some((row.wall_time_s.and_then(sane)?, row.peak_memory_bytes? as f64));
    let known: Vec<(f64, f64)> = rows.iter().filter_map(of).collect();
    let counts = legend::verdict_counts(rows);
    let range = |values: fn(&(f64, f64)) -> f64| {
        known.iter().map(values).fold((f64::INFINITY, 0.0f64), |(low, high), v| (low.min(v), high.max(v)))
    };
    let (times, sizes) = (range(|p| p.0), range(|p| p.1));
    let wall_limit = common(rows.iter().map(|row| row.wall_limit_s)).and_then(sane);
    let memory_limit = common(rows.iter().map(|row| row.memory_limit_bytes)).and_then(sane);
    draw_png(HEIGHT, |page| {
        let missing = rows.len() - known.len();
        let note = if missing > 0 { format!("; {} not measured", label::grouped(missing)) } else { String::new() };
        page.heading(title, &format!("Peak memory against wall time of {}{note}", label::cases(known.len())))?;
        let legend = Legend::new(70, &counts)?;
        legend.draw(page)?;
        let top = legend.bottom + 24;
        let memory = memory_axis(sizes, memory_limit);
        let frame = Frame::below(top, &memory)?;
        frame.ground(page)?;
        if known.is_empty() {
            let middle = ((frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2);
            return page.text("no case has both a wall time and a peak memory", middle, Anchor::Centre, NOTE);
        }
        let time = durations::axis(times.0, times.1, wall_limit);
        frame.grid_x(page, &time)?;
        frame.grid_y(page, &memory)?;

        if let Some(limit) = wall_limit.filter(|&limit| limit <= time.high()) {
            frame.limit_x(page, &time, limit, &format!("limit {}", label::seconds(limit)))?;
        }
        if let Some(limit) = memory_limit.filter(|&limit| limit <= memory.high()) {
            frame.limit_y(page, &memory, limit, &format!("limit {}", label::bytes(limit)))?;
        }

        let radius = match known.len() {
            0..=300 => 4,
            301..=3000 => 3,
            _ => 2,
        };
        // The commonest verdict first, so that the rare ones end up on top of it. Dots that would
        // cover each other are drawn once: the work depends on the panel, not on the cases.
        let mut order = counts.clone();
        order.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        for (verdict, _) in order {
            let mut taken = HashSet::new();
            for row in rows.iter().filter(|row| row.verdict == verdict) {
                let Some((seconds, bytes)) = of(row) else { continue };
                let at = (frame.x(&time, seconds), frame.y(&memory, bytes));
                if taken.insert((at.0 / radius, at.1 / radius)) {
                    // Edges of thousands of dots would be most of the picture.
                    let edge = if radius > 2 { PAPER } else { colour(verdict) };
                    page.dot(at, f64::from(radius) - 0.5, colour(verdict), edge)?;
                }
            }
        }
        frame.base_line(page, &time)?;
        frame.labels_x(page, &time, frame.bottom + 16)?;
        page.text("peak memory (up), wall time (right)", (frame.right, HEIGHT - 14), Anchor::Right, NOTE)?;
        Ok(())
    })
}

fn memory_axis((least, most): (f64, f64), limit: Option<f64>) -> Axis {
    let least = if least.is_finite() { least.max(4096.0) } else { 4096.0 };
    let most = most.max(4096.0);
    if most / least > durations::WIDE {
        let high = limit.filter(|&limit| limit > most && limit <= most * 8.0).unwrap_or(most);
        Axis::log_bytes(least / 1.4, high * 1.4, 8.0)
    } else {
        let high = limit.filter(|&limit| limit > most && limit <= most * 2.0).unwrap_or(most);
        Axis::bytes(high * 1.08, 6.0)
    }
}
