//! The seccomp filter: which system calls a script may make.

pub mod calls;
mod filter;

pub use filter::{allowed_calls, number, program};
