//! From a policy to the arguments of bwrap.
//!
//! Order matters to bwrap: it works from left to right, and the last word on a path wins. So the
//! read-only remounts come last, and no mount point lies in a tree that a script can write to.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::config::{Limits, Network, Policy, ReadOnlyBind};

/// One argument of bwrap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A plain word.
    Word(OsString),
    /// The number of a descriptor that holds this file.
    Data(DataFile),
}

/// Files that are handed to bwrap by descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DataFile {
    /// The script.
    Script,
    /// The seccomp program for the sandbox's kind of network.
    Seccomp(Network),
    /// One of the files that are the same for every sandbox, by its index in the list of fixed files.
    Fixed(usize),
}

/// A file of the sandbox's own that is the same for every case of a sweep.
#[derive(Clone, Debug)]
pub struct FixedFile {
    /// Where it is in the sandbox.
    pub target: &'static str,
    /// Its mode, in octal.
    pub mode: &'static str,
    /// What is in it.
    pub content: Vec<u8>,
}

/// Where the init lies in the sandbox.
pub const INIT_PATH: &str = "/run/init";
/// The script's own directory: empty, writable, its HOME.
pub const WORK_DIRECTORY: &str = "/box";
/// Where the script lies, read-only.
pub const SCRIPT_DIRECTORY: &str = "/script";

/// What `/etc` holds, and the init. Nothing of the host's accounts or network is in it.
pub fn fixed_files(init: &[u8]) -> Vec<FixedFile> {
    let text = |target, content: &str| FixedFile { target, mode: "0444", content: content.as_bytes().to_vec() };
    let mut files = vec![
        FixedFile { target: INIT_PATH, mode: "0555", content: init.to_vec() },
        text("/etc/passwd", "sandbox:x:1000:1000:sandbox:/box:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"),
        text("/etc/group", "sandbox:x:1000:\nnogroup:x:65534:\n"),
        text("/etc/hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n"),
        text("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
    ];
    // Without the loader's cache every program start searches the library directories; without
    // the zone, local time would be UTC. Both are facts about the host that a script may know.
    for (target, limit) in [("/etc/ld.so.cache", 4 << 20), ("/etc/localtime", 64 << 10)] {
        let content = std::fs::canonicalize(target).and_then(|path| crate::corpus::read_regular_file(&path, limit));
        if let Ok(content) = content {
            files.push(FixedFile { target, mode: "0444", content });
        }
    }
    files
}

/// Everything that decides a sandbox's arguments.
pub struct Plan<'a> {
    /// What is allowed.
    pub policy: &'a Policy,
    /// Binds that the language needs.
    pub language_binds: &'a [ReadOnlyBind],
    /// How much may be used.
    pub limits: &'a Limits,
    /// The files of [`fixed_files`].
    pub fixed: &'a [FixedFile],
    /// The trees of [`system_trees`].
    pub system: &'a [SystemTree],
    /// Name of the script in [`SCRIPT_DIRECTORY`].
    pub script_name: &'a str,
    /// From a configured source to where it can be reached by the sandbox's uid.
    pub staged: &'a dyn Fn(&Path) -> std::path::PathBuf,
}

/// The namespaces that every sandbox has of its own.
pub const NAMESPACES: [&str; 7] = ["user", "pid", "net", "ipc", "uts", "cgroup", "mnt"];

/// The options of bwrap, without bwrap itself and without the command.
pub fn options(plan: &Plan) -> Vec<Argument> {
    let mut args = Builder(Vec::with_capacity(128));
    // Each by name: --unshare-all only tries the user and the cgroup namespace.
    for namespace in ["user", "pid", "net", "ipc", "uts", "cgroup"] {
        args.word(format!("--unshare-{namespace}"));
    }
    args.words(["--disable-userns", "--cap-drop", "ALL"]);
    args.words(["--die-with-parent", "--new-session", "--as-pid-1"]);
    args.words(["--uid", "1000", "--gid", "1000", "--hostname", "sandbox"]);

    for tree in plan.system {
        match tree {
            SystemTree::Directory(path) => args.words(["--ro-bind", path, path]),
            SystemTree::Link { path, target } => args.words([OsString::from("--symlink"), target.clone(), path.into()]),
        }
    }
    for bind in plan.policy.ro_bind.iter().chain(plan.language_binds) {
        args.word("--ro-bind");
        args.word((plan.staged)(&bind.source));
        args.word(bind.target.clone());
    }
    for (index, file) in plan.fixed.iter().enumerate() {
        args.words(["--perms", file.mode, "--file"]);
        args.0.push(Argument::Data(DataFile::Fixed(index)));
        args.word(file.target);
    }
    args.words(["--perms", "0444", "--file"]);
    args.0.push(Argument::Data(DataFile::Script));
    args.word(format!("{SCRIPT_DIRECTORY}/{}", plan.script_name));

    args.words(["--proc", "/proc", "--dev", "/dev"]);
    let disk = plan.limits.disk.0.to_string();
    for (mode, target) in [("0700", WORK_DIRECTORY), ("1777", "/tmp"), ("1777", "/dev/shm")] {
        args.words(["--perms", mode, "--size", &disk, "--tmpfs", target]);
    }
    args.words(["--remount-ro", "/proc", "--remount-ro", "/dev", "--remount-ro", "/"]);

    let path = super::interpreter::SANDBOX_PATH.join(":");
    let standard = [("PATH", path.as_str()), ("HOME", WORK_DIRECTORY), ("LANG", "C.UTF-8"), ("TMPDIR", "/tmp")];
    for (name, value) in standard {
        if !plan.policy.env.contains_key(name) {
            args.words(["--setenv", name, value]);
        }
    }
    for (name, value) in &plan.policy.env {
        args.words(["--setenv", name, value]);
    }
    args.words(["--chdir", WORK_DIRECTORY]);
    args.word("--seccomp");
    args.0.push(Argument::Data(DataFile::Seccomp(plan.policy.network)));
    args.0
}

