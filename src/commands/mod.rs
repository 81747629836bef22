//! What each command does: from parsed flags to an exit code.

mod doctor;
mod explain;
mod report;
mod run;
mod settings;

use clap::CommandFactory;

use crate::cli::{Cli, Color, Command};
use crate::exit_code;
use crate::report::terminal::say;

/// An error that ends a command, with the exit code it stands for.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// See [`exit_code`].
    pub code: u8,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Failure {
    fn usage(why: impl ToString) -> Self {
        Self { code: exit_code::USAGE, message: why.to_string() }
    }

    fn no_sandbox(why: impl ToString) -> Self {
        Self { code: exit_code::NO_SANDBOX, message: why.to_string() }
    }

    fn harness(why: impl ToString) -> Self {
        Self { code: exit_code::HARNESS, message: why.to_string() }
    }
}

/// Runs the command and returns its exit code; an error is printed.
pub fn dispatch(cli: Cli) -> u8 {
    match cli.color {
        Color::Auto => {}
        Color::Always => set_colours(true),
        Color::Never => set_colours(false),
    }
    let done = match (cli.command, cli.script) {
        (Some(Command::Run(args)), _) => run::run(args.paths, args.options),
        (None, Some(script)) => run::run(vec![script], cli.options),
        (Some(Command::Doctor { json }), _) => doctor::doctor(json),
        (Some(Command::Explain { file, settings }), _) => explain::explain(file, settings),
        (Some(Command::Report { dir }), _) => report::report(dir),
        (Some(Command::Completions { shell }), _) => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "sandsweep", &mut text);
            Ok(print_bytes(&text))
        }
        (Some(Command::Man), _) => man(),
        (None, None) => Err(Failure::usage("name a command; see `sandsweep --help`")),
    };
    match done {
        Ok(code) => code,
        Err(failure) => {
            say(format!("sandsweep: {}", crate::report::escape_controls(&failure.message)));
            failure.code
        }
    }
}

fn set_colours(on: bool) {
    console::set_colors_enabled(on);
    console::set_colors_enabled_stderr(on);
}

fn man() -> Result<u8, Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut text).map_err(Failure::harness)?;
    Ok(print_bytes(&text))
}

/// Prints to standard output. A reader that has gone is not an error.
fn print_bytes(bytes: &[u8]) -> u8 {
    use std::io::Write;
    let mut out = std::io::stdout();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            say(format!("sandsweep: cannot write to standard output: {error}"));
            exit_code::HARNESS
        }
        _ => exit_code::OK,
    }
}
