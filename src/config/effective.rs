//! Owns the merge: defaults, then every assignment in order, each checked as it is made.
//!
//! Promises the settings together with where each value came from.
//! May not know files, the environment or the command line.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use toml::de::ValueDeserializer;
use toml::{Table, Value};

use super::Settings;
use super::check::check;
use super::error::ConfigError;
use super::source::{Assignment, Origin, Sources, Written, leaves};

/// The settings in force and the origin of each value; prints as commented TOML.
#[derive(Debug, Clone)]
pub struct Effective {
    /// The settings in force.
    pub settings: Settings,
    table: Table,
    /// Origins of the values that are not defaults.
    origins: BTreeMap<String, Origin>,
}

impl Effective {
    /// Merges the sources, file < environment < flags, over the defaults.
    ///
    /// # Errors
    ///
    /// As [`Settings::load`].
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let settings = Settings::default();
        let table = settings.table();
        let mut effective = Self { settings, table, origins: BTreeMap::new() };
        for assignment in sources.assignments(&effective.table)? {
            effective.assign(assignment)?;
        }
        check(&effective)?;
        Ok(effective)
    }

    /// Where the value of `key` came from.
    pub fn origin(&self, key: &str) -> &Origin {
        self.origins.get(key).unwrap_or(&Origin::Default)
    }

    /// `key = value (origin)`, for messages.
    pub(super) fn describe(&self, key: &str) -> String {
        let value = leaves(&self.table).into_iter().find(|(path, _)| path == key);
        match value {
            Some((_, value)) => format!("{key} = {value} ({})", self.origin(key)),
            None => key.to_owned(),
        }
    }

    /// Sets one key and reads the whole tree anew, so that a refusal has one possible cause.
    fn assign(&mut self, assignment: Assignment) -> Result<(), ConfigError> {
        let Assignment { key, value, origin } = assignment;
        let Some(leaf) = leaf_mut(&mut self.table, &key) else {
            return Err(ConfigError::Unknown { name: key, origin, suggestion: None });
        };
        *leaf = match typed(value, leaf) {
            Ok(value) => value,
            Err(message) => {
                return Err(ConfigError::Value { key, origin, message });
            }
        };
        match Settings::deserialize(self.table.clone()) {
            Ok(settings) => self.settings = settings,
            Err(error) => {
                let message = error.message().to_owned();
                return Err(ConfigError::Value { key, origin, message });
            }
        }
        self.origins.insert(key, origin);
        Ok(())
    }
}

impl fmt::Display for Effective {
    /// TOML that can be used as a configuration file; each line says where its value came from.
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

impl Settings {
    /// The settings as TOML, in the order of their declaration.
    #[expect(clippy::expect_used, reason = "settings are tables of strings and integers")]
    fn table(&self) -> Table {
        Table::try_from(self).expect("settings are TOML")
    }
}

fn leaf_mut<'a>(table: &'a mut Table, key: &str) -> Option<&'a mut Value> {
    match key.split_once('.') {
        None => table.get_mut(key),
        Some((section, rest)) => leaf_mut(table.get_mut(section)?.as_table_mut()?, rest),
    }
}

/// Gives `written` the type of the value it replaces, or says which type was expected.
fn typed(written: Written, replaced: &Value) -> Result<Value, String> {
    let (value, found) = match written {
        Written::Toml(value) => {
            let found = type_name(&value).to_owned();
            (value, found)
        }
        Written::Text(text) if replaced.is_str() => return Ok(Value::String(text)),
        Written::Text(text) => {
            let value = ValueDeserializer::parse(text.trim()).and_then(Value::deserialize);
            let found = format!("`{text}`");
            (value.unwrap_or(Value::String(text)), found)
        }
    };
    // Sizes are strings that may be written as a bare number of bytes.
    if value.same_type(replaced) || (replaced.is_str() && value.is_integer()) {
        return Ok(value);
    }
    Err(format!("expected {}, found {found}", type_name(replaced)))
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
