//! `sandsweep.toml` and flags: what is refused, and what wins.

mod common;

use std::os::unix::fs::PermissionsExt;

use common::{Corpus, User, for_each_user, only_as};
use sandsweep::exit_code;
use serde_json::{Value, json};

#[test]
fn a_mistake_in_the_configuration_is_refused_with_its_place_and_a_remedy() {
    let mistakes: &[(&str, &str, &[&str])] = &[
        ("[limits]\nwall_time = '1s'\nwal_time = '1s'", ":3:1:", &["unknown field `wal_time`", "wall_time"]),
        ("[limits]\nmemory = '12 parsecs'", ":2:10:", &["unknown unit `parsecs`", "64MiB"]),
        ("[limits]\nwall_time = 10", ":2:13:", &["\"10s\""]),
        ("[limits]\nwall_time = '-1s'", ":2:13:", &["10s"]),
        ("[limits]\nwall_time = '0s'", ":1:1:", &["too small", "wall_time"]),
        ("[limits]\nmemory = '1KiB'", ":1:1:", &["too small", "memory"]),
        ("[[override]]\nmatch = 'a[b'", ":2:9:", &["`a[b` is not a glob"]),
        (
            "[[override]]\nmatch = '**'\nexpect = 'passed'",
            ":3:10:",
            &["`passed` is not a verdict", "time_limit", "contained"],
        ),
        ("[[override]]\nmatch = '**'\nexpect = []", ":3:10:", &["empty"]),
        ("[[override]]\nexpect = 'ok'", ":1:1:", &["`match`"]),
        ("[sweep]\njobs = 0", ":2:8:", &["at least 1"]),
        ("[sweep]\njobs = 'many'", ":2:8:", &["string"]),
        ("[sweep]\ncharts = 'some'", ":2:10:", &["`all`", "`sweep`", "`none`"]),
        ("[policy]\nnetwork = 'host'", ":2:11:", &["`none`", "`loopback`"]),
        ("[policy]\nro_bind = ['relative']", ":2:11:", &["not an absolute path"]),
        ("[policy]\nro_bind = ['/x:/etc/x']", ":2:11:", &["/etc"]),
        ("[languages.x]\nextensions = ['x']", ":1:2:", &["no `command`", "command = [\"x\"]"]),
        ("[languages.x]\ncommand = []", ":2:11:", &["`command` is empty"]),
        ("[nonsense]\n", ":1:2:", &["unknown field `nonsense`"]),
        ("[limits\n", ":1:", &[]),
    ];
    let corpus = Corpus::new(User::Ordinary);
    corpus.script("a.sh", ":");
    let path = corpus.path("sandsweep.toml");
    for (text, place, words) in mistakes {
        corpus.config(text);
        let ran = corpus.run(&[]).refuses(exit_code::USAGE, words);
        let start = format!("sandsweep: {path}{place}");
        assert!(ran.stderr.starts_with(&start), "{text:?} gives\n{}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
}

#[test]
fn a_configuration_that_is_no_text_file_is_refused() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script("a.sh", ":").file(b"sandsweep.toml", b"\xff\xfe", 0o644);
        corpus.run(&[]).refuses(exit_code::USAGE, &["sandsweep.toml", "not UTF-8"]);
        std::fs::remove_file(corpus.path("sandsweep.toml")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", corpus.path("sandsweep.toml")).unwrap();
        corpus.run(&[]).refuses(exit_code::USAGE, &["sandsweep.toml", "symbolic link"]);
        corpus.run(&["--config", "/no/such.toml"]).refuses(exit_code::USAGE, &["/no/such.toml"]);
    });
}

#[test]
fn wrong_flags_are_refused() {
    let corpus = Corpus::new(User::Ordinary);
    corpus.script("a.sh", ":");
    let mistakes: &[(&[&str], &[&str])] = &[
        (&["--jobs", "0"], &["at least 1"]),
        (&["--jobs", "many"], &["--jobs"]),
        (&["--wall-time", "10"], &["unit is missing", "10s"]),
        (&["--wall-time", "0s"], &["too small"]),
        (&["--memory", "lots"], &["--memory", "64MiB"]),
        (&["--open-files", "3"], &["too small", "8"]),
        (&["--include", "a[b"], &["not a glob"]),
        (&["--charts", "some"], &["all", "sweep", "none"]),
        (&["--network", "host"], &["none", "loopback"]),
        (&["--ro-bind", "relative"], &["absolute"]),
        (&["--ro-bind", "/usr:/box/usr"], &["/box"]),
        (&["--env", "NAME"], &["NAME=VALUE"]),
        (&["--env", "=x"], &["environment variable"]),
        (&["--interval", "0s"], &["at least 1ms"]),
        (&["--profile", "quick"], &["no profile `quick`", "sandsweep.toml"]),
    ];
    for (flags, words) in mistakes {
        corpus.run(flags).refuses(exit_code::USAGE, words);
    }
    corpus.config("[profile.slow]\nlimits = { wall_time = '60s' }");
    corpus.run(&["--profile", "quick"]).refuses(exit_code::USAGE, &["the profiles are slow"]);
}

