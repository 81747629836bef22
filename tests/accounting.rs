//! What a script used: that everything is counted, that every figure says where it comes from, and
//! that nothing of a script is left.

mod common;

use std::time::{Duration, Instant};

use common::{Case, Corpus, for_each_user, marker, processes_with, unindented, wait_until};
use rustix::process::Signal;
use serde_json::Value;

/// `burn(s)` uses this much CPU, whatever the clock says.
const BURN: &str = r#"
    import os, sys, time
    def burn(s):
        end = time.process_time() + s
        while time.process_time() < end: pass
"#;

/// What was measured is within 15 % of what the script's processes know of themselves.
#[track_caller]
fn is_about(measured: f64, own: f64) {
    assert!((measured - own).abs() <= own * 0.15, "{measured} s were measured, {own} s were used");
}

#[test]
fn cpu_of_orphans_is_counted() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        // Each burner's parent is gone before it begins; the script learns the truth by a pipe.
        let script = r#"
            reader, writer = os.pipe()
            for _ in range(4):
                if os.fork() == 0:
                    if os.fork() == 0:
                        os.close(reader)
                        burn(0.3)
                        os.write(writer, b'%f ' % time.process_time())
                        os._exit(0)
                    os._exit(0)
                os.wait()
            os.close(writer)
            own = sum(map(float, open(reader, 'rb').read().split()))
            print(own + time.process_time())
        "#;
        corpus.script("orphans.py", &(unindented(BURN) + &unindented(script)));
        let case = corpus.run(&["--charts", "none"]).exits_with(0).case("orphans.py").must_be("ok");
        is_about(case.used("cpu_time_s"), case.stdout().trim().parse().unwrap());
        assert_eq!(case.provenance("cpu_time_s"), "rusage");
        is_about(case.used("cpu_user_s") + case.used("cpu_system_s"), case.used("cpu_time_s"));
    });
}

#[test]
fn cpu_of_children_and_threads_is_counted() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        let children = r#"
            import resource
            for _ in range(3):
                if os.fork() == 0: burn(0.2); os._exit(0)
            for _ in range(3): os.wait()
            both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
            print(sum(used.ru_utime + used.ru_stime for used in both))
        "#;
        corpus.script("children.py", &(unindented(BURN) + &unindented(children)));
        let threads = r#"
            import hashlib, threading
            def work():
                data, hash = bytes(1 << 20), hashlib.sha256()
                while time.thread_time() < 0.2: hash.update(data)
            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            print(time.process_time())
        "#;
        corpus.script("threads.py", &(unindented(BURN) + &unindented(threads)));
        let ran = corpus.run(&["--charts", "none"]).exits_with(0);
        for name in ["children.py", "threads.py"] {
            let case = ran.case(name).must_be("ok");
            is_about(case.used("cpu_time_s"), case.stdout().trim().parse().unwrap());
            assert_eq!(case.provenance("cpu_time_s"), "rusage");
        }
        assert_eq!(ran.case("threads.py").used("peak_threads"), 5.0);
        assert_eq!(ran.case("threads.py").used("peak_processes"), 1.0);
    });
}

#[test]
fn cpu_of_a_killed_script_is_counted() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        // Every process says again and again what it has used, so the last word of each is a lower bound.
        let script = r#"
            os.fork()
            if os.fork() == 0 and os.fork() != 0: os._exit(0)
            while True:
                burn(0.01)
                os.write(1, b'%d %f\n' % (os.getpid(), time.process_time()))
        "#;
        corpus.script("burns.py", &(unindented(BURN) + &unindented(script)));
        let case = corpus.run(&["--wall-time", "0.6s", "--charts", "none"]).exits_with(0).case("burns.py");
        let case = case.must_be("time_limit").killed_for("wall_time");
        let mut last = std::collections::BTreeMap::new();
        for line in case.stdout().lines() {
            let (pid, used) = line.split_once(' ').unwrap();
            last.insert(pid.to_owned(), used.parse::<f64>().unwrap());
        }
        assert!(last.len() == 4, "{last:?}");
        let (known, measured) = (last.values().sum::<f64>(), case.used("cpu_time_s"));
        assert!(measured >= known * 0.95 && measured <= known * 1.15 + 0.15, "{measured} s measured, {known} s known");
        assert_eq!(case.provenance("cpu_time_s"), "rusage");
    });
}

/// The kernel drops the times of children whose parent ignores SIGCHLD from its sums.
#[test]
fn cpu_of_children_that_nobody_waits_for_is_counted() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        let script = r#"
            import signal
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            for _ in range(8):
                reader, writer = os.pipe()
                if os.fork() == 0: burn(0.2); os._exit(0)
                os.close(writer); os.read(reader, 1); os.close(reader)
        "#;
        corpus.script("ignores.py", &(unindented(BURN) + &unindented(script)));
        let case = corpus.run(&["--charts", "none"]).exits_with(0).case("ignores.py").must_be("ok");
        // Only looks from outside see them, so some of it may be missed, but not most.
        let measured = case.used("cpu_time_s");
        assert!((1.0..2.5).contains(&measured), "{measured} s were measured, 1.6 s were used");
        assert_eq!(case.provenance("cpu_time_s"), "sampled");
    });
}

