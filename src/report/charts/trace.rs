//! `trace.png`: CPU, memory, processes and threads of one case over time.

use super::curve::Curve;
use super::frame::Frame;
use super::glyphs;
use super::label::{self, sane};
use super::page::{Anchor, CHART_TITLE, NOTE, PANEL_TITLE, Page, SUBTITLE, Style, draw_png};
use super::scale::Axis;
use super::theme::{
    AXIS, CPU, ChartError, GRID_STRONG, HEADING, HEIGHT, LIMIT, MARGIN, MEMORY, PANEL, PAPER, PROCESSES, SMALL,
    THREADS, TITLE, WIDTH, colour, mix,
};
use crate::judge::Verdict;
use crate::trace::Columns;

/// What is drawn of one case.
#[derive(Clone, Copy, Debug)]
pub struct TraceChart<'a> {
    /// The case's path or id; any text at all.
    pub title: &'a str,
    /// What became of it.
    pub verdict: Verdict,
    /// How it ended, in a few words.
    pub subtitle: &'a str,
    /// What the sampler saw.
    pub series: &'a Columns,
    /// How long it ran, in seconds.
    pub wall_time_s: Option<f64>,
    /// When it was killed, in seconds since its start.
    pub ended_at_s: Option<f64>,
    /// Limit in force, in seconds.
    pub wall_limit_s: Option<f64>,
    /// Limit in force, in seconds.
    pub cpu_limit_s: Option<f64>,
    /// Limit in force.
    pub memory_limit_bytes: Option<f64>,
    /// Limit in force.
    pub processes_limit: Option<f64>,
    /// The largest memory, which may have been between two samples.
    pub peak_memory_bytes: Option<u64>,
}

/// Below this many samples each one gets a dot: it shows how little the curve rests on.
const FEW: usize = 40;

/// A limit is drawn while it is at most this many times the largest value; beyond that it would
/// press the data flat, and is only named.
const REACH: f64 = 4.0;

/// The series, without what cannot be drawn.
struct Samples {
    t: Vec<f64>,
    cpu: Vec<f64>,
    memory: Vec<f64>,
    processes: Vec<f64>,
    threads: Vec<f64>,
}

