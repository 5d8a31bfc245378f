//! The transaction that a statement runs in, and its connection.

use crate::{
    bolt::Connection,
    pool::Lease,
    query::{reply::AtRisk, transaction::TransactionGuard},
};

/// The transaction that a statement runs in. Owns the connection, and determines what happens at the end of the result.
pub(in crate::query) enum TransactionScope {
    /// An auto-commit transaction, which the server commits with the last batch of rows.
    AutoCommit(Lease),
    /// A read transaction that the gateway opened for this statement, and commits after it.
    ReadOnly(Lease),
    /// A transaction that the gateway opened for this statement because its result is limited, and commits after it.
    Limited(Lease),
    /// An explicit transaction that stays open after the statement.
    Explicit(TransactionGuard),
    /// An explicit transaction that is committed after the statement.
    ExplicitCommit(TransactionGuard),
}

impl TransactionScope {
    /// The connection that the statement runs on.
    pub(super) fn connection(&mut self) -> &mut Connection {
        match self {
            Self::AutoCommit(lease) | Self::ReadOnly(lease) | Self::Limited(lease) => lease,
            Self::Explicit(guard) | Self::ExplicitCommit(guard) => guard.lease(),
        }
    }

    /// Whether unread rows block one of the database's workers.
    pub(super) fn holds_worker(&mut self) -> bool {
        self.connection().dialect().holds_workers
    }

    /// Returns what the loss of the connection puts at risk while `statement` runs.
    pub(super) fn at_risk<'t>(&self, statement: &'t str) -> AtRisk<'t> {
        match self {
            Self::AutoCommit(_) => AtRisk::Statement,
            Self::ReadOnly(_) | Self::Limited(_) | Self::Explicit(_) | Self::ExplicitCommit(_) => {
                AtRisk::Transaction(Some(statement))
            }
        }
    }

    /// Gives up the connection, whose cleanup then cancels the statement without delay.
    pub(super) fn abandon(mut self) {
        match &mut self {
            Self::AutoCommit(lease) | Self::ReadOnly(lease) | Self::Limited(lease) => lease.hurry(),
            Self::Explicit(guard) | Self::ExplicitCommit(guard) => guard.lease().hurry(),
        }
    }

    /// Ends the transaction after a failure of its statement.
    pub(super) fn fail(self) {
        if let Self::Explicit(guard) | Self::ExplicitCommit(guard) = self {
            guard.fail();
        }
    }
}
