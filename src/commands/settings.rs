//! From flags and `sandsweep.toml` to one configuration.

use std::path::{Path, PathBuf};

use super::Failure;
use crate::cli::{RunOptions, SettingsArgs};
use crate::config::{Config, ConfigFile, FILE_NAME, Flags, Globs, PolicyPatch};
use crate::sandbox::{Bwrap, Sandboxes, Staging, Uids};

/// Reads the configuration for these paths.
pub fn load(paths: &[PathBuf], options: RunOptions) -> Result<Config, Failure> {
    let file = match &options.settings.config {
        Some(path) => Some(ConfigFile::read(path).map_err(Failure::usage)?),
        None => find(paths)?.map(|path| ConfigFile::read(&path)).transpose().map_err(Failure::usage)?,
    };
    let SettingsArgs { profile, limits, network, ro_bind, env, .. } = options.settings;
    let flags = Flags {
        jobs: options.jobs,
        reports: options.reports,
        charts: options.charts,
        include: Globs(options.include),
        exclude: Globs(options.exclude),
        interval: options.interval,
        max_interval: options.max_interval,
        profile,
        limits,
        policy: PolicyPatch::new(network, ro_bind, env.into_iter().collect()),
        fail_on: options.fail_on,
    };
    Config::new(file.as_ref(), flags).map_err(Failure::usage)
}

/// The configuration in a swept directory. One beside a single script is not used: it may have
/// come with the script.
fn find(paths: &[PathBuf]) -> Result<Option<PathBuf>, Failure> {
    let mut found: Vec<PathBuf> = paths
        .iter()
        .filter(|path| path.is_dir())
        .map(|path| path.join(FILE_NAME))
        .filter(|path| exists(path))
        .collect();
    found.dedup();
    match &found[..] {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        several => {
            let names: Vec<_> = several.iter().map(|path| path.display().to_string()).collect();
            Err(Failure::usage(format!(
                "several of the swept directories have a configuration ({}); name the one to use with --config",
                names.join(", ")
            )))
        }
    }
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Finds bwrap and decides on uids and staging. Must be called before any thread is started (see
/// [`Staging::of`]).
pub fn sandboxes(config: &Config, jobs: usize) -> Result<Sandboxes, Failure> {
    let bwrap = Bwrap::find().map_err(Failure::no_sandbox)?;
    let uids = Uids::choose(config.uid_base, crate::sweep::slots(jobs)).map_err(Failure::no_sandbox)?;
    let staging = if uids.are_separate() {
        Staging::of(config.bind_sources()).map_err(Failure::no_sandbox)?
    } else {
        Staging::none()
    };
    Sandboxes::new(bwrap, uids, staging).map_err(Failure::no_sandbox)
}
