//! What a run came to, and what it stored of each case.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use serde_json::Value;

/// A run that has ended.
#[derive(Debug)]
pub struct Ran {
    /// As the system says.
    pub status: ExitStatus,
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it printed.
    pub stderr: String,
    /// The directory of its sweep; none when it made none.
    pub sweep: Option<PathBuf>,
}

impl Ran {
    /// Checks the exit code.
    #[track_caller]
    pub fn exits_with(self, code: u8) -> Self {
        assert_eq!(self.code, Some(i32::from(code)), "exit code; it printed\n{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Checks that it gave up with this code before it ran anything, saying all of these words.
    #[track_caller]
    pub fn refuses(self, code: u8, words: &[&str]) -> Self {
        let ran = self.exits_with(code);
        assert_eq!(ran.sweep, None, "it must not make a reports tree");
        ran.complains(words)
    }

    /// Checks that all of these words are on standard error.
    #[track_caller]
    pub fn complains(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is not in\n{}", self.stderr);
        }
        self
    }

    /// The sweep's directory.
    #[track_caller]
    pub fn tree(&self) -> &Path {
        self.sweep
            .as_deref()
            .unwrap_or_else(|| panic!("there is no sweep; it printed\n{}\n{}", self.stdout, self.stderr))
    }

    /// A case by its id.
    #[track_caller]
    pub fn case(&self, id: &str) -> Case {
        let found = self.find(id);
        found.unwrap_or_else(|| panic!("there is no result for {id}; it printed\n{}\n{}", self.stdout, self.stderr))
    }

    /// A case by its id, when it has a result.
    pub fn find(&self, id: &str) -> Option<Case> {
        let cases = self.tree().join("cases");
        // A name that no file system could hold has a shorter directory, which the table knows.
        let plain = cases.join(id);
        let dir = if plain.is_dir() { plain } else { cases.join(self.directory_of(id)?) };
        let json = serde_json::from_slice(&std::fs::read(dir.join("result.json")).ok()?).unwrap();
        // No file is written for a stream that was empty.
        let text =
            |stream: &str| String::from_utf8_lossy(&std::fs::read(dir.join(stream)).unwrap_or_default()).into_owned();
        let [stdout, stderr] = ["stdout", "stderr"].map(text);
        Some(Case { json, dir, stdout, stderr })
    }

    fn directory_of(&self, id: &str) -> Option<String> {
        let mut rows = self.csv().into_iter();
        rows.find(|row| row["id"] == id).map(|row| row["directory"].clone())
    }

    /// The rows of `summary.csv`, by column.
    pub fn csv(&self) -> Vec<BTreeMap<String, String>> {
        let mut reader = csv::Reader::from_path(self.tree().join("summary.csv")).unwrap();
        reader.deserialize().map(|row| row.unwrap()).collect()
    }

    /// Verdicts by case id, from `summary.csv`.
    pub fn verdicts(&self) -> BTreeMap<String, String> {
        self.csv().into_iter().map(|mut row| (row.remove("id").unwrap(), row.remove("verdict").unwrap())).collect()
    }

    /// The ids of all cases, in the order of `summary.csv`.
    pub fn ids(&self) -> Vec<String> {
        self.csv().into_iter().map(|mut row| row.remove("id").unwrap()).collect()
    }

    /// `sweep.json`.
    pub fn sweep_json(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.tree().join("sweep.json")).unwrap()).unwrap()
    }

    /// Why each ignored file was ignored, by its path.
    pub fn ignored(&self) -> BTreeMap<String, String> {
        let json = self.sweep_json();
        let text = |entry: &Value, key: &str| entry[key].as_str().unwrap().to_owned();
        let entries = json["ignored"].as_array().unwrap();
        entries.iter().map(|entry| (text(entry, "path"), text(entry, "reason"))).collect()
    }
}

/// One case's `result.json`, and the files beside it.
#[derive(Debug)]
pub struct Case {
    json: Value,
    /// Where they are.
    pub dir: PathBuf,
    stdout: String,
    stderr: String,
}

impl Deref for Case {
    type Target = Value;
    fn deref(&self) -> &Value {
        &self.json
    }
}

impl Case {
    /// Checks the verdict.
    #[track_caller]
    pub fn must_be(self, verdict: &str) -> Self {
        assert_eq!(
            self["verdict"],
            verdict,
            "verdict of {}, which ended by {}; it printed\n{}\n{}",
            self["id"],
            self["termination"],
            self.stdout(),
            self.stderr()
        );
        self
    }

    /// Checks that it called exit with this code.
    #[track_caller]
    pub fn exited(self, code: i32) -> Self {
        assert_eq!(self["termination"], serde_json::json!({ "kind": "exited", "code": code }), "{}", self.stderr());
        self
    }

    /// Checks that this signal ended it.
    #[track_caller]
    pub fn signaled(self, signal: i32) -> Self {
        assert_eq!(
            self["termination"],
            serde_json::json!({ "kind": "signaled", "signal": signal }),
            "{}",
            self.stderr()
        );
        self
    }

    /// Checks that the supervisor ended it for this limit, and says so in full.
    #[track_caller]
    pub fn killed_for(self, limit: &str) -> Self {
        let termination = &self["termination"];
        assert_eq!(termination["kind"], "killed", "{termination}; it printed\n{}\n{}", self.stdout(), self.stderr());
        assert_eq!(termination["limit"], limit, "{termination}");
        let number = |key: &str| termination[key].as_f64().unwrap_or_else(|| panic!("no `{key}` in {termination}"));
        assert!(number("observed") >= number("allowed"), "{termination}");
        assert!(number("at_s") >= 0.0, "{termination}");
        self
    }

    /// Why it was not started.
    #[track_caller]
    pub fn not_started(&self) -> &str {
        assert_eq!(self["termination"]["kind"], "not_started", "{}", self["termination"]);
        self["termination"]["reason"].as_str().unwrap()
    }

    /// A number of `termination`.
    #[track_caller]
    pub fn termination(&self, key: &str) -> f64 {
        self["termination"][key].as_f64().unwrap_or_else(|| panic!("no `{key}` in {}", self["termination"]))
    }

    /// A figure of `usage`.
    #[track_caller]
    pub fn used(&self, figure: &str) -> f64 {
        let figure = &self["usage"][figure];
        figure["value"].as_f64().unwrap_or_else(|| panic!("no value in {figure}"))
    }

    /// How a figure of `usage` was obtained.
    pub fn provenance(&self, figure: &str) -> &str {
        self["usage"][figure]["provenance"].as_str().unwrap()
    }

    /// Seconds from the start of the script to the end of its sandbox.
    pub fn lasted(&self) -> f64 {
        let at = |key: &str| self["placement"][key].as_f64().unwrap();
        at("ended_s") - at("started_s")
    }

    /// What was kept of its standard output.
    pub fn stdout(&self) -> &str {
        &self.stdout
    }

    /// What was kept of its standard error.
    pub fn stderr(&self) -> &str {
        &self.stderr
    }

    /// The JSON it printed.
    #[track_caller]
    pub fn told(&self) -> Value {
        let text = self.stdout();
        serde_json::from_str(text).unwrap_or_else(|why| panic!("{why}: it printed\n{text}\n{}", self.stderr()))
    }
}
