//! Which of the limits the kernel enforces by itself, per process or per sandbox.

use crate::config::Limits;

/// Resource numbers of setrlimit(2), as on x86-64 and aarch64.
mod resource {
    pub const CPU: u64 = 0;
    pub const FSIZE: u64 = 1;
    pub const CORE: u64 = 4;
    pub const NPROC: u64 = 6;
    pub const NOFILE: u64 = 7;
    pub const MEMLOCK: u64 = 8;
    pub const AS: u64 = 9;
    pub const MSGQUEUE: u64 = 12;
    pub const NICE: u64 = 13;
    pub const RTPRIO: u64 = 14;
}

/// Largest stack of locked memory a script may ask for: the kernel's own default since 5.16 is
/// 8 MiB, before that 64 KiB; nothing that is graded needs more.
const MEMLOCK_BYTES: u64 = 64 << 10;

/// The `(resource, value)` pairs a script is started under, soft and hard alike.
///
/// RLIMIT_NPROC counts in the sandbox's own user namespace (Linux 5.14 and later), where only its
/// pid 1 and the script's processes are. Before that it counts all processes of the kernel uid,
/// which as root is the slot's own.
pub fn resource_limits(limits: &Limits) -> Vec<(u64, u64)> {
    let cpu_s = rlimit_cpu_s(limits);
    let mut pairs = vec![
        (resource::CORE, 0),
        (resource::CPU, cpu_s),
        (resource::FSIZE, limits.file_size.0),
        (resource::NPROC, limits.processes + 1),
        (resource::NOFILE, limits.open_files),
        (resource::MEMLOCK, MEMLOCK_BYTES),
        (resource::MSGQUEUE, 0),
        (resource::NICE, 0),
        (resource::RTPRIO, 0),
    ];
    if let Some(bytes) = limits.address_space {
        pairs.push((resource::AS, bytes.0));
    }
    // An unprivileged process cannot raise a limit, so what we were started under is the ceiling.
    for (resource, value) in &mut pairs {
        if let Some(ceiling) = hard_limit(*resource) {
            *value = ceiling.min(*value);
        }
    }
    pairs
}

/// The hard limit that this process is under; `None` when there is none.
fn hard_limit(resource: u64) -> Option<u64> {
    use rustix::process::{Resource, getrlimit};
    let resource = match resource {
        resource::CPU => Resource::Cpu,
        resource::FSIZE => Resource::Fsize,
        resource::CORE => Resource::Core,
        resource::NPROC => Resource::Nproc,
        resource::NOFILE => Resource::Nofile,
        resource::MEMLOCK => Resource::Memlock,
        resource::AS => Resource::As,
        resource::MSGQUEUE => Resource::Msgqueue,
        resource::NICE => Resource::Nice,
        resource::RTPRIO => Resource::Rtprio,
        _ => return None,
    };
    getrlimit(resource).maximum
}

/// RLIMIT_CPU in whole seconds: the supervisor's limit, which is for the whole tree and finer,
/// comes first; this one holds also if the supervisor is late.
pub fn rlimit_cpu_s(limits: &Limits) -> u64 {
    limits.cpu_time.0.as_secs_f64().ceil() as u64 + 1
}
