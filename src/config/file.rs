//! `sandsweep.toml`: its shape, and where in it something is wrong.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use serde::Deserialize;
use toml::Spanned;

use super::language::LanguagePatch;
use super::limits::LimitsPatch;
use super::policy::PolicyPatch;
use crate::judge::Expectation;
use crate::units::Span;

/// Name of the file that is looked for in a swept root.
pub const FILE_NAME: &str = "sandsweep.toml";

/// The largest configuration file that is read.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// A configuration that cannot be used, with its place.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something in the file is wrong.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// A flag or a combination of them is wrong.
    #[error("{0}")]
    Flag(String),
}

/// A glob over paths relative to the swept root; `/` separates, `**` crosses directories.
#[derive(Clone, Debug)]
pub struct PathGlob(GlobMatcher);

impl PathGlob {
    /// Whether the path, given as raw bytes relative to its root, is matched.
    pub fn matches(&self, path: &Path) -> bool {
        self.0.is_match(path)
    }

    /// The pattern as it was written.
    pub fn pattern(&self) -> &str {
        self.0.glob().glob()
    }
}

impl std::str::FromStr for PathGlob {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        GlobBuilder::new(text)
            .literal_separator(true)
            .build()
            .map(|glob| Self(glob.compile_matcher()))
            .map_err(|why| format!("`{text}` is not a glob: {}", why.kind()))
    }
}

impl<'de> Deserialize<'de> for PathGlob {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One glob or several.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a glob or a list of globs")]
enum GlobsText {
    One(String),
    Many(Vec<String>),
}

/// The globs of a `match`, `include` or `exclude` key.
#[derive(Clone, Debug, Default)]
pub struct Globs(pub Vec<PathGlob>);

impl Globs {
    /// Whether any of them matches.
    pub fn matches(&self, path: &Path) -> bool {
        self.0.iter().any(|glob| glob.matches(path))
    }
}

impl<'de> Deserialize<'de> for Globs {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = match GlobsText::deserialize(deserializer)? {
            GlobsText::One(text) => vec![text],
            GlobsText::Many(texts) => texts,
        };
        let globs: Result<_, String> = texts.iter().map(|text| text.parse()).collect();
        globs.map(Self).map_err(serde::de::Error::custom)
    }
}

/// Which charts are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Charts {
    /// One for each case and those of the sweep.
    #[default]
    All,
    /// Those of the sweep only.
    Sweep,
    /// None.
    None,
}

/// `[sweep]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepTable {
    /// Scripts run at a time.
    pub jobs: Option<Spanned<usize>>,
    /// Where reports go, relative to the file.
    pub reports: Option<PathBuf>,
    /// Which charts are drawn.
    pub charts: Option<Charts>,
    /// Only these.
    pub include: Option<Spanned<Globs>>,
    /// Not these.
    pub exclude: Option<Spanned<Globs>>,
    /// First distance between two samples of the trace.
    pub interval: Option<Span>,
    /// Largest distance between two samples of the trace.
    pub max_interval: Option<Span>,
    /// How much of each output stream is kept.
    pub keep_output: Option<crate::units::Bytes>,
    /// The largest script that is run.
    pub script_size: Option<crate::units::Bytes>,
    /// First of the unprivileged uids that sandboxes run under when started as root.
    pub uid_base: Option<u32>,
}

/// `[profile.NAME]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileTable {
    /// Over `[limits]`.
    #[serde(default)]
    pub limits: LimitsTable,
    /// Over `[policy]`.
    #[serde(default)]
    pub policy: PolicyPatch,
}

/// A `[limits]` table, checked while it is read so that a mistake has its place.
#[derive(Clone, Copy, Debug, Default)]
pub struct LimitsTable(pub LimitsPatch);

impl<'de> Deserialize<'de> for LimitsTable {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let patch = LimitsPatch::deserialize(deserializer)?;
        patch.check().map_err(serde::de::Error::custom)?;
        Ok(Self(patch))
    }
}

