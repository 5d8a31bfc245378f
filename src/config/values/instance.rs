//! Owns the names of gateways.

use std::{fmt, str::FromStr};

use super::text::{ParseValueError, serde_as_text};

/// The longest name, in bytes.
const MAX: usize = 32;

/// The name of a gateway among several: 1 to 32 of `A-Za-z0-9.-`, so that it fits into headers and cookies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceName(String);

impl InstanceName {
    /// The largest number of an instance that fits into the handles of the older HTTP API.
    pub const MAX_NUMBER: u8 = 89;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number at its end, such as that of a pod of a StatefulSet, unless it is above [`InstanceName::MAX_NUMBER`].
    pub fn number(&self) -> Option<u8> {
        self.split().1.parse().ok().filter(|number| *number <= Self::MAX_NUMBER)
    }

    /// The name with another number at its end; `None` if it has none, or becomes too long.
    pub fn numbered(&self, number: u8) -> Option<Self> {
        self.number()?;
        let (name, digits) = self.split();
        format!("{name}{number:0width$}", width = digits.len()).parse().ok()
    }

    /// The name without the digits at its end, and these.
    fn split(&self) -> (&str, &str) {
        let name = self.0.trim_end_matches(|c: char| c.is_ascii_digit());
        (name, self.0.get(name.len()..).unwrap_or_default())
    }
}

impl FromStr for InstanceName {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_letter = |b: u8| b.is_ascii_alphanumeric() || b".-".contains(&b);
        if (1..=MAX).contains(&text.len()) && text.bytes().all(is_letter) {
            return Ok(Self(text.to_owned()));
        }
        Err(ParseValueError(format!(
            "`{text}` is not a name of a gateway; write 1 to {MAX} of A-Z, a-z, 0-9, `.` and `-`, such as \"gw-a\""
        )))
    }
}

impl fmt::Display for InstanceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

serde_as_text!(InstanceName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_at_the_end_tell_instances_apart() {
        let name = |text: &str| text.parse::<InstanceName>().unwrap();
        for (text, number, other) in [
            ("boltgate-0", Some(0), Some("boltgate-12")),
            ("gw89", Some(89), Some("gw12")),
            ("gw-007", Some(7), Some("gw-012")),
            ("3", Some(3), Some("12")),
            ("gw-90", None, None),
            ("gw-20261130", None, None),
            ("gw-a", None, None),
            ("gw1-", None, None),
        ] {
            assert_eq!(name(text).number(), number, "{text}");
            assert_eq!(name(text).numbered(12), other.map(name), "{text}");
        }
        assert_eq!(name(&format!("{}1", "x".repeat(31))).numbered(12), None);
    }

    #[test]
    fn names_fit_into_headers_and_cookies() {
        for text in ["a", "gw-1.eu", "A.b-9", &"x".repeat(32)] {
            assert_eq!(text.parse::<InstanceName>().expect(text).as_str(), text);
        }
        for text in ["", "a b", "a;b", "a_b", "ä", &"x".repeat(33)] {
            let refusal = text.parse::<InstanceName>().expect_err(text).to_string();
            assert!(refusal.contains("is not a name of a gateway"), "{refusal}");
        }
    }
}
