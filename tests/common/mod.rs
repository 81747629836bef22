//! Driving the real program against real sandboxes: a corpus in a temporary directory, a run of
//! `sandsweep` over it as root or as an ordinary user, and what came of it.
#![allow(dead_code, unused_imports, reason = "every test program uses its own part of this")]

mod machine;
mod ran;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Once, Weak};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub use machine::{User, for_each_user, marker, only_as, processes_with, skip, started_as_root, wait_until};
pub use ran::{Case, Ran};

/// No run of the program in these tests may take longer.
const PATIENCE: Duration = Duration::from_secs(90);

/// A directory of scripts, a place for reports beside it, and the user who sweeps it.
pub struct Corpus {
    /// Who runs the program.
    pub user: User,
    /// The directory that is swept.
    pub dir: PathBuf,
    /// Where reports go.
    pub reports: PathBuf,
    /// Holds both; nobody but the user can enter it.
    pub home: TempDir,
    program: Arc<Program>,
    runs: Cell<u32>,
}

impl Corpus {
    /// An empty one.
    pub fn new(user: User) -> Self {
        interpreters_are_here();
        let home = tempfile::Builder::new().prefix("sandsweep-it-").tempdir_in("/tmp").unwrap();
        user.owns(home.path());
        let dir = home.path().join("corpus");
        std::fs::create_dir(&dir).unwrap();
        user.owns(&dir);
        let reports = home.path().join("reports");
        Self { user, dir, reports, home, program: program(), runs: Cell::new(0) }
    }

    /// Adds a script. A text that starts with a newline loses it and the common indentation.
    pub fn script(&self, name: &str, text: &str) -> &Self {
        self.named(name.as_bytes(), text)
    }

    /// As [`Corpus::script`], under a name of any bytes.
    pub fn named(&self, name: &[u8], text: &str) -> &Self {
        self.file(name, unindented(text).as_bytes(), 0o644)
    }

    /// Adds a file with these bytes and this mode.
    pub fn file(&self, name: &[u8], content: &[u8], mode: u32) -> &Self {
        let path = self.dir.join(OsStr::from_bytes(name));
        self.directory(path.parent().unwrap());
        std::fs::write(&path, content).unwrap_or_else(|why| panic!("cannot write {}: {why}", path.display()));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        self.user.owns(&path);
        self
    }

    /// The swept directory's `sandsweep.toml`.
    pub fn config(&self, text: &str) -> &Self {
        self.script("sandsweep.toml", text)
    }

    /// A directory, with those above it.
    pub fn directory(&self, path: &Path) -> PathBuf {
        let path = self.dir.join(path);
        if !path.exists() {
            self.directory(path.parent().unwrap());
            std::fs::create_dir(&path).unwrap();
            self.user.owns(&path);
        }
        path
    }

    /// The path of a file of the corpus, as an argument.
    pub fn path(&self, name: &str) -> String {
        self.dir.join(name).to_str().unwrap().to_owned()
    }

    /// `sandsweep` with these arguments and nothing else, to be run by the user.
    pub fn command(&self, args: &[&str]) -> Command {
        self.through(&[], args)
    }

    /// `sandsweep run` over the corpus, with its reports beside it.
    pub fn sweep(&self, args: &[&str]) -> Command {
        self.command(&self.sweep_args(args))
    }

    /// As [`Corpus::sweep`], started by another program that is given the command.
    pub fn sweep_through(&self, starter: &[&str], args: &[&str]) -> Command {
        self.through(starter, &self.sweep_args(args))
    }

    /// `sandsweep` with these arguments, started by another program that is given the command.
    pub fn through(&self, starter: &[&str], args: &[&str]) -> Command {
        let mut words = starter.iter().map(OsString::from).collect::<Vec<_>>();
        words.push(self.program.path.clone().into());
        words.extend(args.iter().map(OsString::from));
        let mut command = self.user.command(&words[0]);
        command.args(&words[1..]).current_dir(self.home.path()).stdin(Stdio::null());
        for changes_output in ["CI", "GITHUB_ACTIONS", "TF_BUILD", "NO_COLOR", "CLICOLOR_FORCE"] {
            command.env_remove(changes_output);
        }
        command
    }