/// `[[override]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverrideTable {
    /// Which cases.
    #[serde(rename = "match")]
    pub globs: Spanned<Globs>,
    /// Limits for them.
    #[serde(default)]
    pub limits: LimitsTable,
    /// Policy for them.
    #[serde(default)]
    pub policy: PolicyPatch,
    /// What should become of them.
    pub expect: Option<Expectation>,
}

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigTables {
    /// How the sweep goes.
    #[serde(default)]
    pub sweep: SweepTable,
    /// How much every case may use.
    #[serde(default)]
    pub limits: LimitsTable,
    /// What every sandbox allows.
    #[serde(default)]
    pub policy: PolicyPatch,
    /// Languages, new or changed.
    #[serde(default)]
    pub languages: Located<BTreeMap<String, LanguagePatch>>,
    /// Named sets of limits and policy, chosen by `--profile`.
    #[serde(default)]
    pub profile: BTreeMap<String, ProfileTable>,
    /// For some cases; later ones win.
    #[serde(default, rename = "override")]
    pub overrides: Vec<OverrideTable>,
}

/// Like `toml::Spanned`, with a default, for tables that may be absent.
#[derive(Debug, Default)]
pub struct Located<T> {
    /// Byte range in the file.
    pub span: Range<usize>,
    /// What was read.
    pub value: T,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        Ok(Self { span: spanned.span(), value: spanned.into_inner() })
    }
}

/// A configuration file that was read, and its text for naming places in it.
#[derive(Debug)]
pub struct ConfigFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub tables: ConfigTables,
    text: String,
}

impl ConfigFile {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or something in it is wrong; the error has line and column.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let read_error = |source| ConfigError::Read { path: path.to_owned(), source };
        let bytes = crate::corpus::read_regular_file(path, MAX_FILE_BYTES).map_err(read_error)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| read_error(std::io::Error::new(std::io::ErrorKind::InvalidData, "it is not UTF-8 text")))?;
        Self::parse(path, text)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// Something in it is wrong.
    pub fn parse(path: &Path, text: String) -> Result<Self, ConfigError> {
        match toml::from_str(&text) {
            Ok(tables) => Ok(Self { path: path.to_owned(), tables, text }),
            Err(error) => {
                let offset = error.span().map_or(0, |span| span.start);
                let (line, column) = line_and_column(&text, offset);
                let message = error.message().trim().to_owned();
                Err(ConfigError::Invalid { path: path.to_owned(), line, column, message })
            }
        }
    }

    /// An error at a place of this file.
    pub fn error_at(&self, span: &Range<usize>, message: String) -> ConfigError {
        let (line, column) = line_and_column(&self.text, span.start);
        ConfigError::Invalid { path: self.path.clone(), line, column, message }
    }

    /// `path:line:column` of a place in this file.
    pub fn place(&self, span: &Range<usize>) -> String {
        let (line, column) = line_and_column(&self.text, span.start);
        format!("{}:{line}:{column}", self.path.display())
    }
}

/// Line and column, both from 1, of a byte offset.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(offset.min(text.len()))];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        ConfigFile::parse(Path::new("sandsweep.toml"), text.to_owned()).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_key_is_named_with_its_place() {
        let message = error("[limits]\nwall_time = '1s'\nwal_time = '1s'\n");
        assert!(message.starts_with("sandsweep.toml:3:1: unknown field `wal_time`"), "{message}");
    }

    #[test]
    fn a_bad_unit_is_named_with_its_place() {
        let message = error("[limits]\nmemory = '12 parsecs'\n");
        assert!(message.starts_with("sandsweep.toml:2:10:") && message.contains("parsecs"), "{message}");
        let message = error("[limits]\nwall_time = 10\n");
        assert!(message.starts_with("sandsweep.toml:2:13:") && message.contains("\"10s\""), "{message}");
    }

    #[test]
    fn a_bad_glob_is_named_with_its_place() {
        let message = error("[[override]]\nmatch = 'a[b'\n");
        assert!(message.starts_with("sandsweep.toml:2:9:") && message.contains("not a glob"), "{message}");
    }

    #[test]
    fn a_limit_that_nothing_could_run_under_is_refused() {
        let message = error("[[override]]\nmatch = '**'\nlimits = { memory = '1KiB' }\n");
        assert!(message.contains("too small"), "{message}");
    }

    #[test]
    fn a_star_stays_within_its_directory() {
        let glob: PathGlob = "verdicts/*.py".parse().unwrap();
        assert!(glob.matches(Path::new("verdicts/a.py")));
        assert!(!glob.matches(Path::new("verdicts/deep/a.py")));
        let everything: PathGlob = "**".parse().unwrap();
        assert!(everything.matches(Path::new("a/b/c.py")) && everything.matches(Path::new("x")));
    }
}
