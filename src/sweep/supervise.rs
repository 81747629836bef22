//! One script from its first instruction to the last of its processes: a single poll loop over
//! its output, its pid 1, the order to stop, and the next deadline. It never waits for a newline
//! or for the end of a stream, and nothing a script does makes it wait beyond a deadline.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

use super::cancel::Cancel;
use super::capture::Capture;
use super::outcome::{LimitKind, Outcome, Termination};
use crate::config::{Limits, Sampling};
use crate::sandbox::{Child, Control, Exit, Message, Prepared};
use crate::trace::{Figure, Point, Provenance, Sample, Sampler, Series, Usage};
use crate::units::Bytes;

/// How long pid 1 may take to kill and reap everything before the kernel does it for us. What a
/// killed tree used is known only if pid 1 gets to reap it, so it gets most of the 100 ms that
/// teardown may take.
const REAP_GRACE: Duration = Duration::from_millis(80);
/// Longest we wait for the kernel to take a killed sandbox down before we say that it is stuck.
const TEARDOWN_LIMIT: Duration = Duration::from_secs(20);
/// What an empty file costs the kernel, about: a tmpfs of limited size takes any number of them, so
/// the disk limit stands for so many files as well.
const BYTES_PER_FILE: u64 = 1 << 10;
/// Most chunks read from one stream before the clock is looked at again.
const CHUNKS_PER_TURN: usize = 8;

/// Cores that this process may use. Asked once: the answer comes from cgroup files.
static CORES: LazyLock<f64> = LazyLock::new(|| std::thread::available_parallelism().map_or(1.0, |n| n.get() as f64));

/// Which output stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Sees output as it comes, in pieces of any size.
pub trait Watcher {
    /// The script printed this.
    fn output(&self, stream: Stream, chunk: &[u8]);
}

/// How a run is watched.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// What may be used.
    pub limits: &'a Limits,
    /// When we look.
    pub sampling: Sampling,
    /// How much of each stream is kept.
    pub keep_output: Bytes,
    /// Raised when everything is to stop.
    pub cancel: &'a Cancel,
    /// Wants to see output live.
    pub watcher: Option<&'a (dyn Watcher + Sync)>,
}

/// An outcome, and when the script started.
#[derive(Debug)]
pub struct Supervised {
    /// The facts.
    pub outcome: Outcome,
    /// When the word to start was given.
    pub started: Instant,
    /// The empty sandbox, which the kernel takes down.
    pub departing: Departing,
}

/// A sandbox in which nothing but its pid 1 is left, and that is on its way out. Taking the
/// namespaces down is mostly waiting for the kernel, which need not hold a worker up.
#[derive(Debug)]
pub struct Departing {
    bwrap: Child,
    pid1: OwnedFd,
}

impl Departing {
    /// Waits until it is gone; false when the kernel does not manage.
    pub fn wait(mut self) -> bool {
        let mut pid1 = [PollFd::new(&self.pid1, PollFlags::IN)];
        let timeout = Timespec { tv_sec: TEARDOWN_LIMIT.as_secs().cast_signed(), tv_nsec: 0 };
        let gone = loop {
            match rustix::event::poll(&mut pid1, Some(&timeout)) {
                Err(rustix::io::Errno::INTR) => {}
                other => break other.is_ok_and(|ready| ready > 0),
            }
        };
        // Nothing is left for the outer bwrap to wait for. One that hangs is left to init.
        if gone {
            self.bwrap.wait();
        }
        gone
    }
}

