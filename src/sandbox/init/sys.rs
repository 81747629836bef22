//! The system calls of the init, by number: there is no C library in here.
//!
//! Results below zero are `-errno`, as the kernel returns them. Numbers: `asm/unistd_64.h` for
//! x86-64, `asm-generic/unistd.h` for aarch64.

use core::arch::{asm, global_asm};
use core::mem::{MaybeUninit, size_of};

#[cfg(target_arch = "x86_64")]
mod nr {
    pub const CLOSE: usize = 3;
    pub const RT_SIGPROCMASK: usize = 14;
    pub const READ: usize = 0;
    pub const PREAD64: usize = 17;
    pub const SENDMSG: usize = 46;
    pub const RECVMSG: usize = 47;
    pub const CLONE: usize = 56;
    pub const EXECVE: usize = 59;
    pub const WAIT4: usize = 61;
    pub const KILL: usize = 62;
    pub const FCNTL: usize = 72;
    pub const GETRUSAGE: usize = 98;
    pub const SETSID: usize = 112;
    pub const PRCTL: usize = 157;
    pub const CLOCK_GETTIME: usize = 228;
    pub const EXIT_GROUP: usize = 231;
    pub const OPENAT: usize = 257;
    pub const PPOLL: usize = 271;
    pub const SIGNALFD4: usize = 289;
    pub const PRLIMIT64: usize = 302;
}

#[cfg(target_arch = "aarch64")]
mod nr {
    pub const FCNTL: usize = 25;
    pub const OPENAT: usize = 56;
    pub const CLOSE: usize = 57;
    pub const READ: usize = 63;
    pub const PREAD64: usize = 67;
    pub const PPOLL: usize = 73;
    pub const SIGNALFD4: usize = 74;
    pub const EXIT_GROUP: usize = 94;
    pub const CLOCK_GETTIME: usize = 113;
    pub const KILL: usize = 129;
    pub const RT_SIGPROCMASK: usize = 135;
    pub const SETSID: usize = 157;
    pub const GETRUSAGE: usize = 165;
    pub const PRCTL: usize = 167;
    pub const SENDMSG: usize = 211;
    pub const RECVMSG: usize = 212;
    pub const CLONE: usize = 220;
    pub const EXECVE: usize = 221;
    pub const WAIT4: usize = 260;
    pub const PRLIMIT64: usize = 261;
}

const PIDFD_OPEN: usize = 434;
const CLOSE_RANGE: usize = 436;

pub const EINTR: i32 = -4;

const SIGKILL: usize = 9;
const SIGCHLD: usize = 17;
const SIGCHLD_MASK: u64 = 1 << (SIGCHLD - 1);
const O_CLOEXEC: usize = 0o2000000;
#[cfg(target_arch = "x86_64")]
const O_DIRECTORY: usize = 0o200000;
#[cfg(target_arch = "aarch64")]
const O_DIRECTORY: usize = 0o40000;

#[cfg(target_arch = "x86_64")]
global_asm!(".globl _start", "_start:", "xor ebp, ebp", "mov rdi, rsp", "and rsp, -16", "call init_main", "ud2",);

#[cfg(target_arch = "aarch64")]
global_asm!(".globl _start", "_start:", "mov x29, xzr", "mov x30, xzr", "mov x0, sp", "bl init_main", "brk #1",);

/// One system call with up to five arguments.
///
/// # Safety
/// The arguments must be what the kernel expects for `number`; pointers must be valid for it.
#[cfg(target_arch = "x86_64")]
unsafe fn call(number: usize, a: usize, b: usize, c: usize, d: usize, e: usize) -> isize {
    let result: isize;
    // SAFETY: the x86-64 system call convention; rcx and r11 are clobbered by `syscall`.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") a,
            in("rsi") b,
            in("rdx") c,
            in("r10") d,
            in("r8") e,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// One system call with up to five arguments.
///
/// # Safety
/// The arguments must be what the kernel expects for `number`; pointers must be valid for it.
#[cfg(target_arch = "aarch64")]
unsafe fn call(number: usize, a: usize, b: usize, c: usize, d: usize, e: usize) -> isize {
    let result: isize;
    // SAFETY: the aarch64 system call convention: number in x8, arguments from x0.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") a as isize => result,
            in("x1") b,
            in("x2") c,
            in("x3") d,
            in("x4") e,
            options(nostack),
        );
    }
    result
}

