//! Owns the way from the sources to settings that can be used.

use super::{check::check, effective::Effective, error::ConfigError, settings::Settings, sources::Sources};

impl Effective {
    /// Merges the sources, file < environment < flags, over the defaults, and checks the result.
    ///
    /// # Errors
    ///
    /// The first [`ConfigError`]: an unreadable or malformed source, an unknown key, a value out of range, or settings
    /// that contradict each other.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let effective = Self::merge(sources.assignments(&Settings::known())?)?;
        check(&effective)?;
        Ok(effective)
    }
}

impl Settings {
    /// Loads the settings without their origins.
    ///
    /// # Errors
    ///
    /// As [`Effective::load`].
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        Ok(Effective::load(sources)?.settings)
    }
}
