//! A time series that never grows beyond a fixed number of points.

use serde::{Deserialize, Serialize};

/// Most points a series keeps.
pub const MAX_POINTS: usize = 1000;

/// What a sampler saw at one moment. Gauges are for the whole process tree.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Seconds since the start of the script.
    pub t_s: f64,
    /// CPU used since the point before, in percent of one core.
    pub cpu_percent: f64,
    /// Resident memory.
    pub memory_bytes: u64,
    /// Processes, zombies included.
    pub processes: u64,
    /// Threads.
    pub threads: u64,
    /// Read so far (cumulative).
    pub read_bytes: u64,
    /// Written so far (cumulative).
    pub written_bytes: u64,
}

impl Point {
    /// Two neighbours as one: the later time, the larger gauges, the later counters.
    fn merge(self, later: Self) -> Self {
        Self {
            t_s: later.t_s,
            cpu_percent: self.cpu_percent.max(later.cpu_percent),
            memory_bytes: self.memory_bytes.max(later.memory_bytes),
            processes: self.processes.max(later.processes),
            threads: self.threads.max(later.threads),
            read_bytes: later.read_bytes.max(self.read_bytes),
            written_bytes: later.written_bytes.max(self.written_bytes),
        }
    }
}

/// Points over time. When it is full, neighbours are merged two by two with their peaks kept, and
/// from then on as many samples go into one point as went into those.
#[derive(Clone, Debug, Default)]
pub struct Series {
    points: Vec<Point>,
    samples: u64,
    samples_per_point: u64,
    in_last: u64,
    largest_gap_s: f64,
    last_t_s: f64,
}

impl Series {
    /// Adds a sample; times must not go back.
    pub fn push(&mut self, point: Point) {
        self.largest_gap_s = self.largest_gap_s.max(point.t_s - self.last_t_s);
        self.last_t_s = point.t_s;
        self.samples += 1;
        let per_point = self.samples_per_point.max(1);
        match self.points.last_mut() {
            Some(last) if self.in_last < per_point => {
                *last = last.merge(point);
                self.in_last += 1;
            }
            _ => {
                if self.points.len() == MAX_POINTS {
                    let mut kept = 0;
                    for pair in 0..MAX_POINTS / 2 {
                        self.points[kept] = self.points[2 * pair].merge(self.points[2 * pair + 1]);
                        kept += 1;
                    }
                    self.points.truncate(kept);
                    self.samples_per_point = per_point * 2;
                }
                self.points.push(point);
                self.in_last = 1;
            }
        }
    }

    /// The points, in order of time.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// How many samples went in.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// The longest time, in seconds, without a sample: from the start to the first, or between two.
    pub fn largest_gap_s(&self) -> f64 {
        self.largest_gap_s
    }
}

/// The series as columns, for JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Columns {
    /// Seconds since the start of the script.
    pub t_s: Vec<f64>,
    /// Percent of one core.
    pub cpu_percent: Vec<f64>,
    /// Resident memory of the tree.
    pub memory_bytes: Vec<u64>,
    /// Processes.
    pub processes: Vec<u64>,
    /// Threads.
    pub threads: Vec<u64>,
    /// Cumulative.
    pub read_bytes: Vec<u64>,
    /// Cumulative.
    pub written_bytes: Vec<u64>,
}

impl From<&Series> for Columns {
    fn from(series: &Series) -> Self {
        // Microseconds and tenths of a percent: finer digits would be noise.
        let round = |value: f64, digits: f64| (value * digits).round() / digits;
        let mut columns = Self::default();
        for point in series.points() {
            columns.t_s.push(round(point.t_s, 1e6));
            columns.cpu_percent.push(round(point.cpu_percent, 10.0));
            columns.memory_bytes.push(point.memory_bytes);
            columns.processes.push(point.processes);
            columns.threads.push(point.threads);
            columns.read_bytes.push(point.read_bytes);
            columns.written_bytes.push(point.written_bytes);
        }
        columns
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_series_stays_short_and_keeps_its_peak() {
        let mut series = Series::default();
        for i in 0..1_000_000u64 {
            let memory_bytes = if i == 654_321 { 1 << 30 } else { i % 100 };
            series.push(Point { t_s: i as f64, memory_bytes, read_bytes: i, ..Point::default() });
        }
        assert!(series.points().len() <= MAX_POINTS && series.points().len() >= MAX_POINTS / 2);
        assert_eq!(series.points().iter().map(|p| p.memory_bytes).max(), Some(1 << 30));
        assert_eq!(series.points().last().map(|p| p.read_bytes), Some(999_999));
        assert_eq!(series.samples(), 1_000_000);
    }

    proptest! {
        #[test]
        fn times_stay_in_order_and_peaks_survive(values in proptest::collection::vec(0u64..1 << 40, 1..5000)) {
            let mut series = Series::default();
            for (i, &memory_bytes) in values.iter().enumerate() {
                series.push(Point { t_s: i as f64 * 0.01, memory_bytes, ..Point::default() });
            }
            let points = series.points();
            prop_assert!(points.len() <= MAX_POINTS);
            prop_assert!(points.windows(2).all(|w| w[0].t_s < w[1].t_s));
            prop_assert_eq!(points.iter().map(|p| p.memory_bytes).max(), values.iter().copied().max());
        }
    }
}
