//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::{Charts, LimitsPatch, Network, PathGlob, ReadOnlyBind, check_variable};
use crate::exit_code;
use crate::judge::Verdict;
use crate::units::Span;

/// Run many untrusted scripts, each in its own bubblewrap sandbox, under limits, traced and judged.
#[derive(Debug, Parser)]
#[command(version, after_help = exit_codes_help(), args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Run one script: the same as `run FILE`
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// Options of `run`, for use with --script.
    #[command(flatten)]
    pub options: RunOptions,
    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub color: Color,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sweep directories, or run single scripts
    #[command(after_help = exit_codes_help())]
    Run(RunArgs),
    /// Say what this machine can enforce, and what to do about what is missing
    Doctor {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show policy, limits, enforcement and the bwrap command of one script; run nothing
    Explain {
        /// The script
        file: PathBuf,
        /// Configuration to use
        #[command(flatten)]
        settings: SettingsArgs,
    },
    /// Make every derived file of a sweep again from its result.json files
    Report {
        /// The sweep's directory, e.g. reports/latest
        dir: PathBuf,
    },
    /// Print a completion script
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// `run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Directories and scripts
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// How.
    #[command(flatten)]
    pub options: RunOptions,
}

/// Everything `run` takes but its paths.
#[derive(Debug, Default, Args)]
pub struct RunOptions {
    /// Scripts run at a time (default: one for each CPU)
    #[arg(long, short, value_name = "N")]
    pub jobs: Option<usize>,
    /// Where reports go (default: reports)
    #[arg(long, value_name = "DIR")]
    pub reports: Option<PathBuf>,
    /// Which charts to draw
    #[arg(long, value_name = "WHICH")]
    pub charts: Option<Charts>,
    /// Run only scripts whose path, relative to the swept directory, matches
    #[arg(long, value_name = "GLOB")]
    pub include: Vec<PathGlob>,
    /// Do not run scripts whose path matches
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<PathGlob>,
    /// Exit with 1 for these verdicts where nothing is declared, e.g. failed,crashed
    #[arg(long, value_name = "VERDICTS", value_delimiter = ',')]
    pub fail_on: Vec<Verdict>,
    /// First distance between two samples of the trace (default: 10ms)
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub interval: Option<Duration>,
    /// Largest distance between two samples of the trace (default: 100ms)
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub max_interval: Option<Duration>,
    /// Print errors only
    #[arg(long, short)]
    pub quiet: bool,
    /// Configuration.
    #[command(flatten)]
    pub settings: SettingsArgs,
}

/// What decides limits and policy.
#[derive(Debug, Default, Args)]
pub struct SettingsArgs {
    /// Configuration file (default: sandsweep.toml in the swept directory)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A [profile.NAME] of the configuration
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Limits.
    #[command(flatten)]
    pub limits: LimitsPatch,
    /// What scripts may reach over the network
    #[arg(long, value_name = "KIND", help_heading = "Policy")]
    pub network: Option<Network>,
    /// Show a host path, read-only, in the sandbox
    #[arg(long, value_name = "SRC[:DEST]", help_heading = "Policy")]
    pub ro_bind: Vec<ReadOnlyBind>,
    /// Set a variable in the sandbox
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable, help_heading = "Policy")]
    pub env: Vec<(String, String)>,
}

fn duration(text: &str) -> Result<Duration, String> {
    text.parse::<Span>().map(|span| span.0).map_err(|why| why.to_string())
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not NAME=VALUE"))?;
    check_variable(name, value)?;
    Ok((name.to_owned(), value.to_owned()))
}

fn exit_codes_help() -> String {
    let rows: Vec<_> = exit_code::TABLE.iter().map(|(code, meaning)| format!("  {code:>3}  {meaning}")).collect();
    format!("Exit codes:\n{}", rows.join("\n"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
