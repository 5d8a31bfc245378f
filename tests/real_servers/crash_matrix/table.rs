//! The matrix: in each mode, for each request to the database, where the connection is cut; and what is promised then.

use serde_json::{Value, json};

use crate::support::cut::Point;

/// The columns.
pub const POINTS: [Point; 5] = [Point::Before, Point::Sent, Point::Answered, Point::Within, Point::Behind];

/// What the client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It went well.
    Done,
    /// It went well, and took more than one attempt.
    DoneAgain,
    /// It succeeded; a client that continues the transaction is told that the outcome is not known.
    Open,
    /// The outcome of the statement is not known.
    Statement,
    /// The outcome of COMMIT is not known.
    Commit,
    /// The transaction was rolled back.
    RolledBack,
    /// There is no connection.
    Unavailable,
}

/// What is promised for one point: what the client is told, and how often the write may have been applied.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    pub told: Told,
    pub times: &'static [i64],
}

const fn cell(told: Told, times: &'static [i64]) -> Cell {
    Cell { told, times }
}

const DONE: Cell = cell(Told::Done, &[1]);
const AGAIN: Cell = cell(Told::DoneAgain, &[1]);
const OPEN: Cell = cell(Told::Open, &[0]);
const UNDONE: Cell = cell(Told::RolledBack, &[0]);
const UNAVAILABLE: Cell = cell(Told::Unavailable, &[0]);
/// Not known, and the column says what the database knows: it is either.
const STATEMENT_NOT: Cell = cell(Told::Statement, &[0]);
const STATEMENT_PERHAPS: Cell = cell(Told::Statement, &[0, 1]);
const STATEMENT_DONE: Cell = cell(Told::Statement, &[1]);
const COMMIT_NOT: Cell = cell(Told::Commit, &[0]);
const COMMIT_PERHAPS: Cell = cell(Told::Commit, &[0, 1]);
const COMMIT_DONE: Cell = cell(Told::Commit, &[1]);

