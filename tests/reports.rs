//! The reports tree, the commands that read or only explain, and the corpus that ships.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::{Corpus, Ran, for_each_user};
use sandsweep::exit_code;
use sandsweep::report::SweepRecord;
use sandsweep::report::record::CaseRecord;
use serde_json::{Value, json};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// All files below a directory, by their path relative to it.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    walkdir::WalkDir::new(dir)
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| (entry.path().strip_prefix(dir).unwrap().to_owned(), std::fs::read(entry.path()).unwrap()))
        .collect()
}

fn pngs(ran: &Ran) -> Vec<PathBuf> {
    files(ran.tree()).into_keys().filter(|path| path.extension().is_some_and(|e| e == "png")).collect()
}

/// A few scripts that differ, one of them in a folder.
fn some_scripts(corpus: &Corpus) {
    corpus.script("a.py", "print('out')").script("folder/b.sh", "echo err >&2; exit 1").script("quiet.sh", ":");
    corpus.script("slow.py", "import time; time.sleep(9)");
    corpus.config("[[override]]\nmatch = 'slow.py'\nlimits = { wall_time = '0.3s' }\nexpect = 'time_limit'");
}

#[test]
fn the_tree_is_laid_out_as_promised() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        some_scripts(&corpus);
        let ran = corpus.run(&[]).exits_with(0);
        let all = files(ran.tree());
        let there = |path: &str| all.contains_key(Path::new(path));
        for path in ["sweep.json", "journal.ndjson", "summary.csv"] {
            assert!(there(path), "{path}");
        }
        for id in ["a.py", "folder/b.sh", "quiet.sh", "slow.py"] {
            assert!(there(&format!("cases/{id}/result.json")) && there(&format!("cases/{id}/trace.png")), "{id}");
        }
        assert!(there("cases/a.py/stdout") && there("cases/folder/b.sh/stderr"));
        assert!(!there("cases/quiet.sh/stdout") && !there("cases/a.py/stderr"), "no empty files");
        let charts = all.keys().filter(|path| path.starts_with("charts")).count();
        assert!(charts >= 3, "{charts} charts of the sweep");
        for (path, bytes) in &all {
            if path.extension().is_some_and(|e| e == "png") {
                assert!(bytes.starts_with(PNG) && bytes.len() > 1000, "{} is no picture", path.display());
            }
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(!name.starts_with('.') && !name.ends_with(".tmp"), "{} was left", path.display());
        }
        let id = ran.tree().file_name().unwrap().to_str().unwrap();
        assert!(id.len() == 23 && id[..8].bytes().all(|b| b.is_ascii_digit()) && &id[15..17] == "Z-", "{id}");
        assert_eq!(corpus.latest().unwrap(), id);
        assert_eq!(ran.sweep_json()["id"], json!(id));

        let again = corpus.run(&["--charts", "none"]).exits_with(0);
        assert_ne!(again.tree(), ran.tree());
        assert_eq!(corpus.latest().unwrap(), again.tree().file_name().unwrap());
    });
}

#[test]
fn what_is_stored_can_be_read_back_and_stays_the_same() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        some_scripts(&corpus);
        let ran = corpus.run(&["--charts", "none"]).exits_with(0);
        for id in ran.ids() {
            let text = std::fs::read(ran.case(&id).dir.join("result.json")).unwrap();
            let record: CaseRecord = serde_json::from_slice(&text).unwrap();
            assert_eq!(record.id.as_str(), id);
            assert_eq!(serde_json::to_value(&record).unwrap(), serde_json::from_slice::<Value>(&text).unwrap(), "{id}");
            let again: CaseRecord = serde_json::from_value(serde_json::to_value(&record).unwrap()).unwrap();
            assert_eq!(again, record);
            let started: jiff::Timestamp = record.started_at.parse().unwrap();
            assert!((jiff::Timestamp::now() - started).abs().as_secs() < 120);
        }
        let sweep: SweepRecord = serde_json::from_value(ran.sweep_json()).unwrap();
        assert_eq!(serde_json::to_value(&sweep).unwrap(), ran.sweep_json());
        assert!(sweep.complete && sweep.totals.finished == 4 && sweep.environment.uid == user.uid());
    });
}

#[test]
fn the_table_has_the_same_figures_as_the_results() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        some_scripts(&corpus);
        let ran = corpus.run(&["--charts", "none"]).exits_with(0);
        for row in ran.csv() {
            let case = ran.case(&row["id"]);
            assert_eq!(row["verdict"], case["verdict"].as_str().unwrap());
            for (column, figure) in [
                ("wall_time_s", "wall_time_s"),
                ("cpu_time_s", "cpu_time_s"),
                ("peak_memory_bytes", "peak_memory_bytes"),
            ] {
                let value: f64 = row[column].parse().unwrap();
                assert!((value - case.used(figure)).abs() < 1e-6, "{column}: {value}");
            }
            assert_eq!(row["stdout_bytes"], case["output"]["stdout"]["bytes"].to_string());
            let code = case["termination"]["code"].as_i64().map(|code| code.to_string()).unwrap_or_default();
            assert_eq!(row["exit_code"], code);
        }
        let slow = ran.csv().into_iter().find(|row| row["id"] == "slow.py").unwrap();
        assert_eq!((slow["limit"].as_str(), slow["expectation_met"].as_str()), ("wall_time", "true"));
    });
}

