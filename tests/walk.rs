//! Which files are run, under which names, and which are not.

mod common;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use common::{Corpus, User, for_each_user, skip, started_as_root};
use rustix::fs::{CWD, FileType, Mode};
use sandsweep::corpus::CaseId;
use sandsweep::exit_code;
use serde_json::json;

#[test]
fn what_is_no_script_is_ignored_with_a_reason() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus
            .script("real.sh", "echo ran")
            .script("README.md", "# text")
            .script("data.json", "{}")
            .script("notes", "text");
        corpus.script(".hidden.sh", "exit 9").script(".git/hook.sh", "exit 9").script("old.sh~", "exit 9");
        corpus
            .script("node_modules/x/a.js", "")
            .script("__pycache__/a.py", "")
            .script("venv/pyvenv.cfg", "")
            .script("venv/a.py", "");
        corpus.script("unknown", "#!/usr/bin/make\n").script("empty", "").file(b"binary", b"\x7fELF\0\0", 0o755);
        corpus.directory(Path::new("elsewhere"));
        symlink(corpus.dir.join("real.sh"), corpus.dir.join("link.sh")).unwrap();
        symlink("/etc", corpus.dir.join("etc")).unwrap();
        symlink("/no/such", corpus.dir.join("dangling.sh")).unwrap();
        symlink(".", corpus.dir.join("elsewhere/loop")).unwrap();
        let make =
            |name: &str, kind| rustix::fs::mknodat(CWD, corpus.dir.join(name), kind, Mode::from_raw_mode(0o666), 0x103);
        make("fifo.py", FileType::Fifo).unwrap();
        let _socket = UnixListener::bind(corpus.dir.join("socket.py")).unwrap();
        if started_as_root() {
            make("device.py", FileType::CharacterDevice).unwrap();
        } else {
            skip("the device among the files: only root can make one");
        }

        let ran = corpus.run(&["--charts", "none"]).exits_with(0);
        assert_eq!(ran.ids(), ["real.sh"]);
        let ignored = ran.ignored();
        let mut expected = vec![
            ("README.md", "not a script"),
            ("data.json", "not a script"),
            ("notes", "no `#!` line"),
            ("empty", "no `#!` line"),
            ("binary", "no `#!` line"),
            ("unknown", "`make`"),
            (".hidden.sh", "hidden"),
            (".git", "hidden"),
            ("old.sh~", "backup"),
            ("node_modules", "package directory"),
            ("__pycache__", "cache"),
            ("venv", "virtual environment"),
            ("link.sh", "symbolic link"),
            ("etc", "symbolic link"),
            ("dangling.sh", "symbolic link"),
            ("elsewhere/loop", "symbolic link"),
            ("fifo.py", "FIFO"),
            ("socket.py", "socket"),
        ];
        if started_as_root() {
            expected.push(("device.py", "device"));
        }
        for (path, reason) in &expected {
            assert!(ignored.get(*path).is_some_and(|why| why.contains(reason)), "{path}: {:?}", ignored.get(*path));
        }
        assert_eq!(ignored.len(), expected.len(), "{ignored:?}");
    });
}

#[test]
fn cases_are_in_the_order_of_their_paths_and_in_their_language() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        let (python, sh) = ("import sys; print('python')", "echo sh");
        corpus
            .script("b/z.py", python)
            .script("b/a.sh", sh)
            .script("a.sh", sh)
            .script("C.PY", python)
            .script("c.py", python);
        corpus.script("plain", &format!("#!/usr/bin/env -S python3 -u\n{python}"));
        corpus.script("spaced", &format!("#! /bin/sh -e\r\n{sh}")).script("deep/er/est/x.sh", sh);
        // The extension counts first, whatever the first line says.
        corpus.script("odd.sh", "#!/usr/bin/python3\necho sh");
        let ran = corpus.run(&["--charts", "none", "--jobs", "2"]).exits_with(0);
        let order = ["C.PY", "a.sh", "b/a.sh", "b/z.py", "c.py", "deep/er/est/x.sh", "odd.sh", "plain", "spaced"];
        assert_eq!(ran.ids(), order);
        for (id, index) in order.iter().zip(0..) {
            let case = ran.case(id).must_be("ok");
            assert_eq!(case.stdout().trim(), case["script"]["language"], "{id}");
            assert_eq!(case["placement"]["index"], json!(index));
        }
    });
}

