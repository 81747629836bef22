//! One look at all processes of a sandbox, through the sandbox's own procfs.
//!
//! The directory descriptor comes from inside the sandbox: it lists exactly the processes of its
//! pid namespace, orphans and daemons included, so no walk over parents is needed and no process
//! of the host can be mistaken for one of the sandbox.

use std::collections::HashMap;
use std::ffi::CStr;
use std::io::Cursor;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use procfs::FromRead;
use procfs::process::{Io, Stat, StatM};
use rustix::fs::{Mode, OFlags, RawDir, SeekFrom};

/// The process tree at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    /// CPU of the tree so far, ended and reaped processes included.
    pub cpu_s: f64,
    /// Resident memory of the tree, with what processes share counted once as well as it is known:
    /// see [`Sampler`].
    pub memory_bytes: u64,
    /// Processes but the sandbox's pid 1, zombies included.
    pub processes: u64,
    /// Threads of those.
    pub threads: u64,
    /// Bytes asked for by read-like calls so far.
    pub read_bytes: u64,
    /// Bytes handed to write-like calls so far.
    pub written_bytes: u64,
    /// Bytes in the sandbox's writable file systems.
    pub disk_bytes: u64,
    /// One of them has no block left.
    pub disk_full: bool,
    /// Files and directories in them.
    pub files: u64,
}

/// Looks at one sandbox.
///
/// **Memory.** `statm` is cheap and counts a page that processes share once for each of them. The
/// proportional set size of `smaps_rollup` counts it once, and is dear, because the kernel walks
/// the page tables. So a tree of several processes is asked for it now and then, for at most a
/// twentieth of the time, and in between the sum of `statm` is scaled by what it showed.
///
/// **CPU.** The kernel adds the times of a child to its parent when the parent waits for it, but
/// drops them when the parent ignores SIGCHLD. So the times of every process that was seen are
/// also added up here, and the larger of the two sums is the truer one.
#[derive(Debug)]
pub struct Sampler {
    proc: OwnedFd,
    file_systems: Vec<OwnedFd>,
    page_size: u64,
    tick_s: f64,
    seen: Sample,
    buffer: Vec<u8>,
    /// Own times of the processes that were there at the last look, by pid and start time: a pid
    /// alone may be another process by now.
    alive_s: HashMap<(u32, u64), f64>,
    /// Own times, when last seen, of processes that are gone.
    gone_s: f64,
    /// Proportional set size over the sum of `statm`, when last asked for, and when to ask again.
    proportion: f64,
    proportion_due: Instant,
    /// What pid 1 had read and written itself before the script started.
    init_io: Option<(u64, u64)>,
    init_cpu_s: f64,
}

impl Sample {
    fn take_disk(&mut self, file_systems: &[OwnedFd]) {
        for file_system in file_systems {
            if let Ok(stat) = rustix::fs::fstatfs(file_system) {
                let block = stat.f_bsize.cast_unsigned();
                self.disk_bytes += stat.f_blocks.saturating_sub(stat.f_bfree) * block;
                self.disk_full |= stat.f_blocks > 0 && stat.f_bavail == 0;
                self.files += stat.f_files.saturating_sub(stat.f_ffree);
            }
        }
    }
}

/// Pid of the sandbox's init, whose own use is not the script's.
const INIT: u32 = 1;

impl Sampler {
    /// `proc` is the sandbox's `/proc`; `file_systems` are directories on its writable ones.
    pub fn new(proc: OwnedFd, file_systems: Vec<OwnedFd>) -> Self {
        let mut sampler = Self {
            proc,
            file_systems,
            page_size: rustix::param::page_size() as u64,
            tick_s: 1.0 / rustix::param::clock_ticks_per_second() as f64,
            seen: Sample::default(),
            buffer: Vec::with_capacity(8 << 10),
            alive_s: HashMap::new(),
            gone_s: 0.0,
            proportion: 1.0,
            proportion_due: Instant::now(),
            init_io: None,
            init_cpu_s: 0.0,
        };
        sampler.init_cpu_s = sampler.cpu_of_init_s();
        sampler.init_io = sampler.read::<Io>(c"1/io").map(|io| (io.rchar, io.wchar));
        sampler
    }