/// A system call whose arguments hold no pointers.
fn plain(number: usize, a: usize, b: usize, c: usize) -> i32 {
    // SAFETY: every caller in this file passes integers only.
    unsafe { call(number, a, b, c, 0, 0) as i32 }
}

pub fn exit(status: usize) -> ! {
    loop {
        plain(nr::EXIT_GROUP, status, 0, 0);
    }
}

pub fn close(fd: i32) {
    plain(nr::CLOSE, fd as usize, 0, 0);
}

/// prctl(PR_SET_DUMPABLE, 0): no process of the same uid can trace us or read our `/proc` files.
pub fn set_not_dumpable() {
    plain(nr::PRCTL, 4, 0, 0);
}

pub fn close_on_exec(fd: i32) {
    plain(nr::FCNTL, fd as usize, 2, 1);
}

/// Closes every descriptor from `first` on; before Linux 5.9, the first thousand.
pub fn close_from(first: i32) {
    if plain(CLOSE_RANGE, first as usize, u32::MAX as usize, 0) < 0 {
        for fd in first..1024 {
            close(fd);
        }
    }
}

pub fn setsid() {
    plain(nr::SETSID, 0, 0, 0);
}

pub fn pidfd_open(pid: i32) -> i32 {
    plain(PIDFD_OPEN, pid as usize, 0, 0)
}

/// Every process of this pid namespace but ourselves (kill(2): pid -1).
pub fn kill_everyone() {
    plain(nr::KILL, -1isize as usize, SIGKILL, 0);
}

/// Returns 0 in the child, its pid in the parent.
pub fn fork() -> i32 {
    plain(nr::CLONE, SIGCHLD, 0, 0)
}

/// A directory for reading; `path` ends in NUL.
pub fn open_dir(path: &[u8]) -> i32 {
    open(path, O_DIRECTORY | O_CLOEXEC)
}

/// A file for reading; `path` ends in NUL.
pub fn open_read(path: &[u8]) -> i32 {
    open(path, O_CLOEXEC)
}

fn open(path: &[u8], flags: usize) -> i32 {
    const AT_FDCWD: isize = -100;
    // SAFETY: path is a NUL-terminated string that outlives the call.
    unsafe { call(nr::OPENAT, AT_FDCWD as usize, path.as_ptr() as usize, flags, 0, 0) as i32 }
}

