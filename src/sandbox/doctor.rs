//! What this machine can enforce, found out by looking and by setting one sandbox up.

use std::path::Path;

use serde::Serialize;

use super::bwrap::{Bwrap, Version};
use super::interpreter::Interpreter;
use super::launch::Sandboxes;
use super::staging::Staging;
use super::uid::Uids;
use crate::config::{Languages, Policy};

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// It works, with less than there could be.
    Warn,
    /// Sandboxes cannot be made.
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What.
    pub name: String,
    /// How it came out.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Check {
    fn new(name: &str, state: State, found: impl Into<String>) -> Self {
        Self { name: name.to_owned(), state, found: found.into(), remedy: None }
    }

    fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// Looks at everything, in the order in which it matters.
pub fn examine() -> Vec<Check> {
    let mut checks = vec![kernel()];
    let bwrap = Bwrap::find();
    checks.push(match &bwrap {
        Ok(bwrap) => bwrap_version(bwrap),
        Err(why) => Check::new("bwrap", State::Fail, "no usable bwrap").with_remedy(why.to_string()),
    });
    let sandbox = bwrap.ok().map(try_sandbox);
    let works = sandbox.as_ref().is_some_and(|check| check.state == State::Ok);
    checks.extend(user_namespaces(works));
    checks.extend(sandbox);
    checks.extend(container(works));
    checks.push(uids());
    checks.push(accounting());
    checks.extend(Languages::default().iter().map(|language| {
        let name = format!("language {}", language.name);
        match Interpreter::find(language, &Policy::default()) {
            Ok(found) => Check::new(&name, State::Ok, found.path.display().to_string()),
            Err(why) => Check::new(&name, State::Warn, "no interpreter").with_remedy(why.to_string()),
        }
    }));
    checks
}

/// A number in a file below `/proc/sys`.
fn sysctl(name: &str) -> Option<u64> {
    let path = Path::new("/proc/sys").join(name.replace('.', "/"));
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn kernel() -> Check {
    let system = rustix::system::uname();
    let release = system.release().to_string_lossy().into_owned();
    let mut parts = release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
    let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    let found = format!("Linux {release} on {}", system.machine().to_string_lossy());
    if version >= (5, 14) {
        Check::new("kernel", State::Ok, found)
    } else if version >= (5, 3) {
        Check::new("kernel", State::Warn, found).with_remedy(
            "before Linux 5.14 the limit on processes counts all processes of the user, not those of one sandbox: \
             start sandsweep as root, which gives every sandbox a uid of its own, or update the kernel",
        )
    } else {
        Check::new("kernel", State::Fail, found).with_remedy("Linux 5.3 or newer is needed, for pidfds")
    }
}

fn bwrap_version(bwrap: &Bwrap) -> Check {
    let found = format!("{} {}", bwrap.path.display(), bwrap.version);
    if bwrap.version >= Version::OLDEST_WITHOUT_ADVISORY {
        return Check::new("bwrap", State::Ok, found);
    }
    Check::new("bwrap", State::Warn, found).with_remedy(format!(
        "versions before {} follow links while they create mount points (GHSA-pxhw-h44j-8pfx); sandsweep puts no mount \
         point where a script could have written, so it is not exposed, but update bubblewrap when your distribution \
         has a newer one",
        Version::OLDEST_WITHOUT_ADVISORY
    ))
}

fn try_sandbox(bwrap: Bwrap) -> Check {
    let made = Uids::choose(None, 1).map_err(|why| why.to_string()).and_then(|uids| {
        let sandboxes = Sandboxes::new(bwrap, uids, Staging::none()).map_err(|why| why.to_string())?;
        sandboxes.probe().map_err(|why| why.to_string())
    });
    match made {
        Ok(()) => Check::new(
            "sandbox",
            State::Ok,
            "one was set up and taken down: own user, pid, net, ipc, uts, cgroup and mount namespaces",
        ),
        Err(why) => Check::new("sandbox", State::Fail, "cannot be set up").with_remedy(why),
    }
}

/// The settings that forbid user namespaces to ordinary users. They are trouble only where no
/// sandbox comes up: a profile for bwrap may allow it in spite of them.
fn user_namespaces(works: bool) -> Vec<Check> {
    let settings = [
        (
            "user.max_user_namespaces",
            sysctl("user.max_user_namespaces").filter(|&n| n < 16),
            "allow them: `sysctl -w user.max_user_namespaces=65536`, and keep it in /etc/sysctl.d; inside a container, \
             on its host",
        ),
        (
            "kernel.unprivileged_userns_clone",
            sysctl("kernel.unprivileged_userns_clone").filter(|&n| n == 0),
            "allow them: `sysctl -w kernel.unprivileged_userns_clone=1`, and keep it in /etc/sysctl.d",
        ),
        (
            "kernel.apparmor_restrict_unprivileged_userns",
            sysctl("kernel.apparmor_restrict_unprivileged_userns").filter(|&n| n == 1),
            "Ubuntu 24.04 and later: give bwrap a profile that allows them (/etc/apparmor.d/bwrap with `abi <abi/4.0>, \
             include <tunables/global> profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }`, then `systemctl \
             reload apparmor`), or `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`",
        ),
    ];
    let mut checks: Vec<Check> = settings
        .into_iter()
        .filter_map(|(name, value, remedy)| {
            let found = format!("{name} = {}", value?);
            Some(if works {
                Check::new("user namespaces", State::Ok, format!("{found}, yet bwrap may make them"))
            } else {
                Check::new("user namespaces", State::Fail, found).with_remedy(remedy)
            })
        })
        .collect();
    if checks.is_empty() {
        checks.push(if Path::new("/proc/self/ns/user").exists() {
            Check::new("user namespaces", State::Ok, "no setting of this system restricts them")
        } else {
            Check::new("user namespaces", State::Fail, "this kernel has none")
                .with_remedy("use a kernel with CONFIG_USER_NS")
        });
    }
    checks
}

fn container(works: bool) -> Option<Check> {
    let kind = if Path::new("/.dockerenv").exists() {
        "Docker"
    } else if Path::new("/run/.containerenv").exists() {
        "Podman"
    } else if std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
        "Kubernetes"
    } else {
        return None;
    };
    Some(if works {
        Check::new("container", State::Ok, format!("inside {kind}, and sandboxes can be made"))
    } else {
        Check::new("container", State::Fail, format!("inside {kind}, which forbids sandboxes")).with_remedy(
            "run the container with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined \
             --security-opt systempaths=unconfined` (it needs no --privileged): the first two allow user namespaces, \
             the third a /proc for each sandbox",
        )
    })
}

