//! A batch under way: what is sent, what is awaited, and what each reply means.
//!
//! Statements are sent ahead of the answers to those before them, so that many small ones cost one round trip together.
//! COMMIT follows when all have been answered: until then whatever goes wrong leaves nothing behind for certain.

use std::{borrow::Cow, pin::pin, sync::Arc, time::Duration};

use super::{
    counters::Counters,
    request::{Batch, BatchEnd, BatchError, BatchSink},
};
use crate::{
    auth::Identity,
    bolt::{self, Reply, Summary, summary},
    pool::Lease,
    query::{
        deadline::Deadline,
        engine::{Engine, PARAMETERS},
        error::Error,
        offload::LARGE,
        reply::{Stake, tainted},
        result::patience,
        result::{Flow, RowRefused},
        result::{Window, pull_first},
        running::{Running, State},
        statement::Options,
        statement::inspect,
        statement::{Fitted, Plan, Sent, accepted_by, database_of, fitted, fitted_elsewhere},
        transaction::Committed,
    },
};

/// A batch under way. Dropping it before its end rolls it back.
pub struct Script {
    /// `None` once the end was reached.
    lease: Option<Lease>,
    batch: Batch,
    database: Arc<str>,
    engine: Engine,
    sent: Position,
    answered: Position,
    awaited: Awaited,
    /// How many runs have been sent and not answered.
    outstanding: usize,
    columns: usize,
    /// The sink has not taken all of the row that was received last.
    unfinished: bool,
    /// Some of the answer has left, so holding the rest back is of no use.
    is_leaving: bool,
    window: Window,
    /// Of the statement under way, and of all.
    counters: (Counters, Counters),
    deadline: Deadline,
    running: Running,
}

/// A run of a statement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Position {
    statement: usize,
    run: usize,
    /// Where the run's parameters begin; of the position that is sent only.
    offset: usize,
}

/// What the next reply belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Begin,
    Columns,
    Rows,
    Commit,
}

/// Runs on their way at a time, and the bytes that may wait to be written: enough to keep the database busy, and no more
/// than either side holds in memory without harm.
const AHEAD: usize = 64;
const AHEAD_BYTES: usize = 256 * 1024;

impl Engine {
    /// A wire with BEGIN queued.
    pub(in crate::query) async fn script(
        &self,
        caller: &Identity,
        database: &Arc<str>,
        batch: &Batch,
        options: &Options,
        (running, limit): (&Running, Duration),
    ) -> Result<Script, Error> {
        let mut lease = running.unless_cancelled(pin!(self.lease(caller))).await??;
        let target = database_of(self.settings.aliases.resolve(database), &lease);
        let sent = Sent::new(&lease, target, options, limit)?;
        lease.begin(&sent.extra());
        running.is(State::Running);
        Ok(Script {
            lease: Some(lease),
            batch: batch.clone(),
            database: Arc::clone(database),
            engine: self.clone(),
            sent: Position::default(),
            answered: Position::default(),
            awaited: Awaited::Begin,
            outstanding: 0,
            columns: 0,
            unfinished: false,
            is_leaving: false,
            window: Window::new(),
            counters: <(Counters, Counters)>::default(),
            deadline: Deadline::after(limit, self.grace(options), caller),
            running: running.clone(),
        })
    }
}

impl Script {
    pub(in crate::query) async fn first(
        &mut self,
        sink: &mut impl BatchSink,
        options: &Options,
    ) -> Result<Option<BatchEnd>, BatchError> {
        let first = self.advance(sink).await;
        first.map_err(|mut failure| {
            if let (Awaited::Begin, Some(lease)) = (self.awaited, &mut self.lease) {
                failure.error = tainted(failure.error, lease, options);
            }
            self.lease = None;
            failure
        })
    }

    /// Moves rows into `sink` until it is full (`None`), or all is committed. May be dropped before it is ready; nothing is
    /// lost by that.
    ///
    /// # Errors
    /// [`BatchError`].
    pub async fn advance(&mut self, sink: &mut impl BatchSink) -> Result<Option<BatchEnd>, BatchError> {
        let (deadline, running) = (self.deadline, self.running.clone());
        let mut moved = running.bound(deadline, pin!(self.work(sink))).await;
        if moved.is_err() && self.awaited == Awaited::Commit {
            // COMMIT cannot be taken back: what came of it is for the database to say.
            moved = deadline.last_words().bound(pin!(self.work(sink))).await;
            moved = moved.map_err(|_| Error::unsettled_commit());
        }
        if matches!(moved, Ok(Ok(None))) {
            self.is_leaving = true;
            running.is(State::Streaming);
        } else if self.awaited != Awaited::Begin {
            self.let_go();
        }
        moved?
    }

