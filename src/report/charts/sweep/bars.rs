//! Charts of level bars: verdicts, languages, slowest cases.

use std::collections::HashMap;

use crate::judge::Verdict;
use crate::report::charts::frame::Frame;
use crate::report::charts::glyphs;
use crate::report::charts::label::{self, sane};
use crate::report::charts::legend::{self, Legend};
use crate::report::charts::page::{Anchor, NOTE, Page, VALUE, draw_png};
use crate::report::charts::scale::Axis;
use crate::report::charts::theme::{AXIS, ChartError, MARGIN, PANEL, PAPER, SMALL, WIDTH, colour};
use crate::report::row::Row;

/// Most languages with a bar of their own.
const LANGUAGES: usize = 18;

/// Most slowest cases.
const SLOWEST: usize = 15;

/// A bar: its name, its value in words, and its parts from the left.
struct Bar {
    name: String,
    value: String,
    parts: Vec<(Verdict, f64)>,
}

/// Bars below each other from `top`, on the scale of `axis`; `name_room` is for the names.
fn bars(page: &Page<'_>, top: i32, pitch: i32, bars: &[Bar], axis: &Axis, name_room: i32) -> Result<(), ChartError> {
    let mut value_room = 0.0f64;
    let mut name_width = 0.0f64;
    for bar in bars {
        value_room = value_room.max(glyphs::width(&bar.value, SMALL, false)?);
        name_width = name_width.max(glyphs::width(&bar.name, SMALL, false)?);
    }
    let left = MARGIN + (name_width.ceil() as i32).min(name_room) + 12;
    let right = WIDTH - MARGIN - value_room.ceil() as i32 - 10;
    let bottom = top + pitch * bars.len() as i32;
    let frame = Frame { left, right, top, bottom };
    frame.ground(page)?;
    frame.grid_x(page, axis)?;
    frame.labels_x(page, axis, bottom + 16)?;
    for (bar, row) in bars.iter().zip((top..).step_by(pitch as usize)) {
        let (first, last) = (row + pitch / 6 + 1, row + pitch - pitch / 6);
        page.text(&bar.name, (left - 8, row + pitch / 2), Anchor::Right, VALUE)?;
        let mut from = 0.0;
        let mut x = left;
        for &(verdict, length) in &bar.parts {
            from += length;
            // A part that is there is seen, even when it is one of thousands.
            let end = frame.x(axis, from).max(x + 2);
            page.fill((x, first), (end, last), colour(verdict))?;
            if x > left && end - x > 4 {
                page.fill((x, first), (x + 1, last), PAPER)?;
            }
            x = end;
        }
        page.text(&bar.value, (x + 8, row + pitch / 2), Anchor::Left, VALUE)?;
    }
    frame.base_line(page, axis)?;
    page.line((left, top), (left, bottom), AXIS)
}

/// `verdicts.png`: how many cases have each verdict.
pub(super) fn verdicts(rows: &[Row], title: &str) -> Result<Vec<u8>, ChartError> {
    let counts = legend::verdict_counts(rows);
    let list: Vec<Bar> = counts
        .iter()
        .map(|&(verdict, count)| Bar {
            name: verdict.name().to_owned(),
            value: format!("{}  ({})", label::grouped(count), share(count, rows.len())),
            parts: vec![(verdict, count as f64)],
        })
        .collect();
    let most = counts.iter().map(|&(_, count)| count).max().unwrap_or(1);
    let axis = Axis::count(most as f64, 6.0);
    draw_png(84 + 40 * list.len() as i32 + 46, |page| {
        page.heading(title, &format!("Verdicts of {}", label::cases(rows.len())))?;
        bars(page, 84, 40, &list, &axis, 200)
    })
}

/// A part in percent that is never rounded to none or all.
fn share(part: usize, all: usize) -> String {
    let percent = 100.0 * part as f64 / all.max(1) as f64;
    match percent {
        p if p < 0.1 => "< 0.1 %".to_owned(),
        p if p > 99.9 && part < all => "> 99.9 %".to_owned(),
        p => format!("{} %", label::decimal((p * 10.0).round() / 10.0)),
    }
}

