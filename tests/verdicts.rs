//! Verdicts, expectations and exit codes.

mod common;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::{Corpus, User, for_each_user, only_as};
use sandsweep::exit_code;
use serde_json::json;

/// One script for each verdict that a script can bring about.
fn one_of_each(user: User) -> Corpus {
    let corpus = Corpus::new(user);
    corpus.script("ok.sh", ":").script("failed.sh", "exit 3").script("crashed.sh", "kill -SEGV $$");
    corpus.script("time_limit.sh", "sleep 20").script("output_limit.sh", "yes");
    corpus.script("memory_limit.py", "import time; data = b'x' * (200 << 20); time.sleep(5)");
    corpus.script("disk_limit.sh", "head -c 9000000 /dev/zero > f").script("error.absent", "");
    corpus
}

const LIMITS: &str = r#"
    [limits]
    wall_time = "1s"
    memory = "64MiB"
    stdout = "64KiB"
    disk = "1MiB"
    [languages.absent]
    extensions = ["absent"]
    command = ["no-such-interpreter"]
"#;

/// `[[override]]` tables: what is expected of which script.
fn expecting(pairs: &[(&str, &str)]) -> String {
    let tables = pairs.iter().map(|(glob, expect)| format!("[[override]]\nmatch = '{glob}'\nexpect = {expect}\n"));
    common::unindented(LIMITS) + &tables.collect::<String>()
}

#[test]
fn every_verdict_is_given_and_counted() {
    for_each_user(|user| {
        let corpus = one_of_each(user);
        corpus.config(LIMITS);
        let ran = corpus.run(&["--charts", "none"]).exits_with(exit_code::HARNESS);
        let verdicts = ran.verdicts();
        assert_eq!(verdicts.len(), 8);
        for (id, verdict) in &verdicts {
            assert_eq!(id.split('.').next(), Some(verdict.as_str()), "{verdicts:?}");
            assert_eq!(ran.case(id)["expectation"], json!(null));
        }
        let totals = &ran.sweep_json()["totals"];
        for verdict in sandsweep::judge::Verdict::ALL {
            let there = i32::from(verdict.name() != "escaped");
            assert_eq!(totals["verdicts"][verdict.name()], json!(there), "{verdict}");
        }
        assert_eq!((&totals["cases"], &totals["finished"], &totals["undeclared"]), (&json!(8), &json!(8), &json!(8)));
        assert!(ran.stdout.contains("8 cases"), "{}", ran.stdout);
    });
}

#[test]
fn all_as_expected_is_exit_code_0() {
    for_each_user(|user| {
        let corpus = one_of_each(user);
        let names = ["ok", "failed", "crashed", "time_limit", "output_limit", "memory_limit", "disk_limit", "error"];
        let quoted: Vec<_> = names.iter().map(|name| (format!("{name}.*"), format!("'{name}'"))).collect();
        let pairs: Vec<_> = quoted.iter().map(|(glob, expect)| (glob.as_str(), expect.as_str())).collect();
        corpus.config(&expecting(&pairs));
        let ran = corpus.run(&["--charts", "none"]).exits_with(exit_code::OK);
        for id in ran.ids() {
            assert_eq!(ran.case(&id)["expectation"]["met"], json!(true), "{id}");
        }
        assert_eq!(ran.sweep_json()["totals"]["expected"], json!(8));
        assert!(ran.csv().iter().all(|row| row["expectation_met"] == "true" && row["expected"] == row["verdict"]));
    });
}

#[test]
fn an_unexpected_verdict_is_exit_code_1_and_is_named() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script("good.sh", ":").script("bad.sh", "exit 3").script("either.sh", "exit 1");
        corpus.config(&expecting(&[("**", "'ok'"), ("either.sh", "['ok', 'failed']"), ("*.absent", "'ok'")]));
        let ran = corpus.run(&["--charts", "none"]).exits_with(exit_code::UNEXPECTED);
        let met = |id: &str| ran.case(id)["expectation"].clone();
        assert_eq!(met("good.sh"), json!({ "declared": ["ok"], "met": true }));
        assert_eq!(met("bad.sh"), json!({ "declared": ["ok"], "met": false }));
        assert_eq!(met("either.sh"), json!({ "declared": ["ok", "failed"], "met": true }));
        assert!(ran.stderr.contains("unexpected: bad.sh: failed, expected ok"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("good.sh") && !ran.stderr.contains("either.sh"), "{}", ran.stderr);
        assert!(ran.stdout.contains("1 unexpected"), "{}", ran.stdout);
    });
}

