//! Owns the environment as a source: which variable sets which key.
//!
//! Promises an error for each `BOLTGATE_` variable that looks like a setting and is not one. May not know which values
//! are in range.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use toml::Table;

use super::{
    assignment::{Assignment, Written},
    suggest::nearest,
};
use crate::config::{
    error::ConfigError,
    keys::{ANY, is_name, leaves},
    origin::Origin,
};

/// The variable that names the configuration file. It is not a setting itself.
pub(super) const CONFIG_VARIABLE: &str = "BOLTGATE_CONFIG";

const PREFIX: &str = "BOLTGATE_";
const FILE_SUFFIX: &str = "_FILE";

/// Reads a file that a variable names.
type ReadFile = fn(&Path) -> io::Result<String>;

/// Returns what the environment sets. `known` has every key with its default.
pub(super) fn assignments(
    env: &[(OsString, OsString)],
    read_file: ReadFile,
    known: &Table,
) -> Result<Vec<Assignment>, ConfigError> {
    let keys: Vec<String> = leaves(known).into_iter().map(|(key, _)| key).collect();
    let key_of = |variable: &str| keys.iter().find_map(|key| key_named(key, variable));
    let mut assignments: Vec<Assignment> = Vec::new();
    for (variable, value) in env {
        let Some(variable) = variable.to_str().filter(|name| name.starts_with(PREFIX)) else {
            continue;
        };
        if variable == CONFIG_VARIABLE {
            continue;
        }
        let Some(value) = value.to_str() else {
            return Err(ConfigError::NotText { variable: variable.to_owned() });
        };
        let origin = Origin::Env(variable.to_owned());
        // A key may itself end in `_file`, so the exact name is tried first.
        let (key, value) = if let Some(key) = key_of(variable) {
            (key, value.to_owned())
        } else if let Some(key) = variable.strip_suffix(FILE_SUFFIX).and_then(key_of) {
            (key, read_value(read_file, variable, value)?)
        } else {
            let names: Vec<String> = keys.iter().map(|key| variable_of(&filled_in(key, variable))).collect();
            let suggestion = meant_by(variable, names.iter().map(String::as_str));
            // Other programs use the prefix too: Kubernetes describes a service named `boltgate` to
            // every pod as BOLTGATE_PORT, BOLTGATE_SERVICE_HOST and the like.
            if suggestion.is_none() && !variable.contains("__") {
                continue;
            }
            return Err(ConfigError::Unknown {
                name: variable.to_owned(),
                origin,
                suggestion: suggestion.map(str::to_owned),
            });
        };
        if assignments.iter().any(|other| other.key == key) {
            return Err(ConfigError::Twice { variable: variable_of(&key) });
        }
        assignments.push(Assignment { key, value: Written::Text(value), origin });
    }
    Ok(assignments)
}

fn read_value(read_file: ReadFile, variable: &str, path: &str) -> Result<String, ConfigError> {
    let path = PathBuf::from(path);
    match read_file(&path) {
        Ok(text) => {
            let text = text.strip_suffix('\n').unwrap_or(&text);
            Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
        }
        Err(source) => Err(ConfigError::ReadValue { variable: variable.to_owned(), path, source }),
    }
}

fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}

/// Returns the setting that `variable` names, if it is `key`. `key` has [`ANY`] where the operator chooses the name of
/// a section.
fn key_named(key: &str, variable: &str) -> Option<String> {
    let key = filled_in(key, variable);
    (variable_of(&key) == variable).then_some(key)
}

/// Replaces [`ANY`] in `key` by the name in `variable`, or by `NAME` if it has none.
fn filled_in(key: &str, variable: &str) -> String {
    let Some((section, rest)) = key.split_once(&format!(".{ANY}.")) else {
        return key.to_owned();
    };
    let name = variable.strip_prefix(&format!("{}__", variable_of(section))).and_then(|rest| rest.split("__").next());
    let name = name.map(str::to_ascii_lowercase).filter(|name| is_name(name));
    format!("{section}.{}.{rest}", name.as_deref().unwrap_or("NAME"))
}

/// Returns the variable that `variable` was probably meant to be, if it looks like one.
fn meant_by<'a>(variable: &str, names: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let bare = variable.replacen(PREFIX, "__", 1);
    nearest(variable, names.clone()).or_else(|| names.into_iter().find(|name| name.ends_with(&bare)))
}
