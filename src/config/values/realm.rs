//! Owns the realm in the challenge to callers that are not accepted.

use std::{fmt, str::FromStr};

use super::text::{ParseValueError, serde_as_text};

/// The name of what callers log in to: 1 to 64 printable ASCII characters, so that every client can show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Realm(String);

impl Realm {
    const LONGEST: usize = 64;

    /// Makes a default. A test checks defaults against the parser.
    pub(in crate::config) fn constant(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name itself, without the quotes and escapes of a header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Realm {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if is_printable && (1..=Self::LONGEST).contains(&text.len()) {
            return Ok(Self(text.to_owned()));
        }
        Err(ParseValueError(format!(
            "`{}` is not a realm; write 1 to {} printable ASCII characters, such as \"boltgate\"",
            text.escape_debug(),
            Self::LONGEST
        )))
    }
}

impl fmt::Display for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

serde_as_text!(Realm);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_realm_is_a_line_of_printable_ascii() {
        for good in ["boltgate", "Neo4j", "The \"graph\" of \\ACME", " ", &"x".repeat(64)] {
            assert_eq!(good.parse::<Realm>().map(|realm| realm.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "a\r\nSet-Cookie: a=b", "Größe", "tab\t", "\u{7f}", &"x".repeat(65)] {
            let told = bad.parse::<Realm>().expect_err(bad).to_string();
            assert!(told.contains("1 to 64 printable ASCII characters") && !told.contains('\r'), "{told}");
        }
    }
}
