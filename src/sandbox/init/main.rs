//! Pid 1 of every sandbox: a freestanding static program of a few kilobytes.
//!
//! bwrap's own pid 1 reports `128 + signal` for a death by signal, which a script can fake with
//! `exit`; it shows its environment and arguments in `/proc/1`; and it can be traced by the script,
//! which has the same uid. This init is not dumpable, so nothing of the above can be read; it
//! reports the raw wait status; it kills and reaps everything that is left, so that the times of
//! killed processes count; and it ends the sandbox when the harness goes away.
//!
//! It is built by `build.rs` without the standard library, because it must start in any root file
//! system, in a fraction of a millisecond.
#![no_std]
#![no_main]

mod proto;
mod sys;

use proto::{CONTROL_FD, MAGIC, exited, step};

/// Exit status of the init when the harness went away before the script ran.
const EXIT_ABANDONED: usize = 125;

/// Entry from `_start` with the initial stack: `argc, argv[], NULL, envp[], NULL`.
///
/// # Safety
/// `stack` must be the initial process stack that the kernel laid out (ABI of execve).
#[unsafe(no_mangle)]
unsafe extern "C" fn init_main(stack: *const usize) -> ! {
    // SAFETY: the kernel puts argc, then argc pointers and a NULL, then the environment.
    let (argc, argv, envp) = unsafe {
        let argc = *stack;
        (argc, stack.add(1), stack.add(argc + 2))
    };

    sys::close_on_exec(CONTROL_FD);
    sys::close_from(CONTROL_FD + 1);
    // Opened before we become undumpable: afterwards the file belongs to root.
    let io = sys::open_read(b"/proc/self/io\0");
    sys::set_not_dumpable();
    let children = sys::block_sigchld_into_fd();

    let fds = [
        sys::open_dir(b"/proc\0"),
        sys::open_dir(b"/box\0"),
        sys::open_dir(b"/tmp\0"),
        sys::open_dir(b"/dev/shm\0"),
        sys::pidfd_open(1),
    ];
    for fd in fds {
        if fd < 0 {
            fail(step::SETUP, fd);
        }
    }
    if children < 0 || argc < 2 {
        fail(step::SETUP, children);
    }
    if sys::send_with_fds(CONTROL_FD, &[MAGIC, proto::READY], &fds) < 0 {
        sys::exit(EXIT_ABANDONED);
    }
    for fd in fds {
        sys::close(fd);
    }

    let mut go = [0u64; 3 + 2 * proto::MAX_LIMITS];
    let words = sys::receive(CONTROL_FD, &mut go);
    if words <= 0 {
        sys::exit(EXIT_ABANDONED);
    }
    let pairs = go[2] as usize;
    if (words as usize) < 3
        || go[0] != MAGIC
        || go[1] != proto::GO
        || pairs > proto::MAX_LIMITS
        || words as usize != 3 + 2 * pairs
    {
        fail(step::PROTOCOL, -22);
    }

    let used_before = sys::io_counters(io);
    let started = sys::monotonic_ns();
    let script = sys::fork();
    if script == 0 {
        sys::setsid();
        for pair in go[3..3 + 2 * pairs].chunks_exact(2) {
            let done = sys::set_rlimit(pair[0] as usize, pair[1]);
            if done < 0 {
                fail(step::RLIMIT, done);
            }
        }
        sys::unblock_sigchld();
        // SAFETY: argv + 1 and envp are NULL-terminated arrays of C strings from the kernel.
        let refused = unsafe { sys::execve(argv.add(1), envp) };
        fail(step::EXEC, refused);
    }
    if script < 0 {
        fail(step::FORK, script);
    }
    supervise(script, children, &Start { time: started, io, used_before })
}

/// What the report at the end is measured from.
struct Start {
    time: u64,
    io: i32,
    used_before: Option<[u64; 2]>,
}

/// Reaps until nothing is left, then reports. Never returns.
fn supervise(script: i32, children: i32, start: &Start) -> ! {
    let mut status = 0;
    let mut ended = 0;
    let mut left_behind = 0u64;
    loop {
        let (child_event, control_event) = sys::poll2(children, CONTROL_FD);
        if control_event {
            let mut message = [0u64; 2];
            if sys::receive(CONTROL_FD, &mut message) <= 0 {
                // The harness is gone: so is the sandbox, all of it, when pid 1 leaves.
                sys::exit(EXIT_ABANDONED);
            }
            if message == [MAGIC, proto::KILL] {
                sys::kill_everyone();
            }
        }
        if child_event {
            sys::drain(children);
        }
        loop {
            let mut this = 0;
            let pid = sys::wait_any(&mut this, ended == 0);
            if pid == script {
                status = this;
                ended = sys::monotonic_ns();
                sys::kill_everyone();
            } else if pid > 0 {
                if ended != 0 {
                    left_behind += 1;
                    // A process forked between the kill and its own death cannot exist, but a
                    // second signal costs nothing and needs no argument.
                    sys::kill_everyone();
                }
            } else if pid == 0 {
                break;
            } else if pid != sys::EINTR {
                report(status, start, ended, left_behind);
            }
        }
    }
}

fn report(status: i32, start: &Start, ended: u64, left_behind: u64) -> ! {
    let usage = sys::children_usage();
    let mut message = [0u64; exited::WORDS];
    message[0] = MAGIC;
    message[1] = proto::EXITED;
    message[exited::STATUS] = status as u32 as u64;
    message[exited::STARTED_NS] = start.time;
    message[exited::ENDED_NS] = ended;
    message[exited::USER_US] = usage.user_us;
    message[exited::SYSTEM_US] = usage.system_us;
    message[exited::MAX_RSS_KIB] = usage.max_rss_kib;
    message[exited::MAJOR_FAULTS] = usage.major_faults;
    message[exited::INVOLUNTARY_SWITCHES] = usage.involuntary_switches;
    message[exited::LEFT_BEHIND] = left_behind;
    let [read, written] = match (start.used_before, sys::io_counters(start.io)) {
        (Some(before), Some(after)) => [after[0].saturating_sub(before[0]), after[1].saturating_sub(before[1])],
        _ => [exited::UNKNOWN; 2],
    };
    message[exited::READ_CHARS] = read;
    message[exited::WRITTEN_CHARS] = written;
    sys::send_with_fds(CONTROL_FD, &message, &[]);
    sys::exit(0)
}

/// Tells the harness which step failed and ends this process.
fn fail(step: u64, errno: i32) -> ! {
    sys::send_with_fds(CONTROL_FD, &[MAGIC, proto::FAILED, step, errno.unsigned_abs() as u64], &[]);
    sys::exit(EXIT_ABANDONED)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    sys::exit(EXIT_ABANDONED)
}