#[test]
fn a_glob_that_matches_nothing_is_a_warning_with_its_place() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus
            .script("a.sh", ":")
            .config("[[override]]\nmatch = ['a.sh', 'gone/*.sh']\nexpect = 'ok'\n[sweep]\nexclude = 'no.py'\n");
        let ran = corpus.run(&["--charts", "none"]).exits_with(0);
        let path = corpus.path("sandsweep.toml");
        for warning in [
            format!("warning: {path}:2:9: `match = \"gone/*.sh\"` matches nothing"),
            format!("warning: {path}:5:11: `exclude = \"no.py\"` matches nothing"),
        ] {
            assert!(ran.stderr.contains(&warning), "{}", ran.stderr);
        }
        assert!(!ran.stderr.contains("`match = \"a.sh\"`"), "{}", ran.stderr);
        assert_eq!(ran.sweep_json()["warnings"].as_array().unwrap().len(), 2);
    });
}

#[test]
fn limits_come_from_file_profile_override_and_flags_in_this_order() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        let config = r#"
            [limits]
            wall_time = "8s"
            processes = 40
            [policy]
            env = { FROM = "file", FILE = "yes" }
            [profile.tight]
            limits = { wall_time = "6s", processes = 30, open_files = 50 }
            policy = { env = { FROM = "profile" } }
            [[override]]
            match = "sub/**"
            limits = { wall_time = "5s" }
            policy = { env = { FROM = "override" } }
            [[override]]
            match = "sub/late.sh"
            limits = { wall_time = "4s" }
        "#;
        corpus.config(config);
        for name in ["a.sh", "sub/early.sh", "sub/late.sh"] {
            corpus.script(name, "echo $FROM $FILE");
        }
        let seen = |flags: &[&str]| {
            let ran = corpus.run(&[&["--charts", "none"], flags].concat()).exits_with(0);
            ["a.sh", "sub/early.sh", "sub/late.sh"].map(|id| {
                let case = ran.case(id).must_be("ok");
                let limit = |name: &str| case["limits"][name]["value"].as_f64().unwrap();
                (limit("wall_time_s"), limit("processes"), limit("open_files"), case.stdout().trim().to_owned())
            })
        };
        let rows = |rows: [(f64, f64, f64, &str); 3]| rows.map(|(a, b, c, text)| (a, b, c, text.to_owned()));
        let plain =
            [(8.0, 40.0, 256.0, "file yes"), (5.0, 40.0, 256.0, "override yes"), (4.0, 40.0, 256.0, "override yes")];
        assert_eq!(seen(&[]), rows(plain));
        let tight =
            [(6.0, 30.0, 50.0, "profile yes"), (5.0, 30.0, 50.0, "override yes"), (4.0, 30.0, 50.0, "override yes")];
        assert_eq!(seen(&["--profile", "tight"]), rows(tight));
        let flags = [(3.0, 30.0, 50.0, "flag yes"), (3.0, 30.0, 50.0, "flag yes"), (3.0, 30.0, 50.0, "flag yes")];
        assert_eq!(seen(&["--profile", "tight", "--wall-time", "3s", "--env", "FROM=flag"]), rows(flags));
    });
}

#[test]
fn include_and_exclude_choose_scripts() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        for name in ["a.sh", "b.sh", "sub/a.sh", "sub/b.sh"] {
            corpus.script(name, ":");
        }
        let ids = |flags: &[&str]| corpus.run(&[&["--charts", "none"], flags].concat()).exits_with(0).ids();
        assert_eq!(ids(&["--include", "*.sh"]), ["a.sh", "b.sh"]);
        assert_eq!(ids(&["--include", "**/a.sh"]), ["a.sh", "sub/a.sh"]);
        assert_eq!(ids(&["--exclude", "sub/**", "--exclude", "b.sh"]), ["a.sh"]);
        corpus.config("[sweep]\ninclude = 'sub/*'\nexclude = '**/b.sh'");
        assert_eq!(ids(&[]), ["sub/a.sh"]);
        assert_eq!(ids(&["--include", "*.sh"]), ["a.sh"], "the flag replaces the file's include, not its exclude");
        corpus.run(&["--include", "none/*"]).refuses(exit_code::USAGE, &["no scripts", "not selected"]);
    });
}

