//! Owns the merge of assignments over the defaults, in order. Each one is checked by itself.
//!
//! Promises the settings together with the origin of each value. May not know files, the environment or the command
//! line.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use toml::de::ValueDeserializer;
use toml::{Table, Value};

use super::{
    catalogue,
    error::ConfigError,
    findings::Findings,
    keys::{self, leaves},
    origin::Origin,
    settings::Settings,
    sources::{Assignment, Written},
};

/// The settings in force and the origin of each value. Prints as commented TOML.
#[derive(Clone)]
pub struct Effective {
    /// The settings in force.
    pub settings: Settings,
    /// The settings as they were written, with their secrets.
    pub(super) table: Table,
    /// Every key that exists.
    known: Table,
    /// The origins of the values that are not defaults.
    pub(super) origins: BTreeMap<String, Origin>,
}

impl Effective {
    /// Merges `assignments` over the defaults, the later ones over the earlier ones. One that is refused changes nothing.
    pub(super) fn merge(assignments: Vec<Assignment>, findings: &mut Findings) -> Self {
        let settings = Settings::default();
        let (table, known) = (settings.table(), Settings::known());
        let mut effective = Self { settings, table, known, origins: BTreeMap::new() };
        for assignment in assignments {
            if let Err(mistake) = effective.assign(assignment) {
                findings.add(mistake);
            }
        }
        effective
    }

    /// The origin of the value of `key`.
    pub fn origin(&self, key: &str) -> &Origin {
        self.origins.get(key).unwrap_or(&Origin::Default)
    }

    /// `key = value (origin)`, for messages.
    pub(super) fn describe(&self, key: &str) -> String {
        let in_force = self.settings.table();
        // The value as it was written, unless it is a secret.
        let table = if is_secret(key) { &in_force } else { &self.table };
        match leaves(table).into_iter().find(|(path, _)| path == key) {
            Some((_, value)) => format!("{key} = {value} ({})", self.origin(key)),
            None => key.to_owned(),
        }
    }

    /// Sets one key and deserializes all settings again, so that an error has one possible cause.
    fn assign(&mut self, assignment: Assignment) -> Result<(), ConfigError> {
        let Assignment { key, value, origin } = assignment;
        let Some((leaf, default)) = template_mut(&mut self.table, &self.known, &key) else {
            return Err(ConfigError::Unknown { name: key, origin, suggestion: None });
        };
        let value = match typed(value, default, is_secret(&key)) {
            Ok(value) => value,
            Err(message) => return Err(ConfigError::Value { key, origin, message }),
        };
        let before = std::mem::replace(leaf, value);
        match Settings::deserialize(self.table.clone()) {
            Ok(settings) => self.settings = settings,
            Err(error) => {
                let message = in_plain_words(error.message());
                if let Some((leaf, _)) = template_mut(&mut self.table, &self.known, &key) {
                    *leaf = before;
                }
                return Err(ConfigError::Value { key, origin, message });
            }
        }
        self.origins.insert(key, origin);
        Ok(())
    }
}

impl fmt::Debug for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Effective").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl fmt::Display for Effective {
    /// Writes TOML that can be used as a configuration file. Each line ends with the origin of its value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut section = "";
        let table = self.settings.table();
        let leaves = leaves(&table);
        for (key, value) in &leaves {
            let (of, name) = key.rsplit_once('.').unwrap_or(("", key));
            if of != section {
                let gap = if section.is_empty() { "" } else { "\n" };
                writeln!(f, "{gap}[{of}]")?;
                section = of;
            }
            writeln!(f, "{name} = {value}  # {}", self.origin(key))?;
        }
        Ok(())
    }
}

/// Returns the value of `key`, and its default. A section that the operator names starts with its defaults.
fn template_mut<'a>(table: &'a mut Table, known: &'a Table, key: &str) -> Option<(&'a mut Value, &'a Value)> {
    let Some((section, rest)) = key.split_once('.') else {
        return table.get_mut(key).zip(known.get(key));
    };
    let template = keys::entry(known, section)?.as_table()?;
    if !table.contains_key(section) {
        table.insert(section.to_owned(), Value::Table(template.clone()));
    }
    template_mut(table.get_mut(section)?.as_table_mut()?, template, rest)
}

/// Says "variant" in the operator's words.
fn in_plain_words(message: &str) -> String {
    match message.strip_prefix("unknown variant ").and_then(|rest| rest.split_once(", expected ")) {
        Some((found, expected)) => format!("{found} is not one of its values; write {expected}"),
        None => message.to_owned(),
    }
}

/// Whether the value of `key` is never shown.
pub(super) fn is_secret(key: &str) -> bool {
    catalogue::find(key).is_some_and(|key| key.kind.is_secret())
}

/// Gives `written` the type of the key's default. The error says which type was expected, and does not show secrets.
fn typed(written: Written, default: &Value, is_secret: bool) -> Result<Value, String> {
    let (value, found) = match written {
        Written::Toml(value) => {
            let found = type_name(&value).to_owned();
            (value, found)
        }
        Written::Text(text) if default.is_str() => return Ok(Value::String(text)),
        Written::Text(text) if default.is_array() && !text.trim_start().starts_with('[') => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            return Ok(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()));
        }
        Written::Text(text) => {
            let value = ValueDeserializer::parse(text.trim()).and_then(Value::deserialize);
            let found = if is_secret { "a text that is none".to_owned() } else { format!("`{text}`") };
            (value.unwrap_or(Value::String(text)), found)
        }
    };
    // Sizes are strings, but may be written as a number of bytes. Decimal numbers may be written without decimals.
    let is_list_of_texts = value.as_array().is_none_or(|items| items.iter().all(Value::is_str));
    if is_secret && !is_list_of_texts {
        // The error of a wrong type would show the value.
        return Err("expected a list of strings in quotes".to_owned());
    }
    if value.same_type(default) || (value.is_integer() && (default.is_str() || default.is_float())) {
        return Ok(value);
    }
    Err(format!("expected {}, found {found}", type_name(default)))
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a string in quotes",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a decimal number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date or time",
        Value::Array(_) => "a list in brackets",
        Value::Table(_) => "a table",
    }
}
