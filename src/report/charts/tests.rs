//! What must hold for every chart: it is a PNG of the right size, the same every time, whatever
//! goes in.

use std::path::Path;

use proptest::prelude::*;

use super::theme::{HEIGHT, WIDTH};
use super::*;
use crate::corpus::CaseId;
use crate::judge::Verdict;
use crate::report::row::Row;
use crate::trace::{Columns, Provenance};

/// Width and height of a PNG, every pixel of which was decoded.
fn decoded(png: &[u8]) -> (u32, u32) {
    let mut reader = ::png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    (info.width, info.height)
}

fn columns(t_s: Vec<f64>, cpu_percent: Vec<f64>, gauge: Vec<u64>) -> Columns {
    Columns {
        t_s,
        cpu_percent,
        memory_bytes: gauge.clone(),
        processes: gauge.clone(),
        threads: gauge.clone(),
        read_bytes: gauge.clone(),
        written_bytes: gauge,
    }
}

fn chart<'a>(title: &'a str, series: &'a Columns) -> TraceChart<'a> {
    TraceChart {
        title,
        verdict: Verdict::TimeLimit,
        subtitle: "killed: wall_time 1 s of 1 s",
        series,
        wall_time_s: Some(1.01),
        ended_at_s: Some(1.0),
        wall_limit_s: Some(1.0),
        cpu_limit_s: None,
        memory_limit_bytes: Some(512.0 * 1024.0 * 1024.0),
        processes_limit: Some(64.0),
        peak_memory_bytes: Some(5 << 20),
    }
}

fn row(index: u64, verdict: Verdict, wall_time_s: Option<f64>, peak_memory_bytes: Option<u64>) -> Row {
    Row {
        id: CaseId::from_path(Path::new(&format!("some/where/case-{index}.py"))),
        language: ["python", "bash", "lua"][index as usize % 3].into(),
        verdict,
        expected: None,
        met: None,
        termination: "exit 0".into(),
        exit_code: Some(0),
        signal: None,
        limit: None,
        wall_time_s,
        cpu_time_s: None,
        cpu_provenance: Provenance::Unavailable,
        peak_memory_bytes,
        memory_provenance: Provenance::Sampled,
        peak_processes: None,
        stdout_bytes: 0,
        stderr_bytes: 0,
        wall_limit_s: Some(2.0),
        memory_limit_bytes: Some(1e8),
        evidence: 0,
        index,
        worker: index as usize % 2,
        started_s: Some(index as f64),
        ended_s: index as f64 + wall_time_s.unwrap_or(0.0),
    }
}

fn check_sweep(rows: &[Row]) {
    let charts = sweep_charts(rows, "a sweep");
    assert_eq!(charts.len(), 6);
    for (name, png) in charts {
        let (width, height) = decoded(&png.unwrap());
        assert!(width == WIDTH as u32 && (120..=2000).contains(&height), "{name}: {width}x{height}");
    }
}

#[test]
fn a_trace_has_its_size_and_is_the_same_every_time() {
    let n = 300;
    let t: Vec<f64> = (1..=n).map(|i| f64::from(i) / 300.0).collect();
    let cpu = t.iter().map(|t| 50.0 + 50.0 * (t * 20.0).sin()).collect();
    let series = columns(t, cpu, (0..n as u64).map(|i| i * 50_000).collect());
    let png = trace_png(&chart("python/waves.py", &series)).unwrap();
    assert_eq!(decoded(&png), (WIDTH as u32, HEIGHT as u32));
    assert_eq!(png, trace_png(&chart("python/waves.py", &series)).unwrap());
    // Other threads have glyph caches of their own.
    let other = std::thread::spawn(move || trace_png(&chart("python/waves.py", &series)).unwrap());
    assert_eq!(png, other.join().unwrap());
}

#[test]
fn no_samples_one_sample_and_uneven_columns_are_drawn() {
    let empty = Columns::default();
    let one = columns(vec![0.01], vec![80.0], vec![1]);
    let uneven = columns(vec![0.1, 0.2, 0.3], vec![1.0], vec![]);
    for series in [&empty, &one, &uneven] {
        let bare = TraceChart {
            wall_time_s: None,
            ended_at_s: None,
            wall_limit_s: None,
            memory_limit_bytes: None,
            processes_limit: None,
            peak_memory_bytes: None,
            ..chart("", series)
        };
        for chart in [bare, chart("x", series)] {
            assert_eq!(decoded(&trace_png(&chart).unwrap()), (WIDTH as u32, HEIGHT as u32));
        }
    }
}

