//! One validated configuration from defaults, file, profile and flags, before any work starts.
//!
//! What wins, from weakest to strongest: the built-in defaults, the file's `[limits]` and
//! `[policy]`, the chosen `[profile.NAME]`, each matching `[[override]]` in the order of the file,
//! and the flags, which are the operator's last word.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::file::{Charts, ConfigError, ConfigFile, Globs};
use super::language::Languages;
use super::limits::{Limits, LimitsPatch};
use super::policy::{Policy, PolicyPatch};
use crate::judge::{Expectation, Verdict};
use crate::units::{Bytes, KIB, MIB};

/// Everything the flags can say about a sweep.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// Scripts run at a time.
    pub jobs: Option<usize>,
    /// Where reports go.
    pub reports: Option<PathBuf>,
    /// Which charts are drawn.
    pub charts: Option<Charts>,
    /// Only these.
    pub include: Globs,
    /// Not these.
    pub exclude: Globs,
    /// First distance between two samples.
    pub interval: Option<Duration>,
    /// Largest distance between two samples.
    pub max_interval: Option<Duration>,
    /// Name of a profile of the file.
    pub profile: Option<String>,
    /// Over every other source.
    pub limits: LimitsPatch,
    /// Over every other source.
    pub policy: PolicyPatch,
    /// Verdicts that make the exit code 1 where nothing was declared.
    pub fail_on: Vec<Verdict>,
}

/// A sweep's configuration, valid by construction.
#[derive(Debug)]
pub struct Config {
    /// The file it came from.
    pub file: Option<PathBuf>,
    /// The chosen profile.
    pub profile: Option<String>,
    /// Scripts run at a time; at least 1.
    pub jobs: usize,
    /// Directory under which each sweep makes its own.
    pub reports: PathBuf,
    /// Which charts are drawn.
    pub charts: Charts,
    /// How samples are spaced.
    pub sampling: Sampling,
    /// How much of each output stream is kept.
    pub keep_output: Bytes,
    /// The largest script that is run.
    pub script_size: Bytes,
    /// First uid for sandboxes when started as root; chosen from the uid map when absent.
    pub uid_base: Option<u32>,
    /// The languages in force.
    pub languages: Languages,
    /// Verdicts that make the exit code 1 where nothing was declared.
    pub fail_on: Vec<Verdict>,
    include: Option<Globs>,
    exclude: Vec<Globs>,
    limits: Limits,
    policy: Policy,
    overrides: Vec<Override>,
    flag_limits: LimitsPatch,
    flag_policy: PolicyPatch,
    watched_globs: Vec<WatchedGlob>,
}

/// Distances between two samples of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// At first.
    pub first: Duration,
    /// At most.
    pub largest: Duration,
}

#[derive(Debug)]
struct Override {
    globs: Globs,
    limits: LimitsPatch,
    policy: PolicyPatch,
    expect: Option<Expectation>,
}

/// A glob of the file, and whether any path has matched it yet.
#[derive(Debug)]
struct WatchedGlob {
    glob: super::file::PathGlob,
    key: &'static str,
    place: String,
    matched: AtomicBool,
}

/// What is in force for one case.
#[derive(Clone, Debug)]
pub struct CaseSettings {
    /// How much it may use.
    pub limits: Limits,
    /// What its sandbox allows.
    pub policy: Policy,
    /// What should become of it.
    pub expect: Option<Expectation>,
}