#[test]
fn contained_allows_everything_that_ran() {
    for_each_user(|user| {
        let corpus = one_of_each(user);
        corpus.config(&expecting(&[("**", "'contained'")]));
        let ran = corpus.run(&["--charts", "none"]).exits_with(exit_code::HARNESS);
        for id in ran.ids() {
            assert_eq!(ran.case(&id)["expectation"]["met"], json!(id != "error.absent"), "{id}");
        }
        std::fs::remove_file(corpus.dir.join("error.absent")).unwrap();
        corpus.run(&["--charts", "none"]).exits_with(exit_code::OK);
    });
}

#[test]
fn fail_on_counts_where_nothing_is_declared() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script("ok.sh", ":").script("failed.sh", "exit 1").script("crashed.sh", "kill -9 $$");
        let code = |args: &[&str]| corpus.run(&[&["--charts", "none"], args].concat()).code.unwrap();
        assert_eq!(code(&[]), 0, "nothing is declared, so nothing is unexpected");
        assert_eq!(code(&["--fail-on", "failed"]), 1);
        assert_eq!(code(&["--fail-on", "time_limit,crashed"]), 1);
        assert_eq!(code(&["--fail-on", "time_limit"]), 0);
        corpus.config("[[override]]\nmatch = 'failed.sh'\nexpect = 'failed'");
        assert_eq!(code(&["--fail-on", "failed"]), 0, "declared is declared");
        corpus.run(&["--fail-on", "bad"]).refuses(exit_code::USAGE, &["`bad` is not a verdict", "time_limit"]);
    });
}

#[test]
fn a_missing_interpreter_is_an_error_with_a_remedy_and_costs_nothing_else() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script("a.sh", "echo a").script("b.absent", "").script("c.sh", "exit 1");
        corpus.config(&expecting(&[("c.sh", "'ok'")]));
        let ran = corpus.run(&["--charts", "none"]).exits_with(exit_code::HARNESS);
        assert_eq!(ran.case("a.sh").must_be("ok").stdout(), "a\n");
        ran.case("c.sh").must_be("failed");
        let missing = ran.case("b.absent").must_be("error");
        for word in ["no-such-interpreter", "install", "[languages.absent]"] {
            assert!(missing.not_started().contains(word), "{}", missing.not_started());
        }
        assert_eq!(missing["sandbox"], json!(null));
        assert!(ran.stderr.contains("b.absent") && ran.stdout.contains("could not be run"), "{}", ran.stderr);
    });
}

#[test]
fn many_scripts_at_once_are_kept_apart() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        let names: Vec<_> = (0..120).map(|n| format!("{n:03}.sh")).collect();
        for (n, name) in names.iter().enumerate() {
            corpus.script(name, &format!("echo {name} > f; cat f; ls /tmp >&2; echo > /tmp/{n}; exit {}", n % 3));
        }
        let ran = corpus.run(&["--jobs", "8", "--charts", "none"]).exits_with(0);
        assert_eq!(ran.ids(), names);
        for (n, name) in (0..).zip(&names) {
            let case = ran.case(name).must_be(if n % 3 == 0 { "ok" } else { "failed" }).exited(n % 3);
            assert_eq!((case.stdout(), case.stderr()), (format!("{name}\n").as_str(), ""));
        }
    });
}

