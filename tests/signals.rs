//! Interruptions, and what comes out while a script runs.

mod common;

use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Corpus, User, for_each_user, marker, processes_with, unindented, wait_until};
use rustix::process::Signal;
use sandsweep::exit_code;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// `a` ends at once, `b` stays with a child, `c` comes after them.
fn three_scripts(user: User, marker: &str) -> Corpus {
    let stays = r#"
        import os, sys, time
        if len(sys.argv) == 1:
            print('began', flush=True)
            if os.fork() == 0: os.setsid()
            os.execv(sys.executable, [sys.executable, __file__, 'MARKER'])
        time.sleep(60)
    "#;
    let corpus = Corpus::new(user);
    corpus.script("a.sh", "echo done").script("b.py", &unindented(stays).replace("MARKER", marker)).script("c.sh", ":");
    corpus
}

fn runs(marker: &str) {
    wait_until("the script runs", Duration::from_secs(20), || processes_with(marker).len() == 2);
}

#[track_caller]
fn has_gone(marker: &str) {
    wait_until("every process has gone", Duration::from_secs(2), || processes_with(marker).is_empty());
}

#[test]
fn an_interrupt_ends_what_runs_and_keeps_what_is_finished() {
    for (signal, code) in [(Signal::INT, exit_code::INTERRUPTED), (Signal::TERM, exit_code::TERMINATED)] {
        for_each_user(|user| {
            let marker = marker();
            let corpus = three_scripts(user, &marker);
            corpus.run(&["--include", "a.sh"]).exits_with(0);
            let before = corpus.latest();
            assert!(before.is_some());

            let running = corpus.start(&["--jobs", "1", "--wall-time", "60s"]);
            runs(&marker);
            let asked = Instant::now();
            running.signal(signal);
            let ran = running.finish().exits_with(code);
            assert!(asked.elapsed() < Duration::from_secs(3), "it took {:?}", asked.elapsed());
            assert!(processes_with(&marker).is_empty(), "processes of the script are still there");

            assert_eq!(ran.case("a.sh").must_be("ok").stdout(), "done\n");
            let cancelled = ran.case("b.py").must_be("error");
            assert_eq!(
                (&cancelled["termination"]["kind"], &cancelled["termination"]["limit"]),
                (&json!("killed"), &json!("cancelled"))
            );
            assert_eq!((cancelled.stdout(), cancelled.provenance("cpu_time_s")), ("began\n", "rusage"));
            assert!(ran.find("c.sh").is_none(), "it was never started");
            let sweep = ran.sweep_json();
            assert_eq!(sweep["complete"], json!(false));
            assert_eq!((&sweep["totals"]["cases"], &sweep["totals"]["finished"]), (&json!(3), &json!(2)));
            assert_eq!(corpus.latest(), before, "`latest` leads to a sweep that is complete");
        });
    }
}

#[test]
fn a_second_interrupt_ends_the_program_at_once() {
    for_each_user(|user| {
        let marker = marker();
        let corpus = three_scripts(user, &marker);
        let running = corpus.start(&["--jobs", "2", "--wall-time", "60s"]);
        runs(&marker);
        let asked = Instant::now();
        running.signal(Signal::INT);
        running.signal(Signal::INT);
        running.finish().exits_with(exit_code::INTERRUPTED);
        assert!(asked.elapsed() < Duration::from_secs(2), "it took {:?}", asked.elapsed());
        has_gone(&marker);
    });
}

#[test]
fn an_interrupt_of_a_single_script_is_recorded() {
    for_each_user(|user| {
        let marker = marker();
        let corpus = three_scripts(user, &marker);
        let path = corpus.path("b.py");
        let running = corpus.spawn(corpus.command(&[
            "run",
            &path,
            "--reports",
            corpus.reports.to_str().unwrap(),
            "--wall-time",
            "60s",
        ]));
        runs(&marker);
        running.signal(Signal::INT);
        let ran = running.finish().exits_with(exit_code::INTERRUPTED);
        assert_eq!(ran.stdout, "began\n");
        assert_eq!(ran.case("b.py")["termination"]["limit"], "cancelled");
        has_gone(&marker);
    });
}

#[test]
fn a_reader_that_goes_away_is_no_trouble() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script("a.py", "for n in range(20000): print(n, 'x' * 50)").script("b.sh", "echo error >&2; exit 1");
        corpus.config("[[override]]\nmatch = 'b.sh'\nexpect = 'ok'");
        let single = corpus.path("a.py");
        let reports = corpus.reports.to_str().unwrap();
        let commands: [(&[&str], u8); 3] = [
            (&["run", corpus.dir.to_str().unwrap(), "--reports", reports], exit_code::UNEXPECTED),
            (&["run", &single, "--reports", reports], exit_code::OK),
            (&["explain", &single], exit_code::OK),
        ];
        for (args, code) in commands {
            for both in [false, true] {
                let mut command = corpus.command(args);
                let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
                drop(child.stdout.take());
                let mut said = String::new();
                let mut stderr = child.stderr.take().unwrap();
                if !both {
                    stderr.read_to_string(&mut said).unwrap();
                }
                drop(stderr);
                let status = child.wait().unwrap();
                assert_eq!(
                    status.code(),
                    Some(i32::from(code)),
                    "{args:?}, standard error closed: {both}; it said {said}"
                );
                assert!(!said.contains("panic"), "{said}");
            }
        }
        assert!(corpus.latest().is_some(), "the sweeps are complete");
    });
}