/// The arguments as `--args FD` wants them: each ended by NUL.
pub fn to_nul_separated(arguments: &[Argument], descriptor: impl Fn(DataFile) -> i32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4096);
    for argument in arguments {
        match argument {
            Argument::Word(word) => bytes.extend_from_slice(word.as_bytes()),
            Argument::Data(file) => bytes.extend_from_slice(descriptor(*file).to_string().as_bytes()),
        }
        bytes.push(0);
    }
    bytes
}

/// One of the host's directories of programs and libraries.
#[derive(Clone, Debug)]
pub enum SystemTree {
    /// Bound as it is.
    Directory(&'static str),
    /// A link on the host, and so in the sandbox.
    Link {
        /// Its place.
        path: &'static str,
        /// Where it leads.
        target: OsString,
    },
}

/// The host's programs and libraries, in the host's own layout (merged `/usr` or not).
pub fn system_trees() -> Vec<SystemTree> {
    let mut trees = vec![SystemTree::Directory("/usr")];
    for path in ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"] {
        match std::fs::read_link(path) {
            Ok(target) => trees.push(SystemTree::Link { path, target: target.into() }),
            Err(_) if Path::new(path).is_dir() => trees.push(SystemTree::Directory(path)),
            Err(_) => {}
        }
    }
    // Debian's names for chosen programs (`php`, `lua`, `awk`) are links through here.
    if Path::new("/etc/alternatives").is_dir() {
        trees.push(SystemTree::Directory("/etc/alternatives"));
    }
    trees
}

struct Builder(Vec<Argument>);

impl Builder {
    fn word(&mut self, word: impl Into<OsString>) {
        self.0.push(Argument::Word(word.into()));
    }

    fn words<W: Into<OsString>, const N: usize>(&mut self, words: [W; N]) {
        words.into_iter().for_each(|word| self.word(word));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan_options(policy: &Policy) -> Vec<String> {
        let fixed = fixed_files(b"init");
        let plan = Plan {
            policy,
            language_binds: &[],
            limits: &Limits::default(),
            fixed: &fixed,
            system: &system_trees(),
            script_name: "main.py",
            staged: &|path| path.to_owned(),
        };
        options(&plan)
            .into_iter()
            .map(|argument| match argument {
                Argument::Word(word) => word.into_string().unwrap(),
                Argument::Data(file) => format!("{file:?}"),
            })
            .collect()
    }

    #[test]
    fn every_namespace_is_named() {
        let args = plan_options(&Policy::default());
        for namespace in ["user", "pid", "net", "ipc", "uts", "cgroup"] {
            assert!(args.contains(&format!("--unshare-{namespace}")));
        }
        assert!(!args.iter().any(|arg| arg.contains("-try") || arg == "--unshare-all"));
    }

    #[test]
    fn what_makes_the_root_read_only_comes_after_every_mount() {
        let policy = Policy { ro_bind: vec!["/opt/x".parse().unwrap()], ..Policy::default() };
        let args = plan_options(&policy);
        let last_mount = args
            .iter()
            .rposition(|arg| ["--ro-bind", "--tmpfs", "--file", "--proc", "--dev", "--symlink"].contains(&arg.as_str()))
            .unwrap();
        let first_remount = args.iter().position(|arg| arg == "--remount-ro").unwrap();
        assert!(last_mount < first_remount);
    }
}
