//! Which notifications a caller wants, in the words of Bolt.

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
