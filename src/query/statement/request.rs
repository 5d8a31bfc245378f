//! A statement, and what a caller may ask for beside it, in the words of Bolt.

use std::{sync::Arc, time::Duration};

use crate::query::offload::OFFLOAD_ABOVE;

/// One statement with its parameters.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The text.
    pub text: Arc<str>,
    /// Its parameters.
    pub parameters: Parameters,
}

/// A PackStream map. A large one can be shared, to be worked on elsewhere.
#[derive(Debug, Clone)]
pub struct Parameters(pub(in crate::query) Map);

#[derive(Debug, Clone)]
pub(in crate::query) enum Map {
    Small(Vec<u8>),
    Large(Arc<Vec<u8>>),
}

impl From<Vec<u8>> for Parameters {
    fn from(map: Vec<u8>) -> Self {
        Self(if map.len() <= OFFLOAD_ABOVE { Map::Small(map) } else { Map::Large(Arc::new(map)) })
    }
}

/// How a statement or a transaction is to be run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Reading only, or writing too.
    pub access_mode: AccessMode,
    /// What has to be seen.
    pub bookmarks: Vec<String>,
    /// The user to act as.
    pub impersonated_user: Option<String>,
    /// The caller's own limit.
    pub max_execution_time: Option<Duration>,
    /// Statements may commit in batches inside the transaction.
    pub implicit: bool,
    /// A PackStream map, shown by the database beside the running transaction.
    pub metadata: Option<Vec<u8>>,
    /// Which notifications are wanted.
    pub notifications: NotificationFilter,
}

/// Whether a statement may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccessMode {
    /// Writing fails, and a cluster may choose any of its members.
    Read,
    /// Anything goes.
    #[default]
    Write,
}

/// The least severe notification to be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// None at all.
    Off,
    /// Warnings only.
    Warning,
    /// Everything.
    Information,
}

impl Severity {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Off, Self::Warning, Self::Information];

    /// The severity that Bolt spells `name`.
    #[must_use]
    pub fn from_bolt(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_bolt() == name)
    }

    /// The value of `notifications_minimum_severity`.
    #[must_use]
    pub fn as_bolt(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::Warning => "WARNING",
            Self::Information => "INFORMATION",
        }
    }
}

/// A kind of notification; newer versions of Bolt say classification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Bolt's and say it all")]
pub enum Category {
    Hint,
    Unrecognized,
    Unsupported,
    Performance,
    Deprecation,
    Security,
    Topology,
    Generic,
    Schema,
}

impl Category {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Hint,
        Self::Unrecognized,
        Self::Unsupported,
        Self::Performance,
        Self::Deprecation,
        Self::Security,
        Self::Topology,
        Self::Generic,
        Self::Schema,
    ];

    /// The category that Bolt spells `name`.
    #[must_use]
    pub fn from_bolt(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.as_bolt() == name)
    }

    /// An item of `notifications_disabled_categories` or `notifications_disabled_classifications`.
    #[must_use]
    pub fn as_bolt(self) -> &'static str {
        match self {
            Self::Hint => "HINT",
            Self::Unrecognized => "UNRECOGNIZED",
            Self::Unsupported => "UNSUPPORTED",
            Self::Performance => "PERFORMANCE",
            Self::Deprecation => "DEPRECATION",
            Self::Security => "SECURITY",
            Self::Topology => "TOPOLOGY",
            Self::Generic => "GENERIC",
            Self::Schema => "SCHEMA",
        }
    }
}

/// Which notifications the database should leave out. The default leaves the choice to the database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NotificationFilter {
    /// Nothing less severe than this.
    pub minimum_severity: Option<Severity>,
    /// None of these, each at most once.
    pub disabled: Vec<Category>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bolts_in_both_directions() {
        for severity in Severity::ALL {
            assert_eq!(Severity::from_bolt(severity.as_bolt()), Some(severity));
        }
        for category in Category::ALL {
            assert_eq!(Category::from_bolt(category.as_bolt()), Some(category));
        }
        assert_eq!(Severity::from_bolt("off"), None);
        assert_eq!(Category::from_bolt("UNKNOWN"), None);
    }
}
