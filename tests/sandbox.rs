//! What a script finds in its sandbox, seen by scripts that look and by the machine around them.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::time::Duration;

use common::{Corpus, User, for_each_user, marker, only_as, processes_with, skip, unindented, wait_until};
use serde_json::{Value, json};

/// What the probing scripts share: `refused` calls the C library and says why the kernel refused,
/// or `None` where it did not.
const PRELUDE: &str = r#"
    import ctypes, errno, json, os, sys
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    libc.ptrace.restype = ctypes.c_long
    def refused(call, *args):
        ctypes.set_errno(0)
        return errno.errorcode[ctypes.get_errno()] if call(*args) == -1 else None
    def failure(call, *args):
        try: call(*args)
        except OSError as why: return errno.errorcode[why.errno]
"#;

/// Runs one Python script and reads the JSON that it prints.
fn told(user: User, script: &str) -> Value {
    told_by(&Corpus::new(user), script)
}

fn told_by(corpus: &Corpus, script: &str) -> Value {
    corpus.script("probe.py", &(unindented(PRELUDE) + &unindented(script)));
    corpus.run(&["--charts", "none"]).exits_with(0).case("probe.py").must_be("ok").told()
}

/// Every attempt must have been refused.
#[track_caller]
fn all_refused(attempts: &Value) {
    let attempts = attempts.as_object().unwrap();
    assert!(!attempts.is_empty());
    for (attempt, refusal) in attempts {
        assert!(refusal.is_string(), "{attempt} was possible: {refusal}");
    }
}

#[test]
fn every_namespace_is_the_scripts_own() {
    for_each_user(|user| {
        let inside = told(
            user,
            "print(json.dumps({n: os.readlink('/proc/self/ns/' + n) for n in os.listdir('/proc/self/ns')}))",
        );
        for namespace in ["user", "pid", "net", "ipc", "uts", "cgroup", "mnt"] {
            let outside = std::fs::read_link(format!("/proc/self/ns/{namespace}")).unwrap();
            let inside = inside[namespace].as_str().unwrap();
            assert!(inside.starts_with(&format!("{namespace}:[")), "{inside}");
            assert_ne!(inside, outside.to_str().unwrap());
        }
    });
}

#[test]
fn no_further_namespace_can_be_made() {
    for_each_user(|user| {
        all_refused(&told(
            user,
            r#"
            flags = dict(NEWTIME=0x80, NEWNS=0x20000, NEWCGROUP=0x2000000, NEWUTS=0x4000000, NEWIPC=0x8000000,
                         NEWUSER=0x10000000, NEWPID=0x20000000, NEWNET=0x40000000)
            clone = 56 if os.uname().machine == 'x86_64' else 220
            def cloned(flag):
                pid = libc.syscall(clone, flag | 17, 0, 0, 0, 0)
                if pid == 0: os._exit(0)
                return pid
            def cloned3(flag):
                args = (ctypes.c_uint64 * 11)(flag, 0, 0, 0, 17)
                pid = libc.syscall(435, args, 88)
                if pid == 0: os._exit(0)
                return pid
            answers = {}
            for name, flag in flags.items():
                answers['unshare ' + name] = refused(libc.unshare, flag)
                answers['unshare with a user namespace ' + name] = refused(libc.unshare, flag | flags['NEWUSER'])
                if name != 'NEWTIME': answers['clone ' + name] = refused(cloned, flag)
                answers['clone3 ' + name] = refused(cloned3, flag)
            print(json.dumps(answers))
            "#,
        ));
    });
}

#[test]
fn there_are_no_capabilities_and_none_can_be_gained() {
    for_each_user(|user| {
        let told = told(
            user,
            r#"
            status = dict(line.split(':', 1) for line in open('/proc/self/status').read().splitlines())
            mounts = [line.split() for line in open('/proc/self/mountinfo')]
            print(json.dumps(dict(
                sets={name: int(status[name], 16) for name in status if name.startswith('Cap')},
                no_new_privs=status['NoNewPrivs'].strip(),
                setuid_mounts=[m[4] for m in mounts if 'nosuid' not in m[5].split(',')],
                becoming=dict(root=refused(libc.setuid, 0), other=refused(libc.setuid, 65534),
                              group=refused(libc.setgid, 0), groups=failure(os.setgroups, [0])))))
            "#,
        );
        let none = json!({ "CapInh": 0, "CapPrm": 0, "CapEff": 0, "CapBnd": 0, "CapAmb": 0 });
        assert_eq!(told["sets"], none);
        assert_eq!(told["no_new_privs"], "1");
        assert_eq!(told["setuid_mounts"], json!([]), "a set-user-ID program could work there");
        all_refused(&told["becoming"]);
    });
}

