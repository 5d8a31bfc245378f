//! Who asks for something, and the record of the request in which they do.

use std::{ops::Deref, sync::Arc};

use super::error::Error;
use crate::{
    auth::Identity,
    telemetry::{record::Record, spans::ExchangeOutcome},
};

/// A caller and one of its requests. Stands for the caller where only that matters.
#[derive(Debug, Clone)]
pub struct Call {
    /// The caller.
    pub identity: Identity,
    /// The record of the request.
    pub record: Arc<Record>,
}

impl Call {
    /// A call of `identity` in the request of `record`, which learns who the caller is.
    #[must_use]
    pub fn new(identity: Identity, record: Arc<Record>) -> Self {
        record.set_caller(identity.label().into());
        Self { identity, record }
    }

    /// Notes how the database has answered what it was asked.
    pub(super) fn answered<T>(&self, answer: &Result<T, Error>) {
        self.record.database_answered(match answer {
            Ok(_) => ExchangeOutcome::Succeeded,
            Err(error) => ExchangeOutcome::Failed(&error.code),
        });
    }
}

impl Deref for Call {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        &self.identity
    }
}
