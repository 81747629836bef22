//! A single script's output, shown as it comes.

use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;

use crate::report::sanitize::escape_output;
use crate::sweep::{Stream, Watcher};

/// Passes a script's output on to ours.
///
/// To a terminal, and to the log of a CI service, it goes with control characters written out: a
/// script must not be able to move the cursor, set the title, or give the service a command
/// (`::set-output`, `##vso[`). To a file or a pipe it goes byte for byte.
#[derive(Debug)]
pub struct LiveOutput {
    harmless: bool,
    /// Beginnings of characters whose end has not come yet, one for each stream; and whether the
    /// stream is at the start of a line.
    pending: Mutex<[Pending; 2]>,
}

#[derive(Debug)]
struct Pending {
    bytes: Vec<u8>,
    line_start: bool,
}

impl LiveOutput {
    /// Looks where our output goes.
    pub fn new() -> Self {
        let ci = ["CI", "GITHUB_ACTIONS", "TF_BUILD"].iter().any(|name| std::env::var_os(name).is_some());
        let fresh = || Pending { bytes: Vec::new(), line_start: true };
        Self {
            harmless: ci || io::stdout().is_terminal() || io::stderr().is_terminal(),
            pending: Mutex::new([fresh(), fresh()]),
        }
    }

    fn write(stream: Stream, bytes: &[u8]) {
        // A reader that has gone is no reason to stop the script: the report has everything.
        let _ = match stream {
            Stream::Stdout => io::stdout().write_all(bytes).and_then(|()| io::stdout().flush()),
            Stream::Stderr => io::stderr().write_all(bytes),
        };
    }
}

impl Default for LiveOutput {
    fn default() -> Self {
        Self::new()
    }
}

impl Watcher for LiveOutput {
    fn output(&self, stream: Stream, chunk: &[u8]) {
        if !self.harmless {
            return Self::write(stream, chunk);
        }
        let mut all = self.pending.lock().expect("no panic while held");
        let pending = &mut all[usize::from(stream == Stream::Stderr)];
        pending.bytes.extend_from_slice(chunk);
        let complete = complete_prefix(&pending.bytes);
        let text = String::from_utf8_lossy(&pending.bytes[..complete]).into_owned();
        pending.bytes.drain(..complete);
        let shown = without_commands(&escape_output(&text), &mut pending.line_start);
        Self::write(stream, shown.as_bytes());
    }
}

/// Length of the longest prefix that does not end within a UTF-8 character: at most the last three
/// bytes can be the beginning of one.
fn complete_prefix(bytes: &[u8]) -> usize {
    let from = bytes.len().saturating_sub(3);
    (from..bytes.len())
        .find(|&start| {
            let rest = std::str::from_utf8(&bytes[start..]);
            rest.is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        })
        .unwrap_or(bytes.len())
}

/// Breaks the line starts that CI services take for commands.
fn without_commands(text: &str, line_start: &mut bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start();
        if *line_start && (trimmed.starts_with("::") || trimmed.starts_with("##")) {
            shown.push('\\');
        }
        shown.push_str(line);
        *line_start = line.ends_with('\n');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_not_torn() {
        let whole = "añ🐍".as_bytes();
        assert_eq!(complete_prefix(whole), whole.len());
        assert_eq!(complete_prefix(&whole[..2]), 1);
        assert_eq!(complete_prefix(&whole[..5]), 3);
        assert_eq!(complete_prefix(b"\xff\xff\xff"), 3);
    }

    #[test]
    fn commands_to_a_ci_service_are_broken() {
        let mut start = true;
        let shown = without_commands("::set-output name=x::1\n ##vso[task]\nplain :: text", &mut start);
        assert_eq!(shown, "\\::set-output name=x::1\n\\ ##vso[task]\nplain :: text");
        assert!(!start);
        assert_eq!(without_commands("::x", &mut start), "::x");
    }
}
