//! The paths of the API: those of Neo4j 4 and later, and those of 3.5.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::http::path::DB;

pub(super) const BEGIN: &str = "/db/{db}/tx";
pub(super) const COMMIT: &str = "/db/{db}/tx/commit";
pub(super) const TRANSACTION: &str = "/db/{db}/tx/{id}";
pub(super) const COMMIT_TRANSACTION: &str = "/db/{db}/tx/{id}/commit";

pub(super) const OLDER_ROOT: &str = "/db/data";
pub(super) const OLDER_BEGIN: &str = "/db/data/transaction";
pub(super) const OLDER_COMMIT: &str = "/db/data/transaction/commit";
pub(super) const OLDER_TRANSACTION: &str = "/db/data/transaction/{id}";
pub(super) const OLDER_COMMIT_TRANSACTION: &str = "/db/data/transaction/{id}/commit";

/// The most digits of an id that Neo4j's clients send.
const DIGITS: usize = 18;

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target<'a> {
    pub(super) database: Cow<'a, str>,
    /// The path of the database, as the request spells it.
    pub(super) root: &'a str,
    /// The path below which transactions are, as the request spells it.
    pub(super) transactions: &'a str,
    pub(super) action: Action<'a>,
    pub(super) template: &'static str,
    /// Whether it is a path of 3.5.
    pub(super) is_older: bool,
}

/// What a request does, if it is a POST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action<'a> {
    /// Opens a transaction.
    Begin,
    /// Runs statements in a transaction of their own.
    Commit,
    /// Runs statements in an open transaction.
    Run(&'a str),
    /// Runs statements in an open transaction, and commits it.
    CommitTransaction(&'a str),
}

impl<'a> Target<'a> {
    /// Parses a canonical path; `None` if it is not of this API. `older` is the database of the paths of 3.5.
    pub(super) fn parse(path: &'a str, older: &'a str) -> Option<Self> {
        let (name, rest) = path.strip_prefix(DB)?.split_once('/')?;
        let (folder, database) = match rest.strip_prefix("transaction") {
            Some(_) if name == "data" => ("transaction", Cow::Borrowed(older)),
            _ => ("tx", percent_decode_str(name).decode_utf8().ok()?),
        };
        let below = rest.strip_prefix(folder)?;
        let is_older = folder == "transaction";
        let (action, template) = match below.strip_prefix('/').map(|id| id.split_once('/').unwrap_or((id, ""))) {
            None if below.is_empty() => (Action::Begin, if is_older { OLDER_BEGIN } else { BEGIN }),
            Some(("commit", "")) => (Action::Commit, if is_older { OLDER_COMMIT } else { COMMIT }),
            Some((id, "")) if is_id(id) => (Action::Run(id), if is_older { OLDER_TRANSACTION } else { TRANSACTION }),
            Some((id, "commit")) if is_id(id) => {
                let template = if is_older { OLDER_COMMIT_TRANSACTION } else { COMMIT_TRANSACTION };
                (Action::CommitTransaction(id), template)
            }
            _ => return None,
        };
        let root = path.get(..DB.len() + name.len())?;
        let transactions = path.get(..path.len() - below.len())?;
        Some(Self { database, root, transactions, action, template, is_older })
    }
}

fn is_id(id: &str) -> bool {
    let digits = id.strip_prefix('-').unwrap_or(id);
    (1..=DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The template of the route that a canonical path leads to.
pub(in crate::http) fn template(path: &str) -> Option<&'static str> {
    if path == OLDER_ROOT {
        return Some(OLDER_ROOT);
    }
    Target::parse(path, "").map(|target| target.template)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(path: &str) -> Option<Target<'_>> {
        Target::parse(path, "older")
    }

    #[test]
    fn paths_say_what_to_do_and_where_transactions_are() {
        for (path, database, transactions, action) in [
            ("/db/neo4j/tx", "neo4j", "/db/neo4j/tx", Action::Begin),
            ("/db/a%20b/tx/commit", "a b", "/db/a%20b/tx", Action::Commit),
            ("/db/neo4j/tx/12", "neo4j", "/db/neo4j/tx", Action::Run("12")),
            ("/db/neo4j/tx/-1/commit", "neo4j", "/db/neo4j/tx", Action::CommitTransaction("-1")),
            ("/db/data/tx", "data", "/db/data/tx", Action::Begin),
            ("/db/data/transaction", "older", "/db/data/transaction", Action::Begin),
            ("/db/data/transaction/commit", "older", "/db/data/transaction", Action::Commit),
            ("/db/data/transaction/7/commit", "older", "/db/data/transaction", Action::CommitTransaction("7")),
        ] {
            let target = parse(path).expect(path);
            assert_eq!((&*target.database, target.transactions, target.action), (database, transactions, action));
        }
    }

    #[test]
    fn other_paths_are_unknown() {
        for path in [
            "/db/neo4j/tx/abc",
            "/db/neo4j/tx/1234567890123456789",
            "/db/neo4j/tx/-",
            "/db/neo4j/tx/1/x",
            "/db/neo4j/tx/commit/commit",
            "/db/neo4j/tx/1/commit/x",
            "/db/neo4j/transaction",
            "/db/neo4j/txx",
            "/db/neo4j/query/v2",
            "/db/",
        ] {
            assert_eq!(parse(path), None, "{path}");
        }
    }
}