/// Starts the script of a prepared sandbox and stays with it until no process of it is left.
pub fn supervise(prepared: Prepared, watch: Watch) -> Supervised {
    let Prepared { bwrap, control, ready, stdout, stderr, rlimits, .. } = prepared;
    let sampler = Sampler::new(ready.proc, vec![ready.work, ready.tmp, ready.shm]);
    for stream in [&stdout, &stderr] {
        // A pipe that blocks would let a script hold us up. This cannot fail on a pipe of ours.
        let _ = rustix::io::ioctl_fionbio(stream, true);
    }
    let started = Instant::now();
    let go = control.go(&rlimits);
    let mut run = Run {
        watch,
        started,
        control,
        control_open: true,
        pid1: ready.pid1,
        streams: [
            Reading { fd: Some(stdout), capture: Capture::new(watch.keep_output.0 as usize) },
            Reading { fd: Some(stderr), capture: Capture::new(watch.keep_output.0 as usize) },
        ],
        sampler,
        series: Series::default(),
        last: Sample::default(),
        last_at: started,
        peak: Peak::default(),
        next_look: started + watch.sampling.first,
        killed: None,
        killed_at: None,
        descent: Descent::NotYet,
        exit: None,
        not_started: go.err().map(|why| format!("cannot start the script: the sandbox's init is gone: {why}")),
        cancel_seen: false,
    };
    if run.not_started.is_some() {
        run.force();
    }
    run.until_gone();
    run.finish(bwrap)
}

struct Reading {
    fd: Option<OwnedFd>,
    capture: Capture,
}

/// The largest of what was seen.
#[derive(Default)]
struct Peak {
    memory_bytes: u64,
    processes: u64,
    threads: u64,
    disk_bytes: u64,
    disk_full: bool,
}

/// The way down, once the script has ended or we have decided to end it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Descent {
    /// The script runs.
    NotYet,
    /// Pid 1 has until then to reap everything and to go.
    Orderly(Instant),
    /// Pid 1 was killed; the kernel has until then.
    Forced(Instant),
    /// The kernel did not manage: a process hangs in it.
    Stuck,
}

struct Run<'a> {
    watch: Watch<'a>,
    started: Instant,
    control: Control,
    control_open: bool,
    pid1: OwnedFd,
    streams: [Reading; 2],
    sampler: Sampler,
    series: Series,
    last: Sample,
    last_at: Instant,
    peak: Peak,
    next_look: Instant,
    killed: Option<Termination>,
    killed_at: Option<Instant>,
    descent: Descent,
    exit: Option<Exit>,
    not_started: Option<String>,
    cancel_seen: bool,
}

