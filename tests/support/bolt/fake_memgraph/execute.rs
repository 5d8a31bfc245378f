//! Transactions and statements: BEGIN, RUN, PULL, DISCARD, COMMIT, ROLLBACK.
//!
//! Owns: what a directive does on this server, and when: everything acts when the first row is
//! pulled, one more row is always looked at, automatic transactions commit with the last row.
//! May not know: frames, the output buffer.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::super::control::{Gauge, Holding};
use super::super::directive::{
    COUNTERS, Effect, Failure, Planning, Program, Refused, Rows, Special, parse,
};
use super::super::message::success;
use super::super::samples::Shapes;
use super::super::store::{Isolation, Transaction};
use super::super::value::{Value, map, strings, v};
use super::session::{Error, Flow, Session, State};
use super::transactions::{Entry, Registered};

const CONFLICT: &str = "Cannot resolve conflicting transactions. Retry this transaction when the \
                        conflicting transaction is finished. For more details, visit \
                        https://memgraph.com/docs";
const RUN_ID: &str = "3e4b6d1c-8a52-4c0e-9f7a-1b2c3d4e5f60";

/// An open transaction.
pub(super) struct Tx {
    values: Transaction,
    listed: Registered,
    /// What the client sent with BEGIN or RUN.
    extra: Value,
    deadline: Option<Instant>,
    fail_commit: Option<Failure>,
    _counted: Holding,
}

/// The one open result.
pub(super) struct Cursor {
    program: Program,
    qid: i64,
    started: bool,
    position: u64,
    /// Only `has_more` and `run_id` in the summary: a textual BEGIN, COMMIT or ROLLBACK.
    bare: bool,
}

impl Cursor {
    fn row(&self) -> Option<Vec<Value>> {
        let at = self.position;
        match &self.program.rows {
            Rows::Fixed(rows) => rows.get(at as usize).cloned(),
            Rows::Count { n, .. } if at >= *n => None,
            Rows::Count { pad: None, .. } => Some(vec![v(at as i64 + 1)]),
            Rows::Count { pad: Some(pad), .. } => {
                Some(vec![v(at as i64 + 1), v("x".repeat(*pad))])
            }
            Rows::Stored(_) => None,
        }
    }

    /// The next row, or why there is none although there should be.
    fn next(&self) -> Result<Option<Vec<Value>>, Error> {
        match &self.program.fail_pull {
            Some((after, failure)) if self.position == *after => Err(ordered(failure)),
            _ => Ok(self.row()),
        }
    }
}

fn ordered(failure: &Failure) -> Error {
    Error { code: failure.code.clone(), message: failure.message.clone() }
}

fn multicommand(what: &str) -> Error {
    Error::client(&format!(
        "{what} is not allowed in multicommand transactions. A multicommand transaction, also \
         known as an explicit transaction, groups multiple commands into a single atomic \
         operation. Instead, please use an implicit transaction, also known as an auto \
         committing transaction, in order to execute this particularquery. For more details, \
         visit https://memgraph.com/docs"
    ))
}

impl Session {
    fn violation(&self, what: &str) {
        self.server.knobs.violation(what);
    }

    /// What a correct client never sends in the extra map of a new transaction.
    fn inspect(&self, kind: &str, extra: &Value) {
        let pairs = extra.as_map().unwrap_or_default();
        if !pairs.iter().any(|(_, value)| matches!(value, Value::List(_) | Value::Map(_))) {
            self.violation(&format!("{kind} whose extra has no list or map: the cache may apply"));
        }
        if extra.get("tx_timeout").and_then(Value::as_int).is_some_and(|ms| ms <= 0) {
            self.violation("tx_timeout of zero or less switches the server's limit off");
        }
    }

