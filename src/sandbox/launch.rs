//! Setting a sandbox up, up to the moment before the script starts.

use std::ffi::{CString, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use rustix::pipe::PipeFlags;

use super::argv::{
    Argument, DataFile, FixedFile, INIT_PATH, Plan, SystemTree, fixed_files, options, system_trees, to_nul_separated,
};
use super::bwrap::Bwrap;
use super::control::{Control, Message, Ready, proto};
use super::data::SealedFile;
use super::spawn::Child;
use super::staging::Staging;
use super::uid::Uids;
use super::{remedy, rlimits, seccomp};
use crate::config::{Limits, Network, Policy, ReadOnlyBind};

/// The sandbox's pid 1, built by `build.rs`.
const INIT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sandsweep-init"));

/// How long bwrap may take to set a sandbox up.
const SETUP_TIMEOUT: Duration = Duration::from_secs(30);

/// Makes sandboxes: all that they have in common.
#[derive(Debug)]
pub struct Sandboxes {
    bwrap: Bwrap,
    uids: Uids,
    fixed: Vec<FixedFile>,
    system: Vec<SystemTree>,
    sealed: Vec<SealedFile>,
    seccomp: Vec<(Network, SealedFile)>,
    staging: Staging,
    /// Standard input of every script.
    null: OwnedFd,
    /// Keeps the control socket's number taken, so that no descriptor of ours can have it.
    _placeholder: Option<OwnedFd>,
}

/// One sandbox that is wanted.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// Which worker asks: decides the kernel's uid.
    pub slot: u32,
    /// The script's bytes.
    pub script: &'a [u8],
    /// The script's name in the sandbox.
    pub script_name: &'a str,
    /// The command that runs it.
    pub command: &'a [OsString],
    /// What is allowed.
    pub policy: &'a Policy,
    /// Binds that the language needs.
    pub language_binds: &'a [ReadOnlyBind],
    /// How much may be used.
    pub limits: &'a Limits,
}

