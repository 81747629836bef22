//! PNG charts: how one case used its sandbox, and how a whole sweep went.

mod curve;
mod encode;
mod font_table;
mod frame;
mod glyphs;
mod label;
mod legend;
mod page;
mod scale;
mod sweep;
#[cfg(test)]
mod tests;
mod theme;
mod trace;

pub use sweep::sweep_charts;
pub use theme::{ChartError, verdict_colour};
pub use trace::{TraceChart, trace_png};
