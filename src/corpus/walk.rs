//! From paths to cases: what is run, what is ignored and why.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::case_id::CaseId;
use super::language::{Detected, detect};
use crate::config::{Config, FILE_NAME};

/// One script to be run.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name in reports.
    pub id: CaseId,
    /// Where it is.
    pub path: PathBuf,
    /// Its path relative to the swept root: what globs are matched against.
    pub relative: PathBuf,
    /// Name of its language in the table.
    pub language: String,
}

/// A file or directory that is not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// Its path relative to the swept root.
    pub relative: PathBuf,
    /// Why.
    pub reason: String,
}

/// What a walk found.
#[derive(Debug, Default)]
pub struct Corpus {
    /// Scripts, sorted by path within each root.
    pub cases: Vec<Case>,
    /// What is not run.
    pub ignored: Vec<Ignored>,
    /// Places that could not be read, so that scripts may have been missed.
    pub unreadable: Vec<Ignored>,
}

/// A path of the command line that cannot be swept.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// It cannot be looked at.
    #[error("cannot sweep {}: {source}", path.display())]
    Root {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is something that is not swept.
    #[error("cannot sweep {}: {why}", path.display())]
    Unsuitable {
        /// The path.
        path: PathBuf,
        /// Why not, and what to do.
        why: String,
    },
}

/// Directories that hold no scripts of their own: version control, caches, installed packages.
const SKIPPED_DIRECTORIES: [&str; 4] = ["__pycache__", "__MACOSX", "node_modules", "site-packages"];

/// Walks all paths of the command line.
///
/// # Errors
/// A path that is missing, a link, or a single file that is not a script.
pub fn walk(paths: &[PathBuf], config: &Config) -> Result<Corpus, WalkError> {
    let reports = std::fs::canonicalize(&config.reports).ok();
    let mut corpus = Corpus::default();
    let prefixes = root_prefixes(paths);
    for (path, prefix) in paths.iter().zip(prefixes) {
        let name = |id: CaseId| prefix.as_ref().map_or(id.clone(), |prefix| id.under(prefix));
        let metadata =
            std::fs::symlink_metadata(path).map_err(|source| WalkError::Root { path: path.clone(), source })?;
        let unsuitable = |why: String| WalkError::Unsuitable { path: path.clone(), why };
        if metadata.is_symlink() {
            let target = std::fs::canonicalize(path)
                .map_or_else(|_| "its target".to_owned(), |target| target.display().to_string());
            return Err(unsuitable(format!("it is a symbolic link, and links are never followed; name {target}")));
        }
        if metadata.is_dir() {
            if let (Some(reports), Ok(root)) = (&reports, std::fs::canonicalize(path))
                && root.starts_with(reports)
            {
                return Err(unsuitable(format!(
                    "it lies in the reports directory {}, whose contents a sweep writes; \
                     choose another with --reports",
                    reports.display()
                )));
            }
            walk_directory(path, config, reports.as_deref(), &name, &mut corpus);
        } else {
            let base = PathBuf::from(path.file_name().unwrap_or(path.as_os_str()));
            match detect(path, &config.languages) {
                Detected::Script(language) => corpus.cases.push(Case {
                    id: name(CaseId::from_path(&base)),
                    path: path.clone(),
                    relative: below_configuration(path, config).unwrap_or(base),
                    language: language.name.clone(),
                }),
                Detected::NotAScript(why) | Detected::Unreadable(why) => {
                    return Err(unsuitable(format!(
                        "{why}; add its extension to a [languages.NAME] table of the configuration"
                    )));
                }
            }
        }
    }
    Ok(corpus)
}

/// A single script's path relative to the directory of the configuration, where it lies below
/// that: then the globs mean for it what they mean in a sweep.
fn below_configuration(path: &Path, config: &Config) -> Option<PathBuf> {
    let directory = config.file.as_ref()?.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = std::fs::canonicalize(directory.unwrap_or(Path::new("."))).ok()?;
    Some(std::fs::canonicalize(path).ok()?.strip_prefix(directory).ok()?.to_owned())
}

