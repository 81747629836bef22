//! `sandsweep.toml` and flags become one validated [`Config`] before any work starts.

mod file;
mod language;
mod limits;
mod policy;
mod resolved;

pub use file::{Charts, ConfigError, ConfigFile, FILE_NAME, Globs, PathGlob};
pub use language::{Language, Languages, Packages};
pub use limits::{Limits, LimitsPatch};
pub use policy::{Network, Policy, PolicyPatch, ReadOnlyBind, check_variable};
pub use resolved::{CaseSettings, Config, Flags, Sampling};