#[test]
fn wall_time_is_the_scripts_alone() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        for name in ["a.py", "b.py", "c.py", "d.py"] {
            corpus.script(name, "pass");
        }
        corpus.script("sleep.py", "import time; time.sleep(0.5)");
        let ran = corpus.run(&["--jobs", "1", "--charts", "none"]).exits_with(0);
        let wall = |name: &str| {
            let case = ran.case(name);
            assert_eq!(case.provenance("wall_time_s"), "clock");
            assert!(case.used("wall_time_s") <= case.lasted());
            case.used("wall_time_s")
        };
        let best = ["a.py", "b.py", "c.py", "d.py"].map(wall).into_iter().fold(f64::INFINITY, f64::min);
        assert!(best < 0.2, "a script that does nothing took {best} s");
        assert!((0.5..0.9).contains(&wall("sleep.py")), "{}", wall("sleep.py"));
    });
}

#[test]
fn memory_processes_and_bytes_are_seen() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script(
            "uses.py",
            r#"
            import os, time
            for _ in range(5):
                if os.fork() == 0: time.sleep(0.6); os._exit(0)
            data = bytearray(100 << 20)
            for at in range(0, len(data), 4096): data[at] = 1
            open('/box/file', 'wb').write(bytes(3 << 20))
            open('/box/file', 'rb').read()
            time.sleep(0.3)
            for _ in range(5): os.wait()
            "#,
        );
        let case = corpus.run(&["--charts", "none"]).exits_with(0).case("uses.py").must_be("ok");
        let mib = |figure: &str| case.used(figure) / f64::from(1 << 20);
        assert!((100.0..150.0).contains(&mib("peak_memory_bytes")), "{}", mib("peak_memory_bytes"));
        assert!((3.0..3.5).contains(&mib("written_bytes")), "{}", mib("written_bytes"));
        assert!((3.0..5.0).contains(&mib("read_bytes")), "{}", mib("read_bytes"));
        assert!((3.0..3.5).contains(&mib("peak_disk_bytes")), "{}", mib("peak_disk_bytes"));
        assert_eq!((case.used("peak_processes"), case.used("peak_threads")), (6.0, 6.0));
        assert_eq!(case.used("left_behind"), 0.0);
        let series = &case["trace"]["series"];
        let most =
            |column: &str| series[column].as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).fold(0.0, f64::max);
        assert_eq!(most("processes"), 6.0);
        assert!(most("memory_bytes") >= 100.0 * f64::from(1 << 20));
    });
}

#[test]
fn every_figure_has_a_provenance_and_every_gap_a_reason() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.config("[languages.absent]\nextensions = ['absent']\ncommand = ['no-such-interpreter']");
        corpus.script("ok.py", "print(1)").script("ends.sh", ":").script("crashes.sh", "kill -9 $$");
        corpus.script("cannot.absent", "").script("slow.sh", "sleep 20").script("loud.sh", "yes");
        let ran = corpus.run(&["--wall-time", "0.4s", "--stdout", "64KiB", "--charts", "none"]).exits_with(5);
        let figures = [
            "wall_time_s",
            "cpu_time_s",
            "cpu_user_s",
            "cpu_system_s",
            "peak_memory_bytes",
            "peak_processes",
            "peak_threads",
            "read_bytes",
            "written_bytes",
            "peak_disk_bytes",
            "major_faults",
            "involuntary_context_switches",
            "left_behind",
        ];
        assert_eq!(ran.ids().len(), 6);
        for id in ran.ids() {
            let case = ran.case(&id);
            let usage = case["usage"].as_object().unwrap();
            for name in figures {
                assert!(usage.contains_key(name), "{name} is missing");
            }
            usage.iter().for_each(|(name, figure)| is_a_figure(&id, name, figure));
            has_a_valid_trace(&case);
        }
        let nothing = ran.case("cannot.absent").must_be("error");
        assert!(nothing["usage"].as_object().unwrap().values().all(|figure| figure["value"].is_null()));
    });
}

fn is_a_figure(id: &str, name: &str, figure: &Value) {
    let provenance = figure["provenance"].as_str().unwrap();
    let known = ["cgroup2", "cgroup1", "rusage", "clock", "sampled", "counted"];
    match &figure["value"] {
        Value::Number(value) => {
            assert!(value.as_f64().unwrap() >= 0.0 && known.contains(&provenance), "{id}: {name}: {figure}");
        }
        Value::Null => {
            let reason = figure["reason"].as_str().unwrap_or_default();
            assert!(provenance == "unavailable" && !reason.is_empty(), "{id}: {name}: {figure}");
        }
        _ => panic!("{id}: {name} is no figure: {figure}"),
    }
}

