//! Transactions and statements: BEGIN, RUN, PULL, DISCARD, COMMIT, ROLLBACK, ROUTE.
//!
//! Owns: what a directive does on this server, and when: statements without columns act in RUN,
//! the others when their first row is pulled; automatic ones commit with their last row.
//! May not know: frames, arrival, login.

use std::time::Duration;

use tokio::time::Instant;

use super::super::control::{Gauge, Holding};
use super::super::directive::{
    Effect, Failure, Planning, Program, Refused, Rows, Special, parse,
};
use super::super::message::{RECORD, success};
use super::super::samples::Shapes;
use super::super::store::{Blocked, Isolation, Transaction};
use super::super::value::{Value, list, map, strings, structure, v};
use super::fields::empty;
use super::reply::{Error, Filter, Summary};
use super::session::{Flow, Session, State, Stop};

/// Begins every bookmark; the number of the last commit follows.
const BOOKMARK: &str = "FB:fake:";

/// An open transaction.
pub(super) struct Tx {
    values: Transaction,
    /// What the client sent with BEGIN or RUN.
    extra: Value,
    deadline: Option<Instant>,
    filter: Filter,
    fail_commit: Option<Failure>,
    _counted: Holding,
}

/// A result with unread rows, or not yet ended.
pub(super) struct Cursor {
    program: Program,
    started: bool,
    /// Rows handed out.
    position: u64,
}

impl Cursor {
    fn new(program: Program) -> Cursor {
        Cursor { program, started: false, position: 0 }
    }

    fn len(&self) -> u64 {
        match &self.program.rows {
            _ if self.program.planning == Planning::Explain => 0,
            Rows::Fixed(rows) => rows.len() as u64,
            Rows::Count { n, .. } => *n,
            Rows::Stored(_) => 1,
        }
    }

    fn row(&self) -> Value {
        let at = self.position;
        match &self.program.rows {
            Rows::Fixed(rows) => {
                Value::List(rows.get(at as usize).cloned().unwrap_or_default())
            }
            Rows::Count { pad: None, .. } => list([v(at as i64 + 1)]),
            Rows::Count { pad: Some(pad), .. } => list([v(at as i64 + 1), v("x".repeat(*pad))]),
            Rows::Stored(_) => list([Value::Null]),
        }
    }
}

fn stopped(stop: Stop) -> Error {
    let retry = "The transaction has been terminated. Retry your operation in a new transaction, \
                 and you should see a successful result.";
    match stop {
        Stop::Interrupted => Error::new(
            "Neo.ClientError.Transaction.Terminated",
            format!("{retry} Explicitly terminated by the user. "),
        ),
        Stop::TimedOut => Error::new(
            "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration",
            format!(
                "{retry} The transaction has not completed within the timeout specified at its \
                 start by the client. You may want to retry with a longer timeout. "
            ),
        ),
    }
}

fn ordered(failure: &Failure) -> Error {
    Error::new(&failure.code, failure.message.clone())
}

fn not_found(db: &str) -> Error {
    Error::new("Neo.ClientError.Database.DatabaseNotFound", format!("Graph not found: {db}"))
}

