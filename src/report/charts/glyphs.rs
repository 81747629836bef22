//! Text as coverage masks: each character is drawn by plotters once for each size and weight, and
//! kept. Drawing outlines anew for every label took most of the time of a chart.

use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::rc::Rc;

use plotters::style::{FontDesc, FontFamily, FontStyle};

use super::theme::{ChartError, FAMILY, register_fonts};
use super::{font_table, label};

/// Characters are drawn this many times larger and averaged down: plotters places them on whole
/// pixels only, and at label size that shows.
const FINE: i32 = 4;

/// Steps of coverage; few, so that text adds few colours to the PNG.
const STEPS: f64 = 12.0;

/// One character.
struct Glyph {
    /// How far the pen moves on, in pixels.
    advance: f64,
    /// Leftmost column relative to the pen, in fine pixels.
    left: i32,
    /// Top row relative to the base line, in pixels.
    top: i32,
    /// Fine columns in a row.
    columns: i32,
    /// Pixel rows.
    rows: i32,
    /// Coverage, 0 to 1, row by row: fine in x, already averaged in y.
    coverage: Vec<f32>,
}

type Key = (char, u32, bool);

thread_local! {
    /// Bounded: labels are sanitised to the few hundred characters of [`label::is_shown`], and the
    /// theme has three sizes.
    static CACHE: RefCell<HashMap<Key, Rc<Glyph>>> = RefCell::new(HashMap::new());
}

fn rasterise((character, size, bold): Key) -> Result<Glyph, ChartError> {
    register_fonts()?;
    let style = if bold { FontStyle::Bold } else { FontStyle::Normal };
    let text = character.encode_utf8(&mut [0; 4]).to_owned();
    let font = |times: i32| FontDesc::new(FontFamily::Name(FAMILY), f64::from(size) * f64::from(times), style);
    let draw_error = |error: &dyn std::fmt::Display| ChartError::Draw(format!("text: {error}"));

    // Widths come in whole pixels; at 64 times the size that is fine enough.
    let (width, _) = font(64).box_size(&text).map_err(|e| draw_error(&e))?;
    let advance = f64::from(width) / 64.0;

    let mut pixels = Vec::new();
    let drawn = font(FINE).draw(&text, (0, 0), |x, y, coverage| {
        pixels.push((x, y, coverage));
        Ok::<(), Infallible>(())
    });
    let Ok(()) = drawn.map_err(|e| draw_error(&e))?;

    let bytes = if bold { notosans::BOLD_TTF } else { notosans::REGULAR_TTF };
    let bearing = font_table::bearing(bytes, character).unwrap_or(0.0) * advance;
    // plotters puts the base line half a font height below the position it is given.
    let base = size as i32 * FINE / 2;
    let columns = pixels.iter().map(|&(x, ..)| x + 1).max().unwrap_or(0);
    let top = pixels.iter().map(|&(_, y, _)| (y - base).div_euclid(FINE)).min().unwrap_or(0);
    let rows = pixels.iter().map(|&(_, y, _)| (y - base).div_euclid(FINE) + 1 - top).max().unwrap_or(0);
    let mut coverage = vec![0.0; (columns * rows) as usize];
    for (x, y, value) in pixels {
        let row = (y - base).div_euclid(FINE) - top;
        if x >= 0 {
            coverage[(row * columns + x) as usize] += value / FINE as f32;
        }
    }
    Ok(Glyph { advance, left: (bearing * f64::from(FINE)).round() as i32, top, columns, rows, coverage })
}

fn glyph(key: Key) -> Result<Rc<Glyph>, ChartError> {
    if let Some(glyph) = CACHE.with_borrow(|cache| cache.get(&key).cloned()) {
        return Ok(glyph);
    }
    let glyph = Rc::new(rasterise(key)?);
    CACHE.with_borrow_mut(|cache| cache.insert(key, Rc::clone(&glyph)));
    Ok(glyph)
}

/// The width of a text in pixels.
pub(super) fn width(text: &str, size: u32, bold: bool) -> Result<f64, ChartError> {
    let shown = text.chars().filter(|&c| label::is_shown(c));
    shown.map(|c| Ok(glyph((c, size, bold))?.advance)).sum()
}

/// Calls `put` with every pixel of a text and its coverage from 0 to 1; the text starts at `x` and
/// stands on the row above `base`.
pub(super) fn draw(
    text: &str,
    (x, base): (f64, i32),
    size: u32,
    bold: bool,
    mut put: impl FnMut(i32, i32, f64) -> Result<(), ChartError>,
) -> Result<(), ChartError> {
    let mut pen = x;
    for character in text.chars().filter(|&c| label::is_shown(c)) {
        let glyph = glyph((character, size, bold))?;
        let left = (pen * f64::from(FINE)).round() as i32 + glyph.left;
        let (first, last) = (left.div_euclid(FINE), (left + glyph.columns - 1).div_euclid(FINE));
        for row in 0..glyph.rows {
            let line = &glyph.coverage[(row * glyph.columns) as usize..((row + 1) * glyph.columns) as usize];
            for column in first..=last {
                let start = column * FINE - left;
                let fine = start.max(0)..(start + FINE).min(glyph.columns);
                let sum: f32 = line[fine.start as usize..fine.end.max(fine.start) as usize].iter().sum();
                let coverage = (f64::from(sum) / f64::from(FINE) * STEPS).round() / STEPS;
                if coverage > 0.0 {
                    put(column, base + glyph.top + row, coverage.min(1.0))?;
                }
            }
        }
        pen += glyph.advance;
    }
    Ok(())
}
