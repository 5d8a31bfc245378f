//! Owns the errors of settings.
//!
//! Promises messages for the operator: what was wrong, where it was set, and what to do. May not know how sources are
//! read.

use std::{fmt, path::PathBuf};

use super::origin::Origin;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The configuration file cannot be read.
    #[error(
        "cannot read the configuration file {}: {source}; `boltgate --example-config` prints one to begin with",
        path.display()
    )]
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

impl ConfigError {
    /// Where the operator finds the mistake: sorts those of the file by line, before those of the environment and the
    /// command line.
    pub(super) fn place(&self) -> (u8, usize) {
        match self {
            Self::ReadFile { .. } => (0, 0),
            Self::Syntax { line, .. } => (0, *line),
            Self::Unknown { origin, .. } | Self::Value { origin, .. } => match origin {
                Origin::File { line, .. } => (0, *line),
                Origin::Default | Origin::Derived(_) | Origin::Env(_) => (1, 0),
                Origin::Flag(_) => (2, 0),
            },
            Self::NotText { .. } | Self::Twice { .. } => (1, 0),
            Self::Conflict(_) | Self::Pending { .. } => (3, 0),
        }
    }
}

/// Everything that is wrong with the settings, in words for the operator; at least one mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(Vec<String>);

impl Mistakes {
    /// # Errors
    /// The mistakes, if there are any.
    pub fn refuse(mistakes: Vec<String>) -> Result<(), Self> {
        if mistakes.is_empty() { Ok(()) } else { Err(Self(mistakes)) }
    }
}

impl std::error::Error for Mistakes {}

impl From<ConfigError> for Mistakes {
    fn from(error: ConfigError) -> Self {
        Self(vec![error.to_string()])
    }
}

impl fmt::Display for Mistakes {
    /// One mistake as it is; several as a list with a line for each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [mistake] = self.0.as_slice() {
            return f.write_str(mistake);
        }
        write!(f, "the settings have {} mistakes:", self.0.len())?;
        self.0.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

/// An environment variable with the prefix of settings that is not a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the environment variable {variable} is not a setting and has no effect{}",
    match suggestion {
        Some(name) => format!("; did you mean `{name}`?"),
        None => String::new(),
    }
)]
pub struct Ignored {
    /// The variable's name.
    pub variable: String,
    /// The nearest variable that is a setting.
    pub suggestion: Option<String>,
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    match suggestion {
        Some(name) => format!("; did you mean `{name}`?"),
        None => "; config/boltgate.toml lists all settings".to_owned(),
    }
}