/// One request to the database, and a cell for each of [`POINTS`].
pub type Row = (&'static str, [Cell; 5]);

const LAST_PULL: Row = ("PULL", [STATEMENT_NOT, STATEMENT_PERHAPS, STATEMENT_DONE, STATEMENT_DONE, DONE]);
const COMMIT: Row = ("COMMIT", [COMMIT_NOT, COMMIT_PERHAPS, COMMIT_DONE, COMMIT_DONE, DONE]);

const fn always(request: &'static str, cell: Cell) -> Row {
    (request, [cell; 5])
}

/// As `sent` up to the answer, and `arrived` afterwards.
const fn until(request: &'static str, cell: Cell, arrived: Cell) -> Row {
    (request, [cell, cell, cell, cell, arrived])
}

const AUTOMATIC: &[Row] = &[always("RUN", STATEMENT_NOT), LAST_PULL];
const LARGE: &[Row] = &[always("RUN", STATEMENT_NOT), always("PULL", STATEMENT_NOT), LAST_PULL];
const ANEW: &[Row] = &[
    always("HELLO", UNAVAILABLE),
    until("LOGON", UNAVAILABLE, STATEMENT_NOT),
    always("RUN", STATEMENT_NOT),
    LAST_PULL,
];
/// RUN travels with the login.
const RENEWED: &[Row] =
    &[always("LOGOFF", STATEMENT_NOT), always("LOGON", STATEMENT_NOT), always("RUN", STATEMENT_NOT), LAST_PULL];
const BATCH_RENEWED: &[Row] = &[
    always("LOGOFF", AGAIN),
    always("LOGON", AGAIN),
    always("BEGIN", AGAIN),
    always("RUN", AGAIN),
    always("PULL", AGAIN),
    always("RUN", AGAIN),
    until("PULL", AGAIN, COMMIT_NOT),
    COMMIT,
];
const BEGIN_RENEWED: &[Row] = &[always("LOGOFF", UNDONE), always("LOGON", UNDONE), until("BEGIN", UNDONE, OPEN)];
const BATCH: &[Row] = &[
    always("BEGIN", AGAIN),
    always("RUN", AGAIN),
    always("PULL", AGAIN),
    always("RUN", AGAIN),
    until("PULL", AGAIN, COMMIT_NOT),
    COMMIT,
];
const BATCH_ONCE: &[Row] = &[
    always("BEGIN", UNDONE),
    always("RUN", UNDONE),
    always("PULL", UNDONE),
    always("RUN", UNDONE),
    until("PULL", UNDONE, COMMIT_NOT),
    COMMIT,
];
const BATCH_IN_BATCHES: &[Row] = &[
    always("BEGIN", STATEMENT_NOT),
    always("RUN", STATEMENT_NOT),
    always("PULL", STATEMENT_NOT),
    always("RUN", STATEMENT_NOT),
    until("PULL", STATEMENT_NOT, COMMIT_NOT),
    COMMIT,
];
/// Three rows, two in the first transaction.
const LOAD: &[Row] = &[
    always("BEGIN", cell(Told::DoneAgain, &[3])),
    always("RUN", cell(Told::DoneAgain, &[3])),
    always("DISCARD", cell(Told::DoneAgain, &[3])),
    always("RUN", cell(Told::DoneAgain, &[3])),
    until("DISCARD", cell(Told::DoneAgain, &[3]), COMMIT_NOT),
    (
        "COMMIT",
        [
            COMMIT_NOT,
            cell(Told::Commit, &[0, 2]),
            cell(Told::Commit, &[2]),
            cell(Told::Commit, &[2]),
            cell(Told::Done, &[3]),
        ],
    ),
    always("BEGIN", cell(Told::DoneAgain, &[3])),
    always("RUN", cell(Told::DoneAgain, &[3])),
    until("DISCARD", cell(Told::DoneAgain, &[3]), cell(Told::Commit, &[2])),
    (
        "COMMIT",
        [
            cell(Told::Commit, &[2]),
            cell(Told::Commit, &[2, 3]),
            cell(Told::Commit, &[3]),
            cell(Told::Commit, &[3]),
            cell(Told::Done, &[3]),
        ],
    ),
];
const BEGIN: &[Row] = &[until("BEGIN", UNDONE, OPEN)];
const BEGIN_WITH: &[Row] = &[always("BEGIN", UNDONE), always("RUN", UNDONE), until("PULL", UNDONE, OPEN)];
const BEGIN_IN_BATCHES: &[Row] =
    &[always("BEGIN", STATEMENT_NOT), always("RUN", STATEMENT_NOT), until("PULL", STATEMENT_NOT, OPEN)];
const INSIDE: &[Row] = &[always("RUN", UNDONE), until("PULL", UNDONE, OPEN)];
const INSIDE_IN_BATCHES: &[Row] = &[always("RUN", STATEMENT_NOT), until("PULL", STATEMENT_NOT, OPEN)];
const COMMIT_ALONE: &[Row] = &[COMMIT];
const COMMIT_WITH: &[Row] = &[always("RUN", UNDONE), until("PULL", UNDONE, COMMIT_NOT), COMMIT];
const ROLL_BACK: &[Row] = &[until("ROLLBACK", UNDONE, cell(Told::Done, &[0]))];

/// Which request of the gateway's own it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    Query,
    Batch,
    Load,
    Begin,
    Inside,
    Commit,
    RollBack,
}

/// A statement that writes once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    Plain,
    /// With this number of rows.
    Rows(u32),
    /// Its text looks as if it commits in batches.
    Suspect,
    /// It does.
    InBatches,
}

/// A way to have something written.
pub struct Mode {
    pub name: &'static str,
    pub route: Route,
    /// In the request. A batch has two of them.
    pub writes: Option<Write>,
    /// In the transaction, before the request.
    pub before: Option<Write>,
    /// Further members of the request, or of the one that opens the transaction.
    pub members: fn() -> Value,
    /// No connection is open before the request.
    pub anew: bool,
    pub rows: &'static [Row],
}

fn nothing() -> Value {
    json!({})
}