#[test]
fn the_file_decides_how_the_sweep_goes_and_flags_win() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script("a.sh", ":").script("b.sh", ":");
        let other = corpus.home.path().join("other.toml");
        std::fs::write(
            &other,
            "[sweep]\njobs = 1\ncharts = 'none'\ninterval = '3ms'\nreports = 'elsewhere'\nkeep_output = '1KiB'\n",
        )
        .unwrap();
        corpus.user.owns(&other);
        let (dir, config) = (corpus.dir.to_str().unwrap(), other.to_str().unwrap());
        // The file's own directory is what its paths are relative to.
        corpus.finish(corpus.command(&["run", dir, "--config", config])).exits_with(0);
        let latest = corpus.home.path().join("elsewhere/latest");
        let json: Value = serde_json::from_slice(&std::fs::read(latest.join("sweep.json")).unwrap()).unwrap();
        let configuration = &json["configuration"];
        assert_eq!(configuration["file"], json!(config));
        assert_eq!((&configuration["jobs"], &configuration["sampling_s"]), (&json!(1), &json!([0.003, 0.1])));
        assert_eq!(configuration["keep_output_bytes"], json!(1024));
        assert!(!latest.join("cases/a.sh/trace.png").exists());

        let ran =
            corpus.run(&["--config", config, "--jobs", "2", "--charts", "all", "--interval", "4ms"]).exits_with(0);
        let configuration = &ran.sweep_json()["configuration"];
        assert_eq!((&configuration["jobs"], &configuration["sampling_s"]), (&json!(2), &json!([0.004, 0.1])));
        assert!(ran.tree().join("cases/a.sh/trace.png").exists());
    });
}

/// Reads a file that is bound, and tries to change it and what is around it.
const READS_DATA: &str = r#"
    import os
    print(open('/data/file').read(), end='')
    for attempt in (lambda: open('/data/file', 'w'), lambda: open('/data/new', 'w'), lambda: os.unlink('/data/file'),
                    lambda: os.chmod('/data/file', 0o777), lambda: os.rename('/data', '/tmp/data')):
        try: attempt(); print('was possible')
        except OSError: pass
"#;

#[test]
fn a_bound_directory_is_there_and_read_only() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script("reads.py", READS_DATA);
        let open = tempfile::tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(open.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(open.path().join("file"), "visible\n").unwrap();
        let bind = format!("{}:/data", open.path().display());
        let case = corpus.run(&["--ro-bind", &bind, "--charts", "none"]).exits_with(0).case("reads.py").must_be("ok");
        assert_eq!(case.stdout(), "visible\n");
        corpus.config(&format!("[policy]\nro_bind = ['{bind}']"));
        let case = corpus.run(&["--charts", "none"]).exits_with(0).case("reads.py").must_be("ok");
        assert_eq!(case.stdout(), "visible\n");
        assert_eq!(std::fs::read_to_string(open.path().join("file")).unwrap(), "visible\n");
    });
}

#[test]
fn root_can_bind_what_lies_below_a_directory_of_its_own() {
    only_as(User::Root, "a directory that only root may enter", |user| {
        let corpus = Corpus::new(user);
        // The corpus's home has mode 0700, and the script runs under another uid.
        let private = corpus.home.path().join("private/deep");
        std::fs::create_dir_all(&private).unwrap();
        std::fs::write(private.join("file"), "staged\n").unwrap();
        corpus.script("a.py", READS_DATA).script("b.py", READS_DATA);
        let here = || {
            let staged = std::fs::read_dir("/run").unwrap().map(|entry| entry.unwrap().file_name());
            let staged: Vec<_> = staged.filter(|name| name.to_string_lossy().starts_with("sandsweep-")).collect();
            (staged, std::fs::read_to_string("/proc/self/mountinfo").unwrap().lines().count())
        };
        let before = here();
        let ran =
            corpus.run(&["--ro-bind", &format!("{}:/data", private.display()), "--jobs", "2", "--charts", "none"]);
        let ran = ran.exits_with(0);
        for id in ["a.py", "b.py"] {
            assert_eq!(ran.case(id).must_be("ok").stdout(), "staged\n");
        }
        assert_eq!(here(), before, "nothing of it is left on this machine");
        assert_eq!(std::fs::read_to_string(private.join("file")).unwrap(), "staged\n");
    });
}

#[test]
fn a_bind_that_is_not_there_is_an_error_with_a_remedy() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script("a.sh", ":");
        let ran = corpus.run(&["--ro-bind", "/no/such/place:/data", "--charts", "none"]).exits_with(exit_code::HARNESS);
        let case = ran.case("a.sh").must_be("error");
        assert!(
            case.not_started().contains("/no/such/place") && case.not_started().contains("ro_bind"),
            "{}",
            case.not_started()
        );
    });
}

#[test]
fn variables_are_set_and_added_to_the_usual_ones() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script("a.py", "import os, json; print(json.dumps(dict(os.environ)))");
        let ran = corpus.run(&[
            "--env",
            "A=b=c",
            "--env",
            "EMPTY=",
            "--env",
            "HOME=/tmp",
            "--env",
            "ODD=\n$(id)'\"",
            "--charts",
            "none",
        ]);
        let environment = ran.exits_with(0).case("a.py").must_be("ok").told();
        assert_eq!(
            (&environment["A"], &environment["EMPTY"], &environment["HOME"]),
            (&json!("b=c"), &json!(""), &json!("/tmp"))
        );
        assert_eq!(environment["ODD"], "\n$(id)'\"");
        assert!(environment["PATH"].as_str().unwrap().contains("/usr/bin"));
    });
}
