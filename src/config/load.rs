//! Owns the way from the sources to settings that can be used.

use super::{
    check::check,
    effective::Effective,
    error::{ConfigError, Ignored, Mistakes},
    findings::Findings,
    settings::Settings,
    sources::Sources,
};

/// What the sources say, with everything that is wrong about it.
#[derive(Debug)]
pub struct Reading {
    /// The settings. A value with a mistake has not replaced the one before it.
    pub effective: Effective,
    /// The mistakes: first those of each source, in the order of the sources, then the contradictions.
    pub mistakes: Vec<ConfigError>,
    /// Variables that look like settings.
    pub ignored: Vec<Ignored>,
}

impl Effective {
    /// Merges the sources, file < environment < flags, over the defaults, and checks the result.
    ///
    /// Settings that contradict each other are found beside other mistakes, unless one of them may have been meant
    /// otherwise.
    pub fn read(sources: &Sources) -> Reading {
        let mut findings = Findings::default();
        let assignments = sources.assignments(&Settings::known(), &mut findings);
        let mut effective = Self::merge(assignments, &mut findings);
        effective.derive(|_| true);
        let contradictions = check(&effective, &|key| findings.is_in_doubt(key));
        let Findings { mut mistakes, ignored } = findings;
        mistakes.sort_by_key(ConfigError::place);
        mistakes.extend(contradictions);
        Reading { effective, mistakes, ignored }
    }

    /// Reads settings that can be used.
    ///
    /// # Errors
    ///
    /// All [`Mistakes`]: unreadable or malformed sources, unknown keys, values out of range, and settings that
    /// contradict each other.
    pub fn load(sources: &Sources) -> Result<Self, Mistakes> {
        let Reading { effective, mistakes, ignored: _ } = Self::read(sources);
        Mistakes::refuse(mistakes.iter().map(ConfigError::to_string).collect())?;
        Ok(effective)
    }
}

impl Settings {
    /// Loads the settings without their origins.
    ///
    /// # Errors
    ///
    /// As [`Effective::load`].
    pub fn load(sources: &Sources) -> Result<Self, Mistakes> {
        Ok(Effective::load(sources)?.settings)
    }
}