fn once() -> Value {
    json!({ "retry": false })
}

fn implicit() -> Value {
    json!({ "txType": "IMPLICIT" })
}

const fn mode(name: &'static str, route: Route, writes: Option<Write>, rows: &'static [Row]) -> Mode {
    Mode { name, route, writes, before: None, members: nothing, anew: false, rows }
}

/// More rows than are asked for at first.
pub const LARGE_RESULT: u32 = 1500;

pub const MODES: [Mode; 20] = [
    mode("automatic", Route::Query, Some(Write::Plain), AUTOMATIC),
    mode("automatic, with rows", Route::Query, Some(Write::Rows(3)), AUTOMATIC),
    mode("automatic, with many rows", Route::Query, Some(Write::Rows(LARGE_RESULT)), LARGE),
    Mode { members: once, ..mode("automatic, retry: false", Route::Query, Some(Write::Plain), AUTOMATIC) },
    Mode { anew: true, ..mode("automatic, new connection", Route::Query, Some(Write::Rows(3)), ANEW) },
    mode("automatic, IN TRANSACTIONS", Route::Query, Some(Write::InBatches), AUTOMATIC),
    mode("batch", Route::Batch, Some(Write::Rows(3)), BATCH),
    Mode { members: once, ..mode("batch, retry: false", Route::Batch, Some(Write::Plain), BATCH_ONCE) },
    mode("batch, IN TRANSACTIONS", Route::Batch, Some(Write::Suspect), BATCH_IN_BATCHES),
    mode("bulk load", Route::Load, Some(Write::Plain), LOAD),
    mode("begin", Route::Begin, None, BEGIN),
    mode("begin with statement", Route::Begin, Some(Write::Rows(3)), BEGIN_WITH),
    Mode {
        members: implicit,
        ..mode("begin with IN TRANSACTIONS", Route::Begin, Some(Write::InBatches), BEGIN_IN_BATCHES)
    },
    mode("statement in a transaction", Route::Inside, Some(Write::Rows(3)), INSIDE),
    Mode { before: Some(Write::Plain), ..mode("second statement", Route::Inside, Some(Write::Plain), INSIDE) },
    Mode {
        members: implicit,
        ..mode("IN TRANSACTIONS in a transaction", Route::Inside, Some(Write::InBatches), INSIDE_IN_BATCHES)
    },
    Mode { before: Some(Write::Plain), ..mode("commit", Route::Commit, None, COMMIT_ALONE) },
    mode("commit with statement", Route::Commit, Some(Write::Plain), COMMIT_WITH),
    mode("commit with rows", Route::Commit, Some(Write::Rows(3)), COMMIT_WITH),
    Mode { before: Some(Write::Plain), ..mode("roll back", Route::RollBack, None, ROLL_BACK) },
];

/// With a gateway that proves the login on every request, before a database that can do so on an open connection.
pub const MODES_WITH_LOGIN: [Mode; 3] = [
    mode("automatic, login renewed", Route::Query, Some(Write::Rows(3)), RENEWED),
    mode("batch, login renewed", Route::Batch, Some(Write::Plain), BATCH_RENEWED),
    mode("begin, login renewed", Route::Begin, None, BEGIN_RENEWED),
];

impl Mode {
    /// Whether the head of the answer, with status 202, has left or is sure to leave when the connection is cut there.
    pub fn columns_are_known(&self, row: usize, point: Point) -> bool {
        let is_result = self.writes.is_some() && !matches!(self.route, Route::Batch | Route::Load);
        let run = self.rows.iter().position(|(request, _)| *request == "RUN");
        is_result && run.is_some_and(|run| row > run || (row == run && point == Point::Behind))
    }

    /// Whether rows have left when the connection is cut there.
    pub fn rows_have_left(&self, row: usize, point: Point) -> bool {
        let first_pull = self.rows.iter().position(|(request, _)| *request == "PULL");
        self.writes == Some(Write::Rows(LARGE_RESULT))
            && first_pull.is_some_and(|pull| row > pull || (row == pull && point == Point::Behind))
    }
}
