//! Which notifications a caller wants to receive. Names are Bolt's.

/// The minimum severity of the notifications that a caller receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// No notifications.
    Off,
    /// Warnings only.
    Warning,
    /// All notifications.
    Information,
}

impl Severity {
    /// All severities.
    pub const ALL: [Self; 3] = [Self::Off, Self::Warning, Self::Information];

    /// Returns the severity that Bolt calls `name`.
    #[must_use]
    pub fn from_bolt(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_bolt() == name)
    }

    /// Returns the value of Bolt's `notifications_minimum_severity`.
    #[must_use]
    pub fn as_bolt(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::Warning => "WARNING",
            Self::Information => "INFORMATION",
        }
    }
}

/// A category of notifications, which newer versions of Bolt call a classification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Bolt's")]
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
    /// All categories.
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

    /// Returns the category that Bolt calls `name`.
    #[must_use]
    pub fn from_bolt(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.as_bolt() == name)
    }

    /// Returns an item of Bolt's `notifications_disabled_categories` or `notifications_disabled_classifications`.
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

/// Which notifications the database leaves out. The default leaves the choice to the database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NotificationFilter {
    /// The minimum severity; less severe notifications are left out.
    pub minimum_severity: Option<Severity>,
    /// Categories that are left out, each listed at most once.
    pub disabled: Vec<Category>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_convert_in_both_directions() {
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