    /// Whether the database has been asked for rows that have not been received. As long as they are not, it may be
    /// blocked on sending them.
    #[must_use]
    pub fn is_amid_batch(&self) -> bool {
        self.lease.is_some() && !self.window.is_due()
    }

    /// Waits until the time of the batch is over or somebody cancels it, while its rows wait for a reader. It is rolled
    /// back then.
    pub async fn interrupted(&mut self) -> Error {
        let (deadline, running) = (self.deadline, self.running.clone());
        let blocks = self.is_amid_batch() && self.lease.as_ref().is_some_and(|lease| lease.dialect().holds_workers);
        let why = match running.bound(deadline, pin!(patience(blocks))).await {
            Ok(()) => Error::reader_too_slow(),
            Err(why) => why,
        };
        self.let_go();
        why
    }

    /// Lets go of the connection, on which whatever runs is then cancelled without delay.
    fn let_go(&mut self) {
        if let Some(lease) = &mut self.lease {
            lease.hurry();
        }
        self.lease = None;
    }

    async fn work(&mut self, sink: &mut impl BatchSink) -> Result<Option<BatchEnd>, BatchError> {
        loop {
            self.send_ahead().await?;
            let lease = self.lease.as_mut().ok_or_else(Error::result_ended)?;
            if let Some(rows) = self.window.due() {
                lease.pull(rows);
            }
            let resumed = std::mem::take(&mut self.unfinished);
            let reply = match if resumed { Ok(Some(Reply::Record)) } else { lease.buffered_reply() } {
                Ok(Some(reply)) => reply,
                Ok(None) => match lease.fill().await {
                    Ok(()) => continue,
                    Err(error) => return Err(self.lost(error)),
                },
                Err(error) => return Err(self.lost(error)),
            };
            match reply {
                Reply::Record => {
                    let fields = lease.payload();
                    if !resumed {
                        self.window.count(fields.len());
                    }
                    match sink.row(fields, self.columns) {
                        Ok(Flow::Continue | Flow::Enough) => {}
                        Ok(Flow::Full) => return Ok(None),
                        Ok(Flow::Unfinished) => {
                            self.unfinished = true;
                            return Ok(None);
                        }
                        Err(refused) => return Err(self.at_fault(refused.into())),
                    }
                }
                Reply::Success => {
                    if let Some(end) = self.succeeded(sink)? {
                        return Ok(Some(end));
                    }
                    if self.window.is_due() && self.is_leaving {
                        return Ok(None);
                    }
                }
                Reply::Failure(failure) => return Err(self.at_fault(Error::of_statement(failure))),
                Reply::Ignored => {
                    return Err(self.lost(bolt::Error::Protocol("a request was neither carried out nor refused")));
                }
            }
        }
    }

    fn succeeded(&mut self, sink: &mut impl BatchSink) -> Result<Option<BatchEnd>, BatchError> {
        let Some(lease) = &mut self.lease else {
            return Err(Error::result_ended().into());
        };
        match self.awaited {
            Awaited::Begin => self.awaited = Awaited::Columns,
            Awaited::Columns => {
                let columns = match summary::columns(lease.payload()) {
                    Ok(columns) => columns,
                    Err(error) => return Err(self.lost(error.into())),
                };
                if self.answered.run == 0 {
                    sink.open(&columns);
                }
                self.columns = columns.count;
                self.awaited = Awaited::Rows;
            }
            Awaited::Rows => {
                let summary = match Summary::parse(lease.payload()) {
                    Ok(summary) => summary,
                    Err(error) => return Err(self.lost(error.into())),
                };
                if summary.has_more {
                    // Only the last run is asked for its rows in batches.
                    self.window.over();
                } else if let Err(refused) = self.run_ended(summary, sink) {
                    return Err(self.at_fault(refused.into()));
                }
            }
            Awaited::Commit => {
                let committed = Committed::of(lease.payload());
                let counters = self.batch.counters.then(|| self.counters.1.to_packstream());
                return Ok(Some(BatchEnd { counters, committed }));
            }
        }
        Ok(None)
    }

