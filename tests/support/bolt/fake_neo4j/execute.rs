//! Running statements: RUN, PULL, DISCARD.
//!
//! Owns: when a directive acts: without columns in RUN, else when the first row is pulled;
//! automatic transactions commit with the last row.
//! May not know: frames, arrival, login.

use tokio::time::Instant;

use super::super::control::Gauge;
use super::super::directive::{Effect, Planning, Program, Rows};
use super::super::message::{RECORD, success};
use super::super::store::Blocked;
use super::super::value::{Value, list, map, strings, structure, v};
use super::reply::{Error, Summary};
use super::session::{Flow, Session, State, Stop};
use super::transactions::{ordered, stopped};

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
            Rows::Fixed(rows) => Value::List(rows.get(at as usize).cloned().unwrap_or_default()),
            Rows::Count { pad: None, .. } => list([v(at as i64 + 1)]),
            Rows::Count { pad: Some(pad), .. } => list([v(at as i64 + 1), v("x".repeat(*pad))]),
            Rows::Stored(_) => list([Value::Null]),
        }
    }
}

impl Session {
    pub async fn run(&mut self, statement: &str, parameters: &Value, extra: &Value) -> Flow {
        let running = self.server.ledger.hold(Gauge::Running);
        let explicit = self.state == State::InTransaction;
        if !explicit {
            match self.open(extra).await {
                Ok(tx) => self.tx = Some(tx),
                Err(refused) => return self.refuse(refused),
            }
        } else if let Err(error) = self.server.check(&self.login) {
            return self.fail_and_close(&error);
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
    async fn start(&mut self, statement: &str, parameters: &Value, explicit: bool) -> Result<Cursor, Error> {
        self.check_deadline()?;
        let mut program = self.parse(statement, parameters)?;
        self.specialise(&mut program, statement, explicit)?;
        self.server.knobs.carry_out_orders(statement, &mut program);
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
            let Some(tx) = &mut self.tx else {
                return Ok(());
            };
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
        let summary =
            Summary { program: &cursor.program, had_rows: cursor.position > 0, db: &db, bookmark, filter: &filter };
        Ok(summary.success(self.caps))
    }
}
