//! The look of every chart: colours, fonts, sizes. Nothing else in here picks a colour.

use std::sync::OnceLock;

use plotters::style::{FontStyle, RGBColor, register_font};

use crate::judge::Verdict;

/// Why a chart could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The built-in fonts were refused.
    #[error("the built-in font {0} cannot be used for charts")]
    Font(&'static str),
    /// Something could not be drawn.
    #[error("a chart cannot be drawn: {0}")]
    Draw(String),
    /// The drawing could not be stored as PNG.
    #[error("a chart cannot be stored as PNG: {0}")]
    Encode(#[from] ::png::EncodingError),
}

/// The colour of a verdict as red, green and blue: the same in every chart and report.
///
/// After the palette of Okabe and Ito, which people with any of the common kinds of colour
/// blindness can tell apart; its yellow is darkened so that a small mark shows on white.
pub fn verdict_colour(verdict: Verdict) -> (u8, u8, u8) {
    match verdict {
        Verdict::Ok => (0x00, 0x9e, 0x73),
        Verdict::Failed => (0xe6, 0x9f, 0x00),
        Verdict::Crashed => (0xd5, 0x5e, 0x00),
        Verdict::TimeLimit => (0x00, 0x72, 0xb2),
        Verdict::MemoryLimit => (0x56, 0xb4, 0xe9),
        Verdict::OutputLimit => (0xcc, 0x79, 0xa7),
        Verdict::DiskLimit => (0xdb, 0xcb, 0x24),
        Verdict::Escaped => (0x14, 0x14, 0x18),
        Verdict::Error => (0x94, 0x98, 0x9f),
    }
}

/// The colour of a verdict for drawing.
pub(super) fn colour(verdict: Verdict) -> RGBColor {
    let (r, g, b) = verdict_colour(verdict);
    RGBColor(r, g, b)
}

/// Where nothing is drawn.
pub(super) const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xff);
/// Behind the data.
pub(super) const PANEL: RGBColor = RGBColor(0xf6, 0xf7, 0xf9);
/// Lines at the ticks.
pub(super) const GRID: RGBColor = RGBColor(0xe2, 0xe5, 0xea);
/// A line at a tick that means something, such as one whole core.
pub(super) const GRID_STRONG: RGBColor = RGBColor(0xb4, 0xba, 0xc4);
/// The base line of a panel.
pub(super) const AXIS: RGBColor = RGBColor(0x7d, 0x85, 0x91);
/// Titles and values.
pub(super) const INK: RGBColor = RGBColor(0x1f, 0x24, 0x2c);
/// Labels of ticks, notes.
pub(super) const MUTED: RGBColor = RGBColor(0x5a, 0x62, 0x6e);
/// Limits and kills.
pub(super) const LIMIT: RGBColor = RGBColor(0xb3, 0x26, 0x1e);
/// CPU over time.
pub(super) const CPU: RGBColor = RGBColor(0x3a, 0x62, 0x9c);
/// Memory over time.
pub(super) const MEMORY: RGBColor = RGBColor(0x1f, 0x7a, 0x78);
/// Processes over time.
pub(super) const PROCESSES: RGBColor = RGBColor(0x6a, 0x3d, 0x9a);
/// Threads over time.
pub(super) const THREADS: RGBColor = RGBColor(0xb8, 0x77, 0x1b);

/// Height of a title's font, as plotters counts it: from the top of the tallest letter to the
/// bottom of the lowest.
pub(super) const TITLE: u32 = 24;
/// Height of the font of headings and values.
pub(super) const HEADING: u32 = 18;
/// Height of the font of everything else.
pub(super) const SMALL: u32 = 16;

/// Width of every chart, in pixels.
pub(super) const WIDTH: i32 = 960;
/// Usual height of a chart, in pixels.
pub(super) const HEIGHT: i32 = 540;
/// Free space at the left and right edges.
pub(super) const MARGIN: i32 = 24;

/// The name under which the fonts are registered; not one that a host's own fonts could have.
pub(super) const FAMILY: &str = "sandsweep-noto-sans";

/// A part of one colour over another, without transparency: few distinct colours keep the PNG small.
pub(super) fn mix(over: RGBColor, under: RGBColor, part: f64) -> RGBColor {
    let blend = |a: u8, b: u8| (f64::from(a) * part + f64::from(b) * (1.0 - part)).round() as u8;
    RGBColor(blend(over.0, under.0), blend(over.1, under.1), blend(over.2, under.2))
}

/// White or dark, whichever can be read on this colour.
pub(super) fn ink_on(colour: RGBColor) -> RGBColor {
    let luma = 0.299 * f64::from(colour.0) + 0.587 * f64::from(colour.1) + 0.114 * f64::from(colour.2);
    if luma > 135.0 { INK } else { PAPER }
}

/// Makes the fonts known to plotters, once for the whole process.
pub(super) fn register_fonts() -> Result<(), ChartError> {
    static REGISTERED: OnceLock<Result<(), &'static str>> = OnceLock::new();
    let outcome = REGISTERED.get_or_init(|| {
        register_font(FAMILY, FontStyle::Normal, notosans::REGULAR_TTF).map_err(|_| "Noto Sans Regular")?;
        register_font(FAMILY, FontStyle::Bold, notosans::BOLD_TTF).map_err(|_| "Noto Sans Bold")
    });
    outcome.map_err(ChartError::Font)
}
