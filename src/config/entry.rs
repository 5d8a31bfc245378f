//! Owns the settings as a list, for programs that show them.
//!
//! Promises every key in the order of the file, and no secret.

use serde_json::Value;

use super::{catalogue, effective::Effective, keys::leaves};

/// Stands for a secret that is set.
const SECRET: &str = "***";

/// A setting in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key, such as `server.listen`.
    pub key: String,
    /// The value. A secret that is set is `"***"`.
    pub value: Value,
    /// Where the value was set, in words: `default`, `derived from transactions.max`, `file boltgate.toml:3`, `env BOLTGATE_LOG__FILTER`, `flag --listen`.
    pub origin: String,
    /// Whether SIGHUP takes over a new value; otherwise it takes effect at the next start.
    pub reload: bool,
}

impl Effective {
    /// Every setting in force, in the order of the file.
    pub fn entries(&self) -> Vec<Entry> {
        let table = self.settings.table();
        let entry = |(key, value): (String, &toml::Value)| {
            let known = catalogue::find(&key);
            let is_empty = value.as_str().is_some_and(str::is_empty) || value.as_array().is_some_and(Vec::is_empty);
            let is_hidden = !is_empty && known.is_some_and(|known| known.kind.is_secret());
            Entry {
                value: if is_hidden { SECRET.into() } else { json(value) },
                origin: self.origin(&key).to_string(),
                reload: known.is_some_and(|known| known.reload),
                key,
            }
        };
        leaves(&table).into_iter().map(entry).collect()
    }
}

/// A value of TOML as one of JSON.
pub(super) fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(switch) => (*switch).into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(items) => items.iter().map(json).collect(),
        toml::Value::Table(table) => table.iter().map(|(name, value)| (name.clone(), json(value))).collect(),
    }
}
