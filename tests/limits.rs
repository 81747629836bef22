//! Each limit: that it holds, and that the result says so.

mod common;

use common::{Case, Corpus, User, for_each_user, unindented};
use serde_json::json;

/// Runs one script under these flags and returns its case, whatever the verdict.
fn under(user: User, flags: &[&str], name: &str, script: &str) -> Case {
    let corpus = Corpus::new(user);
    corpus.script(name, script);
    corpus.run(&[&["--charts", "none"], flags].concat()).exits_with(0).case(name)
}

#[track_caller]
fn ended_on_time(case: &Case, limit: f64) {
    let at = case.termination("at_s");
    assert_eq!(case.termination("allowed"), limit);
    assert!(at >= limit && at - limit < 0.1, "decided {at} s after the start, the limit was {limit} s");
    assert!(case.lasted() < limit + 0.35, "the sandbox was gone after {} s, the limit was {limit} s", case.lasted());
}

#[test]
fn wall_time_ends_a_script_that_sleeps_ignores_signals_or_is_stopped() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script("sleeps.py", "import time; time.sleep(20)");
        corpus.script(
            "ignores.py",
            r#"
            import signal, time
            for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}: signal.signal(number, signal.SIG_IGN)
            while True: time.sleep(20)
            "#,
        );
        corpus.script("stopped.sh", "sleep 20 & kill -STOP $!; kill -STOP $$; sleep 20");
        corpus.script("waits.sh", "cat /dev/zero > /dev/null & wait");
        let ran = corpus.run(&["--jobs", "1", "--wall-time", "0.5s", "--charts", "none"]).exits_with(0);
        for name in ["sleeps.py", "ignores.py", "stopped.sh", "waits.sh"] {
            let case = ran.case(name).must_be("time_limit").killed_for("wall_time");
            ended_on_time(&case, 0.5);
            assert!((0.4..0.8).contains(&case.used("wall_time_s")), "{}", case.used("wall_time_s"));
        }
    });
}

#[test]
fn cpu_time_is_limited_for_one_process() {
    for_each_user(|user| {
        let case = under(user, &["--cpu-time", "0.5s"], "burns.py", "while True: pass");
        let case = case.must_be("time_limit").killed_for("cpu_time");
        assert_eq!(case.termination("allowed"), 0.5);
        assert!(case.termination("observed") < 0.8 && case.used("cpu_time_s") < 0.9, "{}", case["termination"]);
    });
}

#[test]
fn cpu_time_is_limited_for_the_whole_tree() {
    let burn = unindented(
        r#"
        import os, time
        def child():
            while time.process_time() < 0.2: pass
            os._exit(0)
        "#,
    );
    for_each_user(|user| {
        // One after the other, each below the limit; and all at once.
        let corpus = Corpus::new(user);
        corpus
            .script("sequence.py", &format!("{burn}for _ in range(20):\n  if os.fork() == 0: child()\n  os.wait()\n"));
        corpus.script(
            "crowd.py",
            &format!("{burn}for _ in range(20):\n  if os.fork() == 0: child()\nos.wait()\ntime.sleep(20)\n"),
        );
        let orphans =
            "for _ in range(20):\n  if os.fork() == 0:\n    if os.fork() == 0: child()\n    os._exit(0)\n  os.wait()\n";
        corpus.script("orphans.py", &format!("{burn}{orphans}time.sleep(20)\n"));
        let ran = corpus.run(&["--jobs", "1", "--cpu-time", "0.7s", "--charts", "none"]).exits_with(0);
        for name in ["sequence.py", "crowd.py", "orphans.py"] {
            let case = ran.case(name).must_be("time_limit").killed_for("cpu_time");
            assert!(case.termination("observed") < 1.1, "{}", case["termination"]);
        }
    });
}

/// Not waiting for children takes their times out of the kernel's sums, not out of the limit.
#[test]
fn cpu_time_is_limited_also_where_children_are_ignored() {
    for_each_user(|user| {
        let script = r#"
            import os, signal, time
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            for _ in range(20):
                reader, writer = os.pipe()
                if os.fork() == 0:
                    while time.process_time() < 0.2: pass
                    os._exit(0)
                os.close(writer); os.read(reader, 1); os.close(reader)
        "#;
        under(user, &["--cpu-time", "0.7s"], "ignores.py", script).must_be("time_limit").killed_for("cpu_time");
    });
}