/// Names that keep the cases of several roots apart; none for a single root.
fn root_prefixes(paths: &[PathBuf]) -> Vec<Option<String>> {
    if paths.len() < 2 {
        return vec![None; paths.len()];
    }
    let mut seen: HashMap<String, usize> = HashMap::new();
    paths
        .iter()
        .map(|path| {
            let directory = if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(path) };
            let real = std::fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
            let base = real.file_name().map_or_else(|| "root".to_owned(), |name| name.to_string_lossy().into_owned());
            let count = seen.entry(base.clone()).or_default();
            *count += 1;
            Some(if *count == 1 { base } else { format!("{base}@{count}") })
        })
        .collect()
}

fn walk_directory(
    root: &Path,
    config: &Config,
    reports: Option<&Path>,
    name: &dyn Fn(CaseId) -> CaseId,
    corpus: &mut Corpus,
) {
    let mut entries = WalkDir::new(root).follow_links(false).sort_by_file_name().into_iter();
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(root);
                let relative = relative_to(root, path);
                let reason = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                corpus.unreadable.push(Ignored { relative, reason });
                continue;
            }
        };
        if entry.depth() == 0 {
            continue;
        }
        let relative = relative_to(root, entry.path());
        if let Some(reason) = passed_over(&entry, reports) {
            if entry.file_type().is_dir() {
                entries.skip_current_dir();
            }
            corpus.ignored.push(Ignored { relative, reason });
            continue;
        }
        if entry.file_type().is_dir() {
            continue;
        }
        if entry.depth() == 1 && entry.file_name() == FILE_NAME {
            corpus.ignored.push(Ignored { relative, reason: "the configuration of this sweep".to_owned() });
            continue;
        }
        if !config.selects(&relative) {
            corpus.ignored.push(Ignored { relative, reason: "not selected by include and exclude".to_owned() });
            continue;
        }
        match detect(entry.path(), &config.languages) {
            Detected::Script(language) => corpus.cases.push(Case {
                id: name(CaseId::from_path(&relative)),
                path: entry.path().to_owned(),
                relative,
                language: language.name.clone(),
            }),
            Detected::NotAScript(reason) => corpus.ignored.push(Ignored { relative, reason }),
            Detected::Unreadable(reason) => corpus.unreadable.push(Ignored { relative, reason }),
        }
    }
}

/// Why an entry is not even looked into, from its name and kind alone.
fn passed_over(entry: &DirEntry, reports: Option<&Path>) -> Option<String> {
    use std::os::unix::fs::FileTypeExt;
    let kind = entry.file_type();
    let name = entry.file_name().as_encoded_bytes();
    if kind.is_symlink() {
        return Some("a symbolic link; links are never followed".to_owned());
    }
    if kind.is_fifo() || kind.is_socket() || kind.is_char_device() || kind.is_block_device() {
        let what = if kind.is_fifo() {
            "a FIFO"
        } else if kind.is_socket() {
            "a socket"
        } else {
            "a device"
        };
        return Some(format!("{what}, not a regular file; never opened"));
    }
    if name.starts_with(b".") {
        return Some("hidden: its name starts with a dot".to_owned());
    }
    if kind.is_dir() {
        if SKIPPED_DIRECTORIES.iter().any(|skipped| OsStr::new(skipped) == entry.file_name()) {
            return Some("a cache or package directory".to_owned());
        }
        if entry.path().join("pyvenv.cfg").symlink_metadata().is_ok() {
            return Some("a Python virtual environment".to_owned());
        }
        if let Some(reports) = reports
            && std::fs::canonicalize(entry.path()).is_ok_and(|path| path == reports)
        {
            return Some("the reports directory".to_owned());
        }
    } else if name.ends_with(b"~") || (name.starts_with(b"#") && name.ends_with(b"#")) {
        return Some("an editor's backup".to_owned());
    }
    None
}

fn relative_to(root: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(root).unwrap_or(path).to_owned()
}
