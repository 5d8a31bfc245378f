//! What the database reports about a commit.

use crate::{
    bolt::{Summary, summary::joined},
    query::bookmark::placeholder,
};

/// A successful commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committed {
    /// The bookmark of the database's state after the commit.
    pub bookmark: String,
    /// Notifications about the commit, if there are any. Memgraph reports lagging replicas this way.
    pub notice: Option<Box<Summary>>,
}

impl Committed {
    /// Reads the metadata of COMMIT's SUCCESS. Leaves out what cannot be decoded, because the commit has happened
    /// anyway.
    pub(in crate::query) fn of(metadata: &[u8]) -> Self {
        let mut summary = Summary::parse(metadata).unwrap_or_default();
        let bookmark = summary.bookmark.take().unwrap_or_else(placeholder);
        let has_notice = summary.notifications.is_some() || summary.statuses.is_some();
        Self { bookmark, notice: has_notice.then(|| Box::new(summary)) }
    }

    /// Appends the notifications to those of the last statement before the commit. Returns the bookmark.
    pub(in crate::query) fn join(self, summary: &mut Summary) -> String {
        if let Some(notice) = self.notice {
            summary.notifications = joined(summary.notifications.take(), notice.notifications);
            summary.statuses = joined(summary.statuses.take(), notice.statuses);
        }
        self.bookmark
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bolt::packstream::Writer;

    fn metadata(notifications: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        writer.map(1);
        writer.string("notifications");
        writer.list(notifications.len());
        notifications.iter().for_each(|text| writer.string(text));
        out
    }

    #[test]
    fn notifications_of_the_commit_follow_those_of_the_statement() {
        let committed = Committed::of(&metadata(&["c"]));
        for (of_statement, expected) in [(Some(["a", "b"].as_slice()), &["a", "b", "c"][..]), (None, &["c"])] {
            let mut summary = of_statement.map_or_else(Summary::default, |of| Summary::parse(&metadata(of)).unwrap());
            committed.clone().join(&mut summary);
            assert_eq!(summary.notifications, Summary::parse(&metadata(expected)).unwrap().notifications);
        }
    }

    #[test]
    fn most_commits_have_no_notifications() {
        assert_eq!(Committed::of(&[0xA0]).notice, None);
        assert!(!Committed::of(&[0xA0]).bookmark.is_empty());
        assert_eq!(Committed::of(b"no metadata").notice, None);
    }
}