    fn sweep_args<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        let mut all = vec!["run", self.dir.to_str().unwrap(), "--reports", self.reports.to_str().unwrap()];
        all.extend(args);
        all
    }

    /// Sweeps the corpus.
    pub fn run(&self, args: &[&str]) -> Ran {
        self.finish(self.sweep(args))
    }

    /// Runs one script of the corpus.
    pub fn run_script(&self, name: &str, args: &[&str]) -> Ran {
        let path = self.path(name);
        let mut all = vec!["run", &path, "--reports", self.reports.to_str().unwrap()];
        all.extend(args);
        self.finish(self.command(&all))
    }

    /// Sweeps the corpus and does not wait for the end.
    pub fn start(&self, args: &[&str]) -> Running<'_> {
        self.spawn(self.sweep(args))
    }

    /// Runs a command to its end.
    pub fn finish(&self, command: Command) -> Ran {
        self.spawn(command).finish()
    }

    /// Runs a command; what it prints goes to files.
    pub fn spawn(&self, mut command: Command) -> Running<'_> {
        let number = self.runs.replace(self.runs.get() + 1);
        let output = |stream: &str| self.home.path().join(format!("{stream}-{number}"));
        let outputs = [output("stdout"), output("stderr")];
        command.stdout(File::create(&outputs[0]).unwrap()).stderr(File::create(&outputs[1]).unwrap());
        let before = self.sweeps();
        let child = command.spawn().unwrap_or_else(|why| panic!("cannot start {command:?}: {why}"));
        Running { child, corpus: self, outputs, before, finished: false }
    }

    /// Names of the sweeps in the reports directory.
    pub fn sweeps(&self) -> BTreeSet<OsString> {
        let Ok(entries) = std::fs::read_dir(&self.reports) else { return BTreeSet::new() };
        entries
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().unwrap().is_dir())
            .map(|entry| entry.file_name())
            .collect()
    }

    /// Where `latest` leads.
    pub fn latest(&self) -> Option<OsString> {
        std::fs::read_link(self.reports.join("latest")).ok().map(OsString::from)
    }
}

/// A run that has not ended yet. Nothing of it is left when this goes.
pub struct Running<'a> {
    /// The program.
    pub child: Child,
    corpus: &'a Corpus,
    outputs: [PathBuf; 2],
    before: BTreeSet<OsString>,
    finished: bool,
}

impl Running<'_> {
    /// Sends a signal to the program.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.child.id().cast_signed()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits for the end.
    pub fn finish(mut self) -> Ran {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "sandsweep has not ended within {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(5));
        };
        self.finished = true;
        let text = |path: &Path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        let new: Vec<_> = self.corpus.sweeps().difference(&self.before).cloned().collect();
        assert!(new.len() <= 1, "one run has made several sweeps: {new:?}");
        Ran {
            status,
            code: status.code(),
            stdout: text(&self.outputs[0]),
            stderr: text(&self.outputs[1]),
            sweep: new.first().map(|name| self.corpus.reports.join(name)),
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.finished {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The program under test, where every user can start it.
struct Program {
    path: PathBuf,
    _home: Option<TempDir>,
}

/// Started as root, a copy: the build may lie where only root can go. It is there as long as a
/// corpus is.
fn program() -> Arc<Program> {
    static SHARED: Mutex<Weak<Program>> = Mutex::new(Weak::new());
    let built = Path::new(env!("CARGO_BIN_EXE_sandsweep"));
    if !started_as_root() {
        return Arc::new(Program { path: built.to_owned(), _home: None });
    }
    let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(program) = shared.upgrade() {
        return program;
    }
    let home = tempfile::Builder::new().prefix("sandsweep-bin-").tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = home.path().join("sandsweep");
    // Not copied by this process: another thread that forks meanwhile would hold the copy open for
    // writing, and then it could not be executed (ETXTBSY).
    let done = Command::new("install").args(["-m", "755"]).args([built, &path]).status().unwrap();
    assert!(done.success(), "cannot copy {} to {}", built.display(), path.display());
    let program = Arc::new(Program { path, _home: Some(home) });
    *shared = Arc::downgrade(&program);
    program
}

/// These tests are about scripts that must run, so a missing interpreter is a failure.
fn interpreters_are_here() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for program in ["python3", "sh", "bash"] {
            let found = ["/usr/local/bin", "/usr/bin", "/bin"].iter().any(|dir| Path::new(dir).join(program).exists());
            assert!(found, "these tests need {program} in /usr/bin; install it");
        }
    });
}

/// A text that starts with a newline, without it and without the common indentation.
pub fn unindented(text: &str) -> String {
    let Some(text) = text.strip_prefix('\n') else { return text.to_owned() };
    let margin = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    text.lines().fold(String::new(), |lines, line| lines + line.get(margin..).unwrap_or_default() + "\n")
}
