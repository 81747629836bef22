//! From a policy to a sandbox that stands.

mod argv;
mod bwrap;
mod control;
mod data;
pub mod doctor;
mod enforcement;
mod interpreter;
mod launch;
mod remedy;
mod rlimits;
pub mod seccomp;
mod spawn;
mod staging;
mod uid;

pub use argv::{Argument, DataFile, INIT_PATH, NAMESPACES, SCRIPT_DIRECTORY, WORK_DIRECTORY};
pub use bwrap::{Bwrap, BwrapError, INSTALL, Version};
pub use control::{Control, Exit, Message, Ready, StartFailure};
pub use enforcement::limit_records;
pub use interpreter::{Interpreter, InterpreterError, Interpreters, SANDBOX_PATH};
pub use launch::{LaunchError, Prepared, Sandboxes, Started, Wanted};
pub use rlimits::resource_limits;
pub use spawn::Child;
pub use staging::{Staging, StagingError};
pub use uid::{INSIDE as UID_INSIDE, UidError, Uids};