#[test]
fn a_language_can_be_added() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        let config = r#"
            [languages.awk]
            extensions = ["awk"]
            shebangs = ["awk", "mawk"]
            command = ["awk", "-f", "{script}", "argument"]
            [languages.shout]
            extensions = [".shout", "py"]
            command = ["sh", "-c", "echo SHOUTED", "{script}"]
        "#;
        corpus
            .config(config)
            .script("a.awk", "BEGIN { print ARGV[1] }")
            .script("b", "#!/usr/bin/mawk -f\nBEGIN { print 7 }");
        corpus.script("c.shout", "").script("d.py", "print('python')");
        let ran = corpus.run(&["--charts", "none"]).exits_with(0);
        assert_eq!(ran.case("a.awk").must_be("ok").stdout(), "argument\n");
        assert_eq!(ran.case("b").must_be("ok").stdout(), "7\n");
        assert_eq!(ran.case("c.shout").must_be("ok").stdout(), "SHOUTED\n");
        assert_eq!(ran.case("d.py").must_be("ok").stdout(), "SHOUTED\n", "what the user names comes first");
    });
}

#[test]
fn a_single_script_is_run_by_its_path_or_by_the_flag() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        // A configuration beside it may have come with it, and is not obeyed.
        corpus.script("folder/a.py", "print('out')").script("folder/sandsweep.toml", "[limits]\nwall_time = '1ms'\n");
        let reports = corpus.reports.to_str().unwrap();
        let by_path = corpus.run_script("folder/a.py", &[]).exits_with(0);
        let script = corpus.path("folder/a.py");
        let by_flag = corpus.finish(corpus.command(&["--script", &script, "--reports", reports])).exits_with(0);
        for ran in [by_path, by_flag] {
            let case = ran.case("a.py").must_be("ok");
            assert_eq!(case["limits"]["wall_time_s"]["value"], json!(10.0));
            assert_eq!(ran.stdout, "out\n");
            assert!(ran.stderr.contains("ok: exit 0") && ran.stderr.contains("reports: "), "{}", ran.stderr);
        }
    });
}

#[test]
fn links_are_refused_as_arguments() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script("real/a.py", "print(1)");
        let link = |name: &str, target: &str| {
            let path = corpus.home.path().join(name);
            symlink(corpus.dir.join(target), &path).unwrap();
            path.to_str().unwrap().to_owned()
        };
        for (path, target) in [(link("file.py", "real/a.py"), "real/a.py"), (link("folder", "real"), "real")] {
            let refused = corpus.finish(corpus.command(&["run", &path]));
            refused.refuses(exit_code::USAGE, &["symbolic link", &corpus.path(target)]);
        }
        for special in ["/dev/null", "/dev/zero"] {
            corpus.finish(corpus.command(&["run", special])).refuses(exit_code::USAGE, &[special]);
        }
    });
}

#[test]
fn several_paths_are_one_sweep_with_ids_that_stay_apart() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script("x/same/a.sh", "echo 1").script("y/same/a.sh", "echo 2").script("z/b.sh", "echo 3");
        let paths = ["x/same", "y/same", "z/b.sh"].map(|name| corpus.path(name));
        let reports = corpus.reports.to_str().unwrap();
        let ran = corpus
            .finish(corpus.command(&["run", &paths[0], &paths[1], &paths[2], "--reports", reports]))
            .exits_with(0);
        let ids = ran.ids();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 3, "{ids:?}");
        let printed: Vec<_> = ids.iter().map(|id| ran.case(id).must_be("ok").stdout().to_owned()).collect();
        assert_eq!(printed, ["1\n", "2\n", "3\n"]);
    });
}

