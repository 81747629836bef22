//! The `sandsweep` command.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = sandsweep::cli::Cli::parse();
    ExitCode::from(sandsweep::commands::dispatch(cli))
}