impl Session {
    pub async fn begin(&mut self, extra: &Value) -> Flow {
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

    fn refuse(&mut self, (error, close): (Error, bool)) -> Flow {
        match close {
            true => self.fail_and_close(&error),
            false => self.fail(error),
        }
    }

    /// From 5.8 the reply names the database, if the request did not.
    fn echo_db(&self, extra: &Value, tx: &Tx, meta: &mut Value) {
        let named = extra.get("db").and_then(Value::as_str).is_some_and(|db| !db.is_empty());
        if self.caps.at_least(5, 8) && !named {
            meta.put("db", tx.values.db());
        }
    }

    /// Opens a transaction, or says why not and whether that ends the connection.
    async fn open(&mut self, extra: &Value) -> Result<Tx, (Error, bool)> {
        let text = |key: &str| extra.get(key).and_then(Value::as_str);
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

    fn home(&self) -> String {
        let users = self.server.knobs.users.lock().unwrap();
        let home = users.get(&self.login.principal).and_then(|user| user.home.clone());
        home.unwrap_or_else(|| "neo4j".to_owned())
    }

    fn check_impersonation(&self, user: Option<&str>) -> Result<(), (Error, bool)> {
        let Some(user) = user.filter(|_| self.caps.at_least(4, 4)) else { return Ok(()) };
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
    async fn wait_for_bookmarks(&self, extra: &Value) -> Result<(), Error> {
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

    pub async fn run(&mut self, statement: &str, parameters: &Value, extra: &Value) -> Flow {
        let running = self.server.ledger.hold(Gauge::Running);
        let explicit = self.state == State::InTransaction;
        if !explicit {
            match self.open(extra).await {
                Ok(tx) => self.tx = Some(tx),
                Err(refused) => return self.refuse(refused),
            }
        }
        let outcome = self.start(statement, parameters, explicit).await;
        drop(running);
        match outcome {
            Ok(cursor) => {
                let mut meta = map([("t_first", v(0)), ("fields", strings(&cursor.program.fields))]);
                if explicit {
                    self.last_qid += 1;
                    meta.put("qid", self.last_qid);
                } else {
                    self.last_qid = 0;
                    self.state = State::AutoCommit;
                    if let Some(tx) = &self.tx {
                        self.echo_db(extra, tx, &mut meta);
                    }
                }
                self.cursors.insert(self.last_qid, cursor);
                self.send(&success(meta));
                Flow::Go
            }
            Err(error) => {
                if !explicit {
                    self.abandon();
                }
                self.fail(error)
            }
        }
    }

    /// Everything a statement does before RUN is answered.
    async fn start(
        &mut self,
        statement: &str,
        parameters: &Value,
        explicit: bool,
    ) -> Result<Cursor, Error> {
        self.check_deadline()?;
        let mut program = self.parse(statement, parameters)?;
        self.specialise(&mut program, statement, explicit)?;
        if let Some(failure) = &program.fail_run {
            return Err(ordered(failure));
        }
        let deadline = self.tx.as_ref().and_then(|tx| tx.deadline);
        if let Some(sleep) = program.sleep.filter(|_| program.sleep_in_run) {
            self.busy(tokio::time::sleep(sleep), deadline).await.map_err(stopped)?;
        }
        if let Some(tx) = &mut self.tx
            && program.fail_commit.is_some()
        {
            tx.fail_commit = program.fail_commit.clone();
        }
        let mut cursor = Cursor::new(program);
        if cursor.program.fields.is_empty() {
            self.take_effect(&mut cursor).await?;
        }
        Ok(cursor)
    }

    fn check_deadline(&self) -> Result<(), Error> {
        let deadline = self.tx.as_ref().and_then(|tx| tx.deadline);
        match deadline {
            Some(deadline) if deadline <= Instant::now() => Err(stopped(Stop::TimedOut)),
            _ => Ok(()),
        }
    }

    fn parse(&self, statement: &str, parameters: &Value) -> Result<Program, Error> {
        let answer = self.server.knobs.answers.lock().unwrap().get(statement).cloned();
        if let Some(answer) = answer {
            let mut program = Program::rows(answer.fields, Rows::Fixed(answer.rows));
            program.summary = answer.summary;
            return Ok(program);
        }
        parse(statement, parameters).map_err(|refused| match refused {
            Refused::Syntax(word) => Error::new(
                "Neo.ClientError.Statement.SyntaxError",
                format!(
                    "Invalid input '{word}': expected a directive (line 1, column 1 (offset: 0))\n\
                     \"{statement}\"\n ^"
                ),
            ),
            Refused::MissingParameter(name) => Error::new(
                "Neo.ClientError.Statement.ParameterMissing",
                format!("Expected parameter(s): {name}"),
            ),
        })
    }

    /// Gives the special directives their meaning on this server.
    fn specialise(
        &self,
        program: &mut Program,
        statement: &str,
        explicit: bool,
    ) -> Result<(), Error> {
        let extra = self.tx.as_ref().map_or(Value::Null, |tx| tx.extra.clone());
        match program.special.clone() {
            Some(Special::WhoAmI) => {
                let (fields, row) = self.who_am_i(&extra);
                program.fields = fields;
                program.rows = Rows::Fixed(vec![row]);
            }
            Some(Special::Type(name)) => {
                let (fields, row) = self.shapes().named(&name).ok_or_else(|| {
                    Error::new("Neo.ClientError.Statement.SyntaxError", format!("No type {name}"))
                })?;
                program.fields = fields;
                program.rows = Rows::Fixed(vec![row]);
            }
            Some(Special::Conflict(times)) => {
                if self.server.knobs.attempt(statement) < times {
                    let code = "Neo.TransientError.Transaction.DeadlockDetected".to_owned();
                    let message = "ForsetiClient can't acquire ExclusiveLock".to_owned();
                    program.fail_pull = Some((0, Failure { code, message }));
                }
            }
            Some(Special::Batched) if explicit => {
                let tx_type = extra.get("tx_type").and_then(Value::as_str).unwrap_or_default();
                if !tx_type.eq_ignore_ascii_case("IMPLICIT") {
                    return Err(Error::new(
                        "Neo.DatabaseError.Transaction.TransactionStartFailed",
                        "A query with 'CALL { ... } IN TRANSACTIONS' can only be executed in an \
                         implicit transaction, but tried to execute in an explicit transaction.",
                    )
                    .gql(
                        "25N17",
                        "error: invalid transaction state - implicit transaction required. The \
                         attempted operation requires an implicit transaction.",
                    ));
                }
            }
            None | Some(Special::Admin(_) | Special::Batched) => {}
            Some(_) => {
                let what = format!("Invalid input '{statement}': not a directive of this server");
                return Err(Error::new("Neo.ClientError.Statement.SyntaxError", what));
            }
        }
        let reading = extra.get("mode").and_then(Value::as_str) == Some("r");
        if reading && !program.effects.is_empty() && program.planning != Planning::Explain {
            let db = self.tx.as_ref().map_or("neo4j", |tx| tx.values.db());
            return Err(Error::new(
                "Neo.ClientError.Statement.AccessMode",
                format!("Writing in read access mode not allowed. Attempted write to {db}"),
            ));
        }
        Ok(())
    }

    fn shapes(&self) -> Shapes {
        Shapes {
            element_ids: self.caps.at_least(5, 0),
            utc: self.caps.utc(),
            vectors: self.caps.at_least(6, 0),
            uuids: self.caps.at_least(6, 1),
            memgraph: false,
            cartesian_3d: 9157,
        }
    }

    fn who_am_i(&self, extra: &Value) -> (Vec<String>, Vec<Value>) {
        let given = |key: &str| extra.get(key).cloned().unwrap_or(Value::Null);
        let db = self.tx.as_ref().map(|tx| tx.values.db().to_owned());
        let columns = [
            ("principal", v(&*self.login.principal)),
            ("imp_user", given("imp_user")),
            ("db", v(db)),
            ("mode", given("mode")),
            ("tx_timeout", given("tx_timeout")),
            ("tx_metadata", given("tx_metadata")),
            ("bookmarks", given("bookmarks")),
            ("connection", v(self.id as i64)),
        ];
        columns.into_iter().map(|(name, value)| (name.to_owned(), value)).unzip()
    }

    pub async fn fetch(&mut self, n: i64, qid: i64, discard: bool) -> Flow {
        let qid = if qid == -1 { self.last_qid } else { qid };
        let Some(mut cursor) = self.cursors.remove(&qid) else {
            let what = format!("No such statement: {qid}");
            return self.fail(Error::new("Neo.ClientError.Request.InvalidFormat", what));
        };
        let running = self.server.ledger.hold(Gauge::Running);
        let outcome = self.stream(&mut cursor, n, discard).await;
        drop(running);
        let ended = match outcome {
            Ok(ended) => ended,
            Err(error) => {
                if self.state == State::AutoCommit {
                    self.abandon();
                }
                return self.fail(error);
            }
        };
        if !ended {
            self.cursors.insert(qid, cursor);
            self.send(&success(map([("has_more", v(true))])));
            return Flow::Go;
        }
        match self.finish(&cursor) {
            Ok(summary) => {
                self.send(&summary);
                Flow::Go
            }
            Err(error) => self.fail(error),
        }
    }

    /// Sends up to `n` rows; true if the result has ended.
    async fn stream(&mut self, cursor: &mut Cursor, n: i64, discard: bool) -> Result<bool, Error> {
        self.check_deadline()?;
        if !cursor.started && !cursor.program.fields.is_empty() {
            self.take_effect(cursor).await?;
        }
        let mut left = u64::try_from(n).unwrap_or(u64::MAX);
        while left > 0 && cursor.position < cursor.len() {
            if let Some((after, failure)) = &cursor.program.fail_pull
                && cursor.position == *after
            {
                return Err(ordered(failure));
            }
            if !discard {
                self.send(&structure(RECORD, [cursor.row()]));
            }
            cursor.position += 1;
            left -= 1;
            if cursor.position.is_multiple_of(64) {
                tokio::task::yield_now().await;
                self.check_deadline()?;
            }
            if self.shared.interrupted() {
                return Err(stopped(Stop::Interrupted));
            }
        }
        Ok(cursor.position >= cursor.len())
    }

    /// Sleeps, reads and writes, once per statement.
    async fn take_effect(&mut self, cursor: &mut Cursor) -> Result<(), Error> {
        cursor.started = true;
        let program = &mut cursor.program;
        let deadline = self.tx.as_ref().and_then(|tx| tx.deadline);
        if program.planning == Planning::Explain {
            return Ok(());
        }
        if let Some(sleep) = program.sleep.filter(|_| !program.sleep_in_run) {
            self.busy(tokio::time::sleep(sleep), deadline).await.map_err(stopped)?;
        }
        for effect in &program.effects {
            let (Effect::Set(key, _) | Effect::Add(key, _)) = effect;
            self.lock(key, deadline).await?;
            let Some(tx) = &mut self.tx else { continue };
            let value = match effect {
                Effect::Set(_, value) => value.clone(),
                Effect::Add(_, n) => {
                    let old = tx.values.read(key).and_then(|old| old.as_int()).unwrap_or(0);
                    Some(v(old + n))
                }
            };
            tx.values.write(key, value);
        }
        if let (Rows::Stored(key), Some(tx)) = (&program.rows, &self.tx) {
            let value = tx.values.read(key).unwrap_or(Value::Null);
            program.rows = Rows::Fixed(vec![vec![value]]);
        }
        Ok(())
    }

    async fn lock(&mut self, key: &str, deadline: Option<Instant>) -> Result<(), Error> {
        loop {
            let Some(tx) = &mut self.tx else { return Ok(()) };
            let signal = tx.values.release_signal();
            // Created before the attempt, so that no release in between is missed.
            let released = signal.notified();
            match tx.values.lock(key) {
                Ok(()) => return Ok(()),
                Err(Blocked::Wait) => self.busy(released, deadline).await.map_err(stopped)?,
                Err(Blocked::Deadlock | Blocked::Conflict) => {
                    return Err(Error::new(
                        "Neo.TransientError.Transaction.DeadlockDetected",
                        "ForsetiClient can't acquire ExclusiveLock, because it would form a cycle",
                    ));
                }
            }
        }
    }

    /// The summary; an automatic transaction is committed for it.
    fn finish(&mut self, cursor: &Cursor) -> Result<Value, Error> {
        let automatic = self.state == State::AutoCommit;
        let (db, filter) = match &self.tx {
            Some(tx) => (tx.values.db().to_owned(), tx.filter.clone()),
            None => (self.home(), self.filter.clone()),
        };
        let bookmark = match automatic {
            true => Some(self.commit_now()?),
            false => None,
        };
        if automatic {
            self.state = State::Ready;
        }
        let summary = Summary {
            program: &cursor.program,
            had_rows: cursor.position > 0,
            db: &db,
            bookmark,
            filter: &filter,
        };
        Ok(summary.success(self.caps))
    }

    fn commit_now(&mut self) -> Result<String, Error> {
        self.check_deadline()?;
        self.cursors.clear();
        let Some(tx) = self.tx.take() else { return Ok(format!("{BOOKMARK}0")) };
        if let Some(failure) = &tx.fail_commit {
            self.server.ledger.note(|counts| counts.rollbacks += 1);
            return Err(ordered(failure));
        }
        let clock = tx.values.commit();
        self.server.ledger.note(|counts| counts.commits += 1);
        Ok(format!("{BOOKMARK}{clock}"))
    }

    pub fn commit(&mut self) -> Flow {
        match self.commit_now() {
            Ok(bookmark) => {
                self.state = State::Ready;
                self.send(&success(map([("bookmark", v(bookmark))])));
                Flow::Go
            }
            Err(error) => self.fail(error),
        }
    }

    pub fn rollback(&mut self) -> Flow {
        self.abandon();
        self.state = State::Ready;
        self.send(&success(empty()));
        Flow::Go
    }

    pub fn route(&mut self, routing: &Value, db: Option<String>) -> Flow {
        let db = db.filter(|db| !db.is_empty()).unwrap_or_else(|| self.home());
        if !self.server.options.databases.contains(&db) {
            let what = format!(
                "Unable to get a routing table for database '{db}' because this database does \
                 not exist"
            );
            let code = "Neo.ClientError.Database.DatabaseNotFound";
            return self.fail(Error::new(code, what));
        }
        let address = routing.get("address").and_then(Value::as_str).unwrap_or("localhost:7687");
        let server = |role: &str| {
            map([("addresses", strings(&[address])), ("role", v(role))])
        };
        let mut table = map([
            ("servers", list([server("WRITE"), server("READ"), server("ROUTE")])),
            ("ttl", v(300)),
        ]);
        if self.caps.at_least(4, 4) {
            table.put("db", db);
        }
        self.send(&success(map([("rt", table)])));
        Flow::Go
    }
}
