//! The header of a file: TOML in the lines that begin with `//:`.
//!
//! Promises to refuse keys that it does not know, and that each mistake has its line.

use std::{fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use toml::{Spanned, Value};

use crate::config::{TimeSpan, WhoRule};

/// What begins a line of the header.
const MARK: &str = "//:";

/// The header as it is written. What is not there has its default elsewhere.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    #[serde(default)]
    pub(super) summary: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) deprecated: bool,
    #[serde(default)]
    pub(super) access: Access,
    pub(super) databases: Option<Vec<String>>,
    pub(super) allow: Option<Vec<WhoRule>>,
    pub(super) run_as: Option<Spanned<RunAs>>,
    #[serde(default)]
    pub(super) result: Shape,
    #[serde(default)]
    pub(super) returns: Entries<Text<super::returns::Returned>>,
    pub(super) cache: Option<Spanned<TimeSpan>>,
    pub(super) cache_scope: Option<Spanned<Scope>>,
    pub(super) timeout: Option<TimeSpan>,
    pub(super) max_rows: Option<Spanned<u32>>,
    #[serde(default)]
    pub(super) mcp: bool,
    #[serde(default)]
    pub(super) parameters: Entries<Section>,
}

/// Whether a query may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// It only reads.
    #[default]
    Read,
    /// It may write, and is called with POST only.
    Write,
}

/// The account that a query runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunAs {
    /// The caller's own.
    #[default]
    Caller,
    /// The gateway's.
    Service,
}

/// What the answer in plain JSON is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// An array of objects.
    #[default]
    Records,
    /// The only record, as an object.
    Record,
    /// The first column of the only record.
    Value,
    /// The document of the Query API.
    Document,
}

/// Who may keep an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The caller's own cache.
    #[default]
    Private,
    /// Any cache.
    Public,
}

/// `[parameters.NAME]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    #[serde(rename = "type")]
    pub(super) kind: Text<super::types::Type>,
    #[serde(default)]
    pub(super) description: String,
    pub(super) example: Option<Spanned<Value>>,
    pub(super) default: Option<Spanned<Value>>,
    #[serde(default)]
    pub(super) nullable: bool,
    pub(super) minimum: Option<Spanned<Value>>,
    pub(super) maximum: Option<Spanned<Value>>,
    pub(super) min_length: Option<usize>,
    pub(super) max_length: Option<usize>,
    pub(super) pattern: Option<Spanned<String>>,
    #[serde(rename = "enum", default)]
    pub(super) one_of: Vec<Spanned<Value>>,
    pub(super) min_items: Option<usize>,
    pub(super) max_items: Option<usize>,
}

/// A value that is read from text.
pub(super) struct Text<T>(pub(super) T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

/// The entries of a table, in its order.
pub(super) struct Entries<T>(pub(super) Vec<(Spanned<String>, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for InOrder<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(InOrder(std::marker::PhantomData))
    }
}

/// Divides a file into the TOML of its header and its statement. Both have as many lines as the file, so that a line of
/// either is that of the file.
pub(super) fn divided(text: &str) -> (String, String) {
    let (mut toml, mut statement) = (String::new(), String::with_capacity(text.len()));
    for line in text.split_inclusive('\n') {
        if let Some(header) = line.strip_prefix(MARK) {
            toml.push_str(header.strip_prefix(' ').unwrap_or(header));
            statement.push_str(if line.ends_with('\n') { "\n" } else { "" });
        } else {
            toml.push('\n');
            statement.push_str(line);
        }
    }
    (toml, statement)
}

/// The line in which the byte at `offset` is, counted from 1.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    1 + text.as_bytes().get(..offset).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count()
}
