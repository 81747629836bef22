//! The commands beside `run` and `report`.

mod common;

use common::{Corpus, User, for_each_user};
use sandsweep::exit_code;
use serde_json::Value;

#[test]
fn explain_shows_the_command_and_runs_nothing() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script("sub/a.py", "import time; print('ran'); time.sleep(30)");
        let path = corpus.path("sub/a.py");
        let ran = corpus.finish(corpus.command(&[
            "explain",
            &path,
            "--memory",
            "77MiB",
            "--env",
            "A=b",
            "--network",
            "loopback",
        ]));
        let ran = ran.exits_with(0);
        for word in [
            "bwrap",
            "--unshare-user",
            "--unshare-net",
            "--disable-userns",
            "--cap-drop ALL",
            "/script/main.py",
            "python3",
            "77 MiB",
            "supervised",
            "kernel",
            "A=b",
            "loopback",
            "wall_time",
        ] {
            assert!(ran.stdout.contains(word), "`{word}` is not in\n{}", ran.stdout);
        }
        assert!(!ran.stdout.contains("ran\n"));
        assert!(!corpus.reports.exists() && !corpus.home.path().join("reports").exists(), "no reports are made");
        corpus
            .finish(corpus.command(&["explain", corpus.dir.to_str().unwrap()]))
            .refuses(exit_code::USAGE, &["directory"]);
    });
}

#[test]
fn doctor_says_what_this_machine_can_enforce() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        let told = corpus.finish(corpus.command(&["doctor"])).exits_with(0);
        assert!(told.stdout.contains("bwrap") && !told.stdout.contains('\x1b'), "{}", told.stdout);
        let json = corpus.finish(corpus.command(&["doctor", "--json"])).exits_with(0);
        let json: Value = serde_json::from_str(&json.stdout).unwrap_or_else(|why| panic!("{why}: {}", json.stdout));
        assert!(json.is_object() || json.is_array());
        assert!(!corpus.reports.exists(), "no reports are made");

        let mut without = corpus.command(&["doctor"]);
        without.env_remove("SANDSWEEP_BWRAP").env("PATH", corpus.home.path());
        let told = corpus.finish(without).exits_with(exit_code::NO_SANDBOX);
        assert!(told.stdout.contains("apt-get install bubblewrap"), "{}\n{}", told.stdout, told.stderr);
    });
}

#[test]
fn completions_and_the_manual_page_are_printed() {
    let corpus = Corpus::new(User::Ordinary);
    for shell in ["bash", "zsh", "fish"] {
        let text = corpus.finish(corpus.command(&["completions", shell])).exits_with(0).stdout;
        assert!(text.contains("sandsweep") && text.contains("wall-time"), "{shell}");
    }
    let page = corpus.finish(corpus.command(&["man"])).exits_with(0).stdout;
    assert!(page.contains(".TH sandsweep"), "{page}");
    let version = corpus.finish(corpus.command(&["--version"])).exits_with(0).stdout;
    assert_eq!(version, format!("sandsweep {}\n", env!("CARGO_PKG_VERSION")));
}
