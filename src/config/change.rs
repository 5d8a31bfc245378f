//! Owns the change from the settings in force to those that were read again.
//!
//! Promises that what needs a start keeps its value until then, and that the settings in between satisfy every rule.

use std::collections::BTreeSet;

use super::{
    catalogue,
    check::check,
    effective::{Effective, is_secret},
    error::ConfigError,
    keys::{leaf, leaf_mut, leaves},
    origin::Origin,
    settings::Settings,
};
use serde::Deserialize as _;

/// What SIGHUP changes.
#[derive(Debug)]
pub struct Change {
    /// The settings from now on.
    pub settings: Effective,
    /// The keys whose new values are taken over.
    pub changed: Vec<String>,
    /// The keys whose new values need a start.
    pub pending: Vec<String>,
}

impl Effective {
    /// Takes over what SIGHUP may change from `newer` settings.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Pending`] if the new values contradict old ones that stay in force until the next start.
    pub fn take_over(&self, newer: Self) -> Result<Change, ConfigError> {
        let is_live = |key: &str| catalogue::find(key).is_some_and(|key| key.reload);
        let (changed, pending) = self.differences(&newer).into_iter().partition::<Vec<_>, _>(|key| is_live(key));
        if pending.is_empty() {
            return Ok(Change { settings: newer, changed, pending });
        }
        let mut settings = newer;
        for key in &pending {
            if let (Some(old), Some(leaf)) = (leaf(&self.table, key), leaf_mut(&mut settings.table, key)) {
                *leaf = old.clone();
            }
            match self.origin(key) {
                Origin::Default => settings.origins.remove(key),
                origin => settings.origins.insert(key.clone(), origin.clone()),
            };
        }
        // Values that were derived from one that is not in force yet no longer fit.
        settings.underive(is_live);
        let contradiction = |reason: String| ConfigError::Pending { reason, pending: pending.join(", ") };
        settings.settings =
            Settings::deserialize(settings.table.clone()).map_err(|error| contradiction(error.message().to_owned()))?;
        settings.derive(is_live);
        if let Some(reason) = check(&settings, &|_| false).first() {
            return Err(contradiction(reason.to_string()));
        }
        Ok(Change { changed: self.differences(&settings), settings, pending })
    }

    /// The keys whose values differ, in the order of the file.
    fn differences(&self, other: &Self) -> Vec<String> {
        let (mine, others) = (self.settings.table(), other.settings.table());
        let mut seen = BTreeSet::new();
        let keys = leaves(&others).into_iter().chain(leaves(&mine)).map(|(key, _)| key);
        let keys = keys.filter(|key| seen.insert(key.clone()));
        let differs = |key: &String| {
            // Secrets are hidden in the settings, but not as they were written.
            leaf(&mine, key) != leaf(&others, key)
                || (is_secret(key) && leaf(&self.table, key) != leaf(&other.table, key))
        };
        keys.filter(differs).collect()
    }
}