#[test]
fn memory_is_limited_for_one_process_and_for_the_whole_tree() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script(
            "one.py",
            r#"
            import time
            parts = []
            for _ in range(40):
                parts.append(bytearray(b'x' * (8 << 20)))
                time.sleep(0.01)
            time.sleep(5)
            "#,
        );
        let tree = r#"
            import ctypes, os, time
            for _ in range(6):
                if os.fork() == 0:
                    data = bytearray(b'x' * (40 << 20))
                    time.sleep(5)
                    os._exit(0)
            time.sleep(5)
        "#;
        corpus.script("tree.py", tree);
        // Processes that nobody without rights may look into.
        let hide = "data = ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)\n                    data =";
        corpus.script("hides.py", &tree.replace("data =", hide));
        let ran = corpus.run(&["--jobs", "1", "--memory", "120MiB", "--charts", "none"]).exits_with(0);
        for name in ["one.py", "tree.py", "hides.py"] {
            let case = ran.case(name).must_be("memory_limit").killed_for("memory");
            assert_eq!(case.termination("allowed"), f64::from(120 << 20));
            assert!(case.used("peak_memory_bytes") >= f64::from(120 << 20), "{}", case["usage"]["peak_memory_bytes"]);
        }
    });
}

/// A fork shares its parent's pages: 100 MiB in four processes are 100 MiB.
#[test]
fn pages_that_a_fork_shares_count_once() {
    for_each_user(|user| {
        let script = r#"
            import os, time
            data = bytearray(100 << 20)
            for at in range(0, len(data), 4096): data[at] = 1
            for _ in range(4):
                if os.fork() == 0: time.sleep(0.5); os._exit(0)
            for _ in range(4): os.wait()
        "#;
        let case = under(user, &["--memory", "200MiB"], "shares.py", script).must_be("ok");
        assert!(case.used("peak_memory_bytes") < f64::from(200 << 20), "{}", case["usage"]["peak_memory_bytes"]);
    });
}

#[test]
fn shared_memory_of_each_process_counts() {
    for_each_user(|user| {
        // Eight mappings of 50 MiB: each shared as far as the kernel is concerned, none with another.
        let script = r#"
            import mmap, os, time
            for _ in range(8):
                if os.fork() == 0:
                    memory = mmap.mmap(-1, 50 << 20)
                    for at in range(0, 50 << 20, 4096): memory[at] = 1
                    time.sleep(3)
                    os._exit(0)
            time.sleep(3)
        "#;
        under(user, &["--memory", "120MiB"], "shared.py", script).must_be("memory_limit").killed_for("memory");
    });
}

/// Files in memory belong to no file system of the sandbox, and need not be mapped.
#[test]
fn memory_that_is_held_but_not_mapped_counts_or_is_refused() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script(
            "memfd.py",
            r#"
            import os, time
            try:
                held = [os.memfd_create(str(n)) for n in range(8)]
            except OSError: raise SystemExit('refused')
            for fd in held:
                for _ in range(50): os.write(fd, bytes(1 << 20))
            time.sleep(2)
            "#,
        );
        corpus.script(
            "sysv.py",
            r#"
            import ctypes, time
            libc = ctypes.CDLL(None, use_errno=True)
            libc.shmat.restype = ctypes.c_void_p
            for _ in range(8):
                segment = libc.shmget(0, 50 << 20, 0o1600)
                if segment < 0: raise SystemExit('refused')
                at = libc.shmat(segment, None, 0)
                ctypes.memset(at, 1, 50 << 20)
                libc.shmdt(ctypes.c_void_p(at))
            time.sleep(2)
            "#,
        );
        let ran = corpus.run(&["--memory", "120MiB", "--charts", "none"]).exits_with(0);
        let unbounded: Vec<_> = ["memfd.py", "sysv.py"]
            .into_iter()
            .filter(|name| {
                let case = ran.case(name);
                case["verdict"] != "memory_limit" && !case.stderr().contains("refused")
            })
            .collect();
        assert!(unbounded.is_empty(), "400 MiB were held under a limit of 120 MiB by {unbounded:?}");
    });
}

