//! What the database says when a transaction has been committed.

use crate::{
    bolt::{Summary, summary::joined},
    query::bookmark::placeholder,
};

/// The outcome of a COMMIT that went well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committed {
    /// Where the database stands.
    pub bookmark: String,
    /// What else it had to say, if anything: notifications. Memgraph tells so that a replica lags behind.
    pub notice: Option<Box<Summary>>,
}

impl Committed {
    /// Reads the metadata of COMMIT's SUCCESS. It is committed, whatever they say, so what cannot be read is left out.
    pub(in crate::query) fn of(metadata: &[u8]) -> Self {
        let mut summary = Summary::parse(metadata).unwrap_or_default();
        let bookmark = summary.bookmark.take().unwrap_or_else(placeholder);
        let has_notice = summary.notifications.is_some() || summary.statuses.is_some();
        Self { bookmark, notice: has_notice.then(|| Box::new(summary)) }
    }

    /// Puts the notice behind those of the statement that was the last one before the commit. Gives the bookmark.
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
    fn a_notice_stands_behind_those_of_the_statement() {
        let committed = Committed::of(&metadata(&["c"]));
        for (of_statement, expected) in [(Some(["a", "b"].as_slice()), &["a", "b", "c"][..]), (None, &["c"])] {
            let mut summary = of_statement.map_or_else(Summary::default, |of| Summary::parse(&metadata(of)).unwrap());
            committed.clone().join(&mut summary);
            assert_eq!(summary.notifications, Summary::parse(&metadata(expected)).unwrap().notifications);
        }
    }

    #[test]
    fn most_commits_say_nothing() {
        assert_eq!(Committed::of(&[0xA0]).notice, None);
        assert!(!Committed::of(&[0xA0]).bookmark.is_empty());
        assert_eq!(Committed::of(b"no metadata").notice, None);
    }
}