    fn run_ended(&mut self, mut summary: Summary, sink: &mut impl BatchSink) -> Result<(), RowRefused> {
        self.outstanding -= 1;
        if let (true, Some(stats)) = (self.batch.counters, &summary.stats) {
            // What cannot be read was shown to nobody else either.
            let _ = self.counters.0.add(stats);
            let _ = self.counters.1.add(stats);
        }
        let Some(statement) = self.batch.statements.get(self.answered.statement) else { return Ok(()) };
        self.answered.run += 1;
        if self.answered.run >= statement.runs.len() {
            let sums = std::mem::take(&mut self.counters.0);
            if summary.stats.is_some() || statement.runs.len() > 1 {
                summary.stats = Some(sums.to_packstream());
            }
            sink.close(&summary)?;
            self.answered = self.answered.next_statement();
        }
        let all = self.answered.statement >= self.batch.statements.len();
        self.awaited = if all { Awaited::Commit } else { Awaited::Columns };
        if let (true, Some(lease)) = (all, &mut self.lease) {
            lease.commit();
        }
        Ok(())
    }

    /// Queues runs until enough are on their way. Waits until half of them are answered before it adds to them, so that
    /// they leave together.
    async fn send_ahead(&mut self) -> Result<(), BatchError> {
        if self.outstanding > AHEAD / 2 {
            return Ok(());
        }
        let Some(lease) = &mut self.lease else { return Ok(()) };
        while self.outstanding < AHEAD && lease.unsent() < AHEAD_BYTES {
            let at = self.sent;
            let Some(statement) = self.batch.statements.get(at.statement) else { break };
            let Some((parameters, next)) = statement.runs.at(at.offset) else {
                self.sent = at.next_statement();
                continue;
            };
            let at_fault = |error| BatchError { error, statement: Some(at.statement), is_loss: false };
            let target = self.engine.settings.aliases.resolve(&self.database);
            let plan = Plan::of(&statement.text, target, lease).map_err(at_fault)?;
            let parameters = if parameters.len() <= LARGE {
                fitted(PARAMETERS, parameters, lease)
            } else {
                let (statements, accepts) = (Arc::clone(&self.batch.statements), accepted_by(lease));
                let of_run = move |fit: &dyn Fn(&[u8]) -> Fitted| {
                    let runs = statements.get(at.statement).map(|statement| &statement.runs);
                    runs.and_then(|runs| runs.at(at.offset)).map_or(Ok(None), |(map, _)| fit(map))
                };
                let fitted = Box::pin(fitted_elsewhere(of_run, accepts)).await;
                fitted.map(|fitted| fitted.map_or(Cow::Borrowed(parameters), Cow::Owned))
            };
            let parameters = parameters.map_err(at_fault)?;
            lease.run_in_transaction(plan.text, &parameters);
            if plan.taints {
                lease.mark_stale();
            }
            let is_last = at.statement + 1 == self.batch.statements.len() && at.run + 1 == statement.runs.len();
            match (self.batch.rows, is_last) {
                (false, _) => lease.discard(),
                (true, false) => lease.pull_all(),
                (true, true) => pull_first(lease),
            }
            self.outstanding += 1;
            self.sent.run += 1;
            self.sent.offset = next;
        }
        Ok(())
    }

    fn at_fault(&self, error: Error) -> BatchError {
        let is_statements = matches!(self.awaited, Awaited::Columns | Awaited::Rows);
        BatchError { error, statement: is_statements.then_some(self.answered.statement), is_loss: false }
    }

    fn lost(&self, error: bolt::Error) -> BatchError {
        let error = match error {
            bolt::Error::Login(failure) => {
                let caller = self.lease.as_ref().map(|lease| lease.identity());
                return caller.map_or_else(Error::result_ended, |caller| Error::of_login(failure, caller)).into();
            }
            error => error,
        };
        let in_batches = self.batch.statements.iter().any(|one| inspect::may_commit_in_batches(&one.text));
        let stake = match self.awaited {
            Awaited::Commit => Stake::Commit,
            _ if in_batches => Stake::Statement,
            _ => Stake::Transaction(None),
        };
        let is_loss = matches!(stake, Stake::Transaction(_));
        BatchError { error: stake.lost(&error), statement: None, is_loss }
    }
}

impl Position {
    fn next_statement(self) -> Self {
        Self { statement: self.statement + 1, run: 0, offset: 0 }
    }
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script")
            .field("answered", &self.answered)
            .field("awaited", &self.awaited)
            .finish_non_exhaustive()
    }
}
