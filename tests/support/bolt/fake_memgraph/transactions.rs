//! Transactions of a session: BEGIN, COMMIT, ROLLBACK, and the automatic ones.
//!
//! Owns: what the extra map of a new transaction says, and what it must not lack.
//! May not know: statements, rows.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::super::control::{Gauge, Holding};
use super::super::directive::Failure;
use super::super::message::success;
use super::super::store::{Isolation, Transaction};
use super::super::value::{Value, map, v};
use super::registry::Registered;
use super::session::{Error, Flow, Session};
use super::statements::{RUN_ID, lagging};

/// An open transaction.
pub(super) struct Tx {
    pub values: Transaction,
    pub listed: Registered,
    /// What the client sent with BEGIN or RUN.
    extra: Value,
    pub deadline: Option<Instant>,
    pub fail_commit: Option<Failure>,
    _counted: Holding,
}

pub(super) fn ordered(failure: &Failure) -> Error {
    Error { code: failure.code.clone(), message: failure.message.clone() }
}

impl Session {
    /// Whether the transaction may go on.
    pub(super) fn check(&self, tx: &Tx) -> Result<(), Error> {
        let because = match tx.deadline {
            _ if self.is_ended(tx) => "by another user.",
            Some(deadline) if deadline <= Instant::now() => "because of transaction timeout.",
            _ => return Ok(()),
        };
        Err(Error::transient(&format!("Transaction was asked to abort {because}")))
    }

    fn is_ended(&self, tx: &Tx) -> bool {
        self.server.options.heeds_terminations && tx.listed.entry.is_killed()
    }

    /// Whether what is committed now comes with a word about replicas.
    pub(super) fn lags(&self) -> bool {
        self.server.lagging.load(Ordering::SeqCst)
    }

    pub(super) fn violation(&self, what: &str) {
        self.server.knobs.violation(what);
    }

    /// What a correct client never sends in the extra map of a new transaction.
    pub(super) fn inspect(&self, kind: &str, extra: &Value) {
        let pairs = extra.as_map().unwrap_or_default();
        if !pairs.iter().any(|(_, value)| matches!(value, Value::List(_) | Value::Map(_))) {
            self.violation(&format!("{kind} whose extra has no list or map: the cache may apply"));
        }
        if extra.get("tx_timeout").and_then(Value::as_int).is_some_and(|ms| ms <= 0) {
            self.violation("tx_timeout of zero or less switches the server's limit off");
        }
    }

    pub(super) fn open(&mut self, extra: &Value) -> Tx {
        let limit = self.server.options.query_timeout;
        let asked = extra.get("tx_timeout").and_then(Value::as_int);
        let timeout = match asked {
            None => Some(limit),
            Some(ms) => u64::try_from(ms).ok().filter(|ms| *ms > 0).map(Duration::from_millis),
        };
        let timeout = timeout.filter(|_| self.server.options.heeds_timeouts);
        let metadata = extra.get("tx_metadata").cloned().unwrap_or_else(|| map([]));
        let registry = &self.server.registry;
        Tx {
            values: self.server.store.begin(&self.identity.db, Isolation::Snapshot),
            listed: registry.enter(&self.identity.user, metadata, &self.identity.db),
            extra: extra.clone(),
            deadline: timeout.map(|timeout| Instant::now() + timeout.min(limit)),
            fail_commit: None,
            _counted: self.server.ledger.hold(Gauge::Transaction),
        }
    }

    pub(super) fn configure(&mut self, extra: &Value) -> Result<(), Error> {
        let server = Arc::clone(&self.server);
        self.identity.configure(extra, &server)
    }

    pub(super) fn begin(&mut self, extra: &Value) -> Flow {
        if self.explicit {
            self.fail(&Error::client("Nested transactions are not supported."));
            return Flow::Go;
        }
        self.inspect("BEGIN", extra);
        if let Err(error) = self.configure(extra) {
            self.fail(&error);
            return Flow::Go;
        }
        self.start_explicit(extra);
        self.send(&success(map([])));
        Flow::Go
    }

    pub(super) fn start_explicit(&mut self, extra: &Value) {
        self.tx = Some(self.open(extra));
        self.explicit = true;
        self.next_qid = 0;
    }

    pub(super) fn commit(&mut self) -> Flow {
        if !self.explicit {
            self.fail(&Error::client("No current transaction to commit."));
            return Flow::Go;
        }
        match self.commit_now() {
            Ok(()) if self.lags() => {
                let meta = map([("notifications", v(vec![lagging()])), ("run_id", v(RUN_ID))]);
                self.send(&success(meta));
            }
            Ok(()) => self.send(&success(map([]))),
            Err(error) => self.fail(&error),
        }
        Flow::Go
    }

    pub(super) fn rollback(&mut self) -> Flow {
        if !self.explicit {
            self.fail(&Error::client("No current transaction to rollback."));
            return Flow::Go;
        }
        self.abort();
        self.send(&success(map([])));
        Flow::Go
    }

    pub(super) fn commit_now(&mut self) -> Result<(), Error> {
        let Some(tx) = self.tx.take() else {
            return Ok(());
        };
        self.explicit = false;
        if let Some(failure) = &tx.fail_commit {
            self.server.ledger.note(|counts| counts.rollbacks += 1);
            return Err(ordered(failure));
        }
        if self.is_ended(&tx) {
            self.server.ledger.note(|counts| counts.rollbacks += 1);
            let what = "Aborting transaction commit because the transaction was requested to stop from other session. ";
            return Err(Error::transient(what));
        }
        tx.values.commit();
        self.server.ledger.note(|counts| counts.commits += 1);
        Ok(())
    }

    pub(super) fn given(&self, key: &str) -> Value {
        let extra = self.tx.as_ref().map(|tx| &tx.extra);
        extra.and_then(|extra| extra.get(key)).cloned().unwrap_or(Value::Null)
    }
}
