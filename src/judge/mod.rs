//! From facts to a verdict, and from a verdict to whether it was expected: pure functions.

mod expectation;
mod verdict;

pub use expectation::Expectation;
pub use verdict::Verdict;
