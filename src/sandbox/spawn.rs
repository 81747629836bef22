//! Starting bwrap without copying the harness.
//!
//! fork(2) copies the page tables of the whole process, and afterwards both sides fault on every
//! page they write; for a program that is replaced by exec(2) at once that is pure loss, and it
//! was a tenth of what the harness spent on a case. `CLONE_VM | CLONE_VFORK` shares the memory and
//! holds the calling thread until the exec. So the child must not touch what is not its own: it
//! makes system calls, and writes one error to a place that is waiting for it.

use std::ffi::{CString, OsStr, c_char, c_int, c_void};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, WaitOptions};

/// What the child is to be.
pub struct Command<'a> {
    /// Absolute path.
    pub program: &'a Path,
    /// Arguments after the program's name. The environment is empty.
    pub arguments: Vec<CString>,
    /// Standard input, output and error.
    pub streams: [BorrowedFd<'a>; 3],
    /// A descriptor, and the number that it gets; the number must be taken in this process.
    pub control: (BorrowedFd<'a>, RawFd),
    /// Descriptors that keep their numbers.
    pub handed_over: &'a [OwnedFd],
    /// Uid and gid to drop to.
    pub drop_to: Option<(u32, u32)>,
}

/// A child of this process.
#[derive(Debug)]
pub struct Child {
    pid: Pid,
    reaped: bool,
}

impl Child {
    /// Kills it, unless it has been waited for.
    pub fn kill(&self) {
        if !self.reaped {
            // Not waited for, so the number is still its own.
            let _ = rustix::process::kill_process(self.pid, rustix::process::Signal::KILL);
        }
    }

    /// Waits for it to end; how, in words.
    pub fn wait(&mut self) -> String {
        if self.reaped {
            return "it has ended".to_owned();
        }
        loop {
            match rustix::process::waitpid(Some(self.pid), WaitOptions::empty()) {
                Err(rustix::io::Errno::INTR) => {}
                Err(why) => {
                    self.reaped = true;
                    return why.to_string();
                }
                Ok(status) => {
                    self.reaped = true;
                    return match status.and_then(|(_, status)| status.exit_status()) {
                        Some(code) => format!("exit status {code}"),
                        None => "a signal".to_owned(),
                    };
                }
            }
        }
    }
}

/// Everything the child needs, laid out before it starts, and the place for its error.
struct Plan {
    program: CString,
    argv: Vec<*const c_char>,
    streams: [RawFd; 3],
    control: (RawFd, RawFd),
    handed_over: Vec<RawFd>,
    drop_to: Option<(u32, u32)>,
    error: c_int,
}

/// Ample for a function that makes some twenty system calls.
const STACK_BYTES: usize = 64 << 10;

impl Command<'_> {
    /// Starts the child. Returns when it has become the program, or has failed to.
    ///
    /// # Errors
    /// A step before the exec failed, or the exec itself.
    pub fn spawn(self) -> io::Result<Child> {
        let text = |bytes: &OsStr| {
            CString::new(bytes.as_bytes()).map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a path with NUL"))
        };
        let program = text(self.program.as_os_str())?;
        let arguments = self.arguments.iter().map(|argument| argument.as_ptr());
        let argv = std::iter::once(program.as_ptr()).chain(arguments).chain([std::ptr::null()]).collect();
        let mut plan = Plan {
            argv,
            program,
            streams: self.streams.map(|fd| fd.as_raw_fd()),
            control: (self.control.0.as_raw_fd(), self.control.1),
            handed_over: self.handed_over.iter().map(AsRawFd::as_raw_fd).collect(),
            drop_to: self.drop_to,
            error: 0,
        };
        // u128 keeps the end of the stack aligned as both ABIs want it.
        let mut stack = vec![0u128; STACK_BYTES / 16];
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;

        // SAFETY: sigset_t is plain data that sigfillset fills; the masks live until they are used.
        // No handler of ours may run in the child, which would run it on our memory.
        let mut before: libc::sigset_t = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&raw mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        }
        // SAFETY: the stack and the plan outlive the child's use of them, because CLONE_VFORK holds
        // this thread until the child has executed the program or ended; the pointer handed over is
        // one past the end of the stack, which grows down; `child` keeps the promises in its text.
        let pid = unsafe {
            libc::clone(child, stack.as_mut_ptr_range().end.cast::<c_void>(), flags, (&raw mut plan).cast::<c_void>())
        };
        let refused = (pid < 0).then(io::Error::last_os_error);
        // SAFETY: `before` was filled above.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        }
        if let Some(refused) = refused {
            return Err(refused);
        }
        let pid = Pid::from_raw(pid).ok_or_else(|| io::Error::other("clone returned no pid"))?;
        let mut started = Child { pid, reaped: false };
        if plan.error != 0 {
            started.wait();
            return Err(io::Error::from_raw_os_error(plan.error));
        }
        Ok(started)
    }
}

