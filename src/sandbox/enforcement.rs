//! Who makes each limit hold, and by which means. One table for results, `explain` and `doctor`.

use std::collections::BTreeMap;

use crate::config::Limits;
use crate::report::record::{Enforcement, LimitRecord};

/// The limits of a case as they are stored, by name with unit.
pub fn limit_records(limits: &Limits) -> BTreeMap<String, LimitRecord> {
    use Enforcement::{Absent, Kernel, Supervised};
    let row = |name: &str, value: Option<f64>, enforcement, mechanism: &str| {
        (name.to_owned(), LimitRecord { value, enforcement, mechanism: mechanism.to_owned() })
    };
    let bytes = |bytes: crate::units::Bytes| Some(bytes.0 as f64);
    BTreeMap::from([
        row("wall_time_s", Some(limits.wall_time.0.as_secs_f64()), Supervised, "monotonic clock, then kill"),
        row(
            "cpu_time_s",
            Some(limits.cpu_time.0.as_secs_f64()),
            Supervised,
            "sum over the process tree in procfs, then kill; RLIMIT_CPU for each process behind it",
        ),
        row(
            "memory_bytes",
            bytes(limits.memory),
            Supervised,
            "resident memory of the process tree in procfs, then kill",
        ),
        row(
            "processes",
            Some(limits.processes as f64),
            Kernel,
            "RLIMIT_NPROC in the sandbox's own user namespace; counts threads",
        ),
        row("open_files", Some(limits.open_files as f64), Kernel, "RLIMIT_NOFILE, each process"),
        row("stdout_bytes", bytes(limits.stdout), Supervised, "counted as it is read, then kill"),
        row("stderr_bytes", bytes(limits.stderr), Supervised, "counted as it is read, then kill"),
        row(
            "output_bytes",
            Some((limits.stdout.0 + limits.stderr.0) as f64),
            Supervised,
            "stdout_bytes and stderr_bytes together, each counted apart",
        ),
        row("disk_bytes", bytes(limits.disk), Kernel, "size of the tmpfs on /box, and as much on /tmp and /dev/shm"),
        row("file_size_bytes", bytes(limits.file_size), Kernel, "RLIMIT_FSIZE"),
        match limits.address_space {
            Some(size) => row("address_space_bytes", bytes(size), Kernel, "RLIMIT_AS, each process"),
            None => row("address_space_bytes", None, Absent, "not asked for"),
        },
        row("core_bytes", Some(0.0), Kernel, "RLIMIT_CORE"),
    ])
}
