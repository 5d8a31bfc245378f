//! The paths under `/db`.
//!
//! Neo4j accepts a trailing slash, `;matrix` parameters in every segment, and percent-encoding anywhere. [`canonical`]
//! removes all of that in one place, so that neither [`Path`] nor the table of routes has to know of it.

use std::borrow::Cow;

use super::transactional;
use axum::http::{
    Method,
    uri::{PathAndQuery, Uri},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The prefix of every path to a database.
pub(super) const DB: &str = "/db/";

/// The template of [`Path::Query`].
pub(super) const QUERY: &str = "/db/{db}/query/v2";
/// The template of [`Path::Begin`].
pub(super) const BEGIN: &str = "/db/{db}/query/v2/tx";
/// The template of [`Path::Transaction`].
pub(super) const TRANSACTION: &str = "/db/{db}/query/v2/tx/{id}";
/// The template of [`Path::Commit`].
pub(super) const COMMIT: &str = "/db/{db}/query/v2/tx/{id}/commit";
/// The template of [`Path::Batch`], and of bulk loads.
pub(super) const BATCH: &str = "/db/{db}/query/v2/batch";

/// The template of the list of running statements.
pub(super) const RUNNING: &str = "/db/{db}/query/v2/running";
/// The template of a running statement.
pub(super) const RUNNING_STATEMENT: &str = "/db/{db}/query/v2/running/{id}";
/// The template of the list of named queries.
pub(super) const NAMED: &str = "/db/{db}/named";
/// The template of a named query.
pub(super) const NAMED_QUERY: &str = "/db/{db}/named/{name}";
/// The path of the discovery document.
pub(super) const DISCOVERY: &str = "/";
/// The path of the description of all routes.
pub(super) const OPENAPI: &str = "/openapi.json";
/// The path of the tools for agents. A slash may follow.
pub(super) const MCP: &str = "/mcp";
/// The path at which agents learn where to get tokens.
pub(super) const MCP_METADATA: &str = "/.well-known/oauth-protected-resource/mcp";
/// The path of Bolt over WebSocket, besides that of the discovery document.
pub(super) const BOLT: &str = "/bolt";
/// The path of the console's page.
pub(super) const CONSOLE: &str = "/console";
/// The path to which an issuer sends people back who have signed in.
pub(super) const CONSOLE_CALLBACK: &str = "/console/callback";
/// The path of what the console has to know beforehand.
pub(super) const CONSOLE_ABOUT: &str = "/console/config.json";
/// The template of the files that make up the console.
pub(super) const CONSOLE_ASSET: &str = "/console/assets/{name}";
/// The path of the page that renders the description.
pub(super) const DOCS: &str = "/docs";
/// The template of the files of that page.
pub(super) const DOCS_FILE: &str = "/docs/{file}";
/// Stands for a path that leads nowhere.
pub(super) const OTHER: &str = "other";

/// All characters except those that mean the same with and without encoding (RFC 3986, section 2.3).
pub(super) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The path of a statement, with its names decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Path<'a> {
    /// One statement in a transaction of its own.
    Query { database: Cow<'a, str> },
    /// Opens a transaction.
    Begin { database: Cow<'a, str> },
    /// Runs a statement in a transaction, keeps the transaction alive, or rolls it back.
    Transaction { database: Cow<'a, str>, id: Cow<'a, str> },
    /// Commits a transaction.
    Commit { database: Cow<'a, str>, id: Cow<'a, str> },
    /// Several statements in one transaction.
    Batch { database: Cow<'a, str> },
}

impl<'a> Path<'a> {
    /// Parses a canonical path; `None` if it is not the path of a statement.
    pub(super) fn parse(path: &'a str) -> Option<Self> {
        let (database, rest) = path.strip_prefix(DB)?.split_once('/')?;
        let rest = rest.strip_prefix("query/v2")?;
        let (database, id) = match rest {
            "" => return Some(Self::Query { database: name(database)? }),
            "/tx" => return Some(Self::Begin { database: name(database)? }),
            "/batch" => return Some(Self::Batch { database: name(database)? }),
            _ => (name(database)?, rest.strip_prefix("/tx/")?),
        };
        match id.split_once('/') {
            None => Some(Self::Transaction { database, id: name(id)? }),
            Some((id, "commit")) => Some(Self::Commit { database, id: name(id)? }),
            Some(_) => None,
        }
    }

    /// Whether the statement can be sent with `method`.
    pub(super) fn takes(&self, method: &Method) -> bool {
        *method == Method::POST || *method == Method::DELETE && matches!(self, Self::Transaction { .. })
    }

    /// The name of the route in logs: the path with `{db}` and `{id}` instead of names.
    pub(super) fn template(&self) -> &'static str {
        match self {
            Self::Query { .. } => QUERY,
            Self::Begin { .. } => BEGIN,
            Self::Transaction { .. } => TRANSACTION,
            Self::Commit { .. } => COMMIT,
            Self::Batch { .. } => BATCH,
        }
    }
}

/// The template of the route that a path leads to, or `other`.
pub(super) fn template(path: &str) -> &'static str {
    match path {
        DISCOVERY => return DISCOVERY,
        OPENAPI => return OPENAPI,
        MCP_METADATA => return MCP_METADATA,
        _ if is_mcp(path) => return MCP,
        BOLT => return BOLT,
        CONSOLE => return CONSOLE,
        CONSOLE_CALLBACK => return CONSOLE_CALLBACK,
        CONSOLE_ABOUT => return CONSOLE_ABOUT,
        _ if path.strip_prefix("/console/assets/").is_some_and(|name| !name.is_empty() && !name.contains('/')) => {
            return CONSOLE_ASSET;
        }
        DOCS => return DOCS,
        _ => {}
    }
    if path.strip_prefix("/docs/").is_some_and(|file| !file.is_empty() && !file.contains('/')) {
        return DOCS_FILE;
    }
    let path = canonical(path);
    if let Some(path) = Path::parse(&path) {
        return path.template();
    }
    if let Some(template) = transactional::template(&path) {
        return template;
    }
    if let Some(template) = named_template(&path) {
        return template;
    }
    let below = path.strip_prefix(DB).and_then(|below| below.split_once("/query/v2/running"));
    match below.map(|(database, rest)| (database.contains('/'), rest.strip_prefix('/').unwrap_or(rest), rest)) {
        Some((false, "", "")) => RUNNING,
        Some((false, id, rest)) if id.len() < rest.len() && !id.is_empty() && !id.contains('/') => RUNNING_STATEMENT,
        _ => OTHER,
    }
}

/// Whether a path is that of the tools for agents.
pub(super) fn is_mcp(path: &str) -> bool {
    path.strip_prefix(MCP).is_some_and(|rest| matches!(rest, "" | "/"))
}

/// The template of a canonical path to named queries.
fn named_template(path: &str) -> Option<&'static str> {
    let (_, rest) = path.strip_prefix(DB)?.split_once('/')?;
    match rest.strip_prefix("named")? {
        "" => Some(NAMED),
        rest => rest.strip_prefix('/').filter(|name| !name.is_empty() && !name.contains('/')).map(|_| NAMED_QUERY),
    }
}