fn uids() -> Check {
    match Uids::choose(None, 2) {
        Ok(Uids::Slots { base }) => Check::new(
            "uids",
            State::Ok,
            format!("started as root: every sandbox has a uid of its own, from {base} on"),
        ),
        Ok(Uids::Own { uid, .. }) => Check::new(
            "uids",
            State::Warn,
            format!("started by uid {uid}: sandboxes have that uid outside, apart by namespaces alone"),
        )
        .with_remedy(
            "nothing to do on a machine of your own; where the kernel's namespaces should not be the only wall \
             between a script and your files, start sandsweep as root or from an account made for it",
        ),
        Err(why) => Check::new("uids", State::Fail, "none to drop to").with_remedy(why.to_string()),
    }
}

/// What limits on memory and CPU rest on.
fn accounting() -> Check {
    let (hierarchy, remedy) = match delegated_cgroup() {
        Cgroup::V2 { writable: true } => ("cgroup v2, delegated", None),
        Cgroup::V2 { writable: false } => (
            "cgroup v2, not delegated to this user",
            Some(
                "to have a group of your own, start sandsweep by `systemd-run --user --scope -p Delegate=yes -- \
                 sandsweep …`, as root, or in a container with a writable /sys/fs/cgroup",
            ),
        ),
        Cgroup::V1 => ("cgroup v1", Some("boot with `systemd.unified_cgroup_hierarchy=1` for cgroup v2")),
        Cgroup::None => ("no cgroup hierarchy", Some("mount one: `mount -t cgroup2 none /sys/fs/cgroup`")),
    };
    let found = format!("{hierarchy}; memory and CPU limits of a tree are supervised, without a cgroup");
    let room = "a script can exceed its memory limit for some milliseconds before it is seen and killed: leave that \
                much room, or lower --jobs";
    let remedy = remedy.map_or_else(|| room.to_owned(), |remedy| format!("{room}. {remedy}"));
    Check::new("accounting", State::Warn, found).with_remedy(remedy)
}

enum Cgroup {
    V2 { writable: bool },
    V1,
    None,
}

fn delegated_cgroup() -> Cgroup {
    let root = Path::new("/sys/fs/cgroup");
    if root.join("cgroup.controllers").exists() {
        let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let group = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
        let procs = root.join(group).join("cgroup.procs");
        let subtree = root.join(group).join("cgroup.subtree_control");
        let may_write = |path: &Path| rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
        Cgroup::V2 { writable: may_write(&procs) && may_write(&subtree) }
    } else if root.join("memory").exists() {
        Cgroup::V1
    } else {
        Cgroup::None
    }
}
