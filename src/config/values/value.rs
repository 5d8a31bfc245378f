//! Owns time spans, sizes, counts, and the version that clients are told. None of them is zero.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

use super::text::serde_as_text;

/// Why a text is refused as a value. The message says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseValueError(pub(in crate::config) String);

/// A positive time span, written as a whole number and a unit: `500ms`, `30s`, `10m`, `1h`.
///
/// At most 8760h (365 days), so that adding it to the current instant cannot overflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeSpan(Duration);

impl TimeSpan {
    const MAX: Duration = Duration::from_secs(8760 * 60 * 60);
    /// Milliseconds per unit, longest unit first.
    const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

    /// Makes a default. A test checks defaults against the parser.
    pub(in crate::config) const fn constant(duration: Duration) -> Self {
        Self(duration)
    }

    /// The span as a [`Duration`].
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl FromStr for TimeSpan {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, unit) = split_unit(text);
        let per_unit = Self::UNITS.iter().find(|(name, _)| *name == unit).map(|(_, ms)| *ms);
        let (Ok(number), Some(per_unit)) = (number.parse::<u64>(), per_unit) else {
            return Err(ParseValueError(format!(
                "`{text}` is not a time span; write a whole number and a unit (ms, s, m, h), \
                 such as \"500ms\", \"30s\" or \"1h\""
            )));
        };
        match number.checked_mul(per_unit).map(Duration::from_millis) {
            Some(Duration::ZERO) => Err(ParseValueError("must be longer than zero".to_owned())),
            Some(span) if span <= Self::MAX => Ok(Self(span)),
            _ => Err(ParseValueError(format!("`{text}` is too long; the most is \"8760h\""))),
        }
    }
}

impl fmt::Display for TimeSpan {
    /// Writes the span in its longest exact unit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.0.as_millis();
        let exact = |per_unit: u64| total.is_multiple_of(u128::from(per_unit));
        let (unit, per_unit) = Self::UNITS.into_iter().find(|(_, per_unit)| exact(*per_unit)).unwrap_or(("ms", 1));
        write!(f, "{}{unit}", total / u128::from(per_unit))
    }
}

/// A positive number of bytes, plain (`65536`) or with a unit (`64KiB`, `1MiB`, `2GiB`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(usize);

impl ByteSize {
    /// Bytes per unit, largest unit first.
    const UNITS: [(&str, usize); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("", 1)];

    /// Makes a default. A test checks defaults against the parser.
    pub(in crate::config) const fn constant(bytes: usize) -> Self {
        Self(bytes)
    }

    /// The size in bytes.
    pub const fn get(self) -> usize {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, unit) = split_unit(text);
        let per_unit = Self::UNITS.iter().find(|(name, _)| *name == unit).map(|(_, bytes)| *bytes);
        let (Ok(number), Some(per_unit)) = (number.parse::<usize>(), per_unit) else {
            return Err(ParseValueError(format!(
                "`{text}` is not a size; write bytes, or a whole number and a unit \
                 (KiB, MiB, GiB), such as \"64KiB\" or \"1MiB\""
            )));
        };
        match number.checked_mul(per_unit) {
            Some(0) => Err(ParseValueError("must be more than zero bytes".to_owned())),
            Some(bytes) => Ok(Self(bytes)),
            None => Err(ParseValueError(format!("`{text}` is more than this machine can address"))),
        }
    }
}

impl fmt::Display for ByteSize {
    /// Writes the size in its largest exact unit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = |per_unit: usize| self.0.is_multiple_of(per_unit);
        let (unit, per_unit) = Self::UNITS.into_iter().find(|(_, per_unit)| exact(*per_unit)).unwrap_or(("", 1));
        write!(f, "{}{unit}", self.0 / per_unit)
    }
}

/// A count: 1 to 4294967295.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(u32);

impl Count {
    /// Makes a default. A test checks defaults against the parser.
    pub(in crate::config) const fn constant(count: u32) -> Self {
        Self(count)
    }

