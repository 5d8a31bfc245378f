//! Owns the errors of settings.
//!
//! Promises messages for the operator: what was wrong, where it was set, and what to do. May not know how sources are
//! read.

use std::path::PathBuf;

use super::origin::Origin;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The configuration file cannot be read.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    ReadFile {
        /// The path as it was given.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The configuration file is not TOML.
    #[error("{path}:{line}: not valid TOML: {message}")]
    Syntax {
        /// The path as it was given.
        path: String,
        /// The line, counted from 1.
        line: usize,
        /// The parser's message.
        message: String,
    },
    /// A key or a variable that does not exist.
    #[error("{origin}: there is no setting `{name}`{}", did_you_mean(suggestion.as_deref()))]
    Unknown {
        /// The key, or the variable's name.
        name: String,
        /// Where it was set.
        origin: Origin,
        /// The nearest existing name.
        suggestion: Option<String>,
    },
    /// A value of the wrong type or out of range.
    #[error("{origin}: {key}: {message}")]
    Value {
        /// The key.
        key: String,
        /// Where the value was set.
        origin: Origin,
        /// What is wrong with the value, and what to write instead.
        message: String,
    },
    /// A variable contains bytes that are not UTF-8.
    #[error("environment variable {variable} is not UTF-8 text")]
    NotText {
        /// The variable's name.
        variable: String,
    },
    /// A `…_FILE` variable names a file that cannot be read.
    #[error("environment variable {variable}: cannot read {}: {source}", path.display())]
    ReadValue {
        /// The variable's name.
        variable: String,
        /// The file that it names.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A variable and its `…_FILE` variant are both set.
    #[error("environment variables {variable} and {variable}_FILE are both set; unset one of them")]
    Twice {
        /// The name without `_FILE`.
        variable: String,
    },
    /// Values that are valid each on its own, but contradict each other.
    #[error("{0}")]
    Conflict(String),
    /// New values contradict old ones that stay in force.
    #[error("{reason}; until the next start, the old values of {pending} stay in force")]
    Pending {
        /// The contradiction.
        reason: String,
        /// The keys that need a start.
        pending: String,
    },
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    match suggestion {
        Some(name) => format!("; did you mean `{name}`?"),
        None => "; config/boltgate.toml lists all settings".to_owned(),
    }
}
