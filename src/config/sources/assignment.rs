//! Owns what every source is read into: one key set to one value.

use toml::Value;

use crate::config::origin::Origin;

/// A value that one source sets for one key. Not `Debug`, because the value may be a secret.
pub(in crate::config) struct Assignment {
    pub(in crate::config) key: String,
    pub(in crate::config) value: Written,
    pub(in crate::config) origin: Origin,
}

/// A value as its source holds it.
pub(in crate::config) enum Written {
    /// A TOML value, with its type.
    Toml(Value),
    /// Text, whose type is the key's.
    Text(String),
}
