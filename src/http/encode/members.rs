//! The members of the API's JSON objects.

use std::time::SystemTime;

use bytes::BytesMut;

use super::{Closing, Wanted, errors};
use crate::{
    bolt::{Stats, Summary, packstream::DecodeError},
    json::{View, output},
    query::{BatchEnd, Committed, Transaction},
};

/// Writes the members of an object, with commas between them.
pub(super) struct Members<'a> {
    out: &'a mut BytesMut,
    first: bool,
}

impl<'a> Members<'a> {
    /// The members of an object that was just opened.
    pub(super) fn first(out: &'a mut BytesMut) -> Self {
        Self { out, first: true }
    }

    /// The members that follow others.
    pub(super) fn further(out: &'a mut BytesMut) -> Self {
        Self { out, first: false }
    }

    /// Begins a member; its value is to be written next.
    pub(super) fn key(&mut self, name: &str) -> &mut BytesMut {
        if !std::mem::take(&mut self.first) {
            self.out.extend_from_slice(b",");
        }
        // The API's own names need no escapes.
        self.out.extend_from_slice(b"\"");
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// Writes a member, or leaves it out if `write` finds its value absent or unreadable: a summary that cannot be
    /// shown is no reason to withhold the rows.
    pub(super) fn optional(&mut self, name: &str, write: impl FnOnce(&mut BytesMut) -> bool) {
        let (length, first) = (self.out.len(), self.first);
        if !write(self.key(name)) {
            self.out.truncate(length);
            self.first = first;
        }
    }

    /// Writes what the database reports about a statement in addition to its rows: notifications, counters, plan.
    pub(super) fn result(&mut self, summary: &Summary, counters: bool, view: View) {
        self.notifications(summary);
        if counters {
            self.counters(&summary.stats);
        }
        if let Some(profile) = &summary.profile {
            self.optional("profiledQueryPlan", |out| output::profile(out, profile, view).is_ok());
        } else if let Some(plan) = &summary.plan {
            self.optional("queryPlan", |out| output::plan(out, plan, view).is_ok());
        }
    }

    fn notifications(&mut self, summary: &Summary) {
        let (statuses, notifications) = (summary.statuses.as_deref(), summary.notifications.as_deref());
        self.optional("notifications", |out| output::notifications(out, statuses, notifications).unwrap_or(false));
    }

    /// Writes all that is known at the end of an answer's only result. A result that was withheld has nothing but errors.
    pub(super) fn end(&mut self, result: &Closing<'_>, wanted: Wanted) {
        if result.end.withheld.is_none() {
            self.result(&result.end.summary, wanted.counters, wanted.view);
            self.kind(&result.end.summary);
            self.timings(result.timings);
            self.bookmark(result.end.bookmark.as_deref());
            self.transaction(result.end.transaction.as_ref());
        }
        if !result.errors.is_empty() {
            errors::write_all(self.key("errors"), result.errors, wanted.statuses);
        }
    }

    /// Writes what the database reports about a commit.
    pub(super) fn committed(&mut self, committed: Option<&Committed>) {
        let Some(Committed { bookmark, notice }) = committed else { return };
        if let Some(notice) = notice {
            self.notifications(notice);
        }
        self.bookmark(Some(bookmark));
    }

    /// Writes the summary of several statements that were committed together.
    pub(super) fn batch(&mut self, end: &BatchEnd, attempts: u32) {
        if let Some(counters) = &end.counters {
            self.counters(counters);
        }
        output::integer(self.key("attempts"), attempts.into());
        self.committed(end.committed.as_ref());
    }

    /// Writes the counters, unless the database does not know them.
    pub(super) fn counters(&mut self, stats: &Stats) {
        self.counted("counters", stats, output::counters);
    }

    /// Writes the counters with `write`, unless the server does not know them.
    pub(super) fn counted(
        &mut self,
        key: &str,
        stats: &Stats,
        write: fn(&mut BytesMut, Option<&[u8]>) -> Result<(), DecodeError>,
    ) {
        let map = match stats {
            Stats::Absent => None,
            Stats::Counted(map) => Some(map.as_slice()),
            Stats::Unknown => return,
        };
        self.optional(key, |out| write(out, map).is_ok());
    }

    pub(super) fn kind(&mut self, summary: &Summary) {
        if let Some(kind) = &summary.kind {
            output::string(self.key("queryType"), kind);
        }
    }

    /// Writes how many milliseconds after the request's arrival the statement was accepted, and its result ended.
    pub(super) fn timings(&mut self, (available, consumed): (u128, u128)) {
        output::integer(self.key("resultAvailableAfter"), i64::try_from(available).unwrap_or(i64::MAX));
        output::integer(self.key("resultConsumedAfter"), i64::try_from(consumed).unwrap_or(i64::MAX));
    }

    pub(super) fn bookmark(&mut self, bookmark: Option<&str>) {
        if let Some(bookmark) = bookmark {
            let out = self.key("bookmarks");
            out.extend_from_slice(b"[");
            output::string(out, bookmark);
            out.extend_from_slice(b"]");
        }
    }

    pub(super) fn transaction(&mut self, transaction: Option<&Transaction>) {
        if let Some(Transaction { id, expires }) = transaction {
            let out = self.key("transaction");
            out.extend_from_slice(b"{\"id\":");
            output::string(out, id);
            out.extend_from_slice(b",\"expires\":");
            output::string(out, &instant(*expires));
            out.extend_from_slice(b"}");
        }
    }
}

/// Appends to an object what the database says of a statement besides its rows: notifications, and counters if they are
/// wanted.
#[cfg(feature = "mcp")]
pub(in crate::http) fn told(out: &mut BytesMut, summary: &Summary, counters: bool) {
    let mut members = Members::further(out);
    members.notifications(summary);
    if counters {
        members.counters(&summary.stats);
    }
}

/// A time as whole seconds in UTC: `2026-09-27T14:36:50Z`.
pub(in crate::http) fn instant(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX).to_string()
}