impl Samples {
    /// Columns of different lengths are cut to the shortest; samples without a time, or with one
    /// before their predecessor's, are dropped; other values that are not numbers count as 0.
    fn of(series: &Columns) -> Self {
        let mut samples = Self { t: vec![], cpu: vec![], memory: vec![], processes: vec![], threads: vec![] };
        let gauges = series.memory_bytes.iter().zip(&series.processes).zip(&series.threads);
        for ((&t, &cpu), ((&memory, &processes), &threads)) in series.t_s.iter().zip(&series.cpu_percent).zip(gauges) {
            let Some(t) = sane(t).filter(|&t| samples.t.last().is_none_or(|&before| t >= before)) else { continue };
            samples.t.push(t);
            samples.cpu.push(sane(cpu).unwrap_or(0.0));
            samples.memory.push(memory as f64);
            samples.processes.push(processes as f64);
            samples.threads.push(threads as f64);
        }
        samples
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

/// Draws the chart.
///
/// # Errors
/// It cannot be drawn or stored; never because of what the chart shows.
pub fn trace_png(chart: &TraceChart<'_>) -> Result<Vec<u8>, ChartError> {
    draw_png(HEIGHT, |page| draw(page, chart))
}

fn draw(page: &Page<'_>, chart: &TraceChart<'_>) -> Result<(), ChartError> {
    let samples = Samples::of(chart.series);
    heading(page, chart)?;

    let killed = chart.ended_at_s.and_then(sane);
    let known = [samples.t.last().copied(), chart.wall_time_s.and_then(sane), killed];
    let end = known.into_iter().flatten().fold(0.0, f64::max);
    let end = if end > 0.0 { end } else { 1.0 };
    // A limit that is not much further than the end of the run is in the picture.
    let wall_limit = chart.wall_limit_s.and_then(sane).filter(|&limit| limit <= end * 1.3 && limit > 0.0);
    let time = Axis::seconds(wall_limit.unwrap_or(0.0).max(end * 1.015), 8.0);

    let cpu_peak = largest(&samples.cpu);
    let cpu = Axis::percent((cpu_peak * 1.06).max(110.0), 3.0);

    let memory_peak = largest(&samples.memory).max(chart.peak_memory_bytes.map_or(0.0, |peak| peak as f64));
    let memory_limit = chart.memory_limit_bytes.and_then(sane);
    let memory = Axis::bytes(with_limit(memory_peak, memory_limit, 4096.0), 5.0);

    let count_peak = largest(&samples.processes).max(largest(&samples.threads));
    let processes_limit = chart.processes_limit.and_then(sane);
    let count = Axis::count(with_limit(count_peak, processes_limit, 1.0), 4.0);

    let label_width = cpu.label_width()?.max(memory.label_width()?).max(count.label_width()?).max(48);
    let (left, right) = (MARGIN + label_width + 10, WIDTH - MARGIN - 8);
    let frame = |top: i32, bottom: i32| Frame { left, right, top, bottom };
    let (cpu_frame, memory_frame, count_frame) = (frame(106, 214), frame(246, 370), frame(402, 488));
    for (frame, axis) in [(cpu_frame, &cpu), (memory_frame, &memory), (count_frame, &count)] {
        frame.ground(page)?;
        frame.grid_x(page, &time)?;
        frame.grid_y(page, axis)?;
    }

    cpu_panel(page, cpu_frame, &time, &cpu, &samples)?;
    gauge_panel(page, memory_frame, &time, &memory, &samples)?;
    count_panel(page, count_frame, &time, &count, &samples)?;

    let shown = |value: f64, format: fn(f64) -> String| if samples.t.is_empty() { None } else { Some(format(value)) };
    let x = panel_title(page, cpu_frame, "CPU", "% of one core")?;
    let x = peak_note(page, cpu_frame, x, shown(cpu_peak, |value| format!("{} %", label::count(value.round()))))?;
    // Not at the right as the other limits: it is not one on what the panel shows, and the label of
    // a kill stands there.
    let cpu_note = chart.cpu_limit_s.and_then(sane).map(|limit| format!("CPU time limit {}", label::seconds(limit)));
    let mut taken = x;
    if let Some(note) = cpu_note {
        page.text(&note, (x + 24, title_row(cpu_frame)), Anchor::Left, NOTE)?;
        taken = x + 24 + glyphs::width(&note, SMALL, false)?.ceil() as i32;
    }

    let x = panel_title(page, memory_frame, "Memory", "resident, all processes")?;
    let peak = (memory_peak > 0.0).then(|| label::bytes(memory_peak));
    peak_note(page, memory_frame, x, peak)?;
    limit(page, memory_frame, &memory, memory_limit, label::bytes)?;

    let x = swatch_title(page, count_frame, left, "Processes", PROCESSES)?;
    let x = swatch_title(page, count_frame, x + 20, "Threads", THREADS)?;
    peak_note(page, count_frame, x, shown(count_peak, label::count))?;
    limit(page, count_frame, &count, processes_limit, label::count)?;

    for frame in [cpu_frame, memory_frame, count_frame] {
        frame.base_line(page, &time)?;
    }
    count_frame.labels_x(page, &time, count_frame.bottom + 16)?;
    page.text("time since the start of the script", (right, HEIGHT - 14), Anchor::Right, NOTE)?;

    event(page, [cpu_frame, memory_frame, count_frame], taken + 24, &time, killed, wall_limit)?;
    if samples.t.is_empty() {
        no_samples(page, memory_frame)?;
    }
    Ok(())
}

/// The largest value of an axis that shows `peak` with some air, and the limit when it is within
/// reach.
fn with_limit(peak: f64, limit: Option<f64>, least: f64) -> f64 {
    let peak = peak.max(least);
    match limit {
        Some(limit) if limit <= peak * REACH => limit.max(peak) * 1.08,
        _ => peak * 1.12,
    }
}

fn heading(page: &Page<'_>, chart: &TraceChart<'_>) -> Result<(), ChartError> {
    let right = page.chip(chart.verdict.name(), (MARGIN, 28), colour(chart.verdict))?;
    let room = WIDTH - MARGIN - right - 12;
    page.text(&label::shorten(chart.title, room, TITLE, true)?, (right + 12, 28), Anchor::Left, CHART_TITLE)?;

    let mut facts = Vec::new();
    if let Some(wall) = chart.wall_time_s.and_then(sane) {
        let of = chart.wall_limit_s.and_then(sane).map(|limit| format!(" of {}", label::seconds(limit)));
        facts.push(format!("wall time {}{}", label::seconds(wall), of.unwrap_or_default()));
    }
    facts.push(match chart.series.t_s.len() {
        0 => "no samples".to_owned(),
        1 => "1 sample".to_owned(),
        n => format!("{} points", label::grouped(n)),
    });
    let facts = facts.join(", ");
    page.text(&facts, (WIDTH - MARGIN - 8, 56), Anchor::Right, SUBTITLE)?;
    let taken = glyphs::width(&facts, HEADING, false)?.ceil() as i32;
    let subtitle = label::truncate(chart.subtitle, WIDTH - 2 * MARGIN - taken - 32, HEADING, false)?;
    page.text(&subtitle, (MARGIN, 56), Anchor::Left, SUBTITLE)
}

/// Each value is for the time since the sample before it: steps.
fn cpu_panel(page: &Page<'_>, frame: Frame, time: &Axis, cpu: &Axis, samples: &Samples) -> Result<(), ChartError> {
    let mut curve = Curve::new(frame.left, frame.right);
    let mut before = time.place(0.0, frame.left, frame.right - 1);
    let mut height = None;
    for (&t, &percent) in samples.t.iter().zip(&samples.cpu) {
        let (x, y) = (time.place(t, frame.left, frame.right - 1), cpu.place(percent, frame.bottom, frame.top));
        curve.add((before, height.unwrap_or(y)), (before, y));
        curve.add((before, y), (x, y));
        (before, height) = (x, Some(y));
    }
    curve.fill(page, frame.bottom, mix(CPU, PANEL, 0.45))?;
    // One whole core: over the area, so that it is seen when several are in use.
    let whole_core = frame.y(cpu, 100.0);
    page.line((frame.left, whole_core), (frame.right - 1, whole_core), GRID_STRONG)?;
    curve.stroke(page, CPU, 2.0)
}

fn gauge_panel(page: &Page<'_>, frame: Frame, time: &Axis, memory: &Axis, samples: &Samples) -> Result<(), ChartError> {
    let place = |(&t, &bytes): (&f64, &f64)| {
        (time.place(t, frame.left, frame.right - 1), memory.place(bytes, frame.bottom, frame.top))
    };
    let points: Vec<_> = samples.t.iter().zip(&samples.memory).map(place).collect();
    let curve = Curve::lines(frame.left, frame.right, &points);
    curve.fill(page, frame.bottom, mix(MEMORY, PANEL, 0.38))?;
    curve.stroke(page, MEMORY, 2.0)?;
    dots(page, &points, MEMORY)
}

/// A count holds from its sample to the next.
fn count_panel(page: &Page<'_>, frame: Frame, time: &Axis, count: &Axis, samples: &Samples) -> Result<(), ChartError> {
    let steps = |values: &[f64]| {
        let mut corners: Vec<(f64, f64)> = Vec::with_capacity(values.len() * 2);
        let mut ends = Vec::with_capacity(values.len());
        for (&t, &value) in samples.t.iter().zip(values) {
            let x = time.place(t, frame.left, frame.right - 1);
            // Between two rows of pixels: lines of two and four pixels then have sharp edges.
            let y = count.place(value, frame.bottom, frame.top).round() - 0.5;
            if let Some(&(_, before)) = corners.last() {
                corners.push((x, before));
            }
            corners.push((x, y));
            ends.push((x, y));
        }
        (Curve::lines(frame.left, frame.right, &corners), ends)
    };
    let (threads, thread_ends) = steps(&samples.threads);
    let (processes, process_ends) = steps(&samples.processes);
    threads.fill(page, frame.bottom, mix(THREADS, PANEL, 0.16))?;
    threads.stroke(page, THREADS, 4.0)?;
    dots(page, &thread_ends, THREADS)?;
    // Where both are the same, the thinner line lies in the middle of the thicker one.
    processes.stroke(page, PROCESSES, 2.0)?;
    dots(page, &process_ends, PROCESSES)
}

fn dots(page: &Page<'_>, points: &[(f64, f64)], colour: plotters::prelude::RGBColor) -> Result<(), ChartError> {
    if points.len() <= FEW {
        for &(x, y) in points {
            page.dot((x.round() as i32, y.round() as i32), 3.0, colour, PANEL)?;
        }
    }
    Ok(())
}

/// The row on which a panel's title stands.
fn title_row(frame: Frame) -> i32 {
    frame.top - 14
}

fn panel_title(page: &Page<'_>, frame: Frame, name: &str, unit: &str) -> Result<i32, ChartError> {
    page.text(name, (frame.left, title_row(frame)), Anchor::Left, PANEL_TITLE)?;
    let x = frame.left + glyphs::width(name, SMALL, true)?.ceil() as i32 + 8;
    page.text(unit, (x, title_row(frame)), Anchor::Left, NOTE)?;
    Ok(x + glyphs::width(unit, SMALL, false)?.ceil() as i32)
}

fn swatch_title(
    page: &Page<'_>,
    frame: Frame,
    left: i32,
    name: &str,
    colour: plotters::prelude::RGBColor,
) -> Result<i32, ChartError> {
    let middle = title_row(frame);
    page.fill((left, middle - 2), (left + 16, middle + 2), colour)?;
    page.text(name, (left + 22, middle), Anchor::Left, PANEL_TITLE)?;
    Ok(left + 22 + glyphs::width(name, SMALL, true)?.ceil() as i32)
}

/// Writes the peak right of `x`; gives back where it ends.
fn peak_note(page: &Page<'_>, frame: Frame, x: i32, peak: Option<String>) -> Result<i32, ChartError> {
    let Some(peak) = peak else { return Ok(x) };
    let text = format!("peak {peak}");
    page.text(&text, (x + 24, title_row(frame)), Anchor::Left, PANEL_TITLE)?;
    Ok(x + 24 + glyphs::width(&text, SMALL, true)?.ceil() as i32)
}

/// Draws the limit where the axis reaches it, and names it either way.
fn limit(
    page: &Page<'_>,
    frame: Frame,
    axis: &Axis,
    limit: Option<f64>,
    format: fn(f64) -> String,
) -> Result<(), ChartError> {
    let Some(limit) = limit else { return Ok(()) };
    if limit <= axis.high() {
        let y = frame.y(axis, limit);
        page.dashed((frame.left, y), (frame.right, y), LIMIT)?;
    }
    let note = format!("limit {}", format(limit));
    page.text(&note, (frame.right, title_row(frame)), Anchor::Right, Style { colour: LIMIT, ..NOTE })
}

/// The kill, or a limit on time that was not far: a line through every panel, named above the first
/// one, right of `free_from`.
fn event(
    page: &Page<'_>,
    frames: [Frame; 3],
    free_from: i32,
    time: &Axis,
    killed: Option<f64>,
    wall_limit: Option<f64>,
) -> Result<(), ChartError> {
    let (at, name) = match (killed, wall_limit) {
        (Some(at), _) => (at, "killed at"),
        (None, Some(limit)) => (limit, "wall time limit"),
        (None, None) => return Ok(()),
    };
    let [first, ..] = frames;
    let x = first.x(time, at);
    for frame in frames {
        if killed.is_some() {
            page.fill((x - 1, frame.top - 2), (x + 1, frame.bottom + 1), LIMIT)?;
        } else {
            page.dashed((x, frame.top), (x, frame.bottom), LIMIT)?;
        }
    }
    let text = format!("{name} {}", label::seconds(at));
    let half = glyphs::width(&text, SMALL, true)?.ceil() as i32 / 2;
    let middle = x.clamp((free_from + half).min(first.right - half), first.right - half);
    page.text(&text, (middle, title_row(first)), Anchor::Centre, Style { colour: LIMIT, ..PANEL_TITLE })
}

fn no_samples(page: &Page<'_>, frame: Frame) -> Result<(), ChartError> {
    let note = "no samples: it ended before the first look";
    let half = glyphs::width(note, HEADING, false)?.ceil() as i32 / 2 + 16;
    let (x, y) = ((frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2);
    page.fill((x - half - 1, y - 19), (x + half + 1, y + 19), AXIS)?;
    page.fill((x - half, y - 18), (x + half, y + 18), PAPER)?;
    page.text(note, (x, y), Anchor::Centre, SUBTITLE)
}
