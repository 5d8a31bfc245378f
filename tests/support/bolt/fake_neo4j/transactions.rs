//! Transactions of a session: BEGIN, COMMIT, ROLLBACK, the automatic ones, and ROUTE.
//!
//! Owns: database, impersonation, bookmarks and timeout of a new transaction.
//! May not know: statements, rows, frames.

use std::time::Duration;

use tokio::time::Instant;

use super::super::control::{Gauge, Holding};
use super::super::directive::Failure;
use super::super::message::success;
use super::super::store::{Isolation, Transaction};
use super::super::value::{Value, list, map, strings, v};
use super::fields::empty;
use super::reply::{Error, Filter};
use super::session::{Flow, Session, State, Stop};

/// Begins every bookmark; the number of the last commit follows.
const BOOKMARK: &str = "FB:fake:";

/// An open transaction.
pub(super) struct Tx {
    pub values: Transaction,
    /// What the client sent with BEGIN or RUN.
    pub extra: Value,
    pub deadline: Option<Instant>,
    pub filter: Filter,
    pub fail_commit: Option<Failure>,
    _counted: Holding,
}

pub(super) fn stopped(stop: Stop) -> Error {
    let retry = "The transaction has been terminated. Retry your operation in a new transaction, \
                 and you should see a successful result.";
    match stop {
        Stop::Interrupted => {
            Error::new("Neo.ClientError.Transaction.Terminated", format!("{retry} Explicitly terminated by the user. "))
        }
        Stop::TimedOut => Error::new(
            "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration",
            format!(
                "{retry} The transaction has not completed within the timeout specified at its \
                 start by the client. You may want to retry with a longer timeout. "
            ),
        ),
    }
}

pub(super) fn ordered(failure: &Failure) -> Error {
    Error::new(&failure.code, failure.message.clone())
}

fn not_found(db: &str) -> Error {
    Error::new("Neo.ClientError.Database.DatabaseNotFound", format!("Graph not found: {db}"))
}

impl Session {
    pub(super) async fn begin(&mut self, extra: &Value) -> Flow {
        match self.open(extra).await {
            Ok(tx) => {
                let mut meta = empty();
                self.echo_db(extra, &tx, &mut meta);
                self.tx = Some(tx);
                self.last_qid = -1;
                self.state = State::InTransaction;
                self.send(&success(meta));
                Flow::Go
            }
            Err(refused) => self.refuse(refused),
        }
    }

    pub(super) fn refuse(&mut self, (error, close): (Error, bool)) -> Flow {
        match close {
            true => self.fail_and_close(&error),
            false => self.fail(error),
        }
    }

    /// From 5.8 the reply names the database, if the request did not.
    pub(super) fn echo_db(&self, extra: &Value, tx: &Tx, meta: &mut Value) {
        let named = extra.get("db").and_then(Value::as_str).is_some_and(|db| !db.is_empty());
        if self.caps.at_least(5, 8) && !named {
            meta.put("db", tx.values.db());
        }
    }

    /// Opens a transaction, or says why not and whether that ends the connection.
    pub(super) async fn open(&mut self, extra: &Value) -> Result<Tx, (Error, bool)> {
        let text = |key: &str| extra.get(key).and_then(Value::as_str);
        self.server.check(&self.login).map_err(|error| (error, true))?;
        self.check_impersonation(text("imp_user"))?;
        if self.login.credentials_expired {
            let what = "The credentials you provided were valid, but must be changed before you \
                        can use this instance.";
            let code = "Neo.ClientError.Security.CredentialsExpired";
            return Err((Error::new(code, what), false));
        }
        let db = text("db").filter(|db| !db.is_empty()).map(str::to_ascii_lowercase);
        let db = db.unwrap_or_else(|| self.home());
        if !self.server.options.databases.contains(&db) {
            return Err((not_found(text("db").unwrap_or(&db)), false));
        }
        let timeout = extra.get("tx_timeout").and_then(Value::as_int).unwrap_or(0);
        let timeout = u64::try_from(timeout).ok().filter(|ms| *ms > 0);
        let deadline = timeout.map(|ms| Instant::now() + Duration::from_millis(ms));
        self.wait_for_bookmarks(extra).await.map_err(|error| (error, false))?;
        Ok(Tx {
            values: self.server.store.begin(&db, Isolation::ReadCommitted),
            extra: extra.clone(),
            deadline,
            filter: self.filter.overridden(extra, self.caps),
            fail_commit: None,
            _counted: self.server.ledger.hold(Gauge::Transaction),
        })
    }

    pub(super) fn home(&self) -> String {
        let users = self.server.knobs.users.lock().unwrap();
        let home = users.get(&self.login.principal).and_then(|user| user.home.clone());
        home.unwrap_or_else(|| "neo4j".to_owned())
    }

