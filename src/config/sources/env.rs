//! Owns the environment as a source: which variable sets which key.
//!
//! Promises to name each `BOLTGATE_` variable that is no setting: as a mistake if it can be nothing else, otherwise as
//! ignored. May not know which values are in range.

use std::{ffi::OsString, io, path::Path};

use toml::Table;

use super::{
    assignment::{Assignment, Written},
    suggest::nearest,
};
use crate::config::{
    error::{ConfigError, Ignored},
    findings::Findings,
    keys::{ANY, is_name, leaves},
    origin::Origin,
};

/// The variable that names the configuration file. It is not a setting itself.
pub(super) const CONFIG_VARIABLE: &str = "BOLTGATE_CONFIG";

const PREFIX: &str = "BOLTGATE_";
const FILE_SUFFIX: &str = "_FILE";
/// Stands between a section and its key.
const SEPARATOR: &str = "__";
/// What the examples and `boltgate query` read, without the prefix.
const CLIENTS: [&str; 7] = ["URL", "DATABASE", "USER", "PASSWORD", "PASSWORD_FILE", "TOKEN", "TOKEN_FILE"];

/// Reads a file that a variable names.
type ReadFile = fn(&Path) -> io::Result<String>;

/// Returns what the environment sets. `known` has every key with its default.
pub(super) fn assignments(
    env: &[(OsString, OsString)],
    read_file: ReadFile,
    known: &Table,
    findings: &mut Findings,
) -> Vec<Assignment> {
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
            findings.add(ConfigError::NotText { variable: variable.to_owned() });
            continue;
        };
        let origin = Origin::Env(variable.to_owned());
        // A key may itself end in `_file`, so the exact name is tried first.
        let (key, value) = if let Some(key) = key_of(variable) {
            (key, value.to_owned())
        } else if let Some(key) = variable.strip_suffix(FILE_SUFFIX).and_then(key_of) {
            match read_value(read_file, value) {
                Ok(value) => (key, value),
                Err(message) => {
                    findings.add(ConfigError::Value { key, origin, message });
                    continue;
                }
            }
        } else {
            let names: Vec<String> = keys.iter().map(|key| variable_of(&filled_in(key, variable))).collect();
            let suggestion = meant_by(variable, names.iter().map(String::as_str)).map(str::to_owned);
            if variable.contains(SEPARATOR) {
                // It can be nothing but a setting, and without it the gateway might be open.
                findings.add(ConfigError::Unknown { name: variable.to_owned(), origin, suggestion });
            } else if !is_of_others(variable) {
                findings.ignored.push(Ignored { variable: variable.to_owned(), suggestion });
            }
            continue;
        };
        if assignments.iter().any(|other| other.key == key) {
            findings.add(ConfigError::Twice { variable: variable_of(&key) });
            continue;
        }
        assignments.push(Assignment { key, value: Written::Text(value), origin });
    }
    assignments
}

/// Whether others use the variable: clients (the examples, `boltgate query`), and Kubernetes, which describes a service
/// named `boltgate` to every pod as `BOLTGATE_SERVICE_HOST`, `BOLTGATE_PORT_7474_TCP` and the like.
fn is_of_others(variable: &str) -> bool {
    let is_of_kubernetes = |name: &str| {
        let name = format!("_{name}_");
        name.contains("_SERVICE_HOST_") || name.contains("_SERVICE_PORT_") || name.contains("_PORT_")
    };
    let name = variable.strip_prefix(PREFIX).unwrap_or(variable);
    CLIENTS.contains(&name) || is_of_kubernetes(name)
}

fn read_value(read_file: ReadFile, path: &str) -> Result<String, String> {
    match read_file(Path::new(path)) {
        Ok(text) => {
            let text = text.strip_suffix('\n').unwrap_or(&text);
            Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
        }
        Err(error) => Err(format!("cannot read {path}: {error}")),
    }
}

fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', SEPARATOR).to_ascii_uppercase())
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
