//! What workers say and reporters hear. Nothing else is shared between them.

use std::time::Duration;

use crate::corpus::CaseId;
use crate::report::row::Row;

/// Something happened to a case.
#[derive(Debug)]
pub enum Event {
    /// A worker has released a script.
    Started {
        /// Which worker.
        worker: usize,
        /// Position in the order of the walk.
        index: usize,
        /// Which case.
        id: CaseId,
        /// Since the start of the sweep.
        at: Duration,
    },
    /// A result is on disk.
    Finished {
        /// Which worker.
        worker: usize,
        /// What tables need of it.
        row: Box<Row>,
    },
    /// Something is wrong that no case is to blame for.
    Warning {
        /// What.
        what: String,
    },
    /// A result could not be written.
    Lost {
        /// Which worker.
        worker: usize,
        /// Which case.
        id: CaseId,
        /// Which file, what the system said, what to do.
        why: String,
    },
}