/// The script prints all that it can read of every process; nothing in it may come from outside.
#[test]
fn nothing_of_the_harness_or_its_paths_is_visible() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        let (canary, name) = (marker(), format!("{}.py", marker()));
        corpus.script(
            &format!("folder/{name}"),
            r#"
            import os, sys
            out = sys.stdout.buffer
            for pid in ['self', 'thread-self'] + [name for name in os.listdir('/proc') if name.isdigit()]:
                for file in ['environ', 'cmdline', 'comm', 'mountinfo', 'mounts', 'mountstats', 'maps', 'cgroup',
                             'status', 'uid_map', 'net/unix', 'net/tcp', 'auxv', 'mem', 'numa_maps']:
                    try: out.write(b'%s: %s\n' % (file.encode(), open(f'/proc/{pid}/{file}', 'rb').read(1 << 20)))
                    except OSError: pass
                for link in ['exe', 'cwd', 'root'] + [f'fd/{n}' for n in range(64)]:
                    try: out.write(os.readlink(f'/proc/{pid}/{link}').encode() + b'\n')
                    except OSError: pass
            for file in ['/proc/mounts', '/proc/cmdline', '/proc/sys/kernel/hostname', '/etc/hosts', sys.argv[0]]:
                try: out.write(open(file, 'rb').read())
                except OSError: pass
            out.write(repr(dict(os.environ)).encode() + repr(sys.argv).encode() + __file__.encode())
            "#,
        );
        let mut command = corpus.sweep(&["--jobs", "1"]);
        command.env("SANDSWEEP_TEST_CANARY", &canary);
        let case = corpus.finish(command).exits_with(0).case(&format!("folder/{name}")).must_be("ok");
        let seen = case.stdout();
        assert!(seen.contains("/script/main.py") && seen.contains("mountinfo: "), "{seen}");
        let home = corpus.home.path().file_name().unwrap().to_str().unwrap();
        let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        for secret in [canary.as_str(), "SANDSWEEP_TEST_CANARY", home, &name, "/corpus", "/reports", "sandsweep-"] {
            assert!(!seen.contains(secret), "`{secret}` is visible in\n{seen}");
        }
        assert!(hostname.trim().len() < 4 || !seen.contains(hostname.trim()), "the host's name is visible");
    });
}

#[test]
fn the_environment_is_the_policys_and_no_more() {
    for_each_user(|user| {
        let environ = told(
            user,
            "print(json.dumps(dict(v.split('=', 1) for v in open('/proc/self/environ').read().split('\\0') if v)))",
        );
        let names: BTreeSet<_> = environ.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, BTreeSet::from(["HOME", "LANG", "PATH", "PWD", "TMPDIR"]));
        assert_eq!(environ["HOME"], "/box");
    });
}

#[test]
fn pid_1_cannot_be_read_traced_or_killed() {
    for_each_user(|user| {
        let told = told(
            user,
            r#"
            import signal, time
            reads = {name: failure(open, '/proc/1/' + name, 'rb')
                     for name in ['environ', 'mem', 'maps', 'io', 'syscall', 'stack', 'auxv', 'fd/3', 'exe']}
            reads['list fd'] = failure(os.listdir, '/proc/1/fd')
            for link in ['cwd', 'root', 'exe', 'fd/0', 'ns/mnt', 'ns/pid']:
                reads['follow ' + link] = failure(os.readlink, '/proc/1/' + link)
            pidfd = libc.syscall(434, 1, 0)
            buffer = ctypes.create_string_buffer(16)
            vector = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 16)
            traces = dict(attach=refused(libc.ptrace, 16, 1, 0, 0), seize=refused(libc.ptrace, 0x4206, 1, 0, 0),
                          take_descriptor=refused(libc.syscall, 438, pidfd, 3, 0),
                          read_memory=refused(libc.process_vm_readv, 1, vector, 1, vector, 1, 0))
            for number in range(1, 65):
                try: os.kill(1, number)
                except OSError: pass
            time.sleep(0.1)
            print(json.dumps(dict(reads=reads, traces=traces, alive=os.path.exists('/proc/1/status'), parent=os.getppid())))
            "#,
        );
        all_refused(&told["reads"]);
        all_refused(&told["traces"]);
        assert_eq!((&told["alive"], &told["parent"]), (&json!(true), &json!(1)));
    });
}

