//! A result on its way: batches of rows, one at a time, and what comes at the end.

use std::pin::pin;

use super::{
    bookmark::placeholder,
    deadline::Deadline,
    error::{Error, Kind},
    inspect,
    reply::Stake,
    running::{Running, State},
    transactions::{Guard, Transaction},
};
use crate::{
    bolt::{Columns, Connection, Reply, Summary, packstream::DecodeError},
    pool::Lease,
};

/// Where rows go. Implemented by whoever makes text of them.
pub trait RowSink {
    /// Begins a result with these columns.
    fn open(&mut self, columns: &Columns);

    /// Takes one row: its list of fields in PackStream, which has to hold `columns` values.
    ///
    /// # Errors
    /// [`RowRefused`] when the row cannot be shown. No further row follows; the statement is carried out to its end
    /// all the same.
    fn row(&mut self, fields: &[u8], columns: usize) -> Result<Flow, RowRefused>;

    /// Forgets all that it was given, for another attempt. Never called once anything was taken out of it.
    fn restart(&mut self);
}

/// Whether the sink wants more before it is emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Go on while rows are at hand, but do not wait for more: what it holds is worth handing over.
    Enough,
    /// It holds as much as it should.
    Full,
}

/// Why a row cannot be shown; the error for the end of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowRefused {
    /// The client's choice of format has no room for a value.
    Format(String),
    /// The database sent what makes no sense.
    Malformed(DecodeError),
}

impl From<RowRefused> for Error {
    fn from(refused: RowRefused) -> Self {
        match refused {
            RowRefused::Format(message) => Self::invalid(&message),
            RowRefused::Malformed(error) => {
                Self::new(Kind::Gateway, "Neo.DatabaseError.General.UnknownError", error.to_string())
            }
        }
    }
}

/// How far a result has come.
#[derive(Debug)]
pub enum Progress {
    /// There is more; ask again once the sink is emptied.
    Paused,
    /// That was all.
    Done(Box<End>),
}

/// A result whose beginning is in a sink.
#[derive(Debug)]
pub struct Begun {
    /// The rest of it.
    pub rows: Rows,
    /// How far it has come.
    pub first: Result<Progress, Error>,
}

/// What is known at the end of a result.
#[derive(Debug)]
pub struct End {
    /// What the database says of the statement.
    pub summary: Summary,
    /// Where the database stands, if something was committed.
    pub bookmark: Option<String>,
    /// The transaction, if it is still open.
    pub transaction: Option<Transaction>,
    /// Why not all rows could be shown. The statement was carried out all the same.
    pub withheld: Option<Error>,
}

/// What owns the wire, and what happens at the end.
pub(super) enum Scope {
    /// A statement of its own, committed by its last batch.
    AutoCommit(Lease),
    /// Inside an explicit transaction, which stays open.
    Inside(Guard),
    /// The last statement of an explicit transaction.
    Last(Guard),
}

/// An open result. Dropping it before its end cancels the statement, and ends the transaction around it.
pub struct Rows {
    /// `None` once the end was reached.
    scope: Option<Scope>,
    columns: Columns,
    window: Window,
    deadline: Deadline,
    /// Set in place of what the database says, for statements that stand in for others.
    kind: Option<&'static str>,
    refused: Option<RowRefused>,
    running: Running,
}

/// How many rows to ask for at a time: as many as make about [`Window::TARGET`] bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    rows: u32,
    seen_rows: u32,
    seen_bytes: usize,
    /// The database waits for the next PULL.
    due: bool,
}

impl Window {
    const FIRST: u32 = 1000;
    const MOST: u32 = 10_000;
    const TARGET: usize = 512 * 1024;

    pub(super) fn new() -> Self {
        Self { rows: Self::FIRST, seen_rows: 0, seen_bytes: 0, due: false }
    }

    /// A row of so many bytes has come.
    pub(super) fn count(&mut self, bytes: usize) {
        self.seen_rows += 1;
        self.seen_bytes += bytes;
    }

    /// The batch is over, another follows.
    pub(super) fn over(&mut self) {
        let row = (self.seen_bytes / usize::try_from(self.seen_rows.max(1)).unwrap_or(1)).max(1);
        self.rows = u32::try_from(Self::TARGET / row).unwrap_or(Self::MOST).clamp(1, Self::MOST);
        self.seen_rows = 0;
        self.seen_bytes = 0;
        self.due = true;
    }

    /// How many rows to ask for, if it is time to ask.
    pub(super) fn due(&mut self) -> Option<u32> {
        std::mem::take(&mut self.due).then_some(self.rows)
    }
}

/// The size of the first batch, for the PULL that travels with RUN.
pub(super) const FIRST_BATCH: u32 = Window::FIRST;

impl Rows {
    /// A result whose RUN has succeeded and whose first PULL is on its way.
    pub(super) fn new(
        scope: Scope,
        columns: Columns,
        deadline: Deadline,
        kind: Option<&'static str>,
        running: Running,
    ) -> Self {
        Self { scope: Some(scope), columns, window: Window::new(), deadline, kind, refused: None, running }
    }

    /// Begins the result in `sink`, and moves the first rows into it.
    ///
    /// # Errors
    /// As [`Rows::advance`].
    pub async fn begin(&mut self, sink: &mut impl RowSink) -> Result<Progress, Error> {
        sink.open(&self.columns);
        self.move_rows(sink, true).await
    }

