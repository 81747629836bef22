//! Running cases: one script supervised, many on a pool.

mod cancel;
mod capture;
mod case;
mod event;
pub mod outcome;
mod pool;
mod supervise;

pub use cancel::Cancel;
pub use capture::{Captured, hex};
pub use case::{Clock as SweepClock, Finished, Kitchen, script_name};
pub use event::Event;
pub use pool::{Store, run, slots};
pub use supervise::{Stream, Watcher};
