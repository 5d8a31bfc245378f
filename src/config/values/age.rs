//! Owns time spans that may be zero, and percentages.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::{
    text::serde_as_text,
    value::{ParseValueError, TimeSpan},
};

/// A time span that may be zero: `0s`, `500ms`, `30s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age(Duration);

impl Age {
    /// Makes a default. A test checks defaults against the parser.
    pub(in crate::config) const fn constant(duration: Duration) -> Self {
        Self(duration)
    }

    /// The span as a [`Duration`].
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl FromStr for Age {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unit = text.trim_start_matches('0');
        if unit != text && ["ms", "s", "m", "h"].contains(&unit) {
            return Ok(Self(Duration::ZERO));
        }
        text.parse().map(|span: TimeSpan| Self(span.get()))
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_zero() { f.write_str("0s") } else { TimeSpan::constant(self.0).fmt(f) }
    }
}

serde_as_text!(Age);

/// A share of a whole: 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent(u8);

impl Percent {
    /// Makes a default. A test checks defaults against the parser.
    pub(in crate::config) const fn constant(percent: u8) -> Self {
        Self(percent)
    }

    /// The share of `whole`, rounded up, so that it is never zero.
    pub fn of(self, whole: usize) -> usize {
        (whole * usize::from(self.0)).div_ceil(100)
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        match u8::try_from(number) {
            Ok(percent @ 1..=100) => Ok(Self(percent)),
            _ => Err(D::Error::custom(format!("{number} is out of range; write a whole number from 1 to 100"))),
        }
    }
}
