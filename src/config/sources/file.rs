//! Owns the configuration file: its keys, their lines and their values.
//!
//! Promises a mistake with its line for each key that does not exist. May not know which values are in range.

use serde::Deserialize;
use toml::de::{DeTable, DeValue, ValueDeserializer};
use toml::{Table, Value};

use super::{
    assignment::{Assignment, Written},
    suggest::nearest,
};
use crate::config::{
    error::ConfigError,
    findings::Findings,
    keys::{self, ANY, join},
    origin::Origin,
};

/// The configuration file, already read. Not `Debug`, because it may contain secrets.
#[derive(Clone)]
pub struct ConfigFile {
    /// The path as it was given, for messages.
    pub path: String,
    /// The content.
    pub text: String,
}

impl ConfigFile {
    pub(in crate::config) fn assignments(&self, known: &Table, findings: &mut Findings) -> Vec<Assignment> {
        let mut assignments = Vec::new();
        match DeTable::parse(&self.text) {
            Ok(table) => self.collect("", table.into_inner(), known, &mut assignments, findings),
            // What the parser makes of the rest is a guess, which would only add to the confusion.
            Err(error) => findings.add(self.syntax_error(&error)),
        }
        assignments
    }

    /// Walks `table` and `known` together, and adds what `table` sets.
    fn collect(
        &self,
        section: &str,
        table: DeTable<'_>,
        known: &Table,
        assignments: &mut Vec<Assignment>,
        findings: &mut Findings,
    ) {
        for (name, value) in table {
            let key = join(section, name.get_ref());
            let origin = self.origin_at(name.span().start);
            match keys::entry(known, name.get_ref()) {
                None if known.contains_key(ANY) => {
                    let message = "is not a name for a section; write up to 32 of a-z, 0-9, - and _".to_owned();
                    findings.add(ConfigError::Value { key, origin, message });
                }
                None => findings.add(unknown_key(key, section, known, origin)),
                Some(Value::Table(inner)) => match value.into_inner() {
                    // Otherwise the section would be ignored silently, and with it the verification of its tokens.
                    DeValue::Table(table) if table.is_empty() && known.contains_key(ANY) => {
                        let message = format!("is an empty section; write its keys below [{key}], or remove it");
                        findings.add(ConfigError::Value { key, origin, message });
                    }
                    DeValue::Table(table) => self.collect(&key, table, inner, assignments, findings),
                    _ => {
                        let message = format!("is a section; write its keys below [{key}]");
                        findings.add(ConfigError::Value { key, origin, message });
                    }
                },
                Some(_) => match Value::deserialize(ValueDeserializer::from(value)) {
                    Ok(value) => assignments.push(Assignment { key, value: Written::Toml(value), origin }),
                    // The parser's message would show the value, which may be a secret.
                    Err(_) => {
                        let message =
                            "contains a number that is too large; write a smaller number, or a text in quotes"
                                .to_owned();
                        findings.add(ConfigError::Value { key, origin, message });
                    }
                },
            }
        }
    }

    fn syntax_error(&self, error: &toml::de::Error) -> ConfigError {
        ConfigError::Syntax {
            path: self.path.clone(),
            line: self.line_at(error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        }
    }

    fn origin_at(&self, offset: usize) -> Origin {
        Origin::File { path: self.path.clone(), line: self.line_at(offset) }
    }

    fn line_at(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
    }
}

/// Makes the error for a key that does not exist. Suggestions come from `known`, the section that was searched.
fn unknown_key(key: String, section: &str, known: &Table, origin: Origin) -> ConfigError {
    let siblings: Vec<String> = known.keys().map(|name| join(section, name)).collect();
    let suggestion = nearest(&key, siblings.iter().map(String::as_str)).map(str::to_owned);
    ConfigError::Unknown { name: key, origin, suggestion }
}