#[test]
fn a_script_that_cannot_be_read_is_an_error_and_costs_nothing_else() {
    // Root can read everything.
    let user = User::Ordinary;
    let corpus = Corpus::new(user);
    corpus.script("a.sh", "echo a").file(b"b.sh", b"echo b", 0o000).script("c.sh", "echo c");
    let ran = corpus.run(&["--charts", "none"]).exits_with(exit_code::HARNESS);
    assert_eq!((ran.case("a.sh").stdout(), ran.case("c.sh").stdout()), ("a\n", "c\n"));
    let unreadable = ran.case("b.sh").must_be("error");
    assert!(unreadable.not_started().contains("Permission denied"), "{}", unreadable.not_started());
    assert!(unreadable.not_started().contains("make it readable"), "{}", unreadable.not_started());
    assert_eq!(unreadable["script"]["sha256"], json!(null));

    let hidden = corpus.directory(Path::new("locked"));
    std::fs::remove_file(corpus.dir.join("b.sh")).unwrap();
    corpus.script("locked/d.sh", "echo d");
    std::fs::set_permissions(&hidden, std::fs::Permissions::from_mode(0o000)).unwrap();
    let ran = corpus.run(&["--charts", "none"]).exits_with(exit_code::HARNESS);
    std::fs::set_permissions(&hidden, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(ran.ids(), ["a.sh", "c.sh"]);
    assert!(ran.stderr.contains("warning: cannot read locked: Permission denied"), "{}", ran.stderr);
    assert_eq!(ran.sweep_json()["unreadable"][0]["path"], "locked");
}

#[test]
fn a_script_above_the_size_limit_is_an_error() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus
            .config("[sweep]\nscript_size = '1KiB'")
            .script("small.sh", ":")
            .script("large.sh", &format!("# {}\n", "x".repeat(1024)));
        let ran = corpus.run(&["--charts", "none"]).exits_with(exit_code::HARNESS);
        ran.case("small.sh").must_be("ok");
        let large = ran.case("large.sh").must_be("error");
        assert!(large.not_started().contains("1 KiB"), "{}", large.not_started());
    });
}

#[test]
fn the_reports_are_never_swept() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        // It prints a script, which then lies in the reports.
        corpus.script("prints.sh", "echo '#!/bin/sh'; echo 'exit 9'");
        let inside = corpus.path("results");
        let dir = corpus.dir.to_str().unwrap();
        for _ in 0..2 {
            corpus.finish(corpus.command(&["run", dir, "--reports", &inside, "--charts", "none"])).exits_with(0);
        }
        let newest = Path::new(&inside).join("latest");
        let json: serde_json::Value =
            serde_json::from_slice(&std::fs::read(newest.join("sweep.json")).unwrap()).unwrap();
        assert_eq!(json["totals"]["cases"], json!(1));
        assert!(
            json["ignored"].as_array().unwrap().iter().any(|entry| entry["path"] == "results"),
            "{}",
            json["ignored"]
        );

        for reports in [dir, corpus.home.path().to_str().unwrap()] {
            let refused = corpus.finish(corpus.command(&["run", dir, "--reports", reports]));
            refused.exits_with(exit_code::USAGE).complains(&["lies in the reports directory", "--reports"]);
        }
    });
}

#[test]
fn only_the_configuration_at_the_root_counts() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.config("[limits]\nwall_time = '7s'").script("sub/a.sh", ":");
        corpus.script(
            "sub/sandsweep.toml",
            "[limits]\nwall_time = '1ms'\n[[override]]\nmatch = '**'\nexpect = 'escaped'\n",
        );
        let case = corpus.run(&["--charts", "none"]).exits_with(0).case("sub/a.sh").must_be("ok");
        assert_eq!((&case["limits"]["wall_time_s"]["value"], &case["expectation"]), (&json!(7.0), &json!(null)));
    });
}

