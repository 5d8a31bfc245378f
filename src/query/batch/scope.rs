//! The transaction that a batch runs in, and its connection.

use crate::{
    pool::Lease,
    query::transaction::{Transaction, TransactionGuard},
    telemetry::observer::TransactionOutcome,
};

/// The transaction that a batch runs in.
pub(in crate::query) enum BatchScope {
    /// A transaction of the batch's own, committed after its last statement.
    Own(Lease),
    /// An explicit transaction that stays open after the last statement.
    Explicit(TransactionGuard),
    /// An explicit transaction that is committed after the last statement.
    ExplicitCommit(TransactionGuard),
}

impl BatchScope {
    /// The connection that the statements run on.
    pub(super) fn lease(&mut self) -> &mut Lease {
        match self {
            Self::Own(lease) => lease,
            Self::Explicit(guard) | Self::ExplicitCommit(guard) => guard.lease(),
        }
    }

    /// Gives up the connection, whose cleanup then cancels the current statement without delay.
    pub(super) fn abandon(mut self) {
        self.lease().hurry();
        if let Self::Explicit(guard) | Self::ExplicitCommit(guard) = self {
            guard.fail();
        }
    }

    /// Leaves the transaction open for a later request, if it stays open.
    pub(super) fn keep(self) -> Option<Transaction> {
        match self {
            Self::Explicit(guard) => Some(guard.keep()),
            Self::Own(_) | Self::ExplicitCommit(_) => None,
        }
    }

    /// Ends the transaction, which was committed.
    pub(super) fn committed(self) {
        if let Self::Explicit(guard) | Self::ExplicitCommit(guard) = self {
            guard.finish(Some(TransactionOutcome::Committed));
        }
    }
}
