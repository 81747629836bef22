//! From quantities to pixels, and which quantities get a tick.

use super::label;
use super::theme::ChartError;
use super::{glyphs, theme};

/// A place on an axis that is named.
#[derive(Clone, Debug)]
pub(super) struct Tick {
    /// The quantity.
    pub at: f64,
    /// Its name, with the unit.
    pub label: String,
}

/// A range of quantities, level or by powers, with its ticks.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    log: bool,
    /// In order.
    pub ticks: Vec<Tick>,
}

impl Axis {
    /// From 0, with ticks at every multiple of `step`.
    fn linear(high: f64, step: f64, label: impl Fn(f64) -> String) -> Self {
        let count = (high / step * (1.0 + 1e-9)).floor().min(50.0) as u32;
        let ticks = (0..=count).map(|i| f64::from(i) * step).map(|at| Tick { at, label: label(at) }).collect();
        Self { low: 0.0, high, log: false, ticks }
    }

    /// Seconds from 0, with about `wanted` ticks all in one unit.
    pub fn seconds(high: f64, wanted: f64) -> Self {
        let high = high.max(1e-6);
        let rough = high / wanted;
        let clock = [1.0, 2.0, 5.0, 10.0, 15.0, 30.0].into_iter();
        let clock: Vec<f64> = clock.clone().map(|n| n * 60.0).chain(clock.map(|n| n * 3600.0)).collect();
        let step = if rough <= 30.0 {
            [15.0, 30.0].into_iter().find(|&step| rough > 10.0 && step >= rough).unwrap_or_else(|| round_up(rough))
        } else {
            clock.into_iter().find(|&step| step >= rough).unwrap_or_else(|| round_up(rough / 3600.0) * 3600.0)
        };
        let (unit, factor) = if high < 1e-3 {
            ("µs", 1e-6)
        } else if high < 1.0 {
            ("ms", 1e-3)
        } else if high <= 180.0 {
            ("s", 1.0)
        } else if high <= 10_800.0 {
            ("min", 60.0)
        } else {
            ("h", 3600.0)
        };
        Self::linear(high, step, |at| {
            let value = if at == 0.0 { "0".to_owned() } else { trimmed(at / factor) };
            format!("{value} {unit}")
        })
    }

    /// Bytes from 0, with ticks at multiples of a power of two.
    pub fn bytes(high: f64, wanted: f64) -> Self {
        let high = high.max(1.0);
        let step = 2f64.powf((high / wanted).log2().ceil().max(0.0));
        Self::linear(high, step, |at| if at == 0.0 { "0".to_owned() } else { label::bytes(at) })
    }

    /// Whole things from 0.
    pub fn count(high: f64, wanted: f64) -> Self {
        let high = high.max(1.0);
        Self::linear(high, round_up(high / wanted).max(1.0), label::count)
    }

    /// Percent from 0.
    pub fn percent(high: f64, wanted: f64) -> Self {
        let high = high.max(1.0);
        // Quarters and halves of a core read better than fifths.
        let rough = high / wanted;
        let step = [25.0, 50.0, 100.0].into_iter().find(|&step| step >= rough).unwrap_or_else(|| round_up(rough));
        Self::linear(high, step, |at| format!("{} %", label::count(at)))
    }

    /// Seconds by powers of ten.
    pub fn log_seconds(low: f64, high: f64) -> Self {
        let low = low.max(1e-6);
        let high = high.max(low * 2.0);
        let decades = (high / low).log10();
        let marks: &[f64] = match decades {
            d if d <= 2.2 => &[1.0, 2.0, 5.0],
            d if d <= 4.0 => &[1.0, 3.0],
            _ => &[1.0],
        };
        let exponents = low.log10().floor() as i32..=high.log10().ceil() as i32;
        let ticks = exponents.flat_map(|e| marks.iter().map(move |m| m * 10f64.powi(e)));
        Self::logarithmic(low, high, ticks.collect(), label::seconds)
    }

    /// Bytes by powers of two.
    pub fn log_bytes(low: f64, high: f64, wanted: f64) -> Self {
        let low = low.max(1.0);
        let high = high.max(low * 2.0);
        let (first, last) = (low.log2().floor() as i32, high.log2().ceil() as i32);
        let step = (f64::from(last - first) / wanted).ceil().max(1.0) as i32;
        let ticks = (first..=last).filter(|e| e % step == 0).map(|e| 2f64.powi(e));
        Self::logarithmic(low, high, ticks.collect(), label::bytes)
    }

    fn logarithmic(low: f64, high: f64, ticks: Vec<f64>, label: impl Fn(f64) -> String) -> Self {
        let inside = |at: &f64| *at >= low * (1.0 - 1e-9) && *at <= high * (1.0 + 1e-9);
        let ticks = ticks.into_iter().filter(inside).map(|at| Tick { at, label: label(at) }).collect();
        Self { low, high, log: true, ticks }
    }

    /// The largest quantity.
    pub fn high(&self) -> f64 {
        self.high
    }

    /// Where a quantity is between two places; what is outside the axis is at its end.
    pub fn place(&self, value: f64, from: i32, to: i32) -> f64 {
        let part = if self.log {
            (value.max(self.low) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        let part = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
        f64::from(from) + part * f64::from(to - from)
    }

    /// [`Axis::place`] on a whole pixel.
    pub fn pixel(&self, value: f64, from: i32, to: i32) -> i32 {
        self.place(value, from, to).round() as i32
    }

    /// The width of the widest label.
    pub fn label_width(&self) -> Result<i32, ChartError> {
        let mut widest = 0.0f64;
        for tick in &self.ticks {
            widest = widest.max(glyphs::width(&tick.label, theme::SMALL, false)?);
        }
        Ok(widest.ceil() as i32)
    }
}

/// The next of 1, 2, 5, 10, 20, 50 … that is at least this.
fn round_up(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|&step| step >= value * (1.0 - 1e-9)).unwrap_or(value)
}

/// Up to three decimals, as many as it needs.
fn trimmed(value: f64) -> String {
    if value >= 10_000.0 {
        return label::count(value);
    }
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_in_their_own_unit() {
        assert_eq!(labels(&Axis::seconds(2.1, 5.0)), ["0 s", "0.5 s", "1 s", "1.5 s", "2 s"]);
        assert_eq!(labels(&Axis::seconds(600.0, 5.0)), ["0 min", "2 min", "4 min", "6 min", "8 min", "10 min"]);
        assert_eq!(labels(&Axis::bytes(120.0 * 1048576.0, 4.0)), ["0", "32 MiB", "64 MiB", "96 MiB"]);
        assert_eq!(labels(&Axis::percent(110.0, 3.0)), ["0 %", "50 %", "100 %"]);
        assert_eq!(labels(&Axis::count(3.0, 4.0)), ["0", "1", "2", "3"]);
        assert_eq!(labels(&Axis::log_seconds(0.01, 1.0))[..3], ["10 ms", "20 ms", "50 ms"]);
    }

    #[test]
    fn nothing_leaves_the_axis() {
        for axis in [Axis::seconds(1e18, 6.0), Axis::log_seconds(0.0, 1e18), Axis::bytes(2e19, 4.0)] {
            assert!(axis.ticks.len() <= 60);
            for value in [0.0, -1.0, 1e300, f64::NAN, f64::INFINITY] {
                assert!((10.0..=20.0).contains(&axis.place(value, 10, 20)));
            }
        }
    }
}
