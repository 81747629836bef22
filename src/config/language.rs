//! The table of languages: how a script is recognised and what runs it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::policy::ReadOnlyBind;

/// One language, fully decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language {
    /// The name used in reports and in `[languages.NAME]`.
    pub name: String,
    /// File name extensions, without the dot, compared without regard to case.
    pub extensions: Vec<String>,
    /// Interpreter names that a shebang line may give, e.g. `python3`.
    pub shebangs: Vec<String>,
    /// Interpreter and arguments. `{script}` stands for the script; without it the script comes last.
    pub command: Vec<String>,
    /// Names that systems use when they have no plain one (Alpine has `lua5.4` and `php84` only);
    /// tried after the command's own.
    pub other_names: &'static [&'static str],
    /// Host paths that this language needs besides the system's own directories.
    pub ro_bind: Vec<ReadOnlyBind>,
    /// Packages that bring the interpreter, by package manager, for the remedy.
    pub packages: Packages,
}

/// What a package manager calls the package that brings an interpreter; empty when unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packages {
    /// Debian and Ubuntu.
    pub apt: &'static str,
    /// Fedora and its family.
    pub dnf: &'static str,
    /// Arch.
    pub pacman: &'static str,
    /// Alpine.
    pub apk: &'static str,
}

/// `[languages.NAME]`: a new language, or changes to one of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LanguagePatch {
    extensions: Option<Vec<String>>,
    shebangs: Option<Vec<String>>,
    #[serde(default, deserialize_with = "command")]
    command: Option<Vec<String>>,
    #[serde(default)]
    ro_bind: Vec<ReadOnlyBind>,
}

fn command<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let command = Vec::<String>::deserialize(deserializer)?;
    match command.first() {
        None => Err(serde::de::Error::custom("`command` is empty; name the interpreter, e.g. [\"python3\"]")),
        Some(program) if program.contains('/') && !program.starts_with('/') => Err(serde::de::Error::custom(format!(
            "`{program}` is a relative path; name the interpreter alone or by its absolute path"
        ))),
        Some(_) if command.iter().any(|word| word.contains('\0')) => {
            Err(serde::de::Error::custom("`command` holds a NUL byte"))
        }
        Some(_) => Ok(Some(command)),
    }
}

/// The languages in force, in the order in which they are tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Languages(Vec<Language>);

impl Default for Languages {
    fn default() -> Self {
        let row =
            |name: &str, extensions: &[&str], shebangs: &[&str], command: &[&str], packages: [&'static str; 4]| {
                let own = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
                let [apt, dnf, pacman, apk] = packages;
                Language {
                    name: name.to_owned(),
                    extensions: own(extensions),
                    shebangs: own(shebangs),
                    command: own(command),
                    other_names: match name {
                        "lua" => &["lua5.4", "lua5.3"],
                        "php" => &["php84", "php83", "php82"],
                        _ => &[],
                    },
                    ro_bind: Vec::new(),
                    packages: Packages { apt, dnf, pacman, apk },
                }
            };
        Self(vec![
            row("python", &["py"], &["python3", "python"], &["python3"], ["python3", "python3", "python", "python3"]),
            row("sh", &["sh"], &["sh", "dash", "ash"], &["sh"], ["dash", "bash", "bash", "busybox"]),
            row("bash", &["bash"], &["bash"], &["bash"], ["bash"; 4]),
            row(
                "javascript",
                &["js", "mjs", "cjs"],
                &["node", "nodejs"],
                &["node"],
                ["nodejs", "nodejs", "nodejs", "nodejs"],
            ),
            row("ruby", &["rb"], &["ruby"], &["ruby"], ["ruby"; 4]),
            row("perl", &["pl"], &["perl"], &["perl"], ["perl"; 4]),
            row("lua", &["lua"], &["lua", "lua5.4", "lua5.3"], &["lua"], ["lua5.4", "lua", "lua", "lua5.4"]),
            row("php", &["php"], &["php"], &["php"], ["php-cli", "php-cli", "php", "php84"]),
        ])
    }
}

impl Languages {
    /// Puts the `[languages.*]` tables over the built-in ones.
    ///
    /// # Errors
    /// A new language without a command, or one that no script could be recognised by.
    pub fn extend(&mut self, patches: &BTreeMap<String, LanguagePatch>) -> Result<(), String> {
        for (name, patch) in patches {
            let index = self.0.iter().position(|language| &language.name == name);
            let mut language = match index {
                Some(index) => self.0.remove(index),
                None => Language {
                    name: name.clone(),
                    extensions: Vec::new(),
                    shebangs: Vec::new(),
                    command: Vec::new(),
                    other_names: &[],
                    ro_bind: Vec::new(),
                    packages: Packages::default(),
                },
            };
            if let Some(extensions) = &patch.extensions {
                language.extensions = extensions.iter().map(|e| e.trim_start_matches('.').to_lowercase()).collect();
            }
            if let Some(shebangs) = &patch.shebangs {
                language.shebangs.clone_from(shebangs);
            }
            if let Some(command) = &patch.command {
                language.command.clone_from(command);
                language.other_names = &[];
            }
            language.ro_bind.extend(patch.ro_bind.iter().cloned());
            if language.command.is_empty() {
                return Err(format!("[languages.{name}] has no `command`; add e.g. command = [\"{name}\"]"));
            }
            if language.extensions.is_empty() && language.shebangs.is_empty() {
                return Err(format!(
                    "[languages.{name}] has neither `extensions` nor `shebangs`, so no script would be recognised"
                ));
            }
            // What the user names is tried before what is built in.
            self.0.insert(0, language);
        }
        Ok(())
    }

    /// The language that claims this extension (without its dot).
    pub fn by_extension(&self, extension: &str) -> Option<&Language> {
        let extension = extension.to_lowercase();
        self.0.iter().find(|language| language.extensions.contains(&extension))
    }

    /// The language that claims this interpreter name, also with a version (`python3.12`).
    pub fn by_interpreter(&self, interpreter: &str) -> Option<&Language> {
        let plain = interpreter.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        let claims = |name: &str| self.0.iter().find(|language| language.shebangs.iter().any(|s| s == name));
        claims(interpreter).or_else(|| claims(plain))
    }

    /// All languages, in the order in which they are tried.
    pub fn iter(&self) -> impl Iterator<Item = &Language> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shebang_names_match_with_and_without_version() {
        let table = Languages::default();
        let name = |interpreter: &str| table.by_interpreter(interpreter).map(|l| l.name.as_str());
        assert_eq!(name("python3"), Some("python"));
        assert_eq!(name("python3.12"), Some("python"));
        assert_eq!(name("dash"), Some("sh"));
        assert_eq!(name("lua5.4"), Some("lua"));
        assert_eq!(name("make"), None);
    }

    #[test]
    fn a_language_of_the_user_comes_first() {
        let mut table = Languages::default();
        let patch: LanguagePatch = toml::from_str("extensions = ['.py']\ncommand = ['pypy3']").unwrap();
        table.extend(&BTreeMap::from([("pypy".to_owned(), patch)])).unwrap();
        assert_eq!(table.by_extension("PY").unwrap().name, "pypy");
    }

    #[test]
    fn a_language_without_command_is_refused() {
        let patch: LanguagePatch = toml::from_str("extensions = ['awk']").unwrap();
        let error = Languages::default().extend(&BTreeMap::from([("awk".to_owned(), patch)])).unwrap_err();
        assert!(error.contains("no `command`"), "{error}");
    }
}
