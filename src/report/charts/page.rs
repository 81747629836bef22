//! A page to draw on: plotters' bitmap back end over a buffer, with text from the glyph cache.

use plotters::coord::Shift;
use plotters::prelude::{BitMapBackend, Color, DrawingArea, IntoDrawingArea, PathElement, RGBColor, Rectangle};

use super::theme::{ChartError, HEADING, INK, MARGIN, MUTED, PAPER, SMALL, TITLE, WIDTH, ink_on};
use super::{encode, glyphs, label};

/// Which part of a text is at the given place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// Its left end.
    Left,
    /// Its middle.
    Centre,
    /// Its right end.
    Right,
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// Font height.
    pub size: u32,
    /// Whether it is bold.
    pub bold: bool,
    /// Its colour.
    pub colour: RGBColor,
}

/// Small print: ticks, legends, notes.
pub(super) const NOTE: Style = Style { size: SMALL, bold: false, colour: MUTED };
/// Names and values beside bars.
pub(super) const VALUE: Style = Style { size: SMALL, bold: false, colour: INK };
/// The name of a panel.
pub(super) const PANEL_TITLE: Style = Style { size: SMALL, bold: true, colour: INK };
/// The name of a chart.
pub(super) const CHART_TITLE: Style = Style { size: TITLE, bold: true, colour: INK };
/// The line below it.
pub(super) const SUBTITLE: Style = Style { size: HEADING, bold: false, colour: MUTED };

/// The page while it is drawn on. Places are in pixels from the top left.
pub(super) struct Page<'a> {
    area: DrawingArea<BitMapBackend<'a>, Shift>,
}

/// Draws a page of the usual width and gives it back as a PNG.
pub(super) fn draw_png(
    height: i32,
    draw: impl FnOnce(&Page<'_>) -> Result<(), ChartError>,
) -> Result<Vec<u8>, ChartError> {
    let size = (WIDTH as u32, height as u32);
    // White paper; the theme's paper is white as well.
    let mut rgb = vec![PAPER.0; size.0 as usize * size.1 as usize * 3];
    draw(&Page { area: BitMapBackend::with_buffer(&mut rgb, size).into_drawing_area() })?;
    encode::png(&rgb, size.0, size.1)
}

fn drawn<E: std::fmt::Display>(outcome: Result<(), E>) -> Result<(), ChartError> {
    outcome.map_err(|error| ChartError::Draw(error.to_string()))
}

impl Page<'_> {
    /// A filled rectangle; `right` and `bottom` are the first column and row outside of it.
    pub fn fill(
        &self,
        (left, top): (i32, i32),
        (right, bottom): (i32, i32),
        colour: RGBColor,
    ) -> Result<(), ChartError> {
        if left >= right || top >= bottom {
            return Ok(());
        }
        drawn(self.area.draw(&Rectangle::new([(left, top), (right, bottom)], colour.filled())))
    }

    /// A line of one pixel, its ends included.
    pub fn line(&self, from: (i32, i32), to: (i32, i32), colour: RGBColor) -> Result<(), ChartError> {
        if from.0 == to.0 || from.1 == to.1 {
            let (x, y) = ((from.0.min(to.0), from.0.max(to.0)), (from.1.min(to.1), from.1.max(to.1)));
            return self.fill((x.0, y.0), (x.1 + 1, y.1 + 1), colour);
        }
        drawn(self.area.draw(&PathElement::new(vec![from, to], colour)))
    }

    /// A dashed level or upright line.
    pub fn dashed(&self, from: (i32, i32), to: (i32, i32), colour: RGBColor) -> Result<(), ChartError> {
        let (dash, gap) = (6, 4);
        if from.1 == to.1 {
            for x in (from.0..to.0).step_by(dash + gap) {
                self.fill((x, from.1), ((x + dash as i32).min(to.0), from.1 + 1), colour)?;
            }
        } else {
            for y in (from.1..to.1).step_by(dash + gap) {
                self.fill((from.0, y), (from.0 + 1, (y + dash as i32).min(to.1)), colour)?;
            }
        }
        Ok(())
    }

    /// One pixel, covered in part.
    pub fn pixel(&self, at: (i32, i32), colour: RGBColor, coverage: f64) -> Result<(), ChartError> {
        if coverage <= 0.0 {
            return Ok(());
        }
        drawn(self.area.draw_pixel(at, &colour.mix(coverage)))
    }

    /// A dot with a thin edge of paper, so that dots on top of each other can be told apart.
    pub fn dot(&self, at: (i32, i32), radius: f64, colour: RGBColor, edge: RGBColor) -> Result<(), ChartError> {
        // plotters' own small circles have corners.
        let reach = radius.ceil() as i32 + 1;
        for (dx, dy) in (-reach..=reach).flat_map(|dy| (-reach..=reach).map(move |dx| (dx, dy))) {
            let inside = radius + 0.5 - f64::from(dx * dx + dy * dy).sqrt();
            let place = (at.0 + dx, at.1 + dy);
            let soft = |part: f64| (part.clamp(0.0, 1.0) * 6.0).round() / 6.0;
            if inside < 1.0 && edge != colour {
                self.pixel(place, edge, soft(inside + 1.0))?;
            }
            self.pixel(place, colour, soft(inside))?;
        }
        Ok(())
    }

    /// Text whose capital letters are centred on `at.1`.
    pub fn text(&self, text: &str, at: (i32, i32), anchor: Anchor, style: Style) -> Result<(), ChartError> {
        let width = glyphs::width(text, style.size, style.bold)?;
        let x = match anchor {
            Anchor::Left => f64::from(at.0),
            Anchor::Centre => f64::from(at.0) - width / 2.0,
            Anchor::Right => f64::from(at.0) - width,
        };
        // Capitals of Noto Sans are a little over half as high as the font.
        let base = at.1 + (f64::from(style.size) * 0.262).round() as i32;
        glyphs::draw(text, (x, base), style.size, style.bold, |x, y, coverage| {
            self.pixel((x, y), style.colour, coverage)
        })
    }

    /// A label on a coloured ground; gives back its right edge.
    pub fn chip(&self, text: &str, (left, middle): (i32, i32), colour: RGBColor) -> Result<i32, ChartError> {
        let width = glyphs::width(text, HEADING, true)?.ceil() as i32 + 20;
        let (top, bottom, right) = (middle - 12, middle + 12, left + width);
        // Corners with a radius of three pixels.
        for (inset, rows) in [(3, 0), (1, 1), (1, 2)] {
            self.fill((left + inset, top + rows), (right - inset, top + rows + 1), colour)?;
            self.fill((left + inset, bottom - rows - 1), (right - inset, bottom - rows), colour)?;
        }
        self.fill((left, top + 3), (right, bottom - 3), colour)?;
        let style = Style { size: HEADING, bold: true, colour: ink_on(colour) };
        self.text(text, (left + width / 2, middle), Anchor::Centre, style)?;
        Ok(right)
    }

    /// The title and the line below it, of a chart without a verdict.
    pub fn heading(&self, title: &str, subtitle: &str) -> Result<(), ChartError> {
        let room = WIDTH - 2 * MARGIN;
        self.text(&label::truncate(title, room, TITLE, true)?, (MARGIN, 28), Anchor::Left, CHART_TITLE)?;
        self.text(&label::truncate(subtitle, room, HEADING, false)?, (MARGIN, 54), Anchor::Left, SUBTITLE)
    }
}