impl Config {
    /// Puts the sources together.
    ///
    /// # Errors
    /// Something that is wrong in itself or does not fit together.
    pub fn new(file: Option<&ConfigFile>, flags: Flags) -> Result<Self, ConfigError> {
        flags.limits.check().map_err(ConfigError::Flag)?;
        let defaults = super::file::ConfigTables::default();
        let tables = file.map_or(&defaults, |file| &file.tables);
        let sweep = &tables.sweep;

        let mut limits = Limits::default();
        tables.limits.0.apply(&mut limits);
        let mut policy = Policy::default();
        tables.policy.apply(&mut policy);
        if let Some(name) = &flags.profile {
            let Some(profile) = tables.profile.get(name) else {
                let known: Vec<_> = tables.profile.keys().map(String::as_str).collect();
                let hint = match (file, known.is_empty()) {
                    (None, _) => "no sandsweep.toml was found; name one with --config".to_owned(),
                    (Some(file), true) => format!("{} has no [profile.*] table", file.path.display()),
                    (Some(_), false) => format!("the profiles are {}", known.join(", ")),
                };
                return Err(ConfigError::Flag(format!("there is no profile `{name}`: {hint}")));
            };
            profile.limits.0.apply(&mut limits);
            profile.policy.apply(&mut policy);
        }

        let mut languages = Languages::default();
        if let Some(file) = file {
            let table = &tables.languages;
            languages.extend(&table.value).map_err(|why| file.error_at(&table.span, why))?;
        }

        let jobs = match (flags.jobs, &sweep.jobs, file) {
            (Some(0), ..) => return Err(ConfigError::Flag("--jobs must be at least 1".to_owned())),
            (Some(jobs), ..) => jobs,
            (None, Some(jobs), Some(file)) if *jobs.get_ref() == 0 => {
                return Err(file.error_at(&jobs.span(), "`jobs` must be at least 1".to_owned()));
            }
            (None, Some(jobs), _) => *jobs.get_ref(),
            (None, None, _) => std::thread::available_parallelism().map_or(1, usize::from),
        };

        let sampling = Sampling {
            first: flags.interval.or(sweep.interval.map(|s| s.0)).unwrap_or(Duration::from_millis(10)),
            largest: flags.max_interval.or(sweep.max_interval.map(|s| s.0)).unwrap_or(Duration::from_millis(100)),
        };
        if sampling.first < Duration::from_millis(1) {
            return Err(ConfigError::Flag("the sampling interval must be at least 1ms".to_owned()));
        }
        let sampling = Sampling { largest: sampling.largest.max(sampling.first), ..sampling };

        let file_dir = file.and_then(|file| file.path.parent());
        let reports = flags
            .reports
            .or_else(|| sweep.reports.as_ref().map(|path| file_dir.unwrap_or(Path::new(".")).join(path)))
            .unwrap_or_else(|| PathBuf::from("reports"));

        let mut watched_globs = Vec::new();
        if let Some(file) = file {
            let mut watch = |key, globs: &toml::Spanned<Globs>| {
                watched_globs.extend(globs.get_ref().0.iter().map(|glob| WatchedGlob {
                    glob: glob.clone(),
                    key,
                    place: file.place(&globs.span()),
                    matched: AtomicBool::new(false),
                }));
            };
            sweep.include.iter().for_each(|globs| watch("include", globs));
            sweep.exclude.iter().for_each(|globs| watch("exclude", globs));
            tables.overrides.iter().for_each(|over| watch("match", &over.globs));
        }

        let file_include = sweep.include.as_ref().map(|globs| globs.get_ref().clone());
        let flag_include = (!flags.include.0.is_empty()).then_some(flags.include);
        let file_exclude = sweep.exclude.as_ref().map(|globs| globs.get_ref().clone());
        Ok(Self {
            file: file.map(|file| file.path.clone()),
            profile: flags.profile,
            jobs,
            reports,
            charts: flags.charts.or(sweep.charts).unwrap_or_default(),
            sampling,
            keep_output: sweep.keep_output.unwrap_or(Bytes(256 * KIB)),
            script_size: sweep.script_size.unwrap_or(Bytes(8 * MIB)),
            uid_base: sweep.uid_base,
            languages,
            fail_on: flags.fail_on,
            include: flag_include.or(file_include),
            exclude: file_exclude.into_iter().chain([flags.exclude]).collect(),
            limits,
            policy,
            overrides: tables
                .overrides
                .iter()
                .map(|table| Override {
                    globs: table.globs.get_ref().clone(),
                    limits: table.limits.0,
                    policy: table.policy.clone(),
                    expect: table.expect.clone(),
                })
                .collect(),
            flag_limits: flags.limits,
            flag_policy: flags.policy,
            watched_globs,
        })
    }

    /// Whether a path, relative to its swept root, is to be run: it is included and not excluded.
    /// Also notes which globs have matched something.
    pub fn selects(&self, path: &Path) -> bool {
        for watched in &self.watched_globs {
            if watched.key != "match" && watched.glob.matches(path) {
                watched.matched.store(true, Ordering::Relaxed);
            }
        }
        self.include.as_ref().is_none_or(|globs| globs.matches(path))
            && !self.exclude.iter().any(|globs| globs.matches(path))
    }

