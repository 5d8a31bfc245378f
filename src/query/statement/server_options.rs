//! A transaction's options in the form that the server accepts, sent with RUN or BEGIN.

use std::{borrow::Cow, time::Duration};

use super::{
    handed_on::handed_on,
    notifications::Severity,
    parameters::validated,
    request::{AccessMode, Options},
};
use crate::{
    bolt::{Connection, Extra},
    query::{
        bookmark::is_placeholder,
        error::{Error, Kind},
    },
    telemetry::record::Record,
};

/// A transaction's options, prepared for the server of one connection.
pub(in crate::query) struct ServerOptions<'a> {
    options: &'a Options,
    database: Option<&'a str>,
    bookmarks: Vec<String>,
    disabled: Option<Vec<&'static str>>,
    metadata: Option<Cow<'a, [u8]>>,
    timeout_ms: i64,
}

impl<'a> ServerOptions<'a> {
    /// Prepares `options` for the server of `connection`. What the request of `record` is part of joins the metadata.
    ///
    /// # Errors
    /// When the server does not support one of them.
    pub(in crate::query) fn new(
        connection: &Connection,
        database: Option<&'a str>,
        options: &'a Options,
        limit: Duration,
        record: &Record,
    ) -> Result<Self, Error> {
        if options.impersonated_user.is_some() && !connection.capabilities().impersonation {
            return Err(Error::new(
                Kind::Refused,
                "Neo.ClientError.Statement.ArgumentError",
                format!(
                    "Impersonation requires Bolt 4.4 or later, but this database speaks Bolt {}.",
                    connection.version()
                ),
            ));
        }
        let metadata = options.metadata.as_deref().map(|metadata| validated("txMetadata", metadata, connection));
        let disabled: Vec<_> = options.notifications.disabled.iter().map(|category| category.as_bolt()).collect();
        let bookmarks = options.bookmarks.iter().filter(|bookmark| !is_placeholder(bookmark));
        Ok(Self {
            options,
            database,
            bookmarks: bookmarks.cloned().collect(),
            disabled: (!disabled.is_empty()).then_some(disabled),
            metadata: handed_on(metadata.transpose()?, record),
            timeout_ms: i64::try_from(limit.as_micros().div_ceil(1000)).unwrap_or(i64::MAX).max(1),
        })
    }

    /// Returns the fields of RUN's or BEGIN's extra dictionary.
    pub(in crate::query) fn extra(&self) -> Extra<'_> {
        let options = self.options;
        Extra {
            database: self.database,
            impersonated_user: options.impersonated_user.as_deref(),
            read_only: options.access_mode == AccessMode::Read,
            bookmarks: &self.bookmarks,
            timeout_ms: Some(self.timeout_ms),
            metadata: self.metadata.as_deref(),
            minimum_severity: options.notifications.minimum_severity.map(Severity::as_bolt),
            disabled_categories: self.disabled.as_deref(),
            implicit: options.implicit,
        }
    }
}
