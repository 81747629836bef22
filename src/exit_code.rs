//! The exit codes of the `sandsweep` command. Scripts and CI depend on them; a test reads the
//! README's table against these constants.

/// Everything ended as expected.
pub const OK: u8 = 0;
/// Some case was unexpected, or had a verdict named by `--fail-on`.
pub const UNEXPECTED: u8 = 1;
/// Bad usage or configuration; nothing was run.
pub const USAGE: u8 = 2;
/// Evidence of an escape was seen.
pub const ESCAPED: u8 = 3;
/// The sandbox cannot be set up on this machine.
pub const NO_SANDBOX: u8 = 4;
/// The harness failed on some case (verdict `error`), or could not write its results.
pub const HARNESS: u8 = 5;
/// Interrupted by SIGINT.
pub const INTERRUPTED: u8 = 130;
/// Ended by SIGTERM.
pub const TERMINATED: u8 = 143;

/// Name and meaning of each code, in the order of the help text.
pub const TABLE: [(u8, &str); 8] = [
    (OK, "everything as expected"),
    (UNEXPECTED, "some case unexpected, or had a verdict named by --fail-on"),
    (USAGE, "bad usage or configuration"),
    (ESCAPED, "an escape was seen"),
    (NO_SANDBOX, "the sandbox cannot be set up here"),
    (HARNESS, "the harness failed on some cases"),
    (INTERRUPTED, "interrupted (Ctrl-C)"),
    (TERMINATED, "terminated (SIGTERM)"),
];
