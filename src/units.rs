//! Quantities with their units: sizes in bytes and durations, as people write them and as the
//! reports show them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

/// A number of bytes. Written as `64MiB`, `1.5GB`, `4096` or `4096B`; serialized as an integer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

/// 1 KiB in bytes.
pub const KIB: u64 = 1 << 10;
/// 1 MiB in bytes.
pub const MIB: u64 = 1 << 20;
/// 1 GiB in bytes.
pub const GIB: u64 = 1 << 30;

/// Suffixes of sizes and their factors; matched without regard to case.
const SIZE_UNITS: [(&str, u64); 13] = [
    ("", 1),
    ("b", 1),
    ("k", KIB),
    ("kib", KIB),
    ("kb", 1_000),
    ("m", MIB),
    ("mib", MIB),
    ("mb", 1_000_000),
    ("g", GIB),
    ("gib", GIB),
    ("gb", 1_000_000_000),
    ("t", 1 << 40),
    ("tib", 1 << 40),
];

/// Suffixes of durations and their lengths in nanoseconds.
const TIME_UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Why a quantity could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {what}: {why}")]
pub struct UnitError {
    text: String,
    what: &'static str,
    why: String,
}

impl UnitError {
    fn new(text: &str, what: &'static str, why: impl Into<String>) -> Self {
        Self { text: text.to_owned(), what, why: why.into() }
    }
}

/// Splits `10.5 MiB` into its decimal number and its unit, and multiplies exactly where the number
/// is whole.
fn quantity(text: &str, what: &'static str, units: &[(&str, u64)], hint: &str) -> Result<u64, UnitError> {
    let trimmed = text.trim();
    let end = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (number, unit) = (&trimmed[..end], trimmed[end..].trim());
    if number.is_empty() || number.matches('.').count() > 1 || number == "." {
        return Err(UnitError::new(text, what, format!("it needs a number and a unit, as in {hint}")));
    }
    let Some((_, factor)) = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)) else {
        let why = if unit.is_empty() {
            format!("the unit is missing; write it as in {hint}")
        } else {
            format!("unknown unit `{unit}`; write it as in {hint}")
        };
        return Err(UnitError::new(text, what, why));
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let too_large = || UnitError::new(text, what, "too large");
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| too_large())? };
    let mut total = whole.checked_mul(*factor).ok_or_else(too_large)?;
    let mut scale = *factor;
    let mut rest = 0u64;
    // Digit by digit, in integers: 0.1s is exactly 100 ms. Digits below one unit are dropped.
    for digit in fraction.bytes() {
        let share = rest * 10 + scale * u64::from(digit - b'0');
        total = total.checked_add(share / 10).ok_or_else(too_large)?;
        rest = share % 10;
        if scale % 10 != 0 {
            // Not a power of ten: fall back to floating point for what is left.
            let value: f64 = format!("0.{fraction}").parse().map_err(|_| too_large())?;
            let part = (value * *factor as f64).floor() as u64;
            return whole.checked_mul(*factor).and_then(|n| n.checked_add(part)).ok_or_else(too_large);
        }
        scale /= 10;
    }
    Ok(total)
}

impl FromStr for Bytes {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        quantity(text, "size", &SIZE_UNITS, "64MiB").map(Self)
    }
}

impl fmt::Display for Bytes {
    /// At most one decimal, in the largest unit that keeps the number at least 1.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, factor) in [("GiB", GIB), ("MiB", MIB), ("KiB", KIB)] {
            if self.0 >= factor {
                let value = self.0 as f64 / factor as f64;
                return if self.0.is_multiple_of(factor) || value >= 100.0 {
                    write!(f, "{value:.0} {unit}")
                } else {
                    write!(f, "{value:.1} {unit}")
                };
            }
        }
        write!(f, "{} B", self.0)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

