//! Protocol versions, and what each of them changes, as data.

use std::fmt;

/// A Bolt version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The number before the dot.
    pub major: u8,
    /// The number after the dot.
    pub minor: u8,
}

impl Version {
    /// Returns the version `major.minor`.
    #[must_use]
    pub const fn new(major: u8, minor: u8) -> Self {
        Self { major, minor }
    }

    /// Whether this client speaks the version. 5.5 was never released; Neo4j 4.2 chooses 4.2, which equals 4.1.
    #[must_use]
    pub fn is_spoken(self) -> bool {
        matches!((self.major, self.minor), (4, 1..=4) | (5, 0..=4 | 6..=8) | (6, 0 | 1))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The capabilities of a negotiated version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Logins have messages of their own (5.1); before, they are part of HELLO.
    pub logon: bool,
    /// HELLO has to carry `bolt_agent` (5.3).
    pub bolt_agent: bool,
    /// HELLO offers the patch that brings UTC date-times to 4.3 and 4.4.
    pub patch_utc: bool,
    /// Date-times are sent as UTC: from 5.0, or once the server has agreed to the patch.
    pub utc: bool,
    /// RUN and BEGIN accept `imp_user` (4.4).
    pub impersonation: bool,
    /// RUN and BEGIN accept notification filters (5.2).
    pub notification_filter: bool,
    /// The filter names classifications (5.6) instead of categories.
    pub classifications: bool,
    /// The Vector structure (6.0).
    pub vector: bool,
    /// The UUID marker (6.1).
    pub uuid: bool,
}

impl Capabilities {
    /// Returns the capabilities of `version`, right after the handshake.
    #[must_use]
    pub fn of(version: Version) -> Self {
        let from = |major, minor| version >= Version::new(major, minor);
        Self {
            logon: from(5, 1),
            bolt_agent: from(5, 3),
            patch_utc: from(4, 3) && !from(5, 0),
            utc: from(5, 0),
            impersonation: from(4, 4),
            notification_filter: from(5, 2),
            classifications: from(5, 6),
            vector: from(6, 0),
            uuid: from(6, 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_capability_begins_where_the_protocol_says() {
        let of = |major, minor| Capabilities::of(Version::new(major, minor));
        assert!(of(4, 3).patch_utc && !of(5, 0).patch_utc && of(5, 0).utc && !of(4, 4).utc);
        assert!(!of(5, 0).logon && of(5, 1).logon);
        assert!(!of(4, 3).impersonation && of(4, 4).impersonation);
        assert!(of(5, 4).notification_filter && !of(5, 4).classifications && of(5, 6).classifications);
        assert!(of(6, 0).vector && !of(6, 0).uuid && of(6, 1).uuid);
    }
}
