//! Owns the version of Neo4j that clients are told.

use std::{fmt, str::FromStr};

use super::text::{ParseValueError, serde_as_text};

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

serde_as_text!(Neo4jVersion);

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal<T: FromStr<Err = ParseValueError> + fmt::Debug>(text: &str) -> String {
        text.parse::<T>().expect_err(text).to_string()
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