/// Decodes a segment of a canonical path, which is always UTF-8; `None` if the segment is empty.
fn name(segment: &str) -> Option<Cow<'_, str>> {
    match memchr::memchr(b'%', segment.as_bytes()) {
        None => Some(Cow::Borrowed(segment)).filter(|segment| !segment.is_empty()),
        Some(_) => Some(percent_decode_str(segment).decode_utf8_lossy()),
    }
}

/// Returns a path under `/db` in the form that routes are matched against: without a trailing slash and `;matrix`
/// parameters, and percent-encoded only where necessary. If a segment is empty, is not UTF-8 or contains an encoded slash,
/// the path does not exist, and the result is `/db/`: the table of routes would accept such a segment as a name. Paths
/// outside of `/db` are returned unchanged.
pub(super) fn canonical(path: &str) -> Cow<'_, str> {
    let Some(below) = path.strip_prefix(DB) else {
        return Cow::Borrowed(path);
    };
    if memchr::memchr2(b';', b'%', below.as_bytes()).is_none() && !path.contains("//") {
        return Cow::Borrowed(if below.is_empty() { path } else { path.strip_suffix('/').unwrap_or(path) });
    }
    let mut canonical = String::with_capacity(path.len());
    for segment in below.strip_suffix('/').unwrap_or(below).split('/') {
        let text = segment.split(';').next().unwrap_or_default();
        match percent_decode_str(text).decode_utf8() {
            Ok(name) if !name.is_empty() && !name.contains('/') => {
                canonical.push_str(if canonical.is_empty() { DB } else { "/" });
                canonical.extend(utf8_percent_encode(&name, RESERVED));
            }
            _ => return Cow::Borrowed(DB),
        }
    }
    Cow::Owned(canonical)
}

