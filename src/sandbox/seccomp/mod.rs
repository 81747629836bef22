//! The seccomp filter: which system calls a script may make.

pub mod calls;
mod filter;

pub use filter::{FilterError, allowed_calls, number, programs};
