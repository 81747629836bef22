//! Curves and filled areas, column by column: for each column of pixels the range of heights the
//! curve passes through. A thousand points cost no more than the panel's width, peaks are never
//! lost between pixels, and it is many times faster than filling polygons.

use plotters::prelude::RGBColor;

use super::page::Page;
use super::theme::ChartError;

/// Steps of a soft edge; few, so that curves add few colours to the PNG.
const STEPS: f64 = 6.0;

/// A curve over the columns of a panel.
pub(super) struct Curve {
    left: i32,
    /// Lowest and highest pixel height in each column; empty where the curve is not.
    columns: Vec<Option<(f64, f64)>>,
}

impl Curve {
    /// An empty curve over the columns from `left` to `right`, without the latter.
    pub fn new(left: i32, right: i32) -> Self {
        Self { left, columns: vec![None; (right - left).max(1) as usize] }
    }

    /// Straight lines through points, given as pixels in order of x.
    pub fn lines(left: i32, right: i32, points: &[(f64, f64)]) -> Self {
        let mut curve = Self::new(left, right);
        if let [only] = points {
            curve.add(*only, *only);
        }
        for pair in points.windows(2) {
            curve.add(pair[0], pair[1]);
        }
        curve
    }

    /// Adds a straight line; `to` must not be left of `from`.
    pub fn add(&mut self, from: (f64, f64), to: (f64, f64)) {
        let last = self.columns.len() as f64 - 1.0;
        let column = |x: f64| (x - f64::from(self.left)).floor().clamp(0.0, last) as usize;
        for index in column(from.0)..=column(to.0) {
            // The part of the line that is in this column.
            let start = f64::from(self.left) + index as f64;
            let height = |x: f64| {
                let span = to.0 - from.0;
                if span > 1e-9 { from.1 + (to.1 - from.1) * ((x - from.0) / span).clamp(0.0, 1.0) } else { from.1 }
            };
            let (mut a, mut b) = (height(start.max(from.0)), height((start + 1.0).min(to.0)));
            if to.0 - from.0 <= 1e-9 {
                (a, b) = (from.1, to.1);
            }
            let (low, high) = (a.min(b), a.max(b));
            let range = &mut self.columns[index];
            *range = Some(range.map_or((low, high), |(l, h)| (l.min(low), h.max(high))));
        }
    }

    /// Fills from the curve's highest place in each column down to `bottom`.
    pub fn fill(&self, page: &Page<'_>, bottom: i32, colour: RGBColor) -> Result<(), ChartError> {
        for (x, top) in self.tops() {
            page.fill((x, top.round() as i32), (x + 1, bottom), colour)?;
        }
        Ok(())
    }

    fn tops(&self) -> impl Iterator<Item = (i32, f64)> {
        self.columns.iter().zip(self.left..).filter_map(|(range, x)| range.map(|(top, _)| (x, top)))
    }

    /// Draws the curve with soft edges, `thick` pixels high where it is level.
    pub fn stroke(&self, page: &Page<'_>, colour: RGBColor, thick: f64) -> Result<(), ChartError> {
        for (range, x) in self.columns.iter().zip(self.left..) {
            let Some((low, high)) = *range else { continue };
            let (top, bottom) = (low - thick / 2.0 + 0.5, high + thick / 2.0 + 0.5);
            let (first, last) = (top.ceil() as i32, bottom.floor() as i32);
            page.fill((x, first), (x + 1, last), colour)?;
            let soft = |part: f64| (part * STEPS).round() / STEPS;
            page.pixel((x, first - 1), colour, soft(f64::from(first) - top))?;
            page.pixel((x, last), colour, soft(bottom - f64::from(last)))?;
        }
        Ok(())
    }
}