    /// The count as a `usize`.
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        match u32::try_from(number) {
            Ok(count) if count > 0 => Ok(Self(count)),
            _ => {
                Err(D::Error::custom(format!("{number} is out of range; write a whole number from 1 to {}", u32::MAX)))
            }
        }
    }
}

/// A Neo4j version such as `2026.09.0` or `5.26.0`: two or more numbers joined by dots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neo4jVersion(String);

impl Neo4jVersion {
    /// Makes a default. A test checks defaults against the parser.
    pub(in crate::config) fn constant(version: &str) -> Self {
        Self(version.to_owned())
    }

    /// The version as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Neo4jVersion {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if text.contains('.') && text.split('.').all(is_number) {
            return Ok(Self(text.to_owned()));
        }
        Err(ParseValueError(format!(
            "`{text}` is not a Neo4j version; write numbers joined by dots, such as \"2026.09.0\""
        )))
    }
}

impl fmt::Display for Neo4jVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Splits `30s` into `30` and `s`.
fn split_unit(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

serde_as_text!(TimeSpan, ByteSize, Neo4jVersion);

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal<T: FromStr<Err = ParseValueError> + fmt::Debug>(text: &str) -> String {
        text.parse::<T>().expect_err(text).to_string()
    }

    #[test]
    fn time_spans_are_read_and_printed_in_their_longest_exact_unit() {
        for (text, millis, printed) in [
            ("500ms", 500, "500ms"),
            ("30s", 30_000, "30s"),
            ("60s", 60_000, "1m"),
            ("90m", 5_400_000, "90m"),
            ("8760h", 31_536_000_000, "8760h"),
            ("1500ms", 1500, "1500ms"),
        ] {
            let span: TimeSpan = text.parse().expect(text);
            assert_eq!(span.get(), Duration::from_millis(millis), "{text}");
            assert_eq!(span.to_string(), printed);
        }
    }

    #[test]
    fn time_spans_without_unit_or_out_of_range_are_refused() {
        for text in ["30", "", "s", "1.5s", "-1s", "1h30m", "30 s", "30S", "1d", "3٣s"] {
            assert!(refusal::<TimeSpan>(text).contains("is not a time span"), "{text}");
        }
        assert_eq!(refusal::<TimeSpan>("0s"), "must be longer than zero");
        for text in ["8761h", "18446744073709551615h"] {
            assert!(refusal::<TimeSpan>(text).contains("is too long"), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_and_printed_in_their_largest_exact_unit() {
        for (text, bytes, printed) in [
            ("1", 1, "1"),
            ("1000", 1000, "1000"),
            ("65536", 65_536, "64KiB"),
            ("64KiB", 65_536, "64KiB"),
            ("1MiB", 1_048_576, "1MiB"),
            ("1024MiB", 1_073_741_824, "1GiB"),
        ] {
            let size: ByteSize = text.parse().expect(text);
            assert_eq!(size.get(), bytes, "{text}");
            assert_eq!(size.to_string(), printed);
        }
    }

    #[test]
    fn sizes_with_decimal_units_or_out_of_range_are_refused() {
        for text in ["", "KiB", "64KB", "64k", "1.5MiB", "-1", "64 KiB", "64kib"] {
            assert!(refusal::<ByteSize>(text).contains("is not a size"), "{text}");
        }
        assert_eq!(refusal::<ByteSize>("0KiB"), "must be more than zero bytes");
        assert!(refusal::<ByteSize>("18446744073709551615GiB").contains("more than this machine"));
    }

    #[test]
    fn versions_are_numbers_joined_by_dots() {
        for text in ["2026.09.0", "5.26"] {
            assert_eq!(text.parse::<Neo4jVersion>().expect(text).as_str(), text);
        }
        for text in ["", "5", "5.", ".5", "5.x", "v5.26.0", "5.26.0-rc1"] {
            assert!(refusal::<Neo4jVersion>(text).contains("is not a Neo4j version"), "{text}");
        }
    }
}