/// Returns the target of a request with its path in [`canonical`] form; `None` if it has that form already, as nearly
/// all do.
pub(super) fn canonical_target(target: &Uri) -> Option<Uri> {
    let path = match canonical(target.path()) {
        Cow::Borrowed(path) if path.len() == target.path().len() => return None,
        path => path.into_owned(),
    };
    let text = match target.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = target.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

/// Advice for a path that does not exist, as the end of a sentence.
pub(super) fn instead_of(path: &str) -> String {
    if is_mcp(path) {
        return "tools for agents are switched off here (mcp.enabled)".to_owned();
    }
    let mut segments = path.strip_prefix(DB).unwrap_or_default().split('/');
    let (database, api) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    if !matches!(api, "tx" | "transaction" | "cypher") {
        return "send statements to POST /db/{db}/query/v2 in these letters, with the name of the database for {db}, as in \
                /db/neo4j/query/v2; GET /openapi.json describes all routes"
            .to_owned();
    }
    // Neo4j 3.5 has a single database without a name, under `/db/data/transaction`.
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let named = api == "tx" && (1..=63).contains(&database.len()) && database.bytes().all(is_name);
    let database = if named { database } else { "{db}" };
    format!(
        "the routes of Neo4j's older HTTP API are /db/{{db}}/tx, /tx/commit, /tx/{{id}} and /tx/{{id}}/commit \
         (http.transactional), and /db/data/transaction (http.older_paths); of the Query API, send a statement to POST \
         /db/{database}/query/v2, several at once to POST /db/{database}/query/v2/batch, and open a transaction with POST \
         /db/{database}/query/v2/tx"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_of_statements() {
        let database = || Cow::Borrowed("neo4j");
        let id = || Cow::Borrowed("abc");
        for (path, expected, template) in [
            ("/db/neo4j/query/v2", Path::Query { database: database() }, QUERY),
            ("/db/ne%6f4j/query/v2/", Path::Query { database: database() }, QUERY),
            ("/db/neo4j;x=1/query;y/v2;z=2", Path::Query { database: database() }, QUERY),
            ("/db/neo4j/qu%65ry/v2", Path::Query { database: database() }, QUERY),
            ("/db/a%20b%25/query/v2", Path::Query { database: Cow::Borrowed("a b%") }, QUERY),
            ("/db/%zz/query/v2", Path::Query { database: Cow::Borrowed("%zz") }, QUERY),
            ("/db/%2%35/query/v2", Path::Query { database: Cow::Borrowed("%25") }, QUERY),
            ("/db/neo4j/query/v2/tx", Path::Begin { database: database() }, BEGIN),
            ("/db/neo4j/query/v2/tx/abc", Path::Transaction { database: database(), id: id() }, TRANSACTION),
            ("/db/neo4j/query/v2/tx/abc/commit/", Path::Commit { database: database(), id: id() }, COMMIT),
            ("/db/neo4j/query/v2/batch", Path::Batch { database: database() }, BATCH),
            (
                "/db/neo4j/query/v2/tx/commit",
                Path::Transaction { database: database(), id: Cow::Borrowed("commit") },
                TRANSACTION,
            ),
        ] {
            let canonical = canonical(path);
            let parsed = Path::parse(&canonical).expect(path);
            assert_eq!((parsed.template(), parsed), (template, expected), "{path}");
        }
    }

    #[test]
    fn other_paths_are_not_parsed() {
        for path in [
            "/db",
            "/db/",
            "/db//",
            "/db/neo4j",
            "/db/neo4j/query",
            "/db/neo4j/query/v1",
            "/db/neo4j/query/v22",
            "/db/neo4j/query/v2/foo",
            "/db/neo4j/query/v2/running",
            "/DB/neo4j/query/v2",
            "/%64b/neo4j/query/v2",
            "/db//query/v2",
            "/db/;x/query/v2",
            "/db/neo4j//query/v2",
            "/db/a%2Fb/query/v2",
            "/db/%FF/query/v2",
            "/db/neo4j/query/v2/tx/%FF",
            "/db/neo4j/query/v2/tx//commit",
            "/db/neo4j/query/v2/batch/abc",
            "/db/neo4j/query/v2//",
            "/db/neo4j/query/v2/tx/abc/commit/x",
        ] {
            assert_eq!(Path::parse(&canonical(path)), None, "{path}");
        }
    }

    #[test]
    fn equivalent_paths_have_one_canonical_form() {
        for (path, expected) in [
            ("/db/neo4j/query/v2/running", "/db/neo4j/query/v2/running"),
            ("/db/neo4j/query/v2/running/", "/db/neo4j/query/v2/running"),
            ("/db/n%65o4j;a=%2F/qu%65ry/v2/running;b/a%3Bb/", "/db/neo4j/query/v2/running/a%3Bb"),
            ("/db/%c3%a4%0D/tx", "/db/%C3%A4%0D/tx"),
            ("/db/", "/db/"),
            ("/db//", "/db/"),
            ("/db//query/v2/running", "/db/"),
            ("/db/;x/query/v2/running", "/db/"),
            ("/db/neo4j/query/v2/running//", "/db/"),
            ("/db/a%2Fb/query/v2/running", "/db/"),
            ("/db/%FF/query/v2/running", "/db/"),
            ("/db", "/db"),
            ("/", "/"),
            ("/openapi.json/", "/openapi.json/"),
            ("/%6fpenapi.json;x", "/%6fpenapi.json;x"),
        ] {
            assert_eq!(canonical(path), expected, "{path}");
        }
    }

    #[test]
    fn only_the_path_of_a_target_changes() {
        for (target, expected) in [
            ("/db/neo4j/tx/?a=%2F;&b", Some("/db/neo4j/tx?a=%2F;&b")),
            ("http://h:1/db/n%65o4j/tx?a", Some("http://h:1/db/neo4j/tx?a")),
            ("/db/neo4j;x/tx", Some("/db/neo4j/tx")),
            ("/db/neo4j/tx?a;b%20/", None),
            ("http://h", None),
            ("*", None),
        ] {
            let canonical = canonical_target(&target.parse().unwrap());
            assert_eq!(canonical.map(|target| target.to_string()).as_deref(), expected, "{target}");
        }
    }

    #[test]
    fn only_transactions_take_delete() {
        let takes = |path, method: Method| Path::parse(path).unwrap().takes(&method);
        let (query, transaction) = ("/db/neo4j/query/v2", "/db/neo4j/query/v2/tx/abc");
        assert!(takes(query, Method::POST) && takes(transaction, Method::POST) && takes(transaction, Method::DELETE));
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::OPTIONS] {
            assert!(!takes(query, method.clone()) && !takes(transaction, method));
        }
        assert!(!takes(query, Method::DELETE));
    }

    #[test]
    fn clients_of_the_older_api_are_told_where_to_go() {
        for (path, names) in [
            ("/db/neo4j/tx", "POST /db/neo4j/query/v2,"),
            ("/db/my-db.1/tx/commit", "POST /db/my-db.1/query/v2,"),
            ("/db/data/transaction/commit", "POST /db/{db}/query/v2,"),
            ("/db/data/cypher", "POST /db/{db}/query/v2,"),
            ("/db/a%22b/tx/1", "POST /db/{db}/query/v2,"),
            ("/db/neo4j", "POST /db/{db}/query/v2 in"),
            ("/tx", "POST /db/{db}/query/v2 in"),
        ] {
            let advice = instead_of(path);
            assert!(advice.contains(names), "{path}: {advice}");
        }
    }
}
