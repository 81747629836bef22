//! Which kernel uid a sandbox runs under.
//!
//! Started as root, every worker slot gets an unprivileged uid of its own: RLIMIT_NPROC does
//! nothing for uid 0, and two sandboxes of one uid could signal each other if a namespace failed.

/// The uids of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uids {
    /// Started by an ordinary user: every sandbox has that user's uid outside.
    Own {
        /// The user's.
        uid: u32,
        /// The user's.
        gid: u32,
    },
    /// Started as root: worker `n` uses `base + n`, as uid and gid.
    Slots {
        /// The first.
        base: u32,
    },
}

/// Uid and gid that a script sees itself under.
pub const INSIDE: u32 = 1000;

/// First uid by default: the start of the range that systemd's UIDS-GIDS document lists as unused
/// by anything it knows (0x70000000).
pub const DEFAULT_BASE: u32 = 0x7000_0000;

/// No base can be found.
#[derive(Debug, thiserror::Error)]
pub enum UidError {
    /// The namespace we are in has too few uids.
    #[error(
        "cannot choose unprivileged uids for {slots} sandboxes: this user namespace maps only uids {map}; start \
         sandsweep as an ordinary user, or map more uids (/etc/subuid) and name the first with `uid_base` in [sweep]"
    )]
    TooFew {
        /// How many are needed.
        slots: u32,
        /// The map.
        map: String,
    },
    /// The configured base is not mapped.
    #[error(
        "`uid_base = {base}` with {slots} workers leaves the uids of this user namespace ({map}); choose a base inside"
    )]
    NotMapped {
        /// As configured.
        base: u32,
        /// How many are needed.
        slots: u32,
        /// The map.
        map: String,
    },
}

impl Uids {
    /// Decides from who we are and which uids this user namespace has.
    ///
    /// # Errors
    /// As root, when there are not enough unprivileged uids.
    pub fn choose(configured_base: Option<u32>, slots: u32) -> Result<Self, UidError> {
        let uid = rustix::process::geteuid().as_raw();
        if uid != 0 {
            return Ok(Self::Own { uid, gid: rustix::process::getegid().as_raw() });
        }
        let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        choose_base(configured_base, slots, &map).map(|base| Self::Slots { base })
    }

    /// The kernel's uid and gid for a worker.
    pub fn of_slot(&self, slot: u32) -> (u32, u32) {
        match *self {
            Self::Own { uid, gid } => (uid, gid),
            Self::Slots { base } => (base + slot, base + slot),
        }
    }

    /// Whether sandboxes run under another uid than the harness.
    pub fn are_separate(&self) -> bool {
        matches!(self, Self::Slots { .. })
    }
}

/// `map` is the text of `/proc/self/uid_map`: inside, outside, count on each line.
fn choose_base(configured: Option<u32>, slots: u32, map: &str) -> Result<u32, UidError> {
    let ranges: Vec<(u64, u64)> = map
        .lines()
        .filter_map(|line| {
            let mut words = line.split_ascii_whitespace().map(|word| word.parse::<u64>().ok());
            let (first, _, count) = (words.next()??, words.next()??, words.next()??);
            Some((first, first + count))
        })
        .collect();
    let shown = || {
        let texts: Vec<_> = ranges.iter().map(|(first, end)| format!("{first} to {}", end.saturating_sub(1))).collect();
        texts.join(", ")
    };
    // uid 0 is root, 65534 is what unmapped ids look like, and 2^32 - 1 means "unchanged".
    let fits = |base: u64| {
        let end = base + u64::from(slots);
        base > 0
            && end < u64::from(u32::MAX)
            && !(base..end).contains(&65534)
            && ranges.iter().any(|&(first, stop)| first <= base && end <= stop)
    };
    if let Some(base) = configured {
        return if fits(u64::from(base)) { Ok(base) } else { Err(UidError::NotMapped { base, slots, map: shown() }) };
    }
    let last_of = |&(_, stop): &(u64, u64)| stop.checked_sub(u64::from(slots) + 1);
    std::iter::once(u64::from(DEFAULT_BASE))
        .chain(ranges.iter().filter_map(last_of))
        .chain(ranges.iter().filter_map(|range| last_of(range)?.checked_sub(u64::from(slots) + 1)))
        .find(|&base| fits(base))
        .and_then(|base| u32::try_from(base).ok())
        .ok_or_else(|| UidError::TooFew { slots, map: shown() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_range_gives_the_default() {
        assert_eq!(choose_base(None, 8, "         0          0 4294967295\n").unwrap(), DEFAULT_BASE);
    }

    #[test]
    fn a_small_namespace_gives_its_upper_end_without_the_overflow_uid() {
        let base = choose_base(None, 8, "0 100000 65536\n").unwrap();
        assert!(base + 8 <= 65534 && base > 60000, "{base}");
    }

    #[test]
    fn one_mapped_uid_is_not_enough() {
        let error = choose_base(None, 2, "0 1000 1\n").unwrap_err().to_string();
        assert!(error.contains("0 to 0") && error.contains("ordinary user"), "{error}");
    }

    #[test]
    fn a_configured_base_must_be_mapped() {
        assert_eq!(choose_base(Some(20_000), 4, "0 0 4294967295").unwrap(), 20_000);
        assert!(choose_base(Some(70_000), 4, "0 100000 65536").is_err());
        assert!(choose_base(Some(0), 4, "0 0 4294967295").is_err());
    }
}