    /// Moves rows into `sink` until it is full, or holds enough and the next row is not there yet, a batch is over, or the
    /// result has ended.
    ///
    /// # Errors
    /// Whatever ended the statement before its time; the rows so far stand. A transaction around it is over.
    pub async fn advance(&mut self, sink: &mut impl RowSink) -> Result<Progress, Error> {
        self.move_rows(sink, false).await
    }

    async fn move_rows(&mut self, sink: &mut impl RowSink, first: bool) -> Result<Progress, Error> {
        let (deadline, running) = (self.deadline, self.running.clone());
        let moved = running.bound(deadline, pin!(self.batch(sink, first))).await;
        match moved {
            Ok(progress) => {
                running.is(State::Streaming);
                progress
            }
            Err(passed) => {
                self.scope = None;
                Err(passed)
            }
        }
    }

    async fn batch(&mut self, sink: &mut impl RowSink, first: bool) -> Result<Progress, Error> {
        // Whether rows may leave before the batch is over, once there are enough of them.
        let mut early = None;
        let Some(scope) = &mut self.scope else {
            return Err(Error::result_ended());
        };
        let connection = scope.connection();
        if let Some(rows) = self.window.due() {
            connection.pull(rows);
        }
        loop {
            let reply = match connection.buffered_reply() {
                Ok(Some(reply)) => reply,
                Ok(None) if early == Some(true) => return Ok(Progress::Paused),
                Ok(None) => match connection.fill().await {
                    Ok(()) => continue,
                    Err(error) => return Err(self.broken(&error)),
                },
                Err(error) => return Err(self.broken(&error)),
            };
            match reply {
                Reply::Record if self.refused.is_some() => {}
                Reply::Record => {
                    let fields = connection.payload();
                    self.window.count(fields.len());
                    match sink.row(fields, self.columns.count) {
                        Ok(Flow::Continue) => {}
                        Ok(Flow::Enough) => {
                            early.get_or_insert_with(|| !first || !inspect::may_write(self.running.text()));
                        }
                        Ok(Flow::Full) => return Ok(Progress::Paused),
                        Err(refused) => self.refused = Some(refused),
                    }
                }
                Reply::Success => {
                    let summary = Summary::parse(connection.payload());
                    let summary = match summary {
                        Ok(summary) => summary,
                        Err(error) => return Err(self.broken(&error.into())),
                    };
                    if !summary.has_more {
                        return self.end(summary).await;
                    }
                    if self.refused.is_none() {
                        self.window.over();
                        return Ok(Progress::Paused);
                    }
                    connection.discard();
                }
                Reply::Failure(failure) => {
                    let dialect = connection.dialect();
                    let alone = matches!(scope, Scope::AutoCommit(_));
                    self.give_up();
                    let error = Error::of_statement(failure);
                    return Err(if alone { error.outside_of_transactions(dialect) } else { error });
                }
                Reply::Ignored => {
                    return Err(self.broken(&crate::bolt::Error::Protocol("a PULL was ignored")));
                }
            }
        }
    }

    async fn end(&mut self, mut summary: Summary) -> Result<Progress, Error> {
        if let Some(kind) = self.kind {
            summary.kind = Some(kind.to_owned());
        }
        let Some(scope) = self.scope.take() else {
            return Err(Error::result_ended());
        };
        let (bookmark, transaction) = match scope {
            Scope::AutoCommit(_) => (Some(summary.bookmark.take().unwrap_or_else(placeholder)), None),
            Scope::Inside(guard) => (None, Some(guard.keep())),
            // On the heap, since most results end otherwise.
            Scope::Last(guard) => (Some(Box::pin(commit(guard)).await?), None),
        };
        let withheld = self.refused.take().map(Error::from);
        Ok(Progress::Done(Box::new(End { summary, bookmark, transaction, withheld })))
    }

    fn broken(&mut self, error: &crate::bolt::Error) -> Error {
        let inside = matches!(self.scope, Some(Scope::Inside(_) | Scope::Last(_)));
        self.give_up();
        let stake = if inside { Stake::Transaction(Some(self.running.text())) } else { Stake::Statement };
        stake.lost(error)
    }

    /// The statement has failed, and the transaction around it with it.
    fn give_up(&mut self) {
        if let Some(Scope::Inside(guard) | Scope::Last(guard)) = self.scope.take() {
            guard.fail();
        }
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("running", &self.running).finish_non_exhaustive()
    }
}

impl Scope {
    pub(super) fn connection(&mut self) -> &mut Connection {
        match self {
            Self::AutoCommit(lease) => lease,
            Self::Inside(guard) | Self::Last(guard) => guard.lease(),
        }
    }
}

/// Commits the transaction of `guard` and gives the bookmark.
pub(super) async fn commit(mut guard: Guard) -> Result<String, Error> {
    let deadline = guard.deadline();
    let connection = guard.lease();
    connection.commit();
    let reply = deadline.bound(pin!(connection.reply())).await?;
    let bookmark = match reply {
        Ok(Reply::Success) => Ok(crate::bolt::summary::string_entry(connection.payload(), "bookmark")),
        Ok(Reply::Failure(failure)) => Err(Error::of_statement(failure)),
        Ok(Reply::Record | Reply::Ignored) => {
            Err(Stake::Commit.lost(&crate::bolt::Error::Protocol("a COMMIT was ignored")))
        }
        Err(error) => Err(Stake::Commit.lost(&error)),
    };
    drop(guard.finish());
    Ok(bookmark?.unwrap_or_else(placeholder))
}
