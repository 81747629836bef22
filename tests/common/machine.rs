//! Users and processes of the machine the tests run on.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Who starts the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    /// Uid 0.
    Root,
    /// Somebody without rights.
    Ordinary,
}

/// The ordinary user's uid and gid when the tests were started as root. No account has it.
const ORDINARY: u32 = 65532;

impl User {
    /// The kernel's uid.
    pub fn uid(self) -> u32 {
        match self {
            Self::Root => 0,
            Self::Ordinary if started_as_root() => ORDINARY,
            Self::Ordinary => own_uid(),
        }
    }

    /// A command that this user runs, with no other groups than their own.
    pub fn command(self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        if self.uid() != own_uid() {
            command.uid(self.uid()).gid(self.uid());
        }
        command
    }

    /// Gives a file to this user.
    pub fn owns(self, path: &Path) {
        if self.uid() != own_uid() {
            std::os::unix::fs::lchown(path, Some(self.uid()), Some(self.uid())).unwrap();
        }
    }
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether the tests run as root, and so can be any user.
pub fn started_as_root() -> bool {
    own_uid() == 0
}

/// Checks a claim as root and as an ordinary user. Started as an ordinary user, only as that one.
pub fn for_each_user(claim: impl Fn(User)) {
    static ONCE: Once = Once::new();
    if started_as_root() {
        eprintln!("as root:");
        claim(User::Root);
    } else {
        ONCE.call_once(|| {
            say(&format!("skipped as root, all tests of this program: they were started with uid {}", own_uid()));
        });
    }
    eprintln!("as an ordinary user:");
    claim(User::Ordinary);
}

/// Checks a claim that makes sense for one kind of user only.
pub fn only_as(user: User, why: &str, claim: impl Fn(User)) {
    if user == User::Root && !started_as_root() {
        skip(&format!("it is about root ({why}), and the tests were started with uid {}", own_uid()));
    } else {
        claim(user);
    }
}

/// Says that this test, or a part of it, does not run.
pub fn skip(why: &str) {
    let thread = std::thread::current();
    say(&format!("skipped {}: {why}", thread.name().unwrap_or("a check")));
}

/// Past the test harness, which keeps back what a passing test prints.
fn say(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// A word that no other process has in its command line.
pub fn marker() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    format!("marker-{}-{}-{now:x}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Pids of all processes of the machine with this word in their command line.
pub fn processes_with(marker: &str) -> Vec<u32> {
    let has_it = |pid: u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.windows(marker.len()).any(|part| part == marker.as_bytes())
    };
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|&pid| has_it(pid))
        .collect()
}

/// Waits until something is so.
#[track_caller]
pub fn wait_until(what: &str, patience: Duration, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + patience;
    while !is_so() {
        assert!(Instant::now() < deadline, "not within {patience:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