/// prlimit(2) asks for no more than the same uid. Whatever a script does to pid 1, a result that
/// says that the harness is at fault must not come of it.
#[test]
fn pid_1_cannot_be_starved_to_death() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        let script = r#"
            import time
            limits = {n: refused(libc.prlimit, 1, n, (ctypes.c_uint64 * 2)(0, 0), None) for n in range(16)}
            libc.setpriority(0, 1, 19)
            libc.sched_setscheduler(1, 5, (ctypes.c_int * 1)(0))
            end = time.monotonic() + 0.5
            while time.monotonic() < end:
                for _ in range(1000): os.kill(1, 17)
            print(json.dumps(limits))
        "#;
        corpus.script("starve.py", &(unindented(PRELUDE) + &unindented(script)));
        let case = corpus.run(&["--charts", "none"]).exits_with(0).case("starve.py");
        assert_ne!(case["verdict"], "error", "{}", case["termination"]);
    });
}

#[test]
fn no_descriptor_but_the_three_streams_is_open() {
    let look = "print(json.dumps({fd: os.readlink('/proc/self/fd/%d' % fd) for fd in range(1024) if failure(os.fstat, fd) is None}))";
    for_each_user(|user| {
        let open = told(user, look);
        let numbers: Vec<_> = open.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(numbers, ["0", "1", "2"], "{open}");
        assert_eq!(open["0"], "/dev/null");
        assert!(open["1"].as_str().unwrap().starts_with("pipe:") && open["2"].as_str().unwrap().starts_with("pipe:"));

        // The same where the harness itself has been started with descriptors that are not its own.
        let corpus = Corpus::new(user);
        corpus.script("probe.py", &(unindented(PRELUDE) + look));
        let leaky = "exec 3</etc/passwd 4</etc/passwd 5</ 9</etc/hostname; exec \"$@\"";
        let ran = corpus.finish(corpus.sweep_through(&["bash", "-c", leaky, "bash"], &[])).exits_with(0);
        let open = ran.case("probe.py").must_be("ok").told();
        assert_eq!(open.as_object().unwrap().len(), 3, "{open}");
    });
}

#[test]
fn a_harness_without_standard_streams_still_works() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script("probe.py", "import os; print(os.read(0, 1)); print('text', flush=True); os.write(2, b'error')");
        let closed = corpus.sweep_through(&["bash", "-c", "exec \"$@\" 0<&- 1>&- 2>&-", "bash"], &[]);
        let case = corpus.finish(closed).exits_with(0).case("probe.py").must_be("ok");
        assert_eq!((case.stdout(), case.stderr()), ("b''\ntext\n", "error"));
    });
}

#[test]
fn standard_input_is_at_its_end_and_there_is_no_terminal() {
    let look = r#"
        print(json.dumps(dict(input=os.read(0, 10).decode(), terminal=failure(os.open, '/dev/tty', os.O_RDWR),
                              leader=os.getsid(0) == os.getpid(), push=failure(__import__('fcntl').ioctl, 0, 0x5412, b'x'))))
    "#;
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script("probe.py", &(unindented(PRELUDE) + &unindented(look)));
        // The harness has a controlling terminal, as it has when a person starts it.
        let pty = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
        let at_a_terminal = corpus.sweep_through(&["python3", "-c", pty], &[]);
        let told = corpus.finish(at_a_terminal).exits_with(0).case("probe.py").must_be("ok").told();
        assert_eq!((&told["input"], &told["terminal"], &told["leader"]), (&json!(""), &json!("ENXIO"), &json!(true)));
        assert_eq!(told["push"], "EPERM", "nothing can be typed into a terminal: the filter refuses the request");
    });
}