#[test]
fn output_of_a_single_script_comes_while_it_runs_also_without_a_newline() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script(
            "slow.py",
            "import sys, time\nsys.stdout.write('line\\npart'); sys.stdout.flush(); time.sleep(1.5); print('ial')",
        );
        let path = corpus.path("slow.py");
        let mut command = corpus.command(&["run", &path, "--reports", corpus.reports.to_str().unwrap()]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let mut early = [0; 9];
        stdout.read_exact(&mut early).unwrap();
        assert_eq!(&early, b"line\npart");
        assert!(child.try_wait().unwrap().is_none(), "it came only when the script had ended");
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "ial\n");
        assert_eq!(child.wait().unwrap().code(), Some(0));
    });
}

#[test]
fn output_of_a_single_script_goes_to_a_pipe_byte_for_byte() {
    let script = "import os\nfor fd in (1, 2): os.write(fd, bytes(range(256)) * 300 + b'\\x1b]0;x\\x07 no newline')";
    let expected = [(0..=255).collect::<Vec<u8>>().repeat(300).as_slice(), b"\x1b]0;x\x07 no newline"].concat();
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script("bytes.py", script);
        let args = ["run", &corpus.path("bytes.py"), "--reports", corpus.reports.to_str().unwrap()];
        let output = corpus.command(&args).output().unwrap();
        assert!(output.stdout == expected, "standard output differs");
        assert!(output.stderr.starts_with(&expected), "standard error differs");
        let stored = std::fs::read(corpus.reports.join("latest/cases/bytes.py/stdout")).unwrap();
        assert!(stored == expected, "what is stored differs");
    });
}

#[test]
fn a_script_cannot_command_the_terminal_or_the_ci_service() {
    let script = "import os\nos.write(1, b'\\x1b[31mred \\x1b]0;title\\x07 \\xc2\\x9b31m\\n::set-output name=x::1\\n##vso[task.complete]\\n')";
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script("rude.py", script);
        let args = ["run", &corpus.path("rude.py"), "--reports", corpus.reports.to_str().unwrap(), "--color", "never"];
        let pty = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
        let shown = corpus.finish(corpus.through(&["python3", "-c", pty], &args)).exits_with(0).stdout;
        assert!(!shown.contains(['\x1b', '\x07', '\u{9b}']), "{shown:?}");
        assert!(shown.contains("\\x1B[31mred"), "{shown:?}");

        let mut in_ci = corpus.command(&args);
        in_ci.env("CI", "true");
        let shown = corpus.finish(in_ci).exits_with(0).stdout;
        assert!(!shown.lines().any(|line| line.starts_with("::") || line.starts_with("##")), "{shown:?}");
    });
}

#[test]
fn of_a_flood_head_and_tail_are_kept_with_true_counts() {
    let whole: String = (0..100_000).map(|n| format!("line {n}\n")).collect();
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script(
            "flood.py",
            "import sys\nfor n in range(100000):\n print('line', n)\n print('line', n, file=sys.stderr)",
        );
        corpus.config("[sweep]\nkeep_output = '10KiB'");
        let ran = corpus.run(&["--charts", "none"]).exits_with(0);
        let case = ran.case("flood.py").must_be("ok");
        for (stream, kept) in [("stdout", case.stdout()), ("stderr", case.stderr())] {
            let told = &case["output"][stream];
            assert_eq!((&told["bytes"], &told["kept_bytes"]), (&json!(whole.len()), &json!(10240)));
            assert_eq!((&told["truncated"], &told["head_bytes"]), (&json!(true), &json!(5120)));
            let hash: String = Sha256::digest(&whole).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(told["sha256"], json!(hash));
            let note = format!("\n[sandsweep: {} bytes left out here]\n", whole.len() - 10240);
            assert_eq!(kept, [&whole[..5120], &note, &whole[whole.len() - 5120..]].concat());
        }
    });
}

#[test]
fn what_was_printed_before_a_kill_is_kept() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script("a.py", "import os, time\nos.write(1, b'out'); os.write(2, b'err'); time.sleep(20)");
        let case =
            corpus.run(&["--wall-time", "0.4s", "--charts", "none"]).exits_with(0).case("a.py").must_be("time_limit");
        assert_eq!((case.stdout(), case.stderr()), ("out", "err"));
        let told: &Value = &case["output"]["stdout"];
        assert_eq!((&told["bytes"], &told["truncated"], &told["file"]), (&json!(3), &json!(false), &json!("stdout")));
    });
}
