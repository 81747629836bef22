//! `sandsweep doctor`: what this machine can enforce.

use std::fmt::Write as _;

use console::Style;

use super::{Failure, print_bytes};
use crate::config::Limits;
use crate::exit_code;
use crate::report::escape_controls;
use crate::sandbox::doctor::{State, examine};
use crate::sandbox::limit_records;

/// Examines the machine. The exit code says whether sandboxes can be made.
pub fn doctor(json: bool) -> Result<u8, Failure> {
    let checks = examine();
    let limits = limit_records(&Limits::default());
    let worst = checks.iter().map(|check| check.state).max().unwrap_or(State::Ok);
    let mut text = String::new();
    if json {
        let report = serde_json::json!({
            "usable": worst != State::Fail,
            "checks": checks,
            "limits": limits,
        });
        text = serde_json::to_string_pretty(&report).map_err(Failure::harness)? + "\n";
    } else {
        let mut say = |line: String| writeln!(text, "{line}").expect("writing to a string");
        for check in &checks {
            let (mark, style) = match check.state {
                State::Ok => ("ok  ", Style::new().green()),
                State::Warn => ("note", Style::new().yellow()),
                State::Fail => ("FAIL", Style::new().red().bold()),
            };
            say(format!("{}  {:<20} {}", style.apply_to(mark), check.name, escape_controls(&check.found)));
            if let Some(remedy) = &check.remedy {
                for line in wrapped(&escape_controls(remedy), 74) {
                    say(format!("{:28}{line}", ""));
                }
            }
        }
        say("\nHow each limit is enforced here".to_owned());
        for (name, limit) in limits {
            say(format!("  {name:<22} {:<11} {}", limit.enforcement.name(), limit.mechanism));
        }
        say(match worst {
            State::Fail => "\nSandboxes cannot be made here: see FAIL above.".to_owned(),
            _ => "\nSandboxes can be made here.".to_owned(),
        });
    }
    match (print_bytes(text.as_bytes()), worst) {
        (exit_code::OK, State::Fail) => Ok(exit_code::NO_SANDBOX),
        (printed, _) => Ok(printed),
    }
}

/// Words in lines of at most `width` characters, as far as the words allow.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("never empty");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