/// Why a sandbox did not come up. The script has not run.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// A resource of the harness's own is short.
    #[error("cannot prepare the sandbox ({step}): {source}")]
    Prepare {
        /// What was being done.
        step: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// bwrap cannot be started.
    #[error("cannot start {}: {source}", path.display())]
    Spawn {
        /// Where bwrap is.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// bwrap gave up.
    #[error("the sandbox cannot be set up: {message}{}", remedy::of_bwrap_message(message))]
    Bwrap {
        /// What bwrap said, or how it ended.
        message: String,
    },
    /// bwrap did not finish in time.
    #[error("the sandbox was not set up within {} s; bwrap was ended", SETUP_TIMEOUT.as_secs())]
    Timeout,
    /// The init reported a failure.
    #[error("{0}")]
    Init(#[from] super::control::StartFailure),
}

/// A sandbox that stands and waits for the word to start its script.
#[derive(Debug)]
pub struct Prepared {
    /// The outer bwrap.
    pub(crate) bwrap: Child,
    /// To pid 1.
    pub(crate) control: Control,
    /// From inside.
    pub(crate) ready: Ready,
    /// What the script will print.
    pub(crate) stdout: OwnedFd,
    /// What the script will print.
    pub(crate) stderr: OwnedFd,
    /// What the script will be started under.
    pub(crate) rlimits: Vec<(u64, u64)>,
}

impl Sandboxes {
    /// Gathers what all sandboxes have in common.
    ///
    /// # Errors
    /// Out of descriptors or memory.
    pub fn new(bwrap: Bwrap, uids: Uids, staging: Staging) -> Result<Self, LaunchError> {
        let prepare = |step| move |source| LaunchError::Prepare { step, source };
        let placeholder = take_descriptor(proto::CONTROL_FD).map_err(prepare("reserve a descriptor"))?;
        let fixed = fixed_files(INIT);
        let sealed = fixed
            .iter()
            .map(|file| SealedFile::new(file.target, &file.content))
            .collect::<io::Result<_>>()
            .map_err(prepare("keep the files of /etc in memory"))?;
        let seccomp = Network::ALL
            .iter()
            .map(|&network| Ok((network, SealedFile::new("seccomp", &seccomp::program(network))?)))
            .collect::<io::Result<_>>()
            .map_err(prepare("keep the seccomp programs in memory"))?;
        let null = rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| prepare("open /dev/null")(errno.into()))?;
        Ok(Self {
            bwrap,
            uids,
            fixed,
            system: system_trees(),
            sealed,
            seccomp,
            staging,
            null,
            _placeholder: placeholder,
        })
    }

    /// The bwrap in use.
    pub fn bwrap(&self) -> &Bwrap {
        &self.bwrap
    }

    /// The uids in use.
    pub fn uids(&self) -> Uids {
        self.uids
    }

    /// The options that bwrap gets for a sandbox; what it runs comes after them.
    pub fn options(&self, wanted: &Wanted) -> Vec<Argument> {
        options(&Plan {
            policy: wanted.policy,
            language_binds: wanted.language_binds,
            limits: wanted.limits,
            fixed: &self.fixed,
            system: &self.system,
            script_name: wanted.script_name,
            staged: &|path: &Path| self.staging.reachable(path),
        })
    }

    /// Name of a file that is handed over by descriptor, for display.
    pub fn data_name(&self, file: DataFile) -> &str {
        match file {
            DataFile::Script => "script",
            DataFile::Seccomp(_) => "seccomp program",
            DataFile::Fixed(index) => self.fixed[index].target,
        }
    }

    /// Sets a sandbox up and takes it down again, without running anything in it: what can fail
    /// for every case fails here once, before the sweep.
    ///
    /// # Errors
    /// It does not come up.
    pub fn probe(&self) -> Result<(), LaunchError> {
        let (policy, limits) = (Policy::default(), Limits::default());
        let command = [OsString::from("/usr/bin/env")];
        let wanted = Wanted {
            slot: 0,
            script: b"",
            script_name: "main",
            command: &command,
            policy: &policy,
            language_binds: &[],
            limits: &limits,
        };
        self.start(&wanted)?.wait_until_ready()?.discard();
        Ok(())
    }

    /// Starts to set a sandbox up, and does not wait for it. Must be called from a thread that
    /// outlives the case: bwrap ends with the thread that started it (PR_SET_PDEATHSIG, prctl(2)).
    ///
    /// # Errors
    /// bwrap cannot be started.
    pub fn start(&self, wanted: &Wanted) -> Result<Started, LaunchError> {
        let prepare = |step| move |source: io::Error| LaunchError::Prepare { step, source };
        let (control, theirs) = Control::pair().map_err(prepare("make the control socket"))?;
        let (stdout, stdout_end) = pipe().map_err(prepare("make the output pipes"))?;
        let (stderr, stderr_end) = pipe().map_err(prepare("make the output pipes"))?;

        let mut handed_over = Vec::with_capacity(self.sealed.len() + 2);
        let (_, program) =
            self.seccomp.iter().find(|(network, _)| *network == wanted.policy.network).expect("one for each network");
        let program = program.reader().map_err(prepare("hand over the seccomp program"))?;
        let program_number = program.as_raw_fd();
        let script = SealedFile::new("script", wanted.script).map_err(prepare("keep the script in memory"))?;
        let script = script.into_reader().map_err(prepare("keep the script in memory"))?;
        let script_number = script.as_raw_fd();
        for file in &self.sealed {
            handed_over.push(file.reader().map_err(prepare("hand over the files of /etc"))?);
        }
        handed_over.extend([script, program]);
        let arguments = to_nul_separated(&self.options(wanted), |file| match file {
            DataFile::Script => script_number,
            DataFile::Seccomp(_) => program_number,
            DataFile::Fixed(index) => handed_over[index].as_raw_fd(),
        });
        let arguments = SealedFile::new("args", &arguments).map_err(prepare("keep the arguments in memory"))?;
        let arguments = arguments.into_reader().map_err(prepare("keep the arguments in memory"))?;
        let arguments_number = arguments.as_raw_fd();
        handed_over.push(arguments);

        // What follows an `--args` is the command; only options can go over a descriptor.
        let leading = ["--args", &arguments_number.to_string(), "--", INIT_PATH].map(OsString::from);
        let words = leading.iter().chain(wanted.command).map(|word| CString::new(word.as_bytes()));
        let command = super::spawn::Command {
            program: &self.bwrap.path,
            arguments: words.collect::<Result<_, _>>().map_err(io::Error::from).map_err(prepare("name the command"))?,
            streams: [self.null.as_fd(), stdout_end.as_fd(), stderr_end.as_fd()],
            control: (theirs.as_fd(), proto::CONTROL_FD),
            handed_over: &handed_over,
            drop_to: self.uids.are_separate().then(|| self.uids.of_slot(wanted.slot)),
        };
        let spawned = command.spawn();
        drop((theirs, handed_over, stdout_end, stderr_end));
        let bwrap = spawned.map_err(|source| LaunchError::Spawn { path: self.bwrap.path.clone(), source })?;

        Ok(Started {
            bwrap,
            control,
            stdout,
            stderr,
            rlimits: rlimits::resource_limits(wanted.limits),
            deadline: Instant::now() + SETUP_TIMEOUT,
        })
    }
}

/// bwrap runs; the sandbox may or may not come up.
#[derive(Debug)]
pub struct Started {
    bwrap: Child,
    control: Control,
    stdout: OwnedFd,
    stderr: OwnedFd,
    rlimits: Vec<(u64, u64)>,
    deadline: Instant,
}

impl Started {
    /// Waits until the sandbox stands.
    ///
    /// # Errors
    /// It does not come up; nothing of it is left.
    pub fn wait_until_ready(mut self) -> Result<Prepared, LaunchError> {
        let error = loop {
            if !readable_before(self.control.as_fd(), self.deadline) {
                break LaunchError::Timeout;
            }
            match self.control.receive() {
                Ok(Message::Ready(ready)) => {
                    let Self { bwrap, control, stdout, stderr, rlimits, .. } = self;
                    return Ok(Prepared { bwrap, control, ready, stdout, stderr, rlimits });
                }
                Ok(Message::Failed(failure)) => break failure.into(),
                Ok(Message::Exited(_)) => {}
                Ok(Message::Closed) => break LaunchError::Bwrap { message: String::new() },
                Err(source) => break LaunchError::Prepare { step: "talk to the sandbox's init", source },
            }
        };
        // Whatever is left of it must go before we say that it failed.
        self.bwrap.kill();
        let status = self.bwrap.wait();
        if let LaunchError::Bwrap { .. } = error {
            let mut message = String::new();
            let mut said = Vec::new();
            if rustix::io::ioctl_fionbio(&self.stderr, true).is_ok() {
                let _ = File::from(self.stderr).take(4096).read_to_end(&mut said);
                message = complaint(&String::from_utf8_lossy(&said));
            }
            if message.is_empty() {
                message = format!("bwrap ended with {status}");
            }
            return Err(LaunchError::Bwrap { message });
        }
        Err(error)
    }
}

impl Started {
    /// Undoes everything: for a sandbox whose script is not wanted any more. Its init leaves when
    /// the control socket closes, and bwrap with it.
    pub fn discard(self) {
        let Self { mut bwrap, control, .. } = self;
        drop(control);
        bwrap.kill();
        bwrap.wait();
    }
}

impl Prepared {
    /// As [`Started::discard`].
    pub fn discard(self) {
        let Self { mut bwrap, control, .. } = self;
        drop(control);
        bwrap.kill();
        bwrap.wait();
    }
}

/// Makes sure that `number` is in use, so that no later descriptor gets it.
fn take_descriptor(number: RawFd) -> io::Result<Option<OwnedFd>> {
    let mut below = Vec::new();
    loop {
        let fd = rustix::fs::open("/dev/null", OFlags::CLOEXEC, Mode::empty())?;
        match fd.as_raw_fd().cmp(&number) {
            std::cmp::Ordering::Less => below.push(fd),
            std::cmp::Ordering::Equal => return Ok(Some(fd)),
            // Somebody else has it already.
            std::cmp::Ordering::Greater => return Ok(None),
        }
    }
}

/// What bwrap complains of: its own lines, without the usage text it may print around them.
fn complaint(said: &str) -> String {
    let own: Vec<&str> = said.lines().filter(|line| line.starts_with("bwrap: ")).collect();
    if own.is_empty() { said.lines().next().unwrap_or_default().to_owned() } else { own.join("; ") }
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    Ok((reader, writer))
}

/// Waits until there is something to read, or nothing will come any more.
fn readable_before(fd: BorrowedFd, deadline: Instant) -> bool {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        match rustix::event::poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::IN)], Some(&timeout)) {
            Ok(0) => return false,
            Ok(_) => return true,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}
