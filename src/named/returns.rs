//! The types of columns that a header declares (`returns`).

use std::str::FromStr;

use serde_json::{Value, json};

/// The types of columns except lists, and the types of their values in plain JSON.
const TYPES: [(&str, &str); 17] = [
    ("bool", "boolean"),
    ("int64", "integer"),
    ("float64", "number"),
    ("string", "string"),
    ("binary", "string"),
    ("date", "string"),
    ("time", "string"),
    ("localtime", "string"),
    ("timestamp[us]", "string"),
    ("timestamp[ns]", "string"),
    ("zoned", "string"),
    ("duration", "string"),
    ("point", "string"),
    ("node", "object"),
    ("relationship", "object"),
    ("path", "array"),
    ("json", ""),
];

/// The type of a column: a name of Arrow's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Returned(String);

impl Returned {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The schema of its values in plain JSON.
    pub(super) fn schema(&self) -> Value {
        schema(&self.0)
    }
}

fn schema(name: &str) -> Value {
    if let Some(items) = items(name) {
        return json!({ "type": ["array", "null"], "items": schema(items) });
    }
    match TYPES.iter().find(|(known, _)| *known == name) {
        // Floats that JSON has no number for are text.
        Some((_, "number")) => json!({ "type": ["number", "string", "null"] }),
        Some((_, kind)) if !kind.is_empty() => json!({ "type": [kind, "null"] }),
        _ => json!({}),
    }
}

fn items(name: &str) -> Option<&str> {
    name.strip_prefix("list<").and_then(|rest| rest.strip_suffix('>'))
}

impl FromStr for Returned {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut innermost = text;
        while let Some(inner) = items(innermost) {
            innermost = inner;
        }
        if text.len() <= 100 && TYPES.iter().any(|(name, _)| *name == innermost) {
            return Ok(Self(text.to_owned()));
        }
        let names: Vec<_> = TYPES.iter().map(|(name, _)| *name).collect();
        Err(format!("there is no type `{text}` of columns; the types are {} and list<TYPE>", names.join(", ")))
    }
}