#[test]
fn the_script_is_uid_1000_inside_and_somebody_unprivileged_outside() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        let markers = [marker(), marker()];
        for (name, marker) in ["a.py", "b.py"].iter().zip(&markers) {
            let script = r#"
                import json, os, sys, time
                if len(sys.argv) == 1: os.execv(sys.executable, [sys.executable, __file__, 'MARKER'])
                time.sleep(1.5)
                print(json.dumps([os.getresuid(), os.getresgid(), os.getgroups()]))
            "#;
            corpus.script(name, &unindented(script).replace("MARKER", marker));
        }
        let running = corpus.start(&["--jobs", "2"]);
        let mut outside = BTreeMap::new();
        wait_until("both scripts run at the same time", Duration::from_secs(20), || {
            for marker in &markers {
                for pid in processes_with(marker) {
                    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
                    let ids = status.lines().filter(|line| line.starts_with("Uid:") || line.starts_with("Gid:"));
                    let ids: BTreeSet<u32> =
                        ids.flat_map(|l| l[4..].split_whitespace()).map(|id| id.parse().unwrap()).collect();
                    outside.insert(marker.clone(), ids);
                }
            }
            markers.iter().all(|marker| outside.get(marker).is_some_and(|ids| !ids.is_empty()))
        });
        let ran = running.finish().exits_with(0);
        let mut kernel = BTreeSet::new();
        for (name, marker) in ["a.py", "b.py"].iter().zip(&markers) {
            let case = ran.case(name).must_be("ok");
            assert_eq!(case.told(), json!([[1000, 1000, 1000], [1000, 1000, 1000], []]));
            assert_eq!(case["sandbox"]["uid"], 1000);
            let recorded = u32::try_from(case["sandbox"]["host_uid"].as_u64().unwrap()).unwrap();
            assert_eq!(outside[marker], BTreeSet::from([recorded]), "uids and gids seen from outside");
            kernel.insert(recorded);
        }
        match user {
            User::Root => assert!(kernel.len() == 2 && !kernel.contains(&0), "one of its own for each: {kernel:?}"),
            User::Ordinary => assert_eq!(kernel, BTreeSet::from([user.uid()])),
        }
    });
}

#[test]
fn a_script_that_only_root_can_read_runs_when_root_starts_it() {
    only_as(User::Root, "a file that belongs to root alone", |user| {
        let corpus = Corpus::new(user);
        corpus.file(b"secret.py", b"print('ran')", 0o600);
        let case = corpus.run(&[]).exits_with(0).case("secret.py").must_be("ok");
        assert_eq!(case.stdout(), "ran\n");
        assert_ne!(case["sandbox"]["host_uid"], 0);
    });
}

#[test]
fn how_a_script_ended_is_never_guessed_from_its_exit_code_or_words() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        for code in [1, 2, 124, 125, 126, 127, 128, 137, 139, 255] {
            corpus.script(&format!("exit{code}.sh"), &format!("exit {code}"));
        }
        for signal in [4, 6, 9, 11, 15] {
            corpus.script(&format!("signal{signal}.sh"), &format!("kill -{signal} $$; sleep 5"));
        }
        corpus.script("liar.sh", "echo 'bwrap: Creating new namespace failed: Operation not permitted' >&2; exit 1");
        let ran = corpus.run(&["--charts", "none"]).exits_with(0);
        for code in [1, 2, 124, 125, 126, 127, 128, 137, 139, 255] {
            ran.case(&format!("exit{code}.sh")).must_be("failed").exited(code);
        }
        for signal in [4, 6, 9, 11, 15] {
            ran.case(&format!("signal{signal}.sh")).must_be("crashed").signaled(signal);
        }
        ran.case("liar.sh").must_be("failed").exited(1);
    });
}

