//! Owns the names of gateways.

use std::{fmt, str::FromStr};

use super::text::{ParseValueError, serde_as_text};

/// The longest name, in bytes.
const MAX: usize = 32;

/// The name of a gateway among several: 1 to 32 of `A-Za-z0-9.-`, so that it fits into headers and cookies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceName(String);

impl InstanceName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
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
