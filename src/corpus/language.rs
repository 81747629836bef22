//! Which language a file is in.

use std::path::Path;

use crate::config::{Language, Languages};

/// What a file turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Detected<'a> {
    /// A script in this language.
    Script(&'a Language),
    /// No script, and why we think so.
    NotAScript(String),
    /// It has no known extension and cannot be opened: it may be a script.
    Unreadable(String),
}

/// By extension, then by the shebang line.
pub fn detect<'a>(path: &Path, languages: &'a Languages) -> Detected<'a> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned());
    if let Some(language) = extension.as_deref().and_then(|extension| languages.by_extension(extension)) {
        return Detected::Script(language);
    }
    let line = match super::read::first_line(path) {
        Ok(line) => line,
        Err(why) => {
            return Detected::Unreadable(format!("no known extension, and its first line cannot be read: {why}"));
        }
    };
    match interpreter_of(&line) {
        None => Detected::NotAScript("not a script: no known extension and no `#!` line".to_owned()),
        Some(name) => languages.by_interpreter(&name).map_or_else(
            || Detected::NotAScript(format!("no language for its `#!` line, which names `{name}`")),
            Detected::Script,
        ),
    }
}

/// The interpreter's bare name in a `#!` line, looking through `env`, its options and assignments.
fn interpreter_of(line: &[u8]) -> Option<String> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).strip_prefix(b"#!")?;
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_ascii_whitespace();
    let base = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let mut name = base(words.next()?);
    if name == "env" {
        name = base(words.find(|word| !word.starts_with('-') && !word.contains('='))?);
    }
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shebang_lines_as_they_are_found() {
        let of = |line: &str| interpreter_of(line.as_bytes());
        assert_eq!(of("#!/usr/bin/python3").as_deref(), Some("python3"));
        assert_eq!(of("#! /usr/bin/env python3\r").as_deref(), Some("python3"));
        assert_eq!(of("#!/usr/bin/env -S FOO=1 node --flag").as_deref(), Some("node"));
        assert_eq!(of("\u{feff}#!/bin/sh -e").as_deref(), Some("sh"));
        assert_eq!(of("#!"), None);
        assert_eq!(of("#!/usr/bin/env"), None);
        assert_eq!(of("print(1)"), None);
    }

    proptest! {
        #[test]
        fn any_line_is_read_without_panic(line in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = interpreter_of(&line);
            let _ = interpreter_of(&[b"#!", &line[..]].concat());
        }
    }
}