    /// Looks now. Processes that vanish under the look, files that cannot be read and texts that
    /// make no sense are passed over; counters never go back.
    pub fn look(&mut self) -> Sample {
        let mut now = Sample::default();
        let mut alive_s = HashMap::with_capacity(self.alive_s.len());
        for pid in self.pids() {
            // A pid that is reused between two of these files belongs to the same sandbox; the
            // sums stay sums of what is there.
            if !self.fill(&pid_file(pid, "stat")) {
                continue;
            }
            let Some(stat) = parse_stat(&self.buffer) else { continue };
            let children_s = (stat.cutime.max(0) + stat.cstime.max(0)) as f64 * self.tick_s;
            if pid == INIT {
                // Its own time since the script started is the script's doing: it sleeps otherwise.
                now.cpu_s += children_s + (self.cpu_of_init_s() - self.init_cpu_s).max(0.0);
                if let (Some(io), Some(before)) = (self.read::<Io>(c"1/io"), self.init_io) {
                    now.read_bytes += io.rchar.saturating_sub(before.0);
                    now.written_bytes += io.wchar.saturating_sub(before.1);
                }
                continue;
            }
            now.processes += 1;
            now.threads += stat.num_threads.max(0).cast_unsigned();
            let own_s = self.own_cpu_s(pid, &stat);
            now.cpu_s += children_s + own_s;
            alive_s.insert((pid, stat.starttime), own_s);
            // A zombie has no memory and no files left.
            if stat.state == 'Z' || stat.state == 'X' {
                continue;
            }
            if let Some(memory) = self.read::<StatM>(&pid_file(pid, "statm")) {
                now.memory_bytes += memory.resident * self.page_size;
            }
            // Not readable for a process that made itself undumpable, unless we are privileged.
            if let Some(io) = self.read::<Io>(&pid_file(pid, "io")) {
                now.read_bytes += io.rchar;
                now.written_bytes += io.wchar;
            }
        }
        now.memory_bytes = self.proportioned(now.memory_bytes, now.processes);
        now.take_disk(&self.file_systems);

        self.gone_s += self.alive_s.iter().filter(|(key, _)| !alive_s.contains_key(key)).map(|(_, s)| s).sum::<f64>();
        let seen_s = self.gone_s + alive_s.values().sum::<f64>();
        self.alive_s = alive_s;
        now.cpu_s = now.cpu_s.max(seen_s).max(self.seen.cpu_s);
        now.read_bytes = now.read_bytes.max(self.seen.read_bytes);
        now.written_bytes = now.written_bytes.max(self.seen.written_bytes);
        self.seen = now;
        now
    }

    /// The sum of `statm` over a tree, brought down to what the tree really holds.
    fn proportioned(&mut self, sum: u64, processes: u64) -> u64 {
        if processes < 2 {
            return sum;
        }
        let now = Instant::now();
        if now >= self.proportion_due
            && let Some(exact) = self.proportional_memory_bytes()
        {
            self.proportion = (exact as f64 / sum.max(1) as f64).min(1.0);
            self.proportion_due = now + now.elapsed() * 20;
        }
        (sum as f64 * self.proportion) as u64
    }

    /// Proportional set size of the tree: private memory, and of what is shared its share. Exact,
    /// and dear: the kernel walks the page tables. `None` where the kernel does not offer it.
    pub fn proportional_memory_bytes(&mut self) -> Option<u64> {
        let mut total = None;
        for pid in self.pids() {
            if pid != INIT && self.fill(&pid_file(pid, "smaps_rollup")) {
                let text = String::from_utf8_lossy(&self.buffer);
                let kib = text
                    .lines()
                    .find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
                total = total.or(Some(0)).map(|sum| sum + kib.unwrap_or(0) * 1024);
            }
        }
        total
    }

    /// What is in the writable file systems; also after every process is gone.
    pub fn disk(&self) -> Sample {
        let mut sample = Sample::default();
        sample.take_disk(&self.file_systems);
        sample
    }

    /// The time of pid 1 itself, which has one thread.
    fn cpu_of_init_s(&mut self) -> f64 {
        if self.fill(c"1/schedstat") { first_number(&self.buffer).unwrap_or(0) as f64 / 1e9 } else { 0.0 }
    }

    /// The time of a process's own threads. `schedstat` has nanoseconds but only for the first
    /// thread; `stat` has all threads but only clock ticks.
    fn own_cpu_s(&mut self, pid: u32, stat: &Stat) -> f64 {
        let ticks_s = (stat.utime + stat.stime) as f64 * self.tick_s;
        if stat.num_threads != 1 || !self.fill(&pid_file(pid, "schedstat")) {
            return ticks_s;
        }
        first_number(&self.buffer).map_or(ticks_s, |ns| ticks_s.max(ns as f64 / 1e9))
    }