#[test]
fn fork_is_refused_exactly_at_the_limit_of_processes() {
    let counts = r#"
        import errno, os, sys, threading, time
        made = 0
        try:
            while made < 100:
                if WITH_THREADS: threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
                elif os.fork() == 0: time.sleep(1); os._exit(0)
                made += 1
        except (OSError, RuntimeError) as why:
            print(made, getattr(why, 'errno', errno.EAGAIN) == errno.EAGAIN, flush=True)
        time.sleep(0.3)
        os._exit(0)
    "#;
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        // Two at a time: neither counts in the other's limit, whoever they are outside.
        for (name, threads) in [("a.py", "False"), ("b.py", "False"), ("c.py", "True")] {
            corpus.script(name, &unindented(counts).replace("WITH_THREADS", threads));
        }
        let ran = corpus.run(&["--jobs", "2", "--processes", "10", "--charts", "none"]).exits_with(0);
        for name in ["a.py", "b.py", "c.py"] {
            let case = ran.case(name).must_be("ok");
            assert_eq!(case.stdout(), "9 True\n", "{name}: the script itself is the tenth");
            assert_eq!(case.used("peak_threads"), 10.0);
        }
        let alone =
            under(user, &["--processes", "1"], "alone.py", &unindented(counts).replace("WITH_THREADS", "False"));
        assert_eq!(alone.must_be("ok").stdout(), "0 True\n");
    });
}

#[test]
fn open_files_are_limited() {
    for_each_user(|user| {
        let script = r#"
            import errno, os, resource
            last = 0
            try:
                while last < 100: last = os.open('/dev/null', os.O_RDONLY)
            except OSError as why: print(last, why.errno == errno.EMFILE)
            try: resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32)); print('raised')
            except ValueError: pass
        "#;
        assert_eq!(under(user, &["--open-files", "16"], "opens.py", script).must_be("ok").stdout(), "15 True\n");
    });
}

#[test]
fn each_output_stream_has_its_own_limit() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus
            .script("out.sh", "yes")
            .script("err.sh", "yes >&2")
            .script("both.sh", "head -c 60000 /dev/zero; head -c 30000 /dev/zero >&2");
        corpus.script("late.py", "import os\nif os.fork() == 0:\n  while True: os.write(2, b'x' * 100)\nos.wait()");
        let ran = corpus.run(&["--stdout", "64KiB", "--stderr", "32KiB", "--charts", "none"]).exits_with(0);
        for (name, stream, allowed) in
            [("out.sh", "stdout", 64 << 10), ("err.sh", "stderr", 32 << 10), ("late.py", "stderr", 32 << 10)]
        {
            let case = ran.case(name).must_be("output_limit").killed_for("output");
            assert_eq!(case["termination"]["detail"], stream);
            assert_eq!(case.termination("allowed"), f64::from(allowed));
            assert!(case["output"][stream]["bytes"].as_f64().unwrap() >= case.termination("observed"));
        }
        let case = ran.case("both.sh").must_be("ok");
        assert_eq!(
            (&case["output"]["stdout"]["bytes"], &case["output"]["stderr"]["bytes"]),
            (&json!(60000), &json!(30000))
        );
    });
}

#[test]
fn a_full_disk_is_a_verdict_only_where_the_script_fails_of_it() {
    let fill =
        "import os\nfd = os.open('PLACE/file', os.O_WRONLY | os.O_CREAT)\nwhile True: os.write(fd, bytes(65536))\n";
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        for (name, place) in [("box.py", "/box"), ("tmp.py", "/tmp"), ("shm.py", "/dev/shm")] {
            corpus.script(name, &fill.replace("PLACE", place));
        }
        let handled = |then: &str| {
            let indented = fill.replace("PLACE", "/box").replace('\n', "\n ");
            format!("try:\n {indented}\nexcept OSError as why:\n  print(why.errno)\n{then}")
        };
        corpus.script("cleans.py", &handled("os.unlink('/box/file')\n"));
        corpus.script("copes.py", &handled("print('enough')\n"));
        corpus.script("unrelated.sh", "exit 3");
        let ran = corpus.run(&["--disk", "1MiB", "--charts", "none"]).exits_with(0);
        for name in ["box.py", "tmp.py", "shm.py"] {
            let case = ran.case(name).must_be("disk_limit").exited(1);
            assert!(case.stderr().contains("No space left on device"), "{}", case.stderr());
            assert!(case.used("peak_disk_bytes") >= f64::from(1 << 20));
        }
        for name in ["cleans.py", "copes.py"] {
            assert!(ran.case(name).must_be("ok").stdout().starts_with("28\n"));
        }
        ran.case("unrelated.sh").must_be("failed");
    });
}

