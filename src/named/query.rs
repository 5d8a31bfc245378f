//! Queries, and the set of all that are there.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

pub use super::header::{Access, RunAs, Scope, Shape};
use super::{file::FileError, folder, parameter::Parameter, returns::Returned};
use crate::{
    auth::{Identity, WhoRules},
    bolt::packstream::Writer,
    query::{AccessMode, Options, Statement, commits_in_batches},
};

/// A named query.
#[derive(Debug)]
pub struct Query {
    /// Its name.
    pub name: String,
    /// The path of its file.
    pub file: String,
    /// What it does, in a line.
    pub summary: String,
    /// What else there is to say.
    pub description: String,
    /// Whether it should not be used any more.
    pub deprecated: bool,
    /// Whether it may write.
    pub access: Access,
    /// The databases that it may be called under. `None`: any.
    pub databases: Option<Vec<String>>,
    /// Who may call it.
    pub allow: WhoRules,
    /// The account that it runs on.
    pub run_as: RunAs,
    /// What its answer in plain JSON is.
    pub result: Shape,
    /// The types of columns, where they are declared.
    pub(super) returns: Vec<(String, Returned)>,
    /// How long an answer may be kept.
    pub cache: Option<Duration>,
    /// Who may keep it.
    pub cache_scope: Scope,
    /// The longest time that it may run.
    pub timeout: Option<Duration>,
    /// The most rows of its result.
    pub max_rows: Option<u32>,
    /// Whether agents may call it as a tool.
    pub mcp: bool,
    pub(super) parameters: Vec<Parameter>,
    /// The statement, without blanks around it and without a semicolon.
    pub text: Arc<str>,
    /// The number of lines before the statement.
    pub(super) lines_before: usize,
}

impl Query {
    /// Whether it may be called under this name of a database.
    #[must_use]
    pub fn is_in(&self, database: &str) -> bool {
        let names = self.databases.as_deref();
        names.is_none_or(|names| names.iter().any(|name| name.eq_ignore_ascii_case(database)))
    }

    /// Whether anybody may call it, also without credentials.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.run_as == RunAs::Service && self.allow.allow_anybody()
    }

    /// The name of the tool that it is for agents.
    #[must_use]
    pub fn tool_name(&self) -> String {
        self.name.replace('-', "_")
    }

    /// Whether it only reads.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.access == Access::Read
    }

    /// The statement with parameters that were checked.
    #[must_use]
    pub fn statement(&self, parameters: Vec<u8>) -> Statement {
        Statement { text: Arc::clone(&self.text), parameters: parameters.into() }
    }

    /// The options of its transaction. For a query with one record, a second one is refused.
    #[must_use]
    pub fn options(&self) -> Options {
        let is_single = matches!(self.result, Shape::Record | Shape::Value);
        Options {
            access_mode: if self.is_read() { AccessMode::Read } else { AccessMode::Write },
            max_execution_time: self.timeout,
            max_rows: if is_single { Some(1) } else { self.max_rows },
            implicit: !self.is_read() && commits_in_batches(&self.text),
            ..Options::default()
        }
    }

    /// The types of columns that are declared, as `column` and name of the type.
    pub fn returns(&self) -> impl Iterator<Item = (&str, &str)> {
        self.returns.iter().map(|(column, kind)| (column.as_str(), kind.as_str()))
    }

    /// The statement with EXPLAIN before it. Its lines are those of the file.
    #[must_use]
    pub fn explained(&self) -> String {
        format!("EXPLAIN {}{}", "\n".repeat(self.lines_before), self.text)
    }

    /// Parameters to explain the statement with: examples, defaults, else null, as a map in PackStream.
    #[must_use]
    pub fn sample_parameters(&self) -> Vec<u8> {
        let mut map = Vec::new();
        let mut writer = Writer::new(&mut map);
        writer.map(self.parameters.len());
        for parameter in &self.parameters {
            writer.string(&parameter.name);
            match parameter.example.as_ref().or(parameter.default.as_ref()) {
                Some(sample) => writer.raw(&sample.value),
                None => writer.null(),
            }
        }
        map
    }
}

/// All named queries. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Queries(Arc<BTreeMap<String, Arc<Query>>>);

impl Queries {
    /// Reads all files of a folder.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn load(directory: &Path) -> Result<Self, Vec<FileError>> {
        let queries = folder::read(directory)?;
        let by_name = queries.into_iter().map(|query| (query.name.clone(), Arc::new(query)));
        Ok(Self(Arc::new(by_name.collect())))
    }

    /// The number of queries.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// All queries, sorted by name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Query>> {
        self.0.values()
    }

    /// The query of this name that may be called under this name of a database.
    #[must_use]
    pub fn find(&self, name: &str, database: &str) -> Option<&Arc<Query>> {
        self.0.get(name).filter(|query| query.is_in(database))
    }

    /// The queries that `caller` may call under this name of a database, sorted by name, provided that the database
    /// accepts its login.
    pub fn open_to<'a>(&'a self, caller: &'a Identity, database: &'a str) -> impl Iterator<Item = &'a Arc<Query>> {
        self.all().filter(move |query| query.is_in(database) && query.allow.allow(caller))
    }

    /// The queries that agents of `caller` may call as tools, on whatever database, sorted by name, provided that the
    /// database accepts its login.
    pub fn tools<'a>(&'a self, caller: &'a Identity) -> impl Iterator<Item = &'a Arc<Query>> {
        let is_somewhere = |query: &Query| query.databases.as_ref().is_none_or(|databases| !databases.is_empty());
        self.all().filter(move |query| query.mcp && is_somewhere(query) && query.allow.allow(caller))
    }

    /// Whether rules of any query read claims of tokens.
    #[must_use]
    pub fn read_claims(&self) -> bool {
        self.all().any(|query| query.allow.read_claims())
    }
}