/// `rchar` and `wchar`, the first two numbers of an open `/proc/PID/io`.
pub fn io_counters(fd: i32) -> Option<[u64; 2]> {
    let mut text = [0u8; 128];
    // SAFETY: text is valid for writes of its length.
    let got = unsafe { call(nr::PREAD64, fd as usize, text.as_mut_ptr() as usize, text.len(), 0, 0) };
    let text = text.get(..usize::try_from(got).ok()?)?;
    let mut numbers = text.split(|&byte| byte == b'\n').map(|line| {
        let digits = line.iter().filter(|byte| byte.is_ascii_digit());
        digits.fold(0u64, |number, &digit| number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')))
    });
    Some([numbers.next()?, numbers.next()?])
}

fn change_sigchld(how: usize) {
    let mask = SIGCHLD_MASK;
    // SAFETY: mask is a kernel sigset_t of 8 bytes; the old set is not asked for.
    unsafe {
        call(nr::RT_SIGPROCMASK, how, &raw const mask as usize, 0, size_of::<u64>(), 0);
    }
}

/// Blocks SIGCHLD and returns a descriptor that becomes readable when a child changes state.
pub fn block_sigchld_into_fd() -> i32 {
    const SFD_CLOEXEC_NONBLOCK: usize = 0o2000000 | 0o4000;
    change_sigchld(0);
    let mask = SIGCHLD_MASK;
    // SAFETY: mask is a kernel sigset_t of 8 bytes.
    unsafe {
        call(nr::SIGNALFD4, -1isize as usize, &raw const mask as usize, size_of::<u64>(), SFD_CLOEXEC_NONBLOCK, 0)
            as i32
    }
}

pub fn unblock_sigchld() {
    change_sigchld(1);
}

/// Empties the signal descriptor; what it said is found out by waiting.
pub fn drain(fd: i32) {
    let mut sink = [0u8; 1024];
    // SAFETY: sink is valid for writes of its length.
    while unsafe { call(nr::READ, fd as usize, sink.as_mut_ptr() as usize, sink.len(), 0, 0) } > 0 {}
}

/// Waits for input on either descriptor; an error or hang-up counts as input.
pub fn poll2(first: i32, second: i32) -> (bool, bool) {
    #[repr(C)]
    struct PollFd {
        fd: i32,
        events: i16,
        revents: i16,
    }
    let mut fds = [PollFd { fd: first, events: 1, revents: 0 }, PollFd { fd: second, events: 1, revents: 0 }];
    // SAFETY: fds is an array of two pollfd; no timeout, no signal mask.
    unsafe {
        call(nr::PPOLL, fds.as_mut_ptr() as usize, 2, 0, 0, 0);
    }
    (fds[0].revents != 0, fds[1].revents != 0)
}

/// wait4(-1): the pid, 0 when nothing is ready and `no_hang`, or `-errno`.
pub fn wait_any(status: &mut i32, no_hang: bool) -> i32 {
    const WALL: usize = 0x4000_0000;
    // SAFETY: status is valid for writes; rusage is not asked for.
    unsafe {
        call(nr::WAIT4, -1isize as usize, core::ptr::from_mut(status) as usize, WALL | usize::from(no_hang), 0, 0)
            as i32
    }
}

pub fn set_rlimit(resource: usize, value: u64) -> i32 {
    let limit = [value, value];
    // SAFETY: limit is a struct rlimit64 (soft, hard).
    unsafe { call(nr::PRLIMIT64, 0, resource, limit.as_ptr() as usize, 0, 0) as i32 }
}

pub fn monotonic_ns() -> u64 {
    let mut time = [0i64; 2];
    // SAFETY: time is a struct timespec of two 64-bit words.
    unsafe {
        call(nr::CLOCK_GETTIME, 1, time.as_mut_ptr() as usize, 0, 0, 0);
    }
    time[0] as u64 * 1_000_000_000 + time[1] as u64
}

/// Replaces this process; returns `-errno` when it could not.
///
/// # Safety
/// `argv` and `envp` must be NULL-terminated arrays of pointers to C strings, `argv` not empty.
pub unsafe fn execve(argv: *const usize, envp: *const usize) -> i32 {
    // SAFETY: as promised by the caller.
    unsafe { call(nr::EXECVE, *argv, argv as usize, envp as usize, 0, 0) as i32 }
}

pub struct Usage {
    pub user_us: u64,
    pub system_us: u64,
    pub max_rss_kib: u64,
    pub major_faults: u64,
    pub involuntary_switches: u64,
}

/// getrusage(RUSAGE_CHILDREN): everything that was reaped, with its own reaped descendants.
pub fn children_usage() -> Usage {
    // struct rusage: two timevals, then 14 longs.
    let mut words = [0i64; 18];
    // SAFETY: words has the size and alignment of struct rusage on 64-bit Linux.
    unsafe {
        call(nr::GETRUSAGE, -1isize as usize, words.as_mut_ptr() as usize, 0, 0, 0);
    }
    let word = |index: usize| words[index] as u64;
    Usage {
        user_us: word(0) * 1_000_000 + word(1),
        system_us: word(2) * 1_000_000 + word(3),
        max_rss_kib: word(4),
        major_faults: word(9),
        involuntary_switches: word(17),
    }
}

#[repr(C)]
struct IoVec {
    base: usize,
    len: usize,
}

#[repr(C)]
struct MsgHdr {
    name: usize,
    name_len: u32,
    iov: *mut IoVec,
    iov_len: usize,
    control: usize,
    control_len: usize,
    flags: i32,
}

#[repr(C)]
struct FdMessage {
    len: usize,
    level: i32,
    kind: i32,
    fds: [MaybeUninit<i32>; 8],
}

/// Sends one message, with up to eight descriptors.
pub fn send_with_fds(socket: i32, words: &[u64], fds: &[i32]) -> i32 {
    const SOL_SOCKET: i32 = 1;
    const SCM_RIGHTS: i32 = 1;
    const MSG_NOSIGNAL: usize = 0x4000;
    const HEADER: usize = 16;
    let mut iov = IoVec { base: words.as_ptr() as usize, len: size_of_val(words) };
    let mut ancillary = FdMessage {
        len: HEADER + size_of_val(fds),
        level: SOL_SOCKET,
        kind: SCM_RIGHTS,
        fds: [MaybeUninit::new(0); 8],
    };
    for (slot, fd) in ancillary.fds.iter_mut().zip(fds) {
        slot.write(*fd);
    }
    let with_fds = !fds.is_empty();
    let header = MsgHdr {
        name: 0,
        name_len: 0,
        iov: &raw mut iov,
        iov_len: 1,
        control: if with_fds { &raw mut ancillary as usize } else { 0 },
        control_len: if with_fds { (ancillary.len + 7) & !7 } else { 0 },
        flags: 0,
    };
    // SAFETY: header and everything it points to live until the call returns; control_len is
    // within FdMessage because at most eight descriptors are copied.
    unsafe { call(nr::SENDMSG, socket as usize, &raw const header as usize, MSG_NOSIGNAL, 0, 0) as i32 }
}

/// Receives one message into `words`; the number of whole words, 0 at end of file, or `-errno`.
pub fn receive(socket: i32, words: &mut [u64]) -> i32 {
    let mut iov = IoVec { base: words.as_mut_ptr() as usize, len: size_of_val(words) };
    let header = MsgHdr { name: 0, name_len: 0, iov: &raw mut iov, iov_len: 1, control: 0, control_len: 0, flags: 0 };
    loop {
        // SAFETY: header and the buffer it points to live until the call returns.
        let got = unsafe { call(nr::RECVMSG, socket as usize, &raw const header as usize, 0, 0, 0) };
        if got as i32 != EINTR {
            return if got < 0 { got as i32 } else { (got / 8) as i32 };
        }
    }
}

// The compiler may call these for copies and fills; without a C library we bring them. Volatile
// accesses keep it from recognising the loops as calls of themselves.

/// # Safety
/// As memcpy(3).
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, n: usize) -> *mut u8 {
    for i in 0..n {
        // SAFETY: both are valid for n bytes.
        unsafe { to.add(i).write_volatile(from.add(i).read()) };
    }
    to
}

/// # Safety
/// As memset(3).
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, n: usize) -> *mut u8 {
    for i in 0..n {
        // SAFETY: to is valid for n bytes.
        unsafe { to.add(i).write_volatile(byte as u8) };
    }
    to
}

/// # Safety
/// As memcmp(3).
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    for i in 0..n {
        // SAFETY: both are valid for n bytes.
        let (x, y) = unsafe { (a.add(i).read_volatile(), b.add(i).read_volatile()) };
        if x != y {
            return i32::from(x) - i32::from(y);
        }
    }
    0
}

/// # Safety
/// As bcmp(3).
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    // SAFETY: the same contract.
    unsafe { memcmp(a, b, n) }
}
