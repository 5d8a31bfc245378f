//! Listing and ending transactions for operators, for all callers.

use std::{cmp::Reverse, collections::HashSet, time::Duration};

use tokio::time::{Instant, sleep, timeout_at};

use super::Engine;
use crate::query::transaction::{OpenTransaction, TransactionId};

/// How long an operator waits for the end of a transaction. Requests give up its connection earlier.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pause between two looks. Transactions do not announce their end, since nearly none is waited for.
const PAUSE: Duration = Duration::from_millis(10);

/// What came of ending a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// There is no such transaction.
    Unknown,
    /// The transaction is over, or its connection is given up.
    Over,
    /// The transaction was told to end, but has not ended in time.
    Pending,
}

impl Engine {
    /// Returns the transactions of all callers, the oldest first: the open ones, and those of running statements, batches
    /// and loads.
    #[must_use]
    pub fn list_transactions(&self) -> Vec<OpenTransaction> {
        // Statements first: one that opens a transaction meanwhile is in both lists, and not in neither.
        let mut running = self.running_statements.outside_of_transactions();
        let mut all = self.transactions.list();
        // A transaction has the identifier of the statement that opened it.
        let open: HashSet<_> = all.iter().map(|one| one.id).collect();
        running.retain(|one| !open.contains(&one.id));
        all.extend(running);
        all.sort_by_key(|one| Reverse(one.elapsed));
        all
    }

    /// Ends a transaction of whatever caller. A request that is using it fails. Returns when the transaction is over and
    /// its connection is clean again or closed, or after five seconds.
    pub async fn end_transaction(&self, id: TransactionId) -> Ending {
        let is_open = self.transactions.end(id);
        let is_running = self.running_statements.end(id);
        if !is_open && !is_running {
            return Ending::Unknown;
        }
        let deadline = Instant::now() + PATIENCE;
        let over = async {
            while self.transactions.contains(id) || self.running_statements.contains(id) {
                sleep(PAUSE).await;
            }
        };
        if timeout_at(deadline, over).await.is_err() {
            return Ending::Pending;
        }
        // A connection that is not clean by then has been given up all the same.
        let _ = timeout_at(deadline, self.pool.recovered()).await;
        Ending::Over
    }
}
