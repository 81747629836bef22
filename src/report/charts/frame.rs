//! The place of a plot on its page, with grid and axes.

use super::glyphs;
use super::page::{Anchor, NOTE, Page, Style};
use super::scale::Axis;
use super::theme::{AXIS, ChartError, GRID, HEIGHT, LIMIT, MARGIN, PANEL, SMALL, WIDTH};

/// Where the data is drawn, in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// First column.
    pub left: i32,
    /// First column outside.
    pub right: i32,
    /// First row.
    pub top: i32,
    /// First row outside: the base line.
    pub bottom: i32,
}

impl Frame {
    /// A frame that fills the page from `top`, with room for the labels of `y` at its left and of
    /// an x axis below.
    pub fn below(top: i32, y: &Axis) -> Result<Self, ChartError> {
        let left = MARGIN + y.label_width()? + 10;
        Ok(Self { left, right: WIDTH - MARGIN - 16, top, bottom: HEIGHT - 56 })
    }

    /// The ground of the plot.
    pub fn ground(&self, page: &Page<'_>) -> Result<(), ChartError> {
        page.fill((self.left, self.top), (self.right, self.bottom), PANEL)
    }

    /// Upright lines at the ticks of `x`.
    pub fn grid_x(&self, page: &Page<'_>, x: &Axis) -> Result<(), ChartError> {
        for tick in &x.ticks {
            let at = self.x(x, tick.at);
            page.line((at, self.top), (at, self.bottom - 1), GRID)?;
        }
        Ok(())
    }

    /// Level lines at the ticks of `y`, and their labels.
    pub fn grid_y(&self, page: &Page<'_>, y: &Axis) -> Result<(), ChartError> {
        for tick in &y.ticks {
            let at = self.y(y, tick.at);
            page.line((self.left, at), (self.right - 1, at), GRID)?;
            page.text(&tick.label, (self.left - 8, at), Anchor::Right, NOTE)?;
        }
        Ok(())
    }

    /// The base line, with a mark at each tick of `x`.
    pub fn base_line(&self, page: &Page<'_>, x: &Axis) -> Result<(), ChartError> {
        page.line((self.left, self.bottom), (self.right - 1, self.bottom), AXIS)?;
        for tick in &x.ticks {
            let at = self.x(x, tick.at);
            page.line((at, self.bottom), (at, self.bottom + 4), AXIS)?;
        }
        Ok(())
    }

    /// The labels of `x` on the row `middle`; one that would touch its neighbour is left out.
    pub fn labels_x(&self, page: &Page<'_>, x: &Axis, middle: i32) -> Result<(), ChartError> {
        let mut free_from = f64::NEG_INFINITY;
        for tick in &x.ticks {
            let half = glyphs::width(&tick.label, SMALL, false)? / 2.0;
            // Labels at the edges of the page move inwards rather than being cut.
            let at = x.place(tick.at, self.left, self.right - 1).clamp(half + 4.0, f64::from(WIDTH) - half - 4.0);
            if at - half >= free_from {
                page.text(&tick.label, (at.round() as i32, middle), Anchor::Centre, NOTE)?;
                free_from = at + half + 10.0;
            }
        }
        Ok(())
    }

    /// The column of a quantity on `x`.
    pub fn x(&self, x: &Axis, value: f64) -> i32 {
        x.pixel(value, self.left, self.right - 1)
    }

    /// The row of a quantity on `y`.
    pub fn y(&self, y: &Axis, value: f64) -> i32 {
        y.pixel(value, self.bottom, self.top)
    }

    /// A dashed upright line for a limit, named above the plot, where no data is.
    pub fn limit_x(&self, page: &Page<'_>, x: &Axis, value: f64, name: &str) -> Result<(), ChartError> {
        let at = self.x(x, value);
        page.dashed((at, self.top), (at, self.bottom), LIMIT)?;
        let half = glyphs::width(name, SMALL, false)?.ceil() as i32 / 2;
        let middle = at.clamp(self.left + half, self.right.max(self.left + 2 * half) - half);
        page.text(name, (middle, self.top - 10), Anchor::Centre, Style { colour: LIMIT, ..NOTE })
    }

    /// A dashed level line for a limit, named at its left end.
    pub fn limit_y(&self, page: &Page<'_>, y: &Axis, value: f64, name: &str) -> Result<(), ChartError> {
        let at = self.y(y, value);
        page.dashed((self.left, at), (self.right, at), LIMIT)?;
        let width = glyphs::width(name, SMALL, false)?.ceil() as i32;
        let middle = if at - 12 > self.top + 8 { at - 11 } else { at + 12 };
        let left = self.left + 8;
        // On the ground's colour, so that it can be read where there is data or a grid line.
        page.fill((left - 3, middle - 8), (left + width + 3, middle + 9), PANEL)?;
        page.text(name, (left, middle), Anchor::Left, Style { colour: LIMIT, ..NOTE })
    }
}