#[test]
fn hostile_titles_are_drawn() {
    let series = Columns::default();
    let long = "a/".repeat(50_000);
    for title in ["\u{202e}\u{0}\x1b[2J\n\t", "😀👨‍👩‍👧", "e\u{301}\u{301}\u{301}", "日本語", &long, " "]
    {
        let chart = TraceChart { subtitle: title, ..chart(title, &series) };
        assert_eq!(decoded(&trace_png(&chart).unwrap()), (WIDTH as u32, HEIGHT as u32));
    }
}

#[test]
fn a_sweep_of_none_has_no_charts() {
    assert!(sweep_charts(&[], "nothing").is_empty());
}

#[test]
fn sweeps_of_any_size_are_drawn() {
    check_sweep(&[row(0, Verdict::Ok, Some(0.1), Some(1 << 20))]);
    check_sweep(&[row(0, Verdict::Error, None, None)]);
    let verdict = |i: u64| Verdict::ALL[(i * i % 11 % 9) as usize];
    let mixed: Vec<Row> = (0..3000).map(|i| row(i, verdict(i), Some(0.001 * i as f64), Some(i * 77_777))).collect();
    check_sweep(&mixed);
    let once: Vec<_> = sweep_charts(&mixed, "again").into_iter().map(|(name, png)| (name, png.unwrap())).collect();
    let twice: Vec<_> = sweep_charts(&mixed, "again").into_iter().map(|(name, png)| (name, png.unwrap())).collect();
    assert!(once == twice);
}

#[test]
fn many_languages_workers_and_strange_names_fit() {
    let mut rows: Vec<Row> = (0..200).map(|i| row(i, Verdict::Failed, Some(1.0), Some(1))).collect();
    for (i, row) in rows.iter_mut().enumerate() {
        row.language = format!("\u{202e}language {i} {}", "x".repeat(300)).into();
        row.worker = i;
        row.id = CaseId::from_path(Path::new(&"\u{7}".repeat(i)));
    }
    check_sweep(&rows);
}

#[test]
fn verdicts_have_colours_of_their_own() {
    for (i, a) in Verdict::ALL.into_iter().enumerate() {
        for b in &Verdict::ALL[..i] {
            assert_ne!(verdict_colour(a), verdict_colour(*b));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_trace_is_drawn(
        title in any::<String>(),
        samples in proptest::collection::vec((any::<f64>(), any::<f64>(), any::<u64>()), 0..60),
        limits in proptest::array::uniform6(proptest::option::of(any::<f64>())),
        peak in proptest::option::of(any::<u64>()),
    ) {
        let series = columns(
            samples.iter().map(|s| s.0).collect(),
            samples.iter().map(|s| s.1).collect(),
            samples.iter().map(|s| s.2).collect(),
        );
        let chart = TraceChart {
            title: &title,
            verdict: Verdict::Escaped,
            subtitle: &title,
            series: &series,
            wall_time_s: limits[0],
            ended_at_s: limits[1],
            wall_limit_s: limits[2],
            cpu_limit_s: limits[3],
            memory_limit_bytes: limits[4],
            processes_limit: limits[5],
            peak_memory_bytes: peak,
        };
        prop_assert_eq!(decoded(&trace_png(&chart).unwrap()), (WIDTH as u32, HEIGHT as u32));
    }

    #[test]
    fn any_sweep_is_drawn(
        cases in proptest::collection::vec((any::<String>(), any::<f64>(), any::<f64>(), any::<u64>(), any::<usize>()), 1..30),
    ) {
        let rows: Vec<Row> = cases
            .into_iter()
            .map(|(path, wall, start, memory, worker)| Row {
                id: CaseId::from_path(Path::new(&path)),
                language: path.into(),
                worker,
                started_s: Some(start),
                wall_limit_s: Some(wall),
                memory_limit_bytes: Some(wall),
                ended_s: wall,
                ..row(memory, Verdict::ALL[worker % 9], Some(wall), Some(memory))
            })
            .collect();
        check_sweep(&rows);
    }
}
