//! Messages to a person.

use std::io::Write;

/// Prints a line to standard error. Where nobody reads it any more there is nobody to tell, and no
/// reason to stop (`eprintln!` would panic).
pub fn say(line: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr().lock(), "{}", line.as_ref());
}
