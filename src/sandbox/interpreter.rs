//! Where an interpreter is, as a sandbox will see it, and whether it will be there.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::config::{Language, Policy, ReadOnlyBind};

/// PATH in every sandbox.
pub const SANDBOX_PATH: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];

/// An interpreter that can be started in a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpreter {
    /// Absolute path, the same inside and outside.
    pub path: PathBuf,
    /// Arguments before and after the script; `None` stands for the script.
    arguments: Vec<Option<OsString>>,
}

/// Interpreters that were looked for, by language and by what the sandbox sees: a sweep asks for few,
/// many times.
#[derive(Debug, Default)]
pub struct Interpreters(Mutex<HashMap<Question, Result<Interpreter, InterpreterError>>>);

type Question = (String, Vec<ReadOnlyBind>);

impl Interpreters {
    /// As [`Interpreter::find`], once for each question.
    ///
    /// # Errors
    /// As [`Interpreter::find`].
    pub fn find(&self, language: &Language, policy: &Policy) -> Result<Interpreter, InterpreterError> {
        let question = (language.name.clone(), policy.ro_bind.clone());
        let mut known = self.0.lock().expect("no panic while held");
        known.entry(question).or_insert_with(|| Interpreter::find(language, policy)).clone()
    }
}

/// Why an interpreter cannot be used, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InterpreterError(String);

impl Interpreter {
    /// Finds the interpreter of a language under a policy.
    ///
    /// # Errors
    /// It is not installed, or the sandbox would not see it; the message has the remedy.
    pub fn find(language: &Language, policy: &Policy) -> Result<Self, InterpreterError> {
        let program = language.command.first().map(String::as_str).unwrap_or_default();
        let path = if program.starts_with('/') {
            PathBuf::from(program)
        } else {
            std::iter::once(program)
                .chain(language.other_names.iter().copied())
                .flat_map(|name| SANDBOX_PATH.iter().map(move |directory| Path::new(directory).join(name)))
                .find(|path| is_executable(path))
                .ok_or_else(|| InterpreterError(not_installed(program, language)))?
        };
        let visible: Vec<&Path> =
            policy.ro_bind.iter().chain(&language.ro_bind).map(|bind| bind.source.as_path()).collect();
        if !visible.iter().any(|source| path.starts_with(source)) {
            // Under a bind to another place the path means something else inside; then the
            // sandbox itself is the judge.
            let targets = policy.ro_bind.iter().chain(&language.ro_bind);
            if targets.into_iter().any(|bind| path.starts_with(&bind.target)) {
                return Ok(Self::with_arguments(path, language));
            }
        }
        if !is_executable(&path) {
            return Err(InterpreterError(format!(
                "the interpreter {} of language `{}` is missing or not executable; correct `command` in \
                 [languages.{}]",
                path.display(),
                language.name,
                language.name
            )));
        }
        let missing = unseen_prefixes(&path, &visible);
        if !missing.is_empty() {
            let list: Vec<_> = missing.iter().map(|prefix| format!("\"{}\"", prefix.display())).collect();
            return Err(InterpreterError(format!(
                "the sandbox does not see the interpreter {} of language `{}`; add to [languages.{}]: ro_bind = [{}]",
                path.display(),
                language.name,
                language.name,
                list.join(", ")
            )));
        }
        Ok(Self::with_arguments(path, language))
    }

    fn with_arguments(path: PathBuf, language: &Language) -> Self {
        let mut arguments: Vec<Option<OsString>> = language
            .command
            .iter()
            .skip(1)
            .map(|word| if word == "{script}" { None } else { Some(word.into()) })
            .collect();
        if !arguments.contains(&None) {
            arguments.push(None);
        }
        Self { path, arguments }
    }

    /// The words of the command that runs `script`.
    pub fn command(&self, script: &str) -> Vec<OsString> {
        let words = self.arguments.iter().map(|word| word.clone().unwrap_or_else(|| script.into()));
        std::iter::once(self.path.clone().into_os_string()).chain(words).collect()
    }
}

fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

