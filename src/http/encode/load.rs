//! The answer to a bulk load: how much of it was committed.

use bytes::{Bytes, BytesMut};

use super::{At, errors, members::Members};
use crate::{
    http::status::Statuses,
    json::output,
    query::{BatchEnd, Committed, Counters, Error},
};

/// How much of a bulk load was committed so far.
pub(in crate::http) struct Loaded {
    rows: usize,
    transactions: u32,
    attempts: u32,
    counters: Option<Counters>,
    committed: Option<Committed>,
}

impl Loaded {
    /// A load of which nothing has been committed. `counters` says whether the answer counts what was changed.
    pub(in crate::http) fn new(counters: bool) -> Self {
        Self { rows: 0, transactions: 0, attempts: 0, counters: counters.then(Counters::default), committed: None }
    }

    /// Adds a transaction of `rows` that was committed after `attempts`.
    pub(in crate::http) fn committed(&mut self, rows: usize, attempts: u32, end: &BatchEnd) {
        self.rows += rows;
        self.transactions += 1;
        self.attempted(attempts);
        if let (Some(sums), Some(counters)) = (&mut self.counters, &end.counters) {
            sums.add(counters);
        }
        let earlier = self.committed.take().and_then(|committed| committed.notice);
        self.committed = end
            .committed
            .clone()
            .map(|Committed { bookmark, notice }| Committed { bookmark, notice: notice.or(earlier) });
    }

    /// Adds attempts to commit a transaction.
    pub(in crate::http) fn attempted(&mut self, attempts: u32) {
        self.attempts = self.attempts.saturating_add(attempts);
    }

    /// Writes the answer, with the failure that ended the load if there was one.
    pub(in crate::http) fn text(&self, failure: Option<(&Error, Option<At>)>, statuses: Statuses) -> Bytes {
        let mut out = BytesMut::from("{\"committed\":{\"rows\":".as_bytes());
        output::integer(&mut out, i64::try_from(self.rows).unwrap_or(i64::MAX));
        out.extend_from_slice(b",\"transactions\":");
        output::integer(&mut out, self.transactions.into());
        out.extend_from_slice(b"}");
        let mut members = Members::further(&mut out);
        if let Some(counters) = &self.counters {
            members.counters(&counters.to_stats());
        }
        output::integer(members.key("attempts"), self.attempts.into());
        members.committed(self.committed.as_ref());
        if let Some((error, at)) = failure {
            errors::write(members.key("errors"), error, statuses, at);
        }
        out.extend_from_slice(b"}");
        out.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bolt::Summary;

    #[test]
    fn an_answer_has_what_was_committed_and_what_failed() {
        let mut loaded = Loaded::new(false);
        let nothing = loaded.text(None, Statuses::QueryApi);
        assert_eq!(nothing, r#"{"committed":{"rows":0,"transactions":0},"attempts":0}"#);
        for (rows, attempts, bookmark) in [(1000, 1, "FB:a"), (500, 2, "FB:b")] {
            let committed = Committed { bookmark: bookmark.into(), notice: None };
            loaded.committed(
                rows,
                attempts,
                &BatchEnd { counters: None, committed: Some(committed), transaction: None },
            );
        }
        loaded.attempted(1);
        let error = Error::invalid("x");
        let text = loaded.text(Some((&error, Some(At::Lines(1502, 2501)))), Statuses::Precise);
        assert_eq!(
            text,
            concat!(
                r#"{"committed":{"rows":1500,"transactions":2},"attempts":4,"bookmarks":["FB:b"],"#,
                r#""errors":[{"code":"Neo.ClientError.Request.Invalid","message":"x","lines":[1502,2501],"retryable":false}]}"#
            )
        );
    }

    #[test]
    fn the_notice_of_an_earlier_commit_is_kept() {
        let mut loaded = Loaded::new(false);
        // [{"code": "x"}]
        let list = [&[0x91, 0xA1, 0x84][..], b"code", &[0x81, b'x']].concat();
        let notice = Some(Box::new(Summary { notifications: Some(list), ..Summary::default() }));
        for notice in [None, notice, None] {
            let committed = Committed { bookmark: "FB:a".into(), notice };
            loaded.committed(1, 1, &BatchEnd { counters: None, committed: Some(committed), transaction: None });
        }
        let text = loaded.text(None, Statuses::QueryApi);
        assert!(String::from_utf8_lossy(&text).contains(r#""notifications":[{"code":"x""#), "{text:?}");
    }
}