    fn pids(&self) -> Vec<u32> {
        let mut pids = Vec::new();
        if rustix::fs::seek(&self.proc, SeekFrom::Start(0)).is_err() {
            return pids;
        }
        let mut buffer = [MaybeUninit::<u8>::uninit(); 4096];
        let mut entries = RawDir::new(self.proc.as_fd(), &mut buffer);
        while let Some(Ok(entry)) = entries.next() {
            if let Some(pid) = entry.file_name().to_str().ok().and_then(|name| name.parse().ok()) {
                pids.push(pid);
            }
        }
        pids
    }

    fn read<T: FromRead>(&mut self, file: &CStr) -> Option<T> {
        if !self.fill(file) {
            return None;
        }
        T::from_read(Cursor::new(&self.buffer[..])).ok()
    }

    /// Reads a file of the sandbox's procfs into the buffer.
    fn fill(&mut self, file: &CStr) -> bool {
        self.buffer.clear();
        let proc: BorrowedFd = self.proc.as_fd();
        let Ok(fd) = rustix::fs::openat(proc, file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) else {
            return false;
        };
        let mut chunk = [0u8; 4096];
        loop {
            match rustix::io::read(&fd, &mut chunk) {
                Ok(0) => return !self.buffer.is_empty(),
                Ok(n) => self.buffer.extend_from_slice(&chunk[..n]),
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }
}

/// Reads `PID (comm) state …`; `None` when it does not look like that. The command name is the
/// script's choice and may hold anything, parentheses and spaces included (proc_pid_stat(5)): what
/// counts is the last `)`. The crate's parser finds it too, and panics on a text without this shape.
fn parse_stat(text: &[u8]) -> Option<Stat> {
    let open = text.iter().position(|&byte| byte == b'(')?;
    let close = text.iter().rposition(|&byte| byte == b')')?;
    let before = open >= 2 && text[0].is_ascii_digit() && text[open - 1] == b' ';
    let after = matches!(text.get(close + 1..close + 3), Some([b' ', state]) if state.is_ascii_alphabetic());
    if open > close || !before || !after {
        return None;
    }
    Stat::from_read(Cursor::new(text)).ok()
}

fn first_number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.split_ascii_whitespace().next()?.parse().ok()
}

/// `PID/name` as a C string.
fn pid_file(pid: u32, name: &str) -> std::ffi::CString {
    std::ffi::CString::new(format!("{pid}/{name}")).expect("no NUL in a number and a file name")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_hostile_command_name_does_not_shift_the_fields() {
        let text = "7 (x) R 1 () S 1 7 7 0 -1 4194304 95 0 0 0 11 22 33 44 20 0 5 0 1000 8192 77 18446744073709551615 \
                    1 1 0 0 0 0 0 0 65536 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0";
        let stat = parse_stat(text.as_bytes()).unwrap();
        assert_eq!((stat.state, stat.utime, stat.cutime, stat.num_threads), ('S', 11, 33, 5));
        assert_eq!(stat.comm, "x) R 1 (");
    }

    #[test]
    fn we_can_look_at_ourselves() {
        let proc = rustix::fs::open("/proc", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
        let tmp = rustix::fs::open("/dev/shm", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
        let mut sampler = Sampler::new(proc, vec![tmp]);
        let sample = sampler.look();
        assert!(sample.processes > 0 && sample.threads >= sample.processes && sample.memory_bytes > 0);
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_passed_over_without_panic(text in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse_stat(&text);
            let _ = parse_stat(&[b"7 (", &text[..], b") "].concat());
            let _ = StatM::from_read(Cursor::new(&text[..]));
            let _ = Io::from_read(Cursor::new(&text[..]));
        }

        #[test]
        fn any_command_name_is_kept_apart(comm in proptest::collection::vec(1u8.., 0..16)) {
            let mut text = b"7 (".to_vec();
            text.extend_from_slice(&comm);
            text.extend_from_slice(b") S 1 7 7 0 -1 4194304 95 0 0 0 11 22 33 44 20 0 5 0 1000 8192 77 1 1 1 0 0 0 0 0 0 \
                65536 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0");
            let stat = parse_stat(&text).unwrap();
            prop_assert_eq!((stat.state, stat.utime, stat.num_threads), ('S', 11, 5));
        }
    }
}
