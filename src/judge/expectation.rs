//! What a corpus declares of its cases, and whether it came true.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Verdict;

/// The verdicts that are as they should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// One of these verdicts.
    OneOf(Vec<Verdict>),
    /// Anything but an escape, as long as it ran.
    Contained,
}

impl Expectation {
    /// Whether `verdict` is as declared. An `error` never is, unless it is named: nothing is known
    /// of a case that did not run.
    pub fn met_by(&self, verdict: Verdict) -> bool {
        match self {
            Self::OneOf(verdicts) => verdicts.contains(&verdict),
            Self::Contained => !matches!(verdict, Verdict::Escaped | Verdict::Error),
        }
    }

    /// The declared names, as in the configuration.
    pub fn names(&self) -> Vec<&'static str> {
        match self {
            Self::OneOf(verdicts) => verdicts.iter().map(|verdict| verdict.name()).collect(),
            Self::Contained => vec!["contained"],
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(" or "))
    }
}

impl Serialize for Expectation {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.names().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Expectation {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a verdict name, a list of them, or \"contained\"")]
        enum Raw {
            One(String),
            Many(Vec<String>),
        }
        let names = match Raw::deserialize(deserializer)? {
            Raw::One(name) => vec![name],
            Raw::Many(names) => names,
        };
        if names == ["contained"] {
            return Ok(Self::Contained);
        }
        if names.is_empty() {
            return Err(serde::de::Error::custom("`expect` is empty; name a verdict"));
        }
        let verdicts: Result<_, String> = names.iter().map(|name| name.parse()).collect();
        verdicts.map(Self::OneOf).map_err(|why| serde::de::Error::custom(format!("{why}, or \"contained\" alone")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Row {
        expect: Expectation,
    }

    fn read(text: &str) -> Result<Expectation, String> {
        toml::from_str::<Row>(text).map(|row| row.expect).map_err(|e| e.to_string())
    }

    #[test]
    fn one_many_and_contained() {
        assert_eq!(read("expect = 'ok'").unwrap(), Expectation::OneOf(vec![Verdict::Ok]));
        let many = read("expect = ['ok', 'time_limit']").unwrap();
        assert!(many.met_by(Verdict::TimeLimit) && !many.met_by(Verdict::Failed));
        let contained = read("expect = 'contained'").unwrap();
        assert!(contained.met_by(Verdict::Crashed));
        assert!(!contained.met_by(Verdict::Escaped) && !contained.met_by(Verdict::Error));
    }

    #[test]
    fn a_wrong_name_lists_the_right_ones() {
        let error = read("expect = 'passed'").unwrap_err();
        assert!(error.contains("`passed` is not a verdict") && error.contains("time_limit"), "{error}");
        assert!(error.contains("line 1, column 10"), "{error}");
    }
}