impl Run<'_> {
    /// The loop: until nothing of the script is left. Either pid 1 says that it has reaped every
    /// other process of its namespace, and then nobody is left who could start another; or it is
    /// dead itself, which the kernel lets it be only after all others (pid_namespaces(7)).
    fn until_gone(&mut self) {
        let mut gone = false;
        while !gone && self.exit.is_none() && self.descent != Descent::Stuck {
            let events = self.wait();
            if events.control {
                self.hear();
            }
            for index in 0..self.streams.len() {
                if events.streams[index] {
                    self.read(index);
                }
            }
            if events.cancel && !self.cancel_seen {
                self.cancel_seen = true;
                self.kill(LimitKind::Cancelled, None, None);
            }
            self.keep_deadlines();
            gone = events.pid1;
        }
        if gone && self.exit.is_none() {
            self.hear();
        }
        // What is still in the pipes; there is no writer left to add to it.
        for index in 0..self.streams.len() {
            while self.streams[index].fd.is_some() && self.read(index) {}
        }
    }

    fn wait(&self) -> Events {
        let sources: [Option<BorrowedFd>; 5] = [
            Some(self.pid1.as_fd()),
            self.control_open.then(|| self.control.as_fd()),
            (!self.cancel_seen).then(|| self.watch.cancel.as_fd()),
            self.streams[0].fd.as_ref().map(AsFd::as_fd),
            self.streams[1].fd.as_ref().map(AsFd::as_fd),
        ];
        let mut fds: Vec<PollFd> =
            sources.iter().flatten().map(|&fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        let left = self.next_deadline().saturating_duration_since(Instant::now());
        let timeout = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        // An interrupted or refused wait is a wait that saw nothing; the clock is looked at next.
        let _ = rustix::event::poll(&mut fds, Some(&timeout));
        let mut answers = fds.iter().map(|fd| !fd.revents().is_empty());
        let [pid1, control, cancel, stdout, stderr] =
            sources.map(|source| source.is_some() && answers.next().unwrap_or(false));
        Events { pid1, control, cancel, streams: [stdout, stderr] }
    }

    fn next_deadline(&self) -> Instant {
        match self.descent {
            Descent::NotYet => self.next_look.min(self.started + self.watch.limits.wall_time.0),
            Descent::Orderly(by) | Descent::Forced(by) => by,
            Descent::Stuck => Instant::now(),
        }
    }

    /// What is due by the clock.
    fn keep_deadlines(&mut self) {
        let now = Instant::now();
        match self.descent {
            Descent::NotYet => {
                if now >= self.next_look {
                    self.look(now);
                }
                let elapsed = now - self.started;
                if elapsed >= self.watch.limits.wall_time.0 {
                    let allowed = self.watch.limits.wall_time.0.as_secs_f64();
                    self.kill(LimitKind::WallTime, Some((elapsed.as_secs_f64(), allowed)), None);
                }
            }
            Descent::Orderly(by) if now >= by => self.force(),
            Descent::Forced(by) if now >= by => self.descent = Descent::Stuck,
            _ => {}
        }
    }

    /// Looks at the process tree, keeps what was seen and enforces what depends on it.
    fn look(&mut self, now: Instant) {
        let sample = self.sampler.look();
        let (cpu_rate, memory_rate) = self.record(now, sample);
        let limits = self.watch.limits;
        let cpu_limit = limits.cpu_time.0.as_secs_f64();
        if sample.cpu_s >= cpu_limit {
            self.kill(LimitKind::CpuTime, Some((sample.cpu_s, cpu_limit)), None);
            return;
        }
        if sample.memory_bytes > limits.memory.0 {
            // Pages that a fork shares are counted more than once in the quick sum. Before we end a
            // script for it, the exact figure is asked for.
            let exact = if sample.processes > 1 { self.sampler.proportional_memory_bytes() } else { None };
            let memory = exact.unwrap_or(sample.memory_bytes);
            if memory > limits.memory.0 {
                self.peak.memory_bytes = self.peak.memory_bytes.max(memory);
                self.kill(LimitKind::Memory, Some((memory as f64, limits.memory.0 as f64)), None);
                return;
            }
        } else {
            self.peak.memory_bytes = self.peak.memory_bytes.max(sample.memory_bytes);
        }
        let files_allowed = limits.disk.0 / BYTES_PER_FILE;
        if sample.files > files_allowed {
            let seen = Some((sample.files as f64, files_allowed as f64));
            self.kill(LimitKind::Disk, seen, Some("files".to_owned()));
            return;
        }
        self.next_look = now + self.interval(now, sample, cpu_rate, memory_rate);
    }

    /// Adds a sample to the series; CPU in cores and growth of memory in bytes per second since
    /// the sample before.
    fn record(&mut self, now: Instant, sample: Sample) -> (f64, f64) {
        let since = (now - self.last_at).as_secs_f64().max(1e-6);
        let cpu_rate = (sample.cpu_s - self.last.cpu_s).max(0.0) / since;
        let memory_rate = (sample.memory_bytes as f64 - self.last.memory_bytes as f64) / since;
        self.series.push(Point {
            t_s: (now - self.started).as_secs_f64(),
            cpu_percent: cpu_rate * 100.0,
            memory_bytes: sample.memory_bytes,
            processes: sample.processes,
            threads: sample.threads,
            read_bytes: sample.read_bytes,
            written_bytes: sample.written_bytes,
        });
        self.peak.processes = self.peak.processes.max(sample.processes);
        self.peak.threads = self.peak.threads.max(sample.threads);
        self.peak.disk_bytes = self.peak.disk_bytes.max(sample.disk_bytes);
        self.peak.disk_full |= sample.disk_full;
        self.last = sample;
        self.last_at = now;
        (cpu_rate, memory_rate)
    }

    /// When to look again: often at first, then a twentieth of the time that has passed, and
    /// sooner where a limit could be reached before that.
    fn interval(&self, now: Instant, sample: Sample, cpu_rate: f64, memory_rate: f64) -> Duration {
        let Sampling { first, largest } = self.watch.sampling;
        let elapsed = now - self.started;
        let mut next = (elapsed / 20).clamp(first, largest);
        let limits = self.watch.limits;
        let soonest = Duration::from_millis(1);
        // Every thread can use one core at most, and there are only so many cores; a tree that has
        // been idle may start to burn at any time, but then it must first fall behind its limit.
        let could_use = (sample.threads.max(1) as f64).min(*CORES).max(cpu_rate);
        let cpu_left = limits.cpu_time.0.as_secs_f64() - sample.cpu_s;
        next = next.min(seconds(cpu_left / could_use).max(soonest));
        if memory_rate > 0.0 {
            let memory_left = limits.memory.0 as f64 - sample.memory_bytes as f64;
            next = next.min(seconds(memory_left / memory_rate / 2.0).max(soonest));
        }
        if sample.memory_bytes > limits.memory.0 / 2 {
            next = next.min(first);
        }
        next
    }

    /// Reads what there is of one stream, up to a bound; false when there is nothing more.
    fn read(&mut self, index: usize) -> bool {
        let stream = [Stream::Stdout, Stream::Stderr][index];
        let mut buffer = [0u8; 64 << 10];
        for _ in 0..CHUNKS_PER_TURN {
            let Some(fd) = &self.streams[index].fd else { return false };
            match rustix::io::read(fd, &mut buffer) {
                Ok(0) => {
                    self.streams[index].fd = None;
                    return false;
                }
                Ok(n) => {
                    self.streams[index].capture.push(&buffer[..n]);
                    if let Some(watcher) = self.watch.watcher {
                        watcher.output(stream, &buffer[..n]);
                    }
                    let (allowed, name) = match stream {
                        Stream::Stdout => (self.watch.limits.stdout, "stdout"),
                        Stream::Stderr => (self.watch.limits.stderr, "stderr"),
                    };
                    let bytes = self.streams[index].capture.bytes();
                    if bytes > allowed.0 {
                        let seen = Some((bytes as f64, allowed.0 as f64));
                        self.kill(LimitKind::Output, seen, Some(name.to_owned()));
                    }
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => return false,
                Err(_) => {
                    self.streams[index].fd = None;
                    return false;
                }
            }
        }
        true
    }

    fn hear(&mut self) {
        match self.control.receive() {
            Ok(Message::Exited(exit)) => self.exit = Some(exit),
            Ok(Message::Failed(failure)) => self.not_started = Some(failure.to_string()),
            Ok(Message::Ready(_)) => {}
            Ok(Message::Closed) | Err(_) => self.control_open = false,
        }
    }

    /// Ends the script for a reason. The first reason counts; nothing is killed that has ended.
    fn kill(&mut self, limit: LimitKind, seen: Option<(f64, f64)>, detail: Option<String>) {
        if self.killed.is_some() || self.exit.is_some() {
            return;
        }
        let at = Instant::now();
        let termination = Termination::Killed {
            limit,
            observed: seen.map(|(observed, _)| observed),
            allowed: seen.map(|(_, allowed)| allowed),
            detail,
            at_s: (at - self.started).as_secs_f64(),
        };
        self.killed = Some(termination);
        self.killed_at = Some(at);
        if self.descent == Descent::NotYet {
            self.descent = Descent::Orderly(at + REAP_GRACE);
        }
        // Pid 1 reaps what it kills, so the times of the killed processes reach its report.
        if self.control.kill().is_err() {
            self.force();
        }
    }

    /// Kills pid 1, and with it, in the kernel, every process of its namespace.
    fn force(&mut self) {
        let _ = rustix::process::pidfd_send_signal(&self.pid1, rustix::process::Signal::KILL);
        self.descent = Descent::Forced(Instant::now() + TEARDOWN_LIMIT);
    }

    fn finish(mut self, bwrap: Child) -> Supervised {
        let disk = self.sampler.disk();
        self.peak.disk_bytes = self.peak.disk_bytes.max(disk.disk_bytes);
        self.peak.disk_full |= disk.disk_full;

        let termination = self.termination();
        let usage = match &termination {
            Termination::NotStarted { .. } => Usage::unavailable("the script did not run"),
            _ => self.usage(),
        };
        let [stdout, stderr] = self.streams;
        Supervised {
            outcome: Outcome {
                termination,
                usage,
                series: self.series,
                stdout: stdout.capture.finish(),
                stderr: stderr.capture.finish(),
                evidence: Vec::new(),
                disk_was_full: self.peak.disk_full,
                limits: *self.watch.limits,
            },
            started: self.started,
            departing: Departing { bwrap, pid1: self.pid1 },
        }
    }

    fn termination(&mut self) -> Termination {
        if let Some(reason) = self.not_started.take() {
            return Termination::NotStarted { reason };
        }
        if self.descent == Descent::Stuck {
            let reason = "a process of the sandbox hangs in the kernel and cannot be killed; nothing is known of the \
                          case: look for processes in state D";
            return Termination::NotStarted { reason: reason.to_owned() };
        }
        if let Some(termination) = self.killed.take() {
            return termination;
        }
        match self.exit {
            Some(exit) => wait_status(exit.status),
            // Nobody of ours killed pid 1 and it did not report: the machine did (out of memory), or
            // an operator.
            None => Termination::NotStarted {
                reason: "the sandbox was killed from outside before it could report; most likely the machine ran \
                         out of memory (see `dmesg`): lower --jobs or the memory limit"
                    .to_owned(),
            },
        }
    }

    fn usage(&self) -> Usage {
        use Provenance::{Clock, Rusage, Sampled};
        let gone = "pid 1 of the sandbox was killed before it could report";
        let exact = |value: Option<u64>| match value {
            Some(value) => Figure::known(value, Rusage),
            None => Figure::unavailable(gone),
        };
        // Children whose parent ignores SIGCHLD are not in the kernel's sums, so what was seen of
        // them can be more.
        let at_least = |exact: Option<f64>, seen: f64| match exact {
            Some(exact) if exact >= seen - 0.02 => Figure::known(exact, Rusage),
            _ => Figure::known(seen, Sampled),
        };
        let exit = self.exit.as_ref();
        let counted = |exact: Option<u64>, seen: u64| match exact {
            Some(exact) if exact >= seen => Figure::known(exact, Rusage),
            _ => Figure::known(seen, Sampled),
        };
        let looks = self.series.samples() > 0;
        let seen = |value: u64| {
            if looks {
                Figure::known(value, Sampled)
            } else {
                Figure::unavailable("the script ended before the first look")
            }
        };
        let elapsed = || self.killed_at.unwrap_or_else(Instant::now).duration_since(self.started).as_secs_f64();
        let seconds_of = |pick: fn(&Exit) -> Duration| match exit {
            Some(exit) => Figure::known(pick(exit).as_secs_f64(), Rusage),
            None => Figure::unavailable(gone),
        };
        Usage {
            wall_time_s: Figure::known(
                exit.map_or_else(elapsed, |exit| exit.ended.saturating_sub(exit.started).as_secs_f64()),
                Clock,
            ),
            cpu_time_s: at_least(exit.map(|exit| (exit.user + exit.system).as_secs_f64()), self.last.cpu_s),
            cpu_user_s: seconds_of(|exit| exit.user),
            cpu_system_s: seconds_of(|exit| exit.system),
            peak_memory_bytes: counted(exit.map(|exit| exit.max_rss_bytes), self.peak.memory_bytes),
            peak_processes: seen(self.peak.processes),
            peak_threads: seen(self.peak.threads),
            read_bytes: counted(exit.and_then(|exit| exit.read_chars), self.last.read_bytes),
            written_bytes: counted(exit.and_then(|exit| exit.written_chars), self.last.written_bytes),
            peak_disk_bytes: Figure::known(self.peak.disk_bytes, Sampled),
            major_faults: exact(exit.map(|exit| exit.major_faults)),
            involuntary_context_switches: exact(exit.map(|exit| exit.involuntary_switches)),
            left_behind: exact(exit.map(|exit| exit.left_behind)),
        }
    }
}

/// Reads a status of wait(2).
fn wait_status(status: i32) -> Termination {
    let signal = status & 0x7f;
    if signal == 0 { Termination::Exited { code: (status >> 8) & 0xff } } else { Termination::Signaled { signal } }
}

fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value.max(0.0)).unwrap_or(Duration::from_secs(3600))
}

struct Events {
    pid1: bool,
    control: bool,
    cancel: bool,
    streams: [bool; 2],
}
