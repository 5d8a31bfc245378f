//! Owns the sources of settings: one TOML file, the environment, the command line.
//!
//! Promises assignments, each with its [`Origin`]. Only [`Sources::from_process`] touches the process and the disk. May
//! not know what a key means, or which values are in range.

mod assignment;
mod env;
mod file;
mod otel;
mod suggest;

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use toml::Table;

pub(super) use self::assignment::{Assignment, Written};
use self::env::CONFIG_VARIABLE;
pub use self::file::ConfigFile;
use super::{error::ConfigError, findings::Findings, origin::Origin};

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

/// Everything that settings are read from. Later members win over earlier ones.
///
/// Not `Debug`, because the environment may contain the secrets of other programs.
pub struct Sources {
    /// The configuration file, if there is one.
    pub file: Option<ConfigFile>,
    /// The whole environment. Variables other than `BOLTGATE_…` and some of `OTEL_…`, which are weaker, are ignored.
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

    /// Returns every assignment, the weakest source first. `known` has every key with its default.
    pub(super) fn assignments(&self, known: &Table, findings: &mut Findings) -> Vec<Assignment> {
        let mut assignments = match &self.file {
            Some(file) => file.assignments(known, findings),
            None => Vec::new(),
        };
        assignments.extend(otel::assignments(&self.env, findings));
        assignments.extend(env::assignments(&self.env, self.read_file, known, findings));
        assignments.extend(self.flags.iter().map(|given| Assignment {
            key: given.key.to_owned(),
            value: Written::Text(given.value.clone()),
            origin: Origin::Flag(given.flag),
        }));
        assignments
    }
}