#[test]
fn the_hosts_network_cannot_be_reached() {
    for_each_user(|user| {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let name = marker();
        let _unix = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        let script = r#"
            import socket
            def connect(family, address):
                sock = socket.socket(family); sock.settimeout(2)
                sock.connect(address)
            print(json.dumps(dict(
                interfaces=[line.split(':')[0].strip() for line in open('/proc/net/dev').readlines()[2:]],
                refusals=dict(tcp=failure(connect, socket.AF_INET, ('127.0.0.1', PORT)),
                              abstract=failure(connect, socket.AF_UNIX, '\0NAME'),
                              outside=failure(connect, socket.AF_INET, ('192.0.2.1', 80))),
                interface=failure(socket.socket, socket.AF_PACKET, socket.SOCK_RAW))))
        "#;
        let port = tcp.local_addr().unwrap().port().to_string();
        let script = unindented(script).replace("PORT", &port).replace("NAME", &name);
        // Without a loopback there are no internet sockets; with one, they lead nowhere else.
        for (network, refusal) in [("none", "EAFNOSUPPORT"), ("loopback", "ECONNREFUSED")] {
            let corpus = Corpus::new(user);
            corpus.config(&format!("[policy]\nnetwork = '{network}'\n"));
            let told = told_by(&corpus, &script);
            assert_eq!(told["interfaces"], json!(["lo"]));
            all_refused(&told["refusals"]);
            assert_eq!(told["refusals"]["tcp"], refusal);
            assert_eq!(told["interface"], "EAFNOSUPPORT");
        }
    });
}

#[test]
fn system_calls_are_filtered() {
    if !cfg!(target_arch = "x86_64") {
        return skip("the numbers of this test are those of x86-64");
    }
    // Name, number, first arguments, and what a sandbox must answer.
    let calls: [(&str, i64, [i64; 3], &str); 22] = [
        ("ptrace", 101, [0x4206, 1, 0], "EPERM"),
        ("process_vm_readv", 310, [1, 0, 0], "EPERM"),
        ("pidfd_getfd", 438, [0, 0, 0], "EPERM"),
        ("keyctl", 250, [0, -3, 0], "EPERM"),
        ("add_key", 248, [0, 0, 0], "EPERM"),
        ("bpf", 321, [0, 0, 0], "EPERM"),
        ("perf_event_open", 298, [0, 0, -1], "EPERM"),
        ("io_uring_setup", 425, [1, 0, 0], "EPERM"),
        ("userfaultfd", 323, [1, 0, 0], "EPERM"),
        ("unshare", 272, [0x1000_0000, 0, 0], "EPERM"),
        ("setns", 308, [0, 0, 0], "EPERM"),
        ("mount", 165, [0, 0, 0], "EPERM"),
        ("fsopen", 430, [0, 0, 0], "EPERM"),
        ("open_by_handle_at", 304, [0, 0, 0], "EPERM"),
        ("personality(ADDR_NO_RANDOMIZE)", 135, [0x0004_0000, 0, 0], "EPERM"),
        ("clone(CLONE_NEWUSER)", 56, [0x1000_0011, 0, 0], "EPERM"),
        ("prlimit64 of pid 1", 302, [1, 0, 0], "EPERM"),
        ("shmget", 29, [0, 4096, 0o1600], "EPERM"),
        ("memfd_create", 319, [0, 0, 0], "EPERM"),
        ("clone3", 435, [0, 0, 0], "ENOSYS"),
        ("a number that no kernel has", 700, [0, 0, 0], "ENOSYS"),
        ("getpid by its x32 number", 0x4000_0000 + 39, [0, 0, 0], "ENOSYS"),
    ];
    let list: Vec<_> = calls.iter().map(|(name, number, a, _)| json!([name, number, a[0], a[1], a[2]])).collect();
    let script = r#"
        calls = json.loads('''CALLS''')
        answers = {name: refused(libc.syscall, number, a, b, c, 0, 0) for name, number, a, b, c in calls}
        answers['ioctl(TIOCSTI) with high bits'] = refused(
            libc.ioctl, 0, ctypes.c_ulong(0x1_0000_5412), ctypes.create_string_buffer(b'x'))
        status = dict(line.split(':', 1) for line in open('/proc/self/status') if ':' in line)
        print(json.dumps([answers, status['Seccomp'].strip()]))
    "#;
    for_each_user(|user| {
        let told = told(user, &unindented(script).replace("CALLS", &json!(list).to_string()));
        for (name, _, _, expected) in &calls {
            assert_eq!(told[0][*name], *expected, "{name}");
        }
        assert_eq!(told[0]["ioctl(TIOCSTI) with high bits"], "EPERM");
        assert_eq!(told[1], "2", "a filter is in force");
    });
}
