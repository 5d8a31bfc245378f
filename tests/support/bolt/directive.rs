//! What a statement of the fakes' tiny language is to do; the parent module documents the language.
//!
//! Owns: programs, and what cannot be one.
//! May not know: which database is being faked, transactions, messages.

mod parse;

use std::time::Duration;

use super::value::Value;
pub use parse::parse;

/// A failure that a statement orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub code: String,
    pub message: String,
}

/// Where rows come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    Fixed(Vec<Vec<Value>>),
    /// 1, 2, … n; optionally with a second column of a number of bytes.
    Count {
        n: u64,
        pad: Option<usize>,
    },
    /// The stored value of a key, read when the first row is pulled.
    Stored(String),
}

/// A change of the store.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Set(String, Option<Value>),
    Add(String, i64),
}

/// What cannot be said in rows and effects; each fake gives these its own meaning.
#[derive(Debug, Clone, PartialEq)]
pub enum Special {
    WhoAmI,
    /// One value of this name, or a row of all for `all`.
    Type(String),
    /// An administrative statement, forbidden in explicit transactions on Memgraph.
    Admin(String),
    /// Commits on its own in the middle, so it needs an implicit transaction.
    Batched,
    /// A conflict for a number of times.
    Conflict(u64),
    ShowTransactions,
    /// Ids as written; `None` for one that is not a string literal.
    Terminate(Vec<Option<String>>),
    UseDatabase(String),
    SetSession(String),
    Begin,
    Commit,
    Rollback,
}

/// EXPLAIN and PROFILE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planning {
    None,
    Explain,
    Profile,
}

/// A parsed statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    pub fields: Vec<String>,
    pub rows: Rows,
    pub effects: Vec<Effect>,
    pub special: Option<Special>,
    pub fail_run: Option<Failure>,
    /// After a number of rows.
    pub fail_pull: Option<(u64, Failure)>,
    pub fail_commit: Option<Failure>,
    pub sleep: Option<Duration>,
    pub sleep_in_run: bool,
    pub stats: Vec<(&'static str, i64)>,
    pub notify: bool,
    pub planning: Planning,
    /// Keys of the summary that the test dictates.
    pub summary: Vec<(String, Value)>,
}

/// Why a text is no statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The word that is not understood.
    Syntax(String),
    MissingParameter(String),
}

/// Every counter of a summary, by its wire name.
pub const COUNTERS: [&str; 7] = [
    "nodes-created",
    "nodes-deleted",
    "relationships-created",
    "relationships-deleted",
    "labels-added",
    "labels-removed",
    "properties-set",
];

impl Program {
    pub fn rows(fields: Vec<String>, rows: Rows) -> Program {
        Program {
            fields,
            rows,
            effects: Vec::new(),
            special: None,
            fail_run: None,
            fail_pull: None,
            fail_commit: None,
            sleep: None,
            sleep_in_run: false,
            stats: Vec::new(),
            notify: false,
            planning: Planning::None,
            summary: Vec::new(),
        }
    }

    fn nothing() -> Program {
        Program::rows(Vec::new(), Rows::Fixed(Vec::new()))
    }

    fn special(special: Special) -> Program {
        Program { special: Some(special), ..Program::nothing() }
    }

    fn counting(n: u64) -> Program {
        Program::rows(vec!["n".to_owned()], Rows::Count { n, pad: None })
    }

    /// `r`, `w`, `rw` or `s`, as Neo4j classifies it.
    pub fn kind(&self) -> &'static str {
        match (&self.special, self.effects.is_empty(), self.fields.is_empty()) {
            (Some(Special::Admin(_)), ..) => "s",
            (Some(Special::Batched), ..) => "w",
            (_, true, _) => "r",
            (_, false, true) => "w",
            (_, false, false) => "rw",
        }
    }
}
