//! What a sandbox allows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What a script may reach over the network. Either way it has a network namespace of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// No internet sockets at all: seccomp refuses to make them. (The namespace has a loopback of its
    /// own in any case, because bwrap brings it up.)
    #[default]
    None,
    /// Internet sockets, over the namespace's own, private loopback.
    Loopback,
}

impl Network {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::None, Self::Loopback];

    /// The name used in configuration files and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Loopback => "loopback",
        }
    }
}

/// A host path that is visible, read-only, in the sandbox.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ReadOnlyBind {
    /// Absolute path on the host.
    pub source: PathBuf,
    /// Absolute path in the sandbox.
    pub target: PathBuf,
}

/// Places in the sandbox that belong to the harness; nothing may be bound over or into them.
const RESERVED_TARGETS: [&str; 7] = ["/box", "/script", "/proc", "/dev", "/tmp", "/sys", "/etc"];

impl std::str::FromStr for ReadOnlyBind {
    type Err = String;

    /// Reads `SOURCE` or `SOURCE:TARGET`, both absolute.
    fn from_str(text: &str) -> Result<Self, String> {
        let (source, target) = text.split_once(':').unwrap_or((text, text));
        let absolute = |path: &str| {
            let path = Path::new(path);
            let plain =
                path.components().all(|c| matches!(c, std::path::Component::RootDir | std::path::Component::Normal(_)));
            if path.is_absolute() && plain {
                Ok(path.components().collect::<PathBuf>())
            } else {
                Err(format!(
                    "`{}` is not an absolute path without `..`; write `/path` or `/path:/path/in/the/sandbox`",
                    path.display()
                ))
            }
        };
        let bind = Self { source: absolute(source)?, target: absolute(target)? };
        if bind.target == Path::new("/") {
            return Err("nothing can be bound over `/` of the sandbox".to_owned());
        }
        if let Some(reserved) = RESERVED_TARGETS.iter().find(|reserved| bind.target.starts_with(reserved)) {
            return Err(format!(
                "`{}` lies in `{reserved}`, which the sandbox makes itself; bind to another path",
                bind.target.display()
            ));
        }
        Ok(bind)
    }
}

impl<'de> Deserialize<'de> for ReadOnlyBind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a sandbox allows, fully decided.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// What the script may reach over the network.
    pub network: Network,
    /// Host paths that are visible besides the system's own directories.
    pub ro_bind: Vec<ReadOnlyBind>,
    /// Variables set besides PATH, HOME, LANG and TMPDIR.
    pub env: BTreeMap<String, String>,
}

/// Parts of a policy, as a table of the configuration names them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyPatch {
    network: Option<Network>,
    #[serde(default)]
    ro_bind: Vec<ReadOnlyBind>,
    #[serde(default, deserialize_with = "environment")]
    env: BTreeMap<String, String>,
}

impl PolicyPatch {
    /// The parts that flags can name.
    pub fn new(network: Option<Network>, ro_bind: Vec<ReadOnlyBind>, env: BTreeMap<String, String>) -> Self {
        Self { network, ro_bind, env }
    }

    /// Puts what is named here over `policy`; binds and variables are added.
    pub fn apply(&self, policy: &mut Policy) {
        if let Some(network) = self.network {
            policy.network = network;
        }
        for bind in &self.ro_bind {
            if !policy.ro_bind.contains(bind) {
                policy.ro_bind.push(bind.clone());
            }
        }
        policy.env.extend(self.env.clone());
    }
}

/// Checks one `NAME=VALUE` pair for what an environment can hold.
pub fn check_variable(name: &str, value: &str) -> Result<(), String> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(format!("`{name}` cannot be the name of an environment variable"));
    }
    if value.contains('\0') {
        return Err(format!("the value of `{name}` holds a NUL byte"));
    }
    Ok(())
}

fn environment<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let env = BTreeMap::<String, String>::deserialize(deserializer)?;
    for (name, value) in &env {
        check_variable(name, value).map_err(serde::de::Error::custom)?;
    }
    Ok(env)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binds_name_absolute_paths_outside_the_harness_own_places() {
        let bind: ReadOnlyBind = "/opt/python".parse().unwrap();
        assert_eq!((bind.source.to_str(), bind.target.to_str()), (Some("/opt/python"), Some("/opt/python")));
        let bind: ReadOnlyBind = "/srv/data:/data".parse().unwrap();
        assert_eq!(bind.target.to_str(), Some("/data"));
        for bad in ["opt", "/opt/../etc", "/x:/box/x", "/x:/proc", "/x:/", "/x:/script"] {
            assert!(bad.parse::<ReadOnlyBind>().is_err(), "{bad}");
        }
    }
}