#[test]
fn what_is_not_a_sweep_is_exit_code_2() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.run(&[]).refuses(exit_code::USAGE, &["no scripts in"]);
        let refused = |args: &[&str], words: &[&str]| {
            corpus.finish(corpus.command(args)).refuses(exit_code::USAGE, words);
        };
        refused(&["run", "/no/such/directory"], &["/no/such/directory", "No such file"]);
        refused(&["run"], &["PATH"]);
        refused(&["run", "--no-such-flag", "x"], &["--no-such-flag"]);
        refused(&["sweep"], &["sweep"]);
        refused(&[], &["Usage"]);
        corpus.script("a.txt", "plain text");
        refused(&["run", &corpus.path("a.txt")], &["a.txt", "[languages.NAME]"]);
    });
}

/// Makes an executable outside the corpus and returns its path.
fn executable(corpus: &Corpus, name: &str, text: &str) -> String {
    let path = corpus.home.path().join(name);
    std::fs::write(&path, common::unindented(text)).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    corpus.user.owns(&path);
    path.to_str().unwrap().to_owned()
}

#[test]
fn without_a_usable_bwrap_nothing_is_run_and_the_remedy_is_named() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script("a.sh", ":");
        let with = |bwrap: &str| {
            let mut command = corpus.sweep(&[]);
            command.env("SANDSWEEP_BWRAP", bwrap);
            corpus.finish(command)
        };

        let mut absent = corpus.sweep(&[]);
        absent.env_remove("SANDSWEEP_BWRAP").env("PATH", corpus.home.path());
        corpus.finish(absent).refuses(exit_code::NO_SANDBOX, &["bwrap", "apt-get install bubblewrap"]);

        with("/no/such/bwrap").refuses(exit_code::NO_SANDBOX, &["SANDSWEEP_BWRAP", "/no/such/bwrap"]);

        let old = executable(&corpus, "old", "#!/bin/sh\necho bubblewrap 0.4.0\n");
        with(&old).refuses(exit_code::NO_SANDBOX, &["0.4.0", "0.8.0 or newer"]);

        let other = executable(&corpus, "other", "#!/bin/sh\necho something else\n");
        with(&other).refuses(exit_code::NO_SANDBOX, &["something else", "install"]);

        let refused = r#"
            #!/bin/sh
            if [ "$1" = --version ]; then echo bubblewrap 0.9.0; exit; fi
            echo 'bwrap: setting up uid map: Permission denied' >&2
            exit 1
        "#;
        let refused = executable(&corpus, "refused", refused);
        with(&refused).refuses(exit_code::NO_SANDBOX, &["setting up uid map: Permission denied", "apparmor", "doctor"]);
    });
}

#[test]
fn a_setuid_bwrap_is_refused() {
    only_as(User::Root, "only root can make a program set-user-ID root", |user| {
        let corpus = Corpus::new(user);
        corpus.script("a.sh", ":");
        let path = executable(&corpus, "bwrap", "");
        let bwrap =
            ["/usr/local/bin/bwrap", "/usr/bin/bwrap", "/bin/bwrap"].into_iter().find(|path| Path::new(path).exists());
        let copied = std::process::Command::new("install")
            .args(["-m", "4755", bwrap.expect("bwrap is installed"), &path])
            .status();
        assert!(copied.unwrap().success());
        let mut command = corpus.sweep(&[]);
        command.env("SANDSWEEP_BWRAP", &path);
        corpus.finish(command).refuses(exit_code::NO_SANDBOX, &["setuid", "chmod u-s"]);
    });
}

#[test]
fn the_readme_and_the_help_tell_the_exit_codes_as_they_are() {
    let table: BTreeMap<u8, &str> = exit_code::TABLE.into_iter().collect();
    let corpus = Corpus::new(User::Ordinary);
    for args in [&["--help"][..], &["run", "--help"]] {
        let help = corpus.finish(corpus.command(args)).exits_with(0).stdout;
        for (code, meaning) in &table {
            let line = |line: &str| line.trim_start().strip_prefix(&code.to_string()).map(str::trim) == Some(meaning);
            assert!(help.lines().any(line), "{code} is not in\n{help}");
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    let rows = readme.lines().filter_map(|line| {
        let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
        Some((cells.next()?.trim_matches('`').parse::<u8>().ok()?, cells.next()?))
    });
    let told: BTreeMap<u8, &str> = rows.collect();
    assert_eq!(told, table, "the README's table of exit codes");
}