#[test]
fn hostile_names_are_run_stored_and_shown_harmlessly() {
    let long = "n".repeat(252) + ".py";
    let long_unicode = "é".repeat(126) + ".py";
    let mut names: Vec<&[u8]> = vec![
        b"new\nline.py",
        b"tab\there.py",
        b"return\r.py",
        b"\x1b[31mred\x1b[0m.py",
        b"\x1b]0;title\x07.py",
        b"\xc2\x9b31m.py",
        b"invalid\xff\xfe.py",
        b"half\xc3.py",
        b"=cmd().py",
        b"=HYPERLINK(\"http:,x\").py",
        b"+1.py",
        b"@SUM(1).py",
        b"-x.py",
        b"--help.py",
        b" leading and trailing .py",
        b"quo\"te's`.py",
        b"$(id).py",
        b";rm -rf *.py",
        b"<script>alert(1)<.py",
        b"comma,semi;tab.py",
        "bidi\u{202e}yp.py".as_bytes(),
        "zero\u{200b}width.py".as_bytes(),
        "e\u{301}.py".as_bytes(),
        "\u{e9}.py".as_bytes(),
        b"a b.py",
        b"a%20b.py",
        b"a+b.py",
        b"up..%2f..%2fetc.py",
        b"~.py",
        b"back\\slash.py",
        b"*?[x].py",
        b"a.py",
        b"A.py",
        b"CON.py",
    ];
    names.push(long.as_bytes());
    names.push(long_unicode.as_bytes());
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        for name in &names {
            corpus.named(name, "print('ran')");
        }
        // Files of a reports tree have such names.
        for name in ["result.json", "stdout", "trace.png", "cases", "latest", "sweep.json"] {
            corpus.script(name, "#!/usr/bin/env python3\nprint('ran')");
        }
        let ran = corpus.run(&["--charts", "sweep"]).exits_with(0);
        let all = names.len() + 6;

        let rows = ran.csv();
        assert_eq!(rows.len(), all, "{:?}", ran.ignored());
        let table = std::fs::read(ran.tree().join("summary.csv")).unwrap();
        assert_eq!(table.iter().filter(|&&byte| byte == b'\n').count(), all + 1, "one line for each case");
        assert!(table.is_ascii() || std::str::from_utf8(&table).is_ok());
        let ids: BTreeSet<String> = ran.ids().into_iter().collect();
        assert_eq!(ids.len(), all, "every id is unique");
        let directories: BTreeSet<_> = rows.iter().map(|row| row["directory"].clone()).collect();
        assert_eq!(directories.len(), all, "every directory is unique");
        for row in &rows {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._/-%".contains(c);
            assert!(row["id"].chars().all(plain), "{}", row["id"]);
            assert!(!row["path"].starts_with(['=', '+', '-', '@']), "{}", row["path"]);
            assert!(!row["path"].contains(|c: char| c.is_control() || c == '\u{202e}'), "{}", row["path"]);
        }
        for name in &names {
            let id = CaseId::from_path(Path::new(OsStr::from_bytes(name)));
            assert!(ids.contains(id.as_str()), "{id}");
            assert_eq!(id.to_path().unwrap().as_os_str().as_bytes(), *name, "the id says the name");
            assert_eq!(ran.case(id.as_str()).must_be("ok").stdout(), "ran\n");
        }
        for text in [&ran.stdout, &ran.stderr] {
            assert!(!text.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
        }
        // The tree that such names made can be read again.
        let sweep = ran.tree().to_str().unwrap();
        corpus.finish(corpus.command(&["report", sweep])).exits_with(0);
        assert_eq!(std::fs::read(ran.tree().join("summary.csv")).unwrap(), table);
    });
}
