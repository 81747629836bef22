//! `sandsweep explain`: what would be done with a script. Nothing is run.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use super::{Failure, print_bytes, settings};
use crate::cli::{RunOptions, SettingsArgs};
use crate::corpus::walk;
use crate::report::escape_controls;
use crate::sandbox::{
    Argument, INIT_PATH, Interpreter, NAMESPACES, SCRIPT_DIRECTORY, Uids, WORK_DIRECTORY, Wanted, limit_records,
    resource_limits,
};
use crate::sweep::script_name;
use crate::units::{Bytes, Span};

/// Explains one script.
pub fn explain(file: PathBuf, args: SettingsArgs) -> Result<u8, Failure> {
    let paths = [file];
    let mut config = settings::load(&paths, RunOptions { settings: args, ..RunOptions::default() })?;
    config.jobs = 1;
    if paths[0].is_dir() {
        return Err(Failure::usage(format!("{} is a directory; name one script", paths[0].display())));
    }
    let corpus = walk(&paths, &config).map_err(Failure::usage)?;
    let case = corpus.cases.first().ok_or_else(|| Failure::usage("it is not a script"))?;
    let case_settings = config.case_settings(&case.relative);
    let (limits, policy) = (&case_settings.limits, &case_settings.policy);
    let language = config.languages.iter().find(|language| language.name == case.language).expect("from this table");
    let interpreter = Interpreter::find(language, policy);

    let mut text = String::new();
    let mut say = |line: String| writeln!(text, "{line}").expect("writing to a string");
    say(format!("script       {}", escape_controls(&case.path.to_string_lossy())));
    say(format!("case id      {}", case.id));
    match &interpreter {
        Ok(found) => say(format!("language     {} ({})", language.name, found.path.display())),
        Err(why) => say(format!("language     {}: {why}", language.name)),
    }
    let from = config.file.as_ref().map_or("built-in defaults and flags".to_owned(), |path| path.display().to_string());
    say(format!("settings     {from}"));
    say(format!(
        "expected     {}",
        case_settings.expect.as_ref().map_or("nothing declared".to_owned(), ToString::to_string)
    ));

    say("\nlimits".to_owned());
    for (name, limit) in limit_records(limits) {
        let value = limit.value.map_or("none".to_owned(), |value| with_unit(&name, value));
        say(format!("  {name:<20} {value:>12}  {:<11} {}", limit.enforcement.name(), limit.mechanism));
    }

    say("\npolicy".to_owned());
    say(format!("  namespaces   {}", NAMESPACES.join(" ")));
    say(format!("  network      {} (its own namespace; only its own loopback)", policy.network.name()));
    say(format!("  files        {WORK_DIRECTORY}, /tmp and /dev/shm writable and empty; all else read-only"));
    for bind in policy.ro_bind.iter().chain(&language.ro_bind) {
        say(format!("  read-only    {} on {}", bind.source.display(), bind.target.display()));
    }
    for (name, value) in &policy.env {
        say(format!("  variable     {name}={}", escape_controls(value)));
    }

    let sandboxes = settings::sandboxes(&config, 1)?;
    match sandboxes.uids() {
        Uids::Own { uid, .. } => {
            say(format!("  uid          1000 inside, {uid} outside: that of the user who runs sandsweep"));
        }
        Uids::Slots { base } => say(format!("  uid          1000 inside, one from {base} on outside, per sandbox")),
    }
    if let Ok(interpreter) = interpreter {
        let name = script_name(case, &config);
        let command = interpreter.command(&format!("{SCRIPT_DIRECTORY}/{name}"));
        let wanted = Wanted {
            slot: 0,
            script: b"",
            script_name: &name,
            command: &command,
            policy,
            language_binds: &language.ro_bind,
            limits,
        };
        let pairs: Vec<_> = resource_limits(limits).iter().map(|(r, v)| format!("{}={v}", rlimit_name(*r))).collect();
        say(format!("  rlimits      {}", pairs.join(" ")));
        say(format!(
            "\ncommand (bwrap {}; the arguments go over a descriptor, <NAME> stands for one that holds that file;\n\
             the environment is empty; the init sets the rlimits and starts the rest)",
            sandboxes.bwrap().version
        ));
        let words: Vec<String> = sandboxes
            .options(&wanted)
            .iter()
            .map(|argument| match argument {
                Argument::Word(word) => quoted(word),
                Argument::Data(file) => format!("<{}>", sandboxes.data_name(*file)),
            })
            .chain(["--".to_owned(), INIT_PATH.to_owned()])
            .chain(command.iter().map(|word| quoted(word)))
            .collect();
        say(format!("  {}{}", sandboxes.bwrap().path.display(), in_lines(&words)));
    }
    Ok(print_bytes(text.as_bytes()))
}

/// A stored limit as people write it: its name says its unit.
fn with_unit(name: &str, value: f64) -> String {
    if name.ends_with("_bytes") {
        Bytes(value as u64).to_string()
    } else if name.ends_with("_s") {
        Span(Duration::from_secs_f64(value)).to_string()
    } else {
        value.to_string()
    }
}

/// One option with its values to a line.
fn in_lines(words: &[String]) -> String {
    let mut text = String::new();
    let mut command = false;
    for word in words {
        if word.starts_with("--") && !command {
            text.push_str(" \\\n    ");
            command = word == "--";
        } else {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

fn quoted(word: &OsStr) -> String {
    let text = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", escape_controls(&text.replace('\'', r"'\''")))
    }
}

fn rlimit_name(resource: u64) -> &'static str {
    const NAMES: [&str; 16] = [
        "CPU",
        "FSIZE",
        "DATA",
        "STACK",
        "CORE",
        "RSS",
        "NPROC",
        "NOFILE",
        "MEMLOCK",
        "AS",
        "LOCKS",
        "SIGPENDING",
        "MSGQUEUE",
        "NICE",
        "RTPRIO",
        "RTTIME",
    ];
    usize::try_from(resource).ok().and_then(|n| NAMES.get(n)).copied().unwrap_or("?")
}