/// Runs in the child, on the parent's memory: system calls only, no allocation, no lock, no panic.
extern "C" fn child(plan: *mut c_void) -> c_int {
    // SAFETY: `spawn` passes a Plan that it does not touch until we have ended or executed.
    let plan = unsafe { &mut *plan.cast::<Plan>() };
    let errno = match become_program(plan) {
        Ok(never) => match never {},
        Err(errno) => errno.raw_os_error(),
    };
    plan.error = errno;
    // SAFETY: _exit runs nothing of the parent's.
    unsafe { libc::_exit(127) }
}

fn become_program(plan: &Plan) -> rustix::io::Result<std::convert::Infallible> {
    use rustix::io::{FdFlags, dup2, fcntl_setfd};
    // SAFETY: these descriptors are open in the parent, and the child has copies of them all.
    let borrow = |fd: RawFd| unsafe { BorrowedFd::borrow_raw(fd) };
    // A target number that is not to be closed when this value goes.
    // SAFETY: the numbers are 0 to 2 and the reserved one; ManuallyDrop never closes them.
    let target = |fd: RawFd| unsafe { std::mem::ManuallyDrop::new(OwnedFd::from_raw_fd(fd)) };

    for &fd in &plan.handed_over {
        fcntl_setfd(borrow(fd), FdFlags::empty())?;
    }
    // dup2 clears close-on-exec, but does nothing at all where both numbers are the same.
    let (control, number) = plan.control;
    dup2(borrow(control), &mut target(number))?;
    for (number, &fd) in (0..).zip(&plan.streams) {
        if fd == number {
            fcntl_setfd(borrow(fd), FdFlags::empty())?;
        } else {
            dup2(borrow(fd), &mut target(number))?;
        }
    }
    // Not in the harness's process group: Ctrl-C at the terminal is for the harness to act on.
    rustix::process::setpgid(None, None)?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    rustix::process::chdir(c"/")?;
    // Should the machine run out of memory, the kernel takes a sandbox before the harness. The value
    // is inherited; raising it needs no privilege, and where it cannot be raised the kernel's own
    // choice stands.
    if let Ok(file) = rustix::fs::open(c"/proc/self/oom_score_adj", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()) {
        let _ = rustix::io::write(file, b"500");
    }
    if let Some((uid, gid)) = plan.drop_to {
        use rustix::process::{Gid, Uid};
        let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
        rustix::thread::set_thread_groups(&[])?;
        rustix::thread::set_thread_res_gid(gid, gid, gid)?;
        // This makes the memory undumpable, and until the exec it is the harness's too: that stays
        // so, and nobody but root can look into the harness any more.
        rustix::thread::set_thread_res_uid(uid, uid, uid)?;
    }
    let nothing: [*const c_char; 1] = [std::ptr::null()];
    // SAFETY: plain calls into the kernel on structures that live here; Rust ignores SIGPIPE, and a
    // script must find it as any other program does. argv ends in NULL and points to C strings that
    // the parent keeps.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        libc::execve(plan.program.as_ptr(), plan.argv.as_ptr(), nothing.as_ptr());
        Err(rustix::io::Errno::from_raw_os_error(*libc::__errno_location()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn run(program: &str, arguments: &[&str]) -> io::Result<(String, String)> {
        let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
        let spare = rustix::io::fcntl_dupfd_cloexec(&null, 100)?;
        let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let command = Command {
            program: Path::new(program),
            arguments: arguments.iter().map(|word| CString::new(*word).unwrap()).collect(),
            streams: [
                std::os::fd::AsFd::as_fd(&null),
                std::os::fd::AsFd::as_fd(&writer),
                std::os::fd::AsFd::as_fd(&null),
            ],
            control: (std::os::fd::AsFd::as_fd(&null), spare.as_raw_fd()),
            handed_over: &[],
            drop_to: None,
        };
        let mut child = command.spawn()?;
        drop(writer);
        let mut said = String::new();
        std::fs::File::from(reader).read_to_string(&mut said)?;
        Ok((said, child.wait()))
    }

    #[test]
    fn a_program_runs_with_its_streams_and_no_environment() {
        let (said, ended) = run("/bin/sh", &["-c", "echo $#:$0:$HOME:$(pwd); exit 3", "a", "b"]).unwrap();
        assert_eq!((said.as_str(), ended.as_str()), ("1:a::/\n", "exit status 3"));
    }

    #[test]
    fn a_missing_program_is_an_error() {
        assert_eq!(run("/no/such/program", &[]).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn many_threads_can_start_children_at_once() {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        assert_eq!(run("/bin/sh", &["-c", "echo x"]).unwrap().0, "x\n");
                    }
                });
            }
        });
    }
}