#[test]
fn the_size_of_a_file_is_limited() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        // Python ignores SIGXFSZ and is told EFBIG; head is ended by the signal.
        corpus.script(
            "told.py",
            "import os\nfd = os.open('f', os.O_WRONLY | os.O_CREAT)\nwhile True: os.write(fd, bytes(4096))",
        );
        corpus.script("ended.sh", "exec head -c 5000000 /dev/zero > f");
        corpus.script("pretends.sh", "kill -XFSZ $$");
        let ran = corpus.run(&["--file-size", "1MiB", "--charts", "none"]).exits_with(0);
        let told = ran.case("told.py").must_be("failed").exited(1);
        assert!(told.stderr().contains("File too large"), "{}", told.stderr());
        assert_eq!(told.used("peak_disk_bytes"), f64::from(1 << 20));
        assert_eq!(ran.case("ended.sh").must_be("disk_limit").signaled(25).used("peak_disk_bytes"), f64::from(1 << 20));
        ran.case("pretends.sh").must_be("crashed").signaled(25);
    });
}

#[test]
fn address_space_is_limited_when_asked() {
    let script = "try: bytearray(400 << 20)\nexcept MemoryError: print('refused')";
    for_each_user(|user| {
        let case = under(user, &["--address-space", "200MiB"], "wants.py", script).must_be("ok");
        assert_eq!(case.stdout(), "refused\n");
        assert_eq!(case["limits"]["address_space_bytes"]["enforcement"], "kernel");
        let free = under(user, &["--memory", "1GiB"], "wants.py", script).must_be("ok");
        assert_eq!(free.stdout(), "");
        assert_eq!(free["limits"]["address_space_bytes"]["value"], json!(null));
        assert_eq!(free["limits"]["address_space_bytes"]["enforcement"], "absent");
    });
}

#[test]
fn every_limit_says_who_makes_it_hold() {
    for_each_user(|user| {
        let flags =
            ["--wall-time", "3s", "--cpu-time", "2s", "--memory", "64MiB", "--processes", "7", "--open-files", "20"];
        let more = ["--stdout", "1MiB", "--stderr", "2MiB", "--disk", "3MiB", "--file-size", "4MiB"];
        let case = under(user, &[&flags[..], &more[..]].concat(), "a.sh", ":").must_be("ok");
        let limits = case["limits"].as_object().unwrap();
        let mib = f64::from(1 << 20);
        let expected = [
            ("wall_time_s", 3.0),
            ("cpu_time_s", 2.0),
            ("memory_bytes", 64.0 * mib),
            ("processes", 7.0),
            ("open_files", 20.0),
            ("stdout_bytes", mib),
            ("stderr_bytes", 2.0 * mib),
            ("disk_bytes", 3.0 * mib),
            ("file_size_bytes", 4.0 * mib),
        ];
        for (name, value) in expected {
            assert_eq!(limits[name]["value"], json!(value), "{name}");
            assert!(limits[name]["enforcement"] != "absent", "{name}");
        }
        for (name, limit) in limits {
            let enforcement = limit["enforcement"].as_str().unwrap();
            assert!(["kernel", "supervised", "absent"].contains(&enforcement), "{name}: {limit}");
            assert_eq!(limit["value"].is_null(), enforcement == "absent", "{name}: {limit}");
            assert!(!limit["mechanism"].as_str().unwrap().is_empty(), "{name}: {limit}");
        }
    });
}
