//! Running statements: RUN, PULL, DISCARD.
//!
//! Owns: when a directive acts: everything when the first row is pulled, one more row is always
//! looked at, automatic transactions commit with the last row.
//! May not know: frames, the output buffer.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::super::control::Gauge;
use super::super::directive::{Effect, Planning, Program, Rows, Special};
use super::super::message::success;
use super::super::value::{Value, map, strings, v};
use super::session::{Error, Flow, Session, State};
use super::statements::{CONFLICT, RUN_ID, lagging, summary};
use super::transactions::ordered;

/// The one open result.
pub(super) struct Cursor {
    pub program: Program,
    qid: i64,
    started: bool,
    position: u64,
    /// Only `has_more` and `run_id` in the summary: a textual BEGIN, COMMIT or ROLLBACK.
    pub bare: bool,
}

impl Cursor {
    pub fn looks_after_transactions(&self) -> bool {
        looks_after_transactions(&self.program)
    }

    fn row(&self) -> Option<Vec<Value>> {
        let at = self.position;
        match &self.program.rows {
            Rows::Fixed(rows) => rows.get(at as usize).cloned(),
            Rows::Count { n, .. } if at >= *n => None,
            Rows::Count { pad: None, .. } => Some(vec![v(at as i64 + 1)]),
            Rows::Count { pad: Some(pad), .. } => Some(vec![v(at as i64 + 1), v("x".repeat(*pad))]),
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

/// Such statements have a worker of their own.
fn looks_after_transactions(program: &Program) -> bool {
    matches!(program.special, Some(Special::ShowTransactions | Special::Terminate(_)))
}

impl Session {
    /// Waits for a worker, unless the statement is urgent. It is given back when the answer has been written.
    async fn take_worker(&mut self, urgent: bool) {
        if !urgent {
            // The semaphore is never closed.
            self.worker = Arc::clone(&self.server.workers).acquire_owned().await.ok();
        }
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

    async fn prepare(&mut self, text: &str, parameters: &Value, extra: &Value) -> Result<Cursor, Error> {
        // Its privileges are looked at under the lock that logins hold.
        drop(self.server.auth.lock().await);
        if !self.explicit {
            self.inspect("RUN", extra);
            self.configure(extra)?;
        }
        let mut program = self.parse(text, parameters)?;
        self.take_worker(looks_after_transactions(&program)).await;
        let bare = self.textual(&program, extra)?;
        if self.tx.is_none() && !bare {
            self.tx = Some(self.open(extra));
        }
        if let Some(tx) = &self.tx {
            tx.listed.entry.queries.lock().unwrap().push(text.to_owned());
        }
        self.specialise(&mut program, text)?;
        self.server.knobs.carry_out_orders(text, &mut program);
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
        let Some(mut cursor) = self.cursor.take() else {
            return Ok(Flow::Go);
        };
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
        let mut meta = summary(&cursor, &db);
        if !self.explicit && !cursor.program.effects.is_empty() && self.lags() {
            meta.put("notifications", vec![lagging()]);
        }
        self.send(&success(meta));
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
    async fn stream(&mut self, cursor: &mut Cursor, n: i32, discard: bool) -> io::Result<Result<bool, Error>> {
        self.take_worker(cursor.looks_after_transactions()).await;
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
                    && let Err(error) = self.check(tx)
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
        let heeds = self.server.options.heeds_terminations;
        tokio::select! {
            biased;
            () = tx.listed.entry.terminated(), if heeds => {}
            () = deadline => {}
            () = tokio::time::sleep(sleep) => {}
        }
        self.check(tx)
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
        let Some(tx) = &mut self.tx else {
            return Ok(());
        };
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
