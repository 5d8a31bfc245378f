//! Owns the reasons why settings are refused.
//!
//! Promises messages for the operator: what was wrong, where it was written, what to do.
//! May not know how the sources are read.

use std::path::PathBuf;

use super::origin::Origin;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The configuration file cannot be read.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    ReadFile {
        /// The file as it was named.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The configuration file is not TOML.
    #[error("{path}:{line}: not valid TOML: {message}")]
    Syntax {
        /// The file as it was named.
        path: String,
        /// Line, counted from 1.
        line: usize,
        /// What the parser said.
        message: String,
    },
    /// A key or variable that means nothing.
    #[error("{origin}: there is no setting `{name}`{}", did_you_mean(suggestion.as_deref()))]
    Unknown {
        /// The key, or the variable's name.
        name: String,
        /// Where it was written.
        origin: Origin,
        /// The nearest name that exists.
        suggestion: Option<String>,
    },
    /// A value of the wrong type or out of range.
    #[error("{origin}: {key}: {message}")]
    Value {
        /// The key.
        key: String,
        /// Where the value was written.
        origin: Origin,
        /// What is wrong with it and what to write.
        message: String,
    },
    /// A variable holds bytes that are not UTF-8.
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
        /// The file it names.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A variable and its `…_FILE` variant are both set.
    #[error("environment variables {variable} and {variable}_FILE are both set; unset one of them")]
    Twice {
        /// The name without `_FILE`.
        variable: String,
    },
    /// Values that are fine alone and contradict each other.
    #[error("{0}")]
    Conflict(String),
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    match suggestion {
        Some(name) => format!("; did you mean `{name}`?"),
        None => "; see config/boltgate.toml for all of them".to_owned(),
    }
}
