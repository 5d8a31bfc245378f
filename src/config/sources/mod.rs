//! Owns where settings come from: one TOML file, the environment, the command line.
//!
//! Promises assignments, each with its [`Origin`]; [`Sources::from_process`] alone touches the
//! process and the disk. May not know what a key means or which values are in range.

mod env;
mod file;
mod suggest;

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

pub use self::file::ConfigFile;
use super::error::ConfigError;

/// Names the configuration file; not a setting itself.
pub(in crate::config) const CONFIG_VARIABLE: &str = "BOLTGATE_CONFIG";

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: the built-in default.
    Default,
    /// In the configuration file, at this line (counted from 1).
    File {
        /// The file as it was named.
        path: String,
        /// Line, counted from 1.
        line: usize,
    },
    /// In this environment variable.
    Env(String),
    /// On the command line, with this flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "file {path}:{line}"),
            Self::Env(variable) => write!(f, "env {variable}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// A setting given on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The key, such as `server.listen`.
    pub key: &'static str,
    /// The flag, such as `--listen`.
    pub flag: &'static str,
    /// The value as it was typed.
    pub value: String,
}

/// Everything settings are read from. Later members win over earlier ones.
///
/// Not `Debug`: the environment may hold other programs' secrets.
pub struct Sources {
    /// The configuration file, if there is one.
    pub file: Option<ConfigFile>,
    /// The whole environment; what does not begin with `BOLTGATE_` is ignored.
    pub env: Vec<(OsString, OsString)>,
    /// The command line.
    pub flags: Vec<Override>,
    /// Reads the file that a `…_FILE` variable names.
    pub read_file: fn(&Path) -> io::Result<String>,
}

impl Sources {
    /// Gathers the sources of this process.
    ///
    /// The file is `config`, else the one that `BOLTGATE_CONFIG` names, else none.
    ///
    /// # Errors
    ///
    /// [`ConfigError::ReadFile`] if that file cannot be read.
    pub fn from_process(config: Option<PathBuf>, flags: Vec<Override>) -> Result<Self, ConfigError> {
        let named = || std::env::var_os(CONFIG_VARIABLE).filter(|name| !name.is_empty());
        let file = match config.or_else(|| named().map(PathBuf::from)) {
            None => None,
            Some(path) => match std::fs::read_to_string(&path) {
                Ok(text) => Some(ConfigFile { path: path.display().to_string(), text }),
                Err(source) => return Err(ConfigError::ReadFile { path, source }),
            },
        };
        let env = std::env::vars_os().collect();
        Ok(Self { file, env, flags, read_file: |path| std::fs::read_to_string(path) })
    }

    /// Every assignment, weakest source first. `known` holds every key with its default.
    pub(in crate::config) fn assignments(&self, known: &Table) -> Result<Vec<Assignment>, ConfigError> {
        let mut assignments = match &self.file {
            Some(file) => file.assignments(known)?,
            None => Vec::new(),
        };
        assignments.extend(self.env_assignments(known)?);
        assignments.extend(self.flags.iter().map(|given| Assignment {
            key: given.key.to_owned(),
            value: Written::Text(given.value.clone()),
            origin: Origin::Flag(given.flag),
        }));
        Ok(assignments)
    }
}

/// One key set to one value by one source. Not `Debug`: the value may be a secret.
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

/// Every key of `table` that holds a value, with its full path, in the table's order.
pub(in crate::config) fn leaves(table: &Table) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for (name, value) in table {
        match value {
            Value::Table(inner) => {
                found.extend(leaves(inner).into_iter().map(|(key, value)| (join(name, &key), value)))
            }
            value => found.push((name.clone(), value)),
        }
    }
    found
}

/// The path of `name` in `section`.
pub(in crate::config) fn join(section: &str, name: &str) -> String {
    if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") }
}