#[test]
fn report_makes_every_derived_file_again_byte_for_byte() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        some_scripts(&corpus);
        let ran = corpus.run(&[]).exits_with(0);
        let before = files(ran.tree());
        let derived = |path: &Path| path == Path::new("summary.csv") || path.extension().is_some_and(|e| e == "png");
        let tree = ran.tree().to_str().unwrap();

        for path in before.keys().filter(|path| derived(path)) {
            std::fs::write(ran.tree().join(path), "damaged").unwrap();
        }
        corpus.finish(corpus.command(&["report", tree])).exits_with(0);
        let repaired = files(ran.tree());
        for (path, bytes) in &before {
            assert!(repaired.get(path) == Some(bytes), "{} was damaged and is not the same again", path.display());
        }

        for path in before.keys().filter(|path| derived(path)) {
            std::fs::remove_file(ran.tree().join(path)).unwrap();
        }
        corpus.finish(corpus.command(&["report", corpus.reports.join("latest").to_str().unwrap()])).exits_with(0);
        let after = files(ran.tree());
        let missing: Vec<_> = before.keys().filter(|path| !after.contains_key(*path)).collect();
        assert!(missing.is_empty(), "deleted and not made again: {missing:?}");
        assert!(after == before, "some file is not the same again");
    });
}

#[test]
fn report_refuses_what_is_no_sweep() {
    let corpus = Corpus::new(common::User::Ordinary);
    some_scripts(&corpus);
    let refused = |path: &str, words: &[&str]| {
        corpus.finish(corpus.command(&["report", path])).exits_with(exit_code::USAGE).complains(words);
    };
    refused("/no/such", &["/no/such"]);
    refused(corpus.dir.to_str().unwrap(), &["not the directory of a sweep"]);
    let ran = corpus.run(&["--charts", "none"]).exits_with(0);
    let result = ran.case("a.py").dir.join("result.json");
    let mut newer: Value = serde_json::from_slice(&std::fs::read(&result).unwrap()).unwrap();
    newer["schema_version"] = json!(999);
    std::fs::write(&result, newer.to_string()).unwrap();
    refused(ran.tree().to_str().unwrap(), &["newer sandsweep", "999"]);
    std::fs::write(&result, "{").unwrap();
    refused(ran.tree().to_str().unwrap(), &["result.json"]);
}

#[test]
fn the_journal_tells_the_sweep_line_by_line() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        some_scripts(&corpus);
        let ran = corpus.run(&["--jobs", "2", "--charts", "none"]).exits_with(0);
        let text = std::fs::read_to_string(ran.tree().join("journal.ndjson")).unwrap();
        assert!(text.ends_with('\n'));
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let event = |line: &Value| line["event"].as_str().unwrap().to_owned();
        assert_eq!((event(&lines[0]), event(lines.last().unwrap())), ("sweep_started".into(), "sweep_finished".into()));
        assert_eq!(lines[0]["cases"], json!(4));
        for id in ran.ids() {
            let at = |name: &str| lines.iter().position(|line| event(line) == name && line["id"] == json!(id));
            let (started, finished) = (at("case_started").unwrap(), at("case_finished").unwrap());
            assert!(started < finished, "{id}");
            assert_eq!(lines[finished]["verdict"], ran.case(&id)["verdict"]);
        }
        assert_eq!(lines.len(), 10);
    });
}

#[test]
fn only_the_charts_that_are_asked_for_are_drawn() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        some_scripts(&corpus);
        assert_eq!(pngs(&corpus.run(&["--charts", "none"]).exits_with(0)), Vec::<PathBuf>::new());
        let sweep = pngs(&corpus.run(&["--charts", "sweep"]).exits_with(0));
        assert!(!sweep.is_empty() && sweep.iter().all(|path| path.starts_with("charts")), "{sweep:?}");
        let all = pngs(&corpus.run(&["--charts", "all"]).exits_with(0));
        assert_eq!(all.len(), sweep.len() + 4, "{all:?}");
    });
}

#[test]
fn quiet_prints_nothing_when_all_is_well() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        some_scripts(&corpus);
        let ran = corpus.run(&["--quiet"]).exits_with(0);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
        assert_eq!(ran.ids().len(), 4);
        let refused = corpus.run(&["--quiet", "--jobs", "0"]).exits_with(exit_code::USAGE);
        assert!(!refused.stderr.is_empty(), "errors are printed");
    });
}

#[test]
fn reports_that_cannot_be_written_are_an_error_with_a_remedy() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script("a.sh", ":");
        for reports in ["/proc/reports", "/dev/null/reports"] {
            let dir = corpus.dir.to_str().unwrap();
            let ran = corpus.finish(corpus.command(&["run", dir, "--reports", reports]));
            ran.exits_with(exit_code::HARNESS).complains(&["cannot write", reports]);
        }
    });
}

#[test]
fn the_examples_that_ship_all_end_as_they_declare() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/examples");
        for (path, bytes) in files(&examples) {
            corpus.file(path.as_os_str().as_encoded_bytes(), &bytes, 0o644);
        }
        let ran = corpus.run(&["--charts", "sweep"]);
        let unexpected: Vec<_> = ran
            .ids()
            .into_iter()
            .map(|id| ran.case(&id))
            .filter(|case| case["expectation"]["met"] != json!(true))
            .map(|case| format!("{} is {} by {}: {}", case["id"], case["verdict"], case["termination"], case.stderr()))
            .collect();
        assert!(unexpected.is_empty(), "{unexpected:#?}");
        let ran = ran.exits_with(0);
        assert_eq!(ran.sweep_json()["warnings"], json!([]));
        let totals = &ran.sweep_json()["totals"];
        assert!(totals["cases"].as_u64() >= Some(40) && totals["expected"] == totals["cases"], "{totals}");
        for verdict in ["ok", "failed", "crashed", "time_limit", "memory_limit", "output_limit", "disk_limit"] {
            assert!(totals["verdicts"][verdict].as_u64() > Some(0), "an example of {verdict}");
        }
    });
}
