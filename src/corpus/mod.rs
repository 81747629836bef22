//! The corpus: which files are scripts, in which language, under which name.

mod case_id;
mod language;
mod read;
mod walk;

pub use case_id::CaseId;
pub use read::{open_regular_file, read_regular_file};
pub use walk::{Case, Corpus, Ignored, WalkError, walk};