    fn open(&mut self, extra: &Value) -> Tx {
        let limit = self.server.options.query_timeout;
        let asked = extra.get("tx_timeout").and_then(Value::as_int);
        let timeout = match asked {
            None => Some(limit),
            Some(ms) => u64::try_from(ms).ok().filter(|ms| *ms > 0).map(Duration::from_millis),
        };
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

    fn configure(&mut self, extra: &Value) -> Result<(), Error> {
        let server = Arc::clone(&self.server);
        self.identity.configure(extra, &server)
    }

    pub fn begin(&mut self, extra: &Value) -> Flow {
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

    fn start_explicit(&mut self, extra: &Value) {
        self.tx = Some(self.open(extra));
        self.explicit = true;
        self.next_qid = 0;
    }

    pub fn commit(&mut self) -> Flow {
        if !self.explicit {
            self.fail(&Error::client("No current transaction to commit."));
            return Flow::Go;
        }
        match self.commit_now() {
            Ok(()) => self.send(&success(map([]))),
            Err(error) => self.fail(&error),
        }
        Flow::Go
    }

    pub fn rollback(&mut self) -> Flow {
        if !self.explicit {
            self.fail(&Error::client("No current transaction to rollback."));
            return Flow::Go;
        }
        self.abort();
        self.send(&success(map([])));
        Flow::Go
    }

    fn commit_now(&mut self) -> Result<(), Error> {
        let Some(tx) = self.tx.take() else { return Ok(()) };
        self.explicit = false;
        if let Some(failure) = &tx.fail_commit {
            self.server.ledger.note(|counts| counts.rollbacks += 1);
            return Err(ordered(failure));
        }
        check(&tx.listed.entry, None)?;
        tx.values.commit();
        self.server.ledger.note(|counts| counts.commits += 1);
        Ok(())
    }

    pub async fn run(&mut self, text: &str, parameters: &Value, extra: &Value) -> io::Result<Flow> {
        let running = self.server.ledger.hold(Gauge::Running);
        let outcome = self.prepare(text, parameters, extra).await;
        drop(running);
        match outcome {
            Ok(cursor) => {
                let mut meta = map([("fields", strings(&cursor.program.fields))]);
                if self.explicit && !cursor.bare {
                    meta.put("qid", cursor.qid);
                }
                self.cursor = Some(cursor);
                self.state = State::Result;
                self.send(&success(meta));
            }
            Err(error) => {
                if !self.explicit {
                    self.abort();
                }
                self.fail(&error);
            }
        }
        Ok(Flow::Go)
    }

    async fn prepare(
        &mut self,
        text: &str,
        parameters: &Value,
        extra: &Value,
    ) -> Result<Cursor, Error> {
        if !self.explicit {
            self.inspect("RUN", extra);
            self.configure(extra)?;
        }
        let mut program = self.parse(text, parameters)?;
        let bare = self.textual(&program, extra)?;
        if self.tx.is_none() && !bare {
            self.tx = Some(self.open(extra));
        }
        if let Some(tx) = &self.tx {
            tx.listed.entry.queries.lock().unwrap().push(text.to_owned());
        }
        self.specialise(&mut program, text)?;
        if let Some(failure) = &program.fail_run {
            return Err(ordered(failure));
        }
        if let Some(sleep) = program.sleep.filter(|_| program.sleep_in_run) {
            self.occupy_worker(sleep).await?;
        }
        if let Some(tx) = &mut self.tx
            && program.fail_commit.is_some()
        {
            tx.fail_commit = program.fail_commit.clone();
        }
        let qid = self.next_qid;
        self.next_qid += 1;
        Ok(Cursor { program, qid, started: false, position: 0, bare })
    }

    fn parse(&self, text: &str, parameters: &Value) -> Result<Program, Error> {
        let answer = self.server.knobs.answers.lock().unwrap().get(text).cloned();
        if let Some(answer) = answer {
            let mut program = Program::rows(answer.fields, Rows::Fixed(answer.rows));
            program.summary = answer.summary;
            return Ok(program);
        }
        parse(text, parameters).map_err(|refused| match refused {
            Refused::Syntax(word) => Error::client(&format!(
                "Error on line 1 position 1. The underlying parsing error is mismatched input \
                 '{word}' expecting a directive. Take a look at clauses around and try to fix \
                 the query."
            )),
            Refused::MissingParameter(name) => {
                Error::client(&format!("Parameter ${name} not provided."))
            }
        })
    }

    /// `BEGIN`, `COMMIT` and `ROLLBACK` as text: true if it was one of them.
    fn textual(&mut self, program: &Program, extra: &Value) -> Result<bool, Error> {
        match &program.special {
            Some(Special::Begin) if self.explicit => {
                return Err(Error::client("Nested transactions are not supported."));
            }
            Some(Special::Begin) => self.start_explicit(extra),
            Some(Special::Commit) if self.explicit => self.commit_now()?,
            Some(Special::Rollback) if self.explicit => self.abort(),
            Some(Special::Commit) => {
                return Err(Error::client("No current transaction to commit."));
            }
            Some(Special::Rollback) => {
                return Err(Error::client("No current transaction to rollback."));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Gives the special directives their meaning on this server.
    fn specialise(&mut self, program: &mut Program, text: &str) -> Result<(), Error> {
        let in_tx = |what: &str, explicit: bool| match explicit {
            true => Err(multicommand(what)),
            false => Ok(()),
        };
        match program.special.clone() {
            Some(Special::Admin(what)) => {
                in_tx(if what.is_empty() { "Index manipulation" } else { &what }, self.explicit)?;
                program.stats.clear();
            }
            Some(Special::WhoAmI) => self.who_am_i(program),
            Some(Special::Type(name)) => {
                let found = self.shapes().named(&name);
                let (fields, row) =
                    found.ok_or_else(|| Error::client(&format!("Unbound variable: {name}.")))?;
                program.fields = fields;
                program.rows = Rows::Fixed(vec![row]);
            }
            Some(Special::Conflict(times)) => {
                if self.server.knobs.attempt(text) < times {
                    let Error { code, message } = Error::transient(CONFLICT);
                    program.fail_pull = Some((0, Failure { code, message }));
                }
            }
            Some(Special::ShowTransactions) => {
                in_tx("Querying transaction status", self.explicit)?;
                self.show_transactions(program);
            }
            Some(Special::Terminate(ids)) => {
                in_tx("Querying transaction status", self.explicit)?;
                self.terminate(program, &ids)?;
            }
            Some(Special::UseDatabase(db)) => {
                in_tx("Switching the currently active database", self.explicit)?;
                self.use_database(db)?;
            }
            Some(Special::SetSession(setting)) => self.settings.push(setting),
            Some(Special::Begin | Special::Commit | Special::Rollback | Special::Batched) => {}
            None => {}
        }
        match program.planning {
            Planning::None => {}
            Planning::Explain => {
                program.fields = vec!["QUERY PLAN".to_owned()];
                let lines = [" * Produce {1}", " * Once"];
                program.rows = Rows::Fixed(lines.map(|line| vec![v(line)]).into());
            }
            Planning::Profile => {
                in_tx("Query profiling", self.explicit)?;
                let fields = ["OPERATOR", "ACTUAL HITS", "RELATIVE TIME", "ABSOLUTE TIME"];
                program.fields = fields.map(str::to_owned).into();
                let row = vec![v("* Once"), v(2), v("  100.00 %"), v("  0.001 ms")];
                program.rows = Rows::Fixed(vec![row]);
                let profile = r#"{"actual_hits":2,"children":[],"name":"Once"}"#;
                program.summary.push(("profile".to_owned(), v(profile)));
            }
        }
        let reading = self.explicit && self.given("mode").as_str() == Some("r");
        if reading && !program.effects.is_empty() && program.planning == Planning::None {
            return Err(Error::client("Accessor type READ and query type WRITE are misaligned!"));
        }
        Ok(())
    }

    fn given(&self, key: &str) -> Value {
        let extra = self.tx.as_ref().map(|tx| &tx.extra);
        extra.and_then(|extra| extra.get(key)).cloned().unwrap_or(Value::Null)
    }

    fn use_database(&mut self, db: String) -> Result<(), Error> {
        if self.identity.explicit_db {
            return Err(Error::client(
                "Database switching is prohibited if session explicitly defines the used database",
            ));
        }
        if !self.server.options.databases.contains(&db) {
            let what = format!("Tried to retrieve an unknown database \"{db}\".");
            return Err(Error::transient(&what));
        }
        self.identity.db = db;
        Ok(())
    }

    /// Whom the statement really runs as, and where: not what the request said.
    fn who_am_i(&self, program: &mut Program) {
        let db = self.tx.as_ref().map(|tx| tx.values.db().to_owned());
        let impersonated = self.identity.user != self.identity.principal;
        let columns = [
            ("principal", v(&*self.identity.principal)),
            ("imp_user", v(impersonated.then(|| self.identity.user.clone()))),
            ("db", v(db)),
            ("mode", self.given("mode")),
            ("tx_timeout", self.given("tx_timeout")),
            ("tx_metadata", self.given("tx_metadata")),
            ("bookmarks", self.given("bookmarks")),
            ("connection", v(self.id as i64)),
            ("session", strings(&self.settings)),
        ];
        let (fields, row) = columns.into_iter().map(|(name, x)| (name.to_owned(), x)).unzip();
        program.fields = fields;
        program.rows = Rows::Fixed(vec![row]);
    }

    fn shapes(&self) -> Shapes {
        let v5 = self.version.0 >= 5;
        Shapes {
            element_ids: v5,
            utc: v5,
            vectors: false,
            uuids: false,
            memgraph: true,
            cartesian_3d: self.server.options.cartesian_3d,
        }
    }

    /// One's own, or everybody's for an administrator and where there are no users.
    fn may_see(&self, entry: &Entry) -> bool {
        let users = self.server.knobs.users.lock().unwrap();
        let admin = users.get(&self.identity.user).is_some_and(|user| user.admin);
        users.is_empty() || admin || entry.username == self.identity.user
    }

    fn show_transactions(&self, program: &mut Program) {
        let columns = &self.server.options.transaction_columns;
        let row = |id: &str, entry: Option<&Entry>| -> Vec<Value> {
            let queries = entry.map(|e| e.queries.lock().unwrap().clone()).unwrap_or_default();
            let elapsed = entry.map_or(0, |e| e.started.elapsed().as_millis() as i64);
            let cell = |column: &&str| match *column {
                "username" => v(entry.map_or("", |e| &*e.username)),
                "transaction_id" => v(id),
                "query" => strings(&queries),
                "status" => v("running"),
                "metadata" => entry.map_or_else(|| map([]), |e| e.metadata.clone()),
                "start_time" => v("2026-11-21 12:00:00.000000"),
                "elapsed_ms" => v(elapsed),
                _ => v(entry.map_or("", |e| &*e.db)),
            };
            columns.iter().map(cell).collect()
        };
        let seen = self.server.registry.all();
        let seen = seen.iter().filter(|entry| self.may_see(entry));
        let mut rows: Vec<Vec<Value>> =
            seen.map(|entry| row(&entry.id.to_string(), Some(entry))).collect();
        // Work in the background has names instead of numbers.
        rows.push(row("gc", None));
        program.fields = columns.iter().map(|column| (*column).to_owned()).collect();
        program.rows = Rows::Fixed(rows);
    }

    fn terminate(&self, program: &mut Program, ids: &[Option<String>]) -> Result<(), Error> {
        let mut rows = Vec::new();
        for id in ids {
            let Some(id) = id else {
                return Err(Error::client(
                    "Error on line 1 position 24. The underlying parsing error is mismatched \
                     input, expecting StringLiteral. Take a look at clauses around and try to \
                     fix the query.",
                ));
            };
            if id == "*" {
                self.violation("TERMINATE TRANSACTIONS \"*\" kills what is not the client's own");
            }
            let all = self.server.registry.all();
            let meant = |entry: &&Arc<Entry>| id == "*" || entry.id.to_string() == *id;
            if id != "*" && id.parse::<u64>().is_err() {
                return Err(Error::client(&format!("'{id}' is not a valid transaction id.")));
            }
            let mut killed = false;
            for entry in all.iter().filter(meant).filter(|entry| self.may_see(entry)) {
                killed |= self.server.registry.terminate(entry.id);
            }
            rows.push(vec![v(&**id), v(killed)]);
        }
        program.fields = vec!["transaction_id".to_owned(), "killed".to_owned()];
        program.rows = Rows::Fixed(rows);
        Ok(())
    }

    pub async fn fetch(&mut self, meta: &Value, discard: bool) -> io::Result<Flow> {
        if let Some(flow) = self.check_qid(meta) {
            return Ok(flow);
        }
        // Narrowed to an int, as the server does.
        let n = meta.get("n").and_then(Value::as_int).unwrap_or(-1) as i32;
        if n < -1 {
            let what = "Invalid arguments sent: n - Cannot fetch negative number of results!";
            return Ok(self.end_with(Error::client(what)));
        }
        if n == 0 {
            self.violation("PULL or DISCARD with n = 0");
        }
        let Some(mut cursor) = self.cursor.take() else { return Ok(Flow::Go) };
        let running = self.server.ledger.hold(Gauge::Running);
        let outcome = self.stream(&mut cursor, n, discard).await;
        drop(running);
        let more = match outcome? {
            Ok(more) => more,
            Err(error) => return Ok(self.end_with(error)),
        };
        if more {
            self.cursor = Some(cursor);
            self.send(&success(map([("has_more", v(true)), ("run_id", v(RUN_ID))])));
            return Ok(Flow::Go);
        }
        let db = self.tx.as_ref().map_or("", |tx| tx.values.db()).to_owned();
        if !self.explicit {
            let committed = match cursor.program.planning {
                Planning::Profile => {
                    self.abort();
                    Ok(())
                }
                _ => self.commit_now(),
            };
            if let Err(error) = committed {
                return Ok(self.end_with(error));
            }
        }
        self.state = State::Idle;
        self.send(&success(summary(&cursor, &db)));
        Ok(Flow::Go)
    }

    /// A `qid` that kills the real server, or is refused.
    fn check_qid(&mut self, meta: &Value) -> Option<Flow> {
        let qid = meta.get("qid").and_then(Value::as_int).filter(|qid| *qid >= 0)?;
        let open = self.cursor.as_ref().map(|cursor| cursor.qid);
        if !self.explicit {
            self.server.crash("qid outside an explicit transaction");
            return Some(Flow::Done);
        }
        if open == Some(qid) {
            return None;
        }
        if qid < self.next_qid {
            self.server.crash("qid of a finished statement");
            return Some(Flow::Done);
        }
        let what = "Invalid arguments sent: qid - Query with specified ID does not exist!";
        Some(self.end_with(Error::client(what)))
    }

    /// FAILURE of a statement; an automatic transaction is gone with it.
    fn end_with(&mut self, error: Error) -> Flow {
        self.cursor = None;
        if !self.explicit {
            self.abort();
        }
        self.fail(&error);
        Flow::Go
    }

    /// Sends up to `n` rows (−1: all) and looks at one more; true if there is one.
    async fn stream(
        &mut self,
        cursor: &mut Cursor,
        n: i32,
        discard: bool,
    ) -> io::Result<Result<bool, Error>> {
        let urgent = matches!(
            cursor.program.special,
            Some(Special::ShowTransactions | Special::Terminate(_))
        );
        let workers = Arc::clone(&self.server.workers);
        // The semaphore is never closed.
        let _worker = if urgent { None } else { workers.acquire_owned().await.ok() };
        if !cursor.started
            && let Err(error) = self.take_effect(cursor).await
        {
            return Ok(Err(error));
        }
        if n == 0 {
            return Ok(Ok(self.pull_nothing(cursor)));
        }
        let mut left = u64::try_from(n).unwrap_or(u64::MAX);
        loop {
            let row = match cursor.next() {
                Ok(row) => row,
                Err(error) => return Ok(Err(error)),
            };
            let Some(row) = row else { return Ok(Ok(false)) };
            if left == 0 {
                return Ok(Ok(true));
            }
            if !discard {
                self.send_row(row);
                self.spill().await?;
            }
            cursor.position += 1;
            left -= 1;
            if cursor.position.is_multiple_of(64) {
                tokio::task::yield_now().await;
                if let Some(tx) = &self.tx
                    && let Err(error) = check(&tx.listed.entry, tx.deadline)
                {
                    return Ok(Err(error));
                }
            }
        }
    }

    /// `n` = 0: harmless at first; with a row looked at, that row comes and the rest is lost.
    fn pull_nothing(&mut self, cursor: &mut Cursor) -> bool {
        let looked_at = cursor.position > 0;
        if looked_at && let Some(row) = cursor.row() {
            self.send_row(row);
        }
        !looked_at
    }

    async fn occupy_worker(&mut self, sleep: Duration) -> Result<(), Error> {
        let Some(tx) = &self.tx else { return Ok(()) };
        let deadline = async {
            match tx.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = tx.listed.entry.terminated() => {}
            () = deadline => {}
            () = tokio::time::sleep(sleep) => {}
        }
        check(&tx.listed.entry, tx.deadline)
    }

    /// Sleeps, reads and writes, once per statement.
    async fn take_effect(&mut self, cursor: &mut Cursor) -> Result<(), Error> {
        cursor.started = true;
        let program = &mut cursor.program;
        if program.planning != Planning::None {
            return Ok(());
        }
        if let Some(sleep) = program.sleep.filter(|_| !program.sleep_in_run) {
            self.occupy_worker(sleep).await?;
        }
        let Some(tx) = &mut self.tx else { return Ok(()) };
        for effect in &program.effects {
            let (Effect::Set(key, _) | Effect::Add(key, _)) = effect;
            tx.values.lock(key).map_err(|_| Error::transient(CONFLICT))?;
            let value = match effect {
                Effect::Set(_, value) => value.clone(),
                Effect::Add(_, n) => {
                    let old = tx.values.read(key).and_then(|old| old.as_int()).unwrap_or(0);
                    Some(v(old + n))
                }
            };
            tx.values.write(key, value);
        }
        if let Rows::Stored(key) = &program.rows {
            let value = tx.values.read(key).unwrap_or(Value::Null);
            program.rows = Rows::Fixed(vec![vec![value]]);
        }
        Ok(())
    }
}

/// Whether the transaction may go on.
fn check(entry: &Entry, deadline: Option<Instant>) -> Result<(), Error> {
    let because = match deadline {
        _ if entry.is_killed() => "by another user.",
        Some(deadline) if deadline <= Instant::now() => "because of transaction timeout.",
        _ => return Ok(()),
    };
    Err(Error::transient(&format!("Transaction was asked to abort {because}")))
}

/// The metadata that ends a result.
fn summary(cursor: &Cursor, db: &str) -> Value {
    let mut meta = map([("has_more", v(false)), ("run_id", v(RUN_ID))]);
    if cursor.bare {
        return meta;
    }
    let program = &cursor.program;
    let kind = match (&program.special, program.planning) {
        (Some(Special::WhoAmI | Special::Type(_) | Special::Conflict(_)), Planning::None) => "r",
        (None, Planning::None) => program.kind(),
        // Nothing here is ever "s".
        _ => "rw",
    };
    meta.put("type", kind);
    meta.put("db", db);
    meta.put("parsing_time", 0.000_05);
    meta.put("planning_time", 0.000_1);
    meta.put("plan_execution_time", 0.000_5);
    meta.put("cost_estimate", 1.0);
    meta.put("number_of_hops", 0);
    if program.stats.iter().any(|(_, n)| *n > 0) && program.planning == Planning::None {
        let count = |key: &str| program.stats.iter().find(|(k, _)| *k == key).map_or(0, |c| c.1);
        meta.put("stats", Value::Map(COUNTERS.iter().map(|k| ((*k).into(), v(count(k)))).collect()));
    }
    if program.notify {
        let note = |severity: &str, code: &str, title: &str| {
            map([
                ("severity", v(severity)),
                ("code", v(code)),
                ("title", v(title)),
                ("description", v("")),
            ])
        };
        let notes = vec![
            note("INFO", "CreateIndex", "Created index on label L on properties p."),
            note("WARNING", "PlanHinting", "Index hints were ignored."),
        ];
        meta.put("notifications", notes);
    }
    if let Value::Map(pairs) = &mut meta {
        pairs.retain(|(key, _)| !program.summary.iter().any(|(k, _)| k == key));
        pairs.extend(program.summary.iter().cloned());
    }
    meta
}
