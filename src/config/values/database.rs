//! Owns names of databases as paths have them. May not know which databases exist.

use std::{fmt, str::FromStr};

use super::text::{ParseValueError, serde_as_text};

/// The name of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseName(String);

impl DatabaseName {
    /// Makes a default. A test checks defaults against the parser.
    pub(in crate::config) fn constant(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DatabaseName {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || text.contains('/') {
            return Err(ParseValueError(format!(
                "`{text}` is not the name of a database; write one such as \"neo4j\""
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for DatabaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

serde_as_text!(DatabaseName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_segment_of_a_path() {
        for name in ["neo4j", "my database"] {
            assert_eq!(name.parse::<DatabaseName>().expect(name).as_str(), name);
        }
        for wrong in ["", "a/b"] {
            assert!(wrong.parse::<DatabaseName>().is_err(), "{wrong}");
        }
    }
}
