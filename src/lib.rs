//! sandsweep runs many scripts that nobody trusts, each in a bubblewrap sandbox of its own, under
//! limits, watched through procfs; judges each; and leaves a reports tree.
//!
//! The way of the data: [`corpus`] finds scripts, [`config`] says what each may do, [`sandbox`]
//! sets one up, [`sweep`] supervises it with [`trace`] looking, [`judge`] turns the facts into a
//! verdict, and [`report`] writes what happened.

pub mod cli;
pub mod commands;
pub mod config;
pub mod corpus;
pub mod exit_code;
pub mod judge;
pub mod report;
pub mod sandbox;
pub mod sweep;
pub mod trace;
pub mod units;
