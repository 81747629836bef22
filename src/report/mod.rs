//! From stored results to the files and tables that people read. One small file per format; each
//! is a pure function from records to bytes.

pub mod charts;
mod csv;
mod plot;
pub mod record;
pub mod row;
mod sanitize;
mod sweep_json;
pub mod terminal;
mod tree;

pub use csv::summary_csv;
pub use plot::{trace_chart, write_sweep_charts};
pub use sanitize::{escape_controls, escape_output, shorten};
pub use sweep_json::{Configuration, Environment, IgnoredRecord, SweepRecord, Totals};
pub use tree::{SweepDir, WriteError, write_atomically};