/// Directories outside the system's own that an interpreter needs and no bind brings: where it
/// lies, where its links lead, and where a Python virtual environment says its base is.
fn unseen_prefixes(path: &Path, visible: &[&Path]) -> Vec<PathBuf> {
    let mut missing: Vec<PathBuf> = Vec::new();
    let mut need = |file: &Path| {
        let system =
            ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/alternatives"].iter().any(|root| file.starts_with(root));
        if system || visible.iter().any(|source| file.starts_with(source)) {
            return;
        }
        let prefix = installation_prefix(file);
        if !missing.contains(&prefix) {
            missing.push(prefix);
        }
    };
    let mut file = path.to_owned();
    // As many links as the kernel follows (path_resolution(7)).
    for _ in 0..40 {
        need(&file);
        let Ok(target) = std::fs::read_link(&file) else { break };
        file = file.parent().unwrap_or(Path::new("/")).join(target);
    }
    if let Ok(real) = std::fs::canonicalize(path) {
        need(&real);
    }
    if let Some(home) = installation_prefix(path).join("pyvenv.cfg").to_str().and_then(|cfg| {
        let text = std::fs::read_to_string(cfg).ok()?;
        let home = text.lines().find_map(|line| line.split_once('=').filter(|(key, _)| key.trim() == "home"))?;
        Some(PathBuf::from(home.1.trim()))
    }) {
        need(&home.join("python"));
    }
    missing
}

/// `/opt/x/bin/tool` is installed in `/opt/x`; anything else in its own directory.
fn installation_prefix(file: &Path) -> PathBuf {
    let directory = file.parent().unwrap_or(Path::new("/"));
    match directory.file_name() {
        Some(name) if name.as_bytes() == b"bin" => directory.parent().unwrap_or(directory).to_owned(),
        _ => directory.to_owned(),
    }
}

fn not_installed(program: &str, language: &Language) -> String {
    let packages = language.packages;
    let known = [
        (packages.apt, "apt-get install"),
        (packages.dnf, "dnf install"),
        (packages.pacman, "pacman -S"),
        (packages.apk, "apk add"),
    ];
    let ways: Vec<_> = known
        .iter()
        .filter(|(package, _)| !package.is_empty())
        .map(|(package, command)| format!("`{command} {package}`"))
        .collect();
    let install = if ways.is_empty() { "install it".to_owned() } else { format!("install it ({})", ways.join(", ")) };
    format!(
        "the interpreter `{program}` of language `{}` is not in {}; {install}, or name its path as `command` in \
         [languages.{}] together with the `ro_bind` it needs",
        language.name,
        SANDBOX_PATH.join(", "),
        language.name
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Languages;

    fn language(command: &str) -> Language {
        let mut language = Languages::default().by_extension("py").unwrap().clone();
        language.command = command.split(' ').map(str::to_owned).collect();
        language
    }

    #[test]
    fn another_name_serves_where_the_plain_one_is_missing() {
        let mut language = language("no-such-shell");
        language.other_names = &["no-such-shell-either", "sh"];
        let found = Interpreter::find(&language, &Policy::default()).unwrap();
        assert!(found.path.ends_with("sh"), "{}", found.path.display());
    }

    #[test]
    fn the_script_goes_where_it_is_asked_for() {
        let sh = Interpreter::find(&language("sh -e {script} --"), &Policy::default()).unwrap();
        let words = sh.command("/script/main.sh");
        assert_eq!(words[1..], ["-e", "/script/main.sh", "--"]);
        let sh = Interpreter::find(&language("sh -e"), &Policy::default()).unwrap();
        assert_eq!(sh.command("/script/main.sh")[1..], ["-e", "/script/main.sh"]);
    }

    #[test]
    fn a_missing_interpreter_has_a_remedy() {
        let error = Interpreter::find(&language("no-such-python"), &Policy::default()).unwrap_err().to_string();
        assert!(error.contains("apt-get install python3") && error.contains("[languages.python]"), "{error}");
    }

    #[test]
    fn an_interpreter_elsewhere_names_the_binds_it_needs() {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path().join("base");
        let venv = directory.path().join("venv");
        for prefix in [&base, &venv] {
            std::fs::create_dir_all(prefix.join("bin")).unwrap();
        }
        std::fs::copy("/bin/sh", base.join("bin/python3")).unwrap();
        std::os::unix::fs::symlink(base.join("bin/python3"), venv.join("bin/python")).unwrap();
        let program = venv.join("bin/python");
        let mut language = language(program.to_str().unwrap());
        let error = Interpreter::find(&language, &Policy::default()).unwrap_err().to_string();
        assert!(error.contains(&format!("ro_bind = [\"{}\", \"{}\"]", venv.display(), base.display())), "{error}");
        let bind = |path: &Path| crate::config::ReadOnlyBind { source: path.to_owned(), target: path.to_owned() };
        language.ro_bind = vec![bind(&venv), bind(&base)];
        // Temporary directories lie in /tmp, which the sandbox makes itself: such a bind is refused
        // when it is configured, so only the lookup is checked here.
        assert!(Interpreter::find(&language, &Policy::default()).is_ok());
    }
}
