//! What a person at the terminal sees.

mod live;
mod progress;
mod stderr;
mod summary;

pub use live::LiveOutput;
pub use progress::Progress;
pub use stderr::say;
pub use summary::{single_summary, sweep_summary};

use console::Style;

use crate::judge::Verdict;

/// How a verdict is set on a terminal: good is green, trouble of the script yellow or red, ours
/// magenta.
pub fn verdict_style(verdict: Verdict) -> Style {
    let style = Style::new().for_stderr();
    match verdict {
        Verdict::Ok => style.green(),
        Verdict::Failed => style.yellow(),
        Verdict::Crashed => style.red(),
        Verdict::TimeLimit | Verdict::MemoryLimit | Verdict::OutputLimit | Verdict::DiskLimit => style.cyan(),
        Verdict::Escaped => style.red().bold(),
        Verdict::Error => style.magenta().bold(),
    }
}