/// `languages.png`: verdicts by language, most cases first.
pub(super) fn languages(rows: &[Row], title: &str) -> Result<Vec<u8>, ChartError> {
    let mut by_language: HashMap<&str, [usize; Verdict::ALL.len()]> = HashMap::new();
    for row in rows {
        by_language.entry(&row.language).or_default()[legend::rank(row.verdict)] += 1;
    }
    let mut sorted: Vec<_> = by_language.into_iter().collect();
    sorted.sort_by_key(|(name, counts)| (std::cmp::Reverse(counts.iter().sum::<usize>()), *name));
    let all = sorted.len();
    let rest = if all > LANGUAGES { sorted.split_off(LANGUAGES - 1) } else { Vec::new() };
    let bar = |name: String, counts: &[usize; Verdict::ALL.len()]| {
        let parts = Verdict::ALL.into_iter().zip(counts).filter(|&(_, &count)| count > 0);
        Bar {
            name,
            value: label::grouped(counts.iter().sum()),
            parts: parts.map(|(verdict, &count)| (verdict, count as f64)).collect(),
        }
    };
    let mut list = Vec::new();
    for (name, counts) in &sorted {
        list.push(bar(label::shorten(name, 160, SMALL, false)?, counts));
    }
    if !rest.is_empty() {
        let sum = rest.iter().fold([0; Verdict::ALL.len()], |sum: [usize; Verdict::ALL.len()], (_, counts)| {
            std::array::from_fn(|i| sum[i] + counts[i])
        });
        list.push(bar(format!("{} others", rest.len()), &sum));
    }
    let longest = list.iter().map(|bar| bar.parts.iter().map(|part| part.1).sum::<f64>()).fold(1.0, f64::max);
    let axis = Axis::count(longest, 6.0);
    let counts = legend::verdict_counts(rows);
    let pitch = if list.len() > 8 { 26 } else { 36 };
    let legend = Legend::new(70, &counts)?;
    let top = legend.bottom + 10;
    draw_png(top + pitch * list.len() as i32 + 46, |page| {
        let languages = if all == 1 { "1 language".to_owned() } else { format!("{} languages", label::grouped(all)) };
        page.heading(title, &format!("Verdicts by language: {languages}, {}", label::cases(rows.len())))?;
        legend.draw(page)?;
        bars(page, top, pitch, &list, &axis, 160)
    })
}

/// `slowest.png`: the cases with the longest wall time.
pub(super) fn slowest(rows: &[Row], title: &str) -> Result<Vec<u8>, ChartError> {
    let mut timed: Vec<(f64, &Row)> =
        rows.iter().filter_map(|row| Some((row.wall_time_s.and_then(sane)?, row))).collect();
    let order = |a: &(f64, &Row), b: &(f64, &Row)| b.0.total_cmp(&a.0).then_with(|| a.1.index.cmp(&b.1.index));
    if timed.len() > SLOWEST {
        timed.select_nth_unstable_by(SLOWEST, order);
        timed.truncate(SLOWEST);
    }
    timed.sort_by(order);
    let mut list = Vec::new();
    for (seconds, row) in &timed {
        list.push(Bar {
            name: label::shorten(&row.path(), 380, SMALL, false)?,
            value: label::seconds(*seconds),
            parts: vec![(row.verdict, *seconds)],
        });
    }
    let axis = Axis::seconds(timed.first().map_or(1.0, |first| first.0), 5.0);
    let shown: Vec<Row> = timed.iter().map(|(_, row)| (*row).clone()).collect();
    let counts = legend::verdict_counts(&shown);
    let legend = Legend::new(70, &counts)?;
    let top = legend.bottom + 10;
    let height = top + 26 * list.len().max(1) as i32 + 46;
    draw_png(height, |page| {
        let subtitle = match list.len() {
            0 => "Slowest cases".to_owned(),
            1 => "Slowest case, by wall time".to_owned(),
            n => format!("The {n} slowest of {}, by wall time", label::cases(rows.len())),
        };
        page.heading(title, &subtitle)?;
        if list.is_empty() {
            page.fill((MARGIN, 84), (WIDTH - MARGIN, height - 24), PANEL)?;
            let middle = (WIDTH / 2, (84 + height - 24) / 2);
            return page.text("no case has a wall time", middle, Anchor::Centre, NOTE);
        }
        legend.draw(page)?;
        bars(page, top, 26, &list, &axis, 380)
    })
}
