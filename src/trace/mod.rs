//! Looking at a sandbox from outside through procfs, and what the looks add up to.

mod figure;
mod sampler;
mod series;

pub use figure::{Figure, Provenance, Usage};
pub use sampler::{Sample, Sampler};
pub use series::{Columns, MAX_POINTS, Point, Series};