    /// What is in force for the case at this path, relative to its swept root.
    pub fn case_settings(&self, path: &Path) -> CaseSettings {
        let mut settings = CaseSettings { limits: self.limits, policy: self.policy.clone(), expect: None };
        for over in self.overrides.iter().filter(|over| over.globs.matches(path)) {
            over.limits.apply(&mut settings.limits);
            over.policy.apply(&mut settings.policy);
            if over.expect.is_some() {
                settings.expect.clone_from(&over.expect);
            }
        }
        for watched in &self.watched_globs {
            if watched.key == "match" && watched.glob.matches(path) {
                watched.matched.store(true, Ordering::Relaxed);
            }
        }
        self.flag_limits.apply(&mut settings.limits);
        self.flag_policy.apply(&mut settings.policy);
        settings
    }

    /// One warning for each glob of the file that has matched no path of the walk.
    pub fn unmatched_globs(&self) -> Vec<String> {
        self.watched_globs
            .iter()
            .filter(|watched| !watched.matched.load(Ordering::Relaxed))
            .map(|watched| {
                let WatchedGlob { glob, key, place, .. } = watched;
                format!("{place}: `{key} = \"{}\"` matches nothing; correct or remove it", glob.pattern())
            })
            .collect()
    }

    /// The source of every bind that the configuration names, for any case or language.
    pub fn bind_sources(&self) -> Vec<PathBuf> {
        let mut all = self.base_policy();
        self.overrides.iter().for_each(|over| over.policy.apply(&mut all));
        let languages = self.languages.iter().flat_map(|language| &language.ro_bind);
        all.ro_bind.iter().chain(languages).map(|bind| bind.source.clone()).collect()
    }

    /// The limits before any override, for display.
    pub fn base_limits(&self) -> Limits {
        let mut limits = self.limits;
        self.flag_limits.apply(&mut limits);
        limits
    }

    /// The policy before any override, for display.
    pub fn base_policy(&self) -> Policy {
        let mut policy = self.policy.clone();
        self.flag_policy.apply(&mut policy);
        policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str, flags: Flags) -> Config {
        let file = ConfigFile::parse(Path::new("t/sandsweep.toml"), text.to_owned()).unwrap();
        Config::new(Some(&file), flags).unwrap()
    }

    const TEXT: &str = "
        [limits]
        wall_time = '3s'
        [profile.quick]
        limits = { wall_time = '2s', processes = 5 }
        [[override]]
        match = '*.py'
        limits = { wall_time = '1s' }
        expect = 'ok'
        [[override]]
        match = 'slow.py'
        expect = ['ok', 'time_limit']
        [[override]]
        match = 'gone.py'
    ";

    #[test]
    fn file_profile_override_and_flags_win_in_this_order() {
        let wall = |config: &Config, path: &str| config.case_settings(Path::new(path)).limits.wall_time.to_string();
        let plain = config(TEXT, Flags::default());
        assert_eq!((wall(&plain, "a.sh"), wall(&plain, "a.py")), ("3 s".into(), "1 s".into()));
        let quick = config(TEXT, Flags { profile: Some("quick".into()), ..Flags::default() });
        assert_eq!((wall(&quick, "a.sh"), wall(&quick, "a.py")), ("2 s".into(), "1 s".into()));
        assert_eq!(quick.case_settings(Path::new("a.sh")).limits.processes, 5);
        let limits = LimitsPatch { wall_time: Some("7s".parse().unwrap()), ..LimitsPatch::default() };
        let flagged = config(TEXT, Flags { limits, ..Flags::default() });
        assert_eq!(wall(&flagged, "a.py"), "7 s");
    }

    #[test]
    fn the_last_matching_expectation_counts() {
        let config = config(TEXT, Flags::default());
        let expect = |path: &str| config.case_settings(Path::new(path)).expect.map(|e| e.to_string());
        assert_eq!(expect("a.py").as_deref(), Some("ok"));
        assert_eq!(expect("slow.py").as_deref(), Some("ok or time_limit"));
        assert_eq!(expect("a.sh"), None);
        assert_eq!(
            config.unmatched_globs(),
            ["t/sandsweep.toml:14:17: `match = \"gone.py\"` matches nothing; correct or remove it"]
        );
    }

    #[test]
    fn an_unknown_profile_lists_the_known_ones() {
        let file = ConfigFile::parse(Path::new("x.toml"), TEXT.to_owned()).unwrap();
        let flags = Flags { profile: Some("slow".into()), ..Flags::default() };
        let error = Config::new(Some(&file), flags).unwrap_err().to_string();
        assert!(error.contains("the profiles are quick"), "{error}");
    }
}
