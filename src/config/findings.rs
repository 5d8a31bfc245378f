//! Owns what is found wrong while the sources are read.
//!
//! Promises that nothing is lost: one mistake does not keep the next from being found. May not know where it came from.

use super::error::{ConfigError, Ignored};

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) mistakes: Vec<ConfigError>,
    pub(super) ignored: Vec<Ignored>,
}

impl Findings {
    pub(super) fn add(&mut self, mistake: ConfigError) {
        self.mistakes.push(mistake);
    }

    /// Whether the value of `key` may have been meant otherwise: it was refused, a key or a variable beside it does not
    /// exist, or a source could not be read as a whole.
    pub(super) fn is_in_doubt(&self, key: &str) -> bool {
        self.mistakes.iter().any(|mistake| match mistake {
            ConfigError::Value { key: refused, .. } => is_within(key, refused),
            ConfigError::Unknown { name, .. } => match name.rsplit_once('.') {
                Some((section, _)) => is_within(key, section),
                // A section, or a variable.
                None => true,
            },
            _ => true,
        })
    }
}

/// Whether `key` is `of` or a key below it.
fn is_within(key: &str, of: &str) -> bool {
    key.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