/// A duration in a configuration file or a flag: `10s`, `1.5s`, `250ms`, `2m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        quantity(text, "duration", &TIME_UNITS, "10s or 250ms").map(|ns| Self(Duration::from_nanos(ns)))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        if self.0.is_zero() {
            f.write_str("0 s")
        } else if seconds < 0.001 {
            write!(f, "{:.0} µs", seconds * 1e6)
        } else if seconds < 1.0 {
            write!(f, "{:.0} ms", seconds * 1e3)
        } else if seconds < 120.0 {
            let text = format!("{seconds:.2}");
            write!(f, "{} s", text.trim_end_matches('0').trim_end_matches('.'))
        } else {
            write!(f, "{}m {:02}s", self.0.as_secs() / 60, self.0.as_secs() % 60)
        }
    }
}

impl Serialize for Span {
    /// As seconds: the field's name ends in `_s`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.as_secs_f64())
    }
}

/// Reads a quantity from a string; a bare number is accepted where `from_number` allows it.
struct QuantityVisitor<T> {
    expecting: &'static str,
    from_number: fn(u64) -> Option<T>,
}

impl<T: FromStr<Err = UnitError>> Visitor<'_> for QuantityVisitor<T> {
    type Value = T;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        u64::try_from(number)
            .ok()
            .and_then(self.from_number)
            .ok_or_else(|| E::invalid_type(de::Unexpected::Signed(number), &self))
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        (self.from_number)(number).ok_or_else(|| E::invalid_type(de::Unexpected::Unsigned(number), &self))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let visitor = QuantityVisitor { expecting: "a size such as \"64MiB\"", from_number: |n| Some(Self(n)) };
        deserializer.deserialize_any(visitor)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let visitor = QuantityVisitor {
            expecting: "a duration with its unit such as \"10s\" or \"250ms\"",
            from_number: |_| None,
        };
        deserializer.deserialize_any(visitor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(text: &str) -> u64 {
        text.parse::<Bytes>().unwrap().0
    }

    fn span(text: &str) -> Duration {
        text.parse::<Span>().unwrap().0
    }

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!(bytes("4096"), 4096);
        assert_eq!(bytes("64MiB"), 64 * MIB);
        assert_eq!(bytes("64 mib"), 64 * MIB);
        assert_eq!(bytes("1.5GiB"), GIB + GIB / 2);
        assert_eq!(bytes("1kB"), 1000);
        assert_eq!(bytes("0.1GB"), 100_000_000);
    }

    #[test]
    fn durations_are_exact() {
        assert_eq!(span("0.1s"), Duration::from_millis(100));
        assert_eq!(span("1.000000001s"), Duration::from_nanos(1_000_000_001));
        assert_eq!(span("250ms"), Duration::from_millis(250));
        assert_eq!(span("2m"), Duration::from_secs(120));
        assert_eq!(span("1.5m"), Duration::from_secs(90));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = |text: &str| text.parse::<Span>().unwrap_err().to_string();
        assert!(error("10").contains("unit is missing"), "{}", error("10"));
        assert!(error("10 parsecs").contains("unknown unit `parsecs`"));
        assert!(error("").contains("needs a number"));
        assert!(error("-1s").contains("needs a number"));
        assert!(error("99999999999999999999h").contains("too large"));
        assert!("1.2.3MiB".parse::<Bytes>().is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_panic(text in "\\PC{0,24}") {
            let _ = text.parse::<Bytes>();
            let _ = text.parse::<Span>();
        }

        #[test]
        fn whole_sizes_round_trip(n in 0u64..1 << 50) {
            prop_assert_eq!(bytes(&format!("{n}B")), n);
            prop_assert_eq!(bytes(&format!("{}KiB", n >> 10)), (n >> 10) << 10);
        }

        #[test]
        fn decimal_seconds_are_exact(ns in 0u64..1 << 50) {
            let text = format!("{}.{:09}s", ns / 1_000_000_000, ns % 1_000_000_000);
            prop_assert_eq!(span(&text), Duration::from_nanos(ns));
        }
    }
}