/// Also that of a script that ended at once, or never ran.
fn has_a_valid_trace(case: &Case) {
    let trace = &case["trace"];
    let columns = trace["series"].as_object().unwrap();
    let times: Vec<f64> = columns["t_s"].as_array().unwrap().iter().map(|t| t.as_f64().unwrap()).collect();
    for name in ["cpu_percent", "memory_bytes", "processes", "threads", "read_bytes", "written_bytes"] {
        let column = columns[name].as_array().unwrap();
        assert_eq!(column.len(), times.len(), "{name}");
        assert!(column.iter().all(|value| value.as_f64().is_some_and(|value| value >= 0.0)), "{name}");
    }
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
    assert!(trace["samples"].as_u64().unwrap() >= times.len() as u64);
    assert!(trace["largest_gap_s"].as_f64().unwrap() >= 0.0);
    assert!(trace["interval_s"].as_f64() <= trace["max_interval_s"].as_f64());
}

#[test]
fn a_series_is_sampled_as_often_as_asked() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script("sleeps.py", "import time; time.sleep(1)");
        let sampled = |args: &[&str]| {
            let ran = corpus.run(&[&["--charts", "none"], args].concat()).exits_with(0);
            ran.case("sleeps.py").must_be("ok")["trace"]["samples"].as_u64().unwrap()
        };
        let (often, seldom) =
            (sampled(&["--interval", "5ms", "--max-interval", "5ms"]), sampled(&["--interval", "200ms"]));
        assert!((40..=210).contains(&often), "{often} samples in a second, one each 5 ms");
        assert!((1..=8).contains(&seldom), "{seldom} samples in a second, one each 200 ms");
    });
}

#[test]
fn what_a_script_leaves_behind_goes_with_it() {
    for_each_user(|user| {
        let (corpus, marker) = (Corpus::new(user), marker());
        let script = r#"
            import os, signal, sys, time
            if len(sys.argv) > 1:
                for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}: signal.signal(number, signal.SIG_IGN)
                open('/box/daemon%d' % os.getpid(), 'w').close()
                while True: time.sleep(30)
            for _ in range(3):
                if os.fork() == 0:
                    os.setsid()
                    if os.fork() != 0: os._exit(0)
                    os.execv(sys.executable, [sys.executable, __file__, 'MARKER'])
                os.wait()
            while len(os.listdir('/box')) < 3: time.sleep(0.01)
        "#;
        corpus.script("daemons.py", &unindented(script).replace("MARKER", &marker));
        let began = Instant::now();
        let case =
            corpus.run(&["--charts", "none", "--wall-time", "20s"]).exits_with(0).case("daemons.py").must_be("ok");
        assert!(processes_with(&marker).is_empty(), "processes of the script are still there");
        assert!(began.elapsed() < Duration::from_secs(6), "it took {:?}", began.elapsed());
        assert!(case.lasted() - case.used("wall_time_s") < 0.5, "the daemons were waited for");
        assert_eq!(case.used("left_behind"), 3.0);
    });
}

/// A process that is never there for long: whoever lists processes and then kills them comes too late.
#[test]
fn a_chain_of_forks_goes_with_the_script() {
    for_each_user(|user| {
        let (corpus, marker) = (Corpus::new(user), marker());
        let script = r#"
            import os, sys, time
            if len(sys.argv) == 1: os.execv(sys.executable, [sys.executable, __file__, 'MARKER'])
            for _ in range(4):
                if os.fork() == 0:
                    while True:
                        if os.fork() != 0: os._exit(0)
            time.sleep(0.2)
        "#;
        corpus.script("chain.py", &unindented(script).replace("MARKER", &marker));
        let case = corpus.run(&["--charts", "none", "--wall-time", "20s"]).exits_with(0).case("chain.py").must_be("ok");
        assert!(processes_with(&marker).is_empty(), "processes of the script are still there");
        assert!(case.lasted() < 3.0, "it took {} s", case.lasted());
    });
}

#[test]
fn nothing_survives_a_harness_that_is_killed() {
    for_each_user(|user| {
        let (corpus, marker) = (Corpus::new(user), marker());
        let script = r#"
            import os, sys, time
            if len(sys.argv) == 1:
                if os.fork() == 0: os.setsid(); os.fork()
                os.execv(sys.executable, [sys.executable, __file__, 'MARKER'])
            time.sleep(60)
        "#;
        for name in ["a.py", "b.py", "c.py"] {
            corpus.script(name, &unindented(script).replace("MARKER", &marker));
        }
        let running = corpus.start(&["--jobs", "2", "--wall-time", "60s"]);
        wait_until("all processes run", Duration::from_secs(20), || processes_with(&marker).len() == 6);
        running.signal(Signal::KILL);
        wait_until("every process has gone", Duration::from_secs(2), || processes_with(&marker).is_empty());
        assert_eq!(running.finish().code, None);
    });
}
