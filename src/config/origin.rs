//! Owns the origin of a value: the default, another value, the file, the environment or the command line.

use std::fmt;

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The built-in default.
    Default,
    /// A default that suits the value of this key, which was set.
    Derived(&'static str),
    /// The configuration file.
    File {
        /// The path as it was given.
        path: String,
        /// Line, counted from 1.
        line: usize,
    },
    /// This environment variable.
    Env(String),
    /// This flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Derived(from) => write!(f, "derived from {from}"),
            Self::File { path, line } => write!(f, "file {path}:{line}"),
            Self::Env(variable) => write!(f, "env {variable}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}