    pub(super) fn check_impersonation(&self, user: Option<&str>) -> Result<(), (Error, bool)> {
        let Some(user) = user.filter(|_| self.caps.at_least(4, 4)) else {
            return Ok(());
        };
        let argument = |what: &str, status, description: &str| {
            let code = "Neo.ClientError.Statement.ArgumentError";
            Err((Error::new(code, what).gql(status, description), false))
        };
        if !self.server.options.auth {
            return argument(
                "Impersonation is not supported with auth disabled.",
                "51N30",
                "error: system configuration or operation exception - not supported with this \
                 configuration. Impersonation is not supported in a database with auth disabled.",
            );
        }
        if !self.server.options.enterprise {
            return argument(
                "Impersonation is not supported in community edition.",
                "51N27",
                "error: system configuration or operation exception - not supported in this \
                 edition. Impersonation is not supported in community edition.",
            );
        }
        let users = self.server.knobs.users.lock().unwrap();
        let admin = users.get(&self.login.principal).is_some_and(|user| user.admin);
        if admin && users.contains_key(user) {
            return Ok(());
        }
        let what = format!("Cannot impersonate user '{user}'.");
        Err((Error::new("Neo.ClientError.Security.Forbidden", what), true))
    }

    /// Not interruptible, as on the real server.
    pub(super) async fn wait_for_bookmarks(&self, extra: &Value) -> Result<(), Error> {
        let bookmarks = extra.get("bookmarks").and_then(Value::as_list).unwrap_or_default();
        for bookmark in bookmarks {
            let number = bookmark.as_str().and_then(|b| b.strip_prefix(BOOKMARK));
            let Some(number) = number.and_then(|n| n.parse::<u64>().ok()) else {
                return Err(Error::new(
                    "Neo.ClientError.Transaction.InvalidBookmark",
                    format!("Parsing of supplied bookmarks failed: {bookmark:?}"),
                ));
            };
            if number > self.server.store.clock() {
                tokio::time::sleep(self.server.options.bookmark_timeout).await;
                return Err(Error::new(
                    "Neo.TransientError.Transaction.BookmarkTimeout",
                    "Database 'neo4j' not up to the requested version",
                ));
            }
        }
        Ok(())
    }

    pub(super) fn check_deadline(&self) -> Result<(), Error> {
        let deadline = self.tx.as_ref().and_then(|tx| tx.deadline);
        match deadline {
            Some(deadline) if deadline <= Instant::now() => Err(stopped(Stop::TimedOut)),
            _ => Ok(()),
        }
    }

    pub(super) fn commit_now(&mut self) -> Result<String, Error> {
        self.check_deadline()?;
        self.cursors.clear();
        let Some(tx) = self.tx.take() else {
            return Ok(format!("{BOOKMARK}0"));
        };
        if let Some(failure) = &tx.fail_commit {
            self.server.ledger.note(|counts| counts.rollbacks += 1);
            return Err(ordered(failure));
        }
        let clock = tx.values.commit();
        self.server.ledger.note(|counts| counts.commits += 1);
        Ok(format!("{BOOKMARK}{clock}"))
    }

    pub(super) fn commit(&mut self) -> Flow {
        match self.commit_now() {
            Ok(bookmark) => {
                self.state = State::Ready;
                self.send(&success(map([("bookmark", v(bookmark))])));
                Flow::Go
            }
            Err(error) => self.fail(error),
        }
    }

    pub(super) fn rollback(&mut self) -> Flow {
        self.abandon();
        self.state = State::Ready;
        self.send(&success(empty()));
        Flow::Go
    }

    pub(super) fn route(&mut self, routing: &Value, db: Option<String>) -> Flow {
        let db = db.filter(|db| !db.is_empty()).unwrap_or_else(|| self.home());
        if !self.server.options.databases.contains(&db) {
            let what = format!(
                "Unable to get a routing table for database '{db}' because this database does \
                 not exist"
            );
            let code = "Neo.ClientError.Database.DatabaseNotFound";
            return self.fail(Error::new(code, what).gql("22000", "error: data exception"));
        }
        let address = routing.get("address").and_then(Value::as_str).unwrap_or("localhost:7687");
        let server = |role: &str| map([("addresses", strings(&[address])), ("role", v(role))]);
        let mut table = map([("servers", list([server("WRITE"), server("READ"), server("ROUTE")])), ("ttl", v(300))]);
        if self.caps.at_least(4, 4) {
            table.put("db", db);
        }
        self.send(&success(map([("rt", table)])));
        Flow::Go
    }
}
