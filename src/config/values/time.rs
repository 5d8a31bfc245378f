//! Owns time spans.

use std::{fmt, str::FromStr, time::Duration};

use super::text::{ParseValueError, serde_as_text, split_unit};

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

serde_as_text!(TimeSpan, Age);

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
}
