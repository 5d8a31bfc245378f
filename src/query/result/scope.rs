//! The transaction around a statement, and the connection that it runs on.

use crate::{
    bolt::Connection,
    pool::Lease,
    query::{reply::AtRisk, transaction::TransactionGuard},
};

/// What owns the connection, and what happens at the end.
pub(in crate::query) enum TransactionScope {
    /// A statement of its own, committed by its last batch.
    AutoCommit(Lease),
    /// A statement in a transaction of its own that was begun for reading.
    ReadOnly(Lease),
    /// Inside an explicit transaction, which stays open.
    Explicit(TransactionGuard),
    /// The last statement of an explicit transaction.
    ExplicitCommit(TransactionGuard),
}

impl TransactionScope {
    pub(in crate::query) fn connection(&mut self) -> &mut Connection {
        match self {
            Self::AutoCommit(lease) | Self::ReadOnly(lease) => lease,
            Self::Explicit(guard) | Self::ExplicitCommit(guard) => guard.lease(),
        }
    }

    /// Whether one of the database's workers is blocked while rows are not taken.
    pub(super) fn holds_worker(&mut self) -> bool {
        self.connection().dialect().holds_workers
    }

    /// What the loss of the connection puts at risk while `statement` runs on it.
    pub(super) fn at_risk<'t>(&self, statement: &'t str) -> AtRisk<'t> {
        match self {
            Self::AutoCommit(_) => AtRisk::Statement,
            Self::ReadOnly(_) | Self::Explicit(_) | Self::ExplicitCommit(_) => AtRisk::Transaction(Some(statement)),
        }
    }

    /// Lets go of the connection, on which the statement is then cancelled without delay.
    pub(super) fn abandon(mut self) {
        match &mut self {
            Self::AutoCommit(lease) | Self::ReadOnly(lease) => lease.hurry(),
            Self::Explicit(guard) | Self::ExplicitCommit(guard) => guard.lease().hurry(),
        }
    }

    /// Ends the transaction, since its statement has failed.
    pub(super) fn fail(self) {
        if let Self::Explicit(guard) | Self::ExplicitCommit(guard) = self {
            guard.fail();
        }
    }
}
