//! The Query API's paths. Matched by hand, since they are looser than a route table can say: one slash at the end,
//! `;matrix` parameters anywhere, percent-encoding in every segment.

use std::borrow::Cow;

/// A path of the Query API, with its names decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Path<'a> {
    /// `/db/{db}/query/v2`
    Query { database: Cow<'a, str> },
    /// `/db/{db}/query/v2/tx`
    Begin { database: Cow<'a, str> },
    /// `/db/{db}/query/v2/tx/{id}`
    Transaction { database: Cow<'a, str>, id: Cow<'a, str> },
    /// `/db/{db}/query/v2/tx/{id}/commit`
    Commit { database: Cow<'a, str>, id: Cow<'a, str> },
    /// `/db/{db}/query/v2/batch`
    Batch { database: Cow<'a, str> },
    /// `/db/{db}/query/v2/running`
    Running { database: Cow<'a, str> },
    /// `/db/{db}/query/v2/running/{id}`
    RunningStatement { database: Cow<'a, str>, id: Cow<'a, str> },
}

/// The methods of a route, beside OPTIONS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Methods {
    /// And HEAD.
    Get,
    Post,
    Delete,
    PostAndDelete,
}

impl Methods {
    /// All of them, as the header `Allow` has them.
    pub(super) fn names(self) -> &'static str {
        match self {
            Self::Get => "HEAD,GET,OPTIONS",
            Self::Post => "POST,OPTIONS",
            Self::Delete => "DELETE,OPTIONS",
            Self::PostAndDelete => "DELETE,POST,OPTIONS",
        }
    }
}

impl<'a> Path<'a> {
    /// Reads the path of a request; `None` when there is nothing there.
    pub(super) fn parse(path: &'a str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path).strip_prefix("/db/")?;
        let mut segments = path.split('/');
        // What is missing is empty here, as no segment that leads anywhere is.
        let mut next = || segments.next().map_or(Some(Cow::Borrowed("")), segment);
        let (database, api, version, route, id, last) = (next()?, next()?, next()?, next()?, next()?, next()?);
        if api != "query" || version != "v2" || segments.next().is_some() {
            return None;
        }
        match (&*route, &*id, &*last) {
            ("", ..) => Some(Self::Query { database }),
            ("tx", "", _) => Some(Self::Begin { database }),
            ("tx", _, "") => Some(Self::Transaction { database, id }),
            ("tx", _, "commit") => Some(Self::Commit { database, id }),
            ("batch", "", _) => Some(Self::Batch { database }),
            ("running", "", _) => Some(Self::Running { database }),
            ("running", _, "") => Some(Self::RunningStatement { database, id }),
            _ => None,
        }
    }

    /// The methods that mean something here.
    pub(super) fn methods(&self) -> Methods {
        match self {
            Self::Transaction { .. } => Methods::PostAndDelete,
            Self::Query { .. } | Self::Begin { .. } | Self::Commit { .. } | Self::Batch { .. } => Methods::Post,
            Self::Running { .. } => Methods::Get,
            Self::RunningStatement { .. } => Methods::Delete,
        }
    }
}

/// A segment without its `;parameters`, decoded. Empty ones, and what would not survive decoding, lead nowhere.
fn segment(text: &str) -> Option<Cow<'_, str>> {
    if !text.is_empty() && !text.bytes().any(|byte| matches!(byte, b';' | b'%')) {
        return Some(Cow::Borrowed(text));
    }
    let text = text.split(';').next().filter(|text| !text.is_empty())?;
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8().ok()?;
    (!decoded.contains('/')).then_some(decoded)
}

/// What to ask instead of a path that leads nowhere, as the end of a sentence.
pub(super) fn instead_of(path: &str) -> String {
    let mut segments = path.strip_prefix("/db/").unwrap_or_default().split('/');
    let (database, api) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    if !matches!(api, "tx" | "transaction" | "cypher") {
        return "statements go to POST /db/{db}/query/v2; GET /openapi.json describes all routes".to_owned();
    }
    // The oldest API had one database, without a name.
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let named = api == "tx" && (1..=63).contains(&database.len()) && database.bytes().all(is_name);
    let database = if named { database } else { "{db}" };
    format!(
        "Neo4j's older HTTP API is not served; send a statement to POST /db/{database}/query/v2, several at once to \
         POST /db/{database}/query/v2/batch, and open a transaction with POST /db/{database}/query/v2/tx"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_routes() {
        let database = || Cow::Borrowed("neo4j");
        let id = || Cow::Borrowed("abc");
        for (path, expected) in [
            ("/db/neo4j/query/v2", Path::Query { database: database() }),
            ("/db/ne%6f4j/query/v2/", Path::Query { database: database() }),
            ("/db/neo4j;x=1/query;y/v2;z=2", Path::Query { database: database() }),
            ("/db/neo4j/query/v2/tx", Path::Begin { database: database() }),
            ("/db/neo4j/query/v2/tx/abc", Path::Transaction { database: database(), id: id() }),
            ("/db/neo4j/query/v2/tx/abc/commit/", Path::Commit { database: database(), id: id() }),
            ("/db/neo4j/query/v2/batch", Path::Batch { database: database() }),
            ("/db/neo4j/query/v2/running/", Path::Running { database: database() }),
            ("/db/neo4j/query/v2/running/abc", Path::RunningStatement { database: database(), id: id() }),
            ("/db/neo4j/query/v2/tx/commit", Path::Transaction { database: database(), id: Cow::Borrowed("commit") }),
        ] {
            assert_eq!(Path::parse(path), Some(expected), "{path}");
        }
    }

    #[test]
    fn who_knows_the_older_api_is_shown_the_way() {
        for (path, names) in [
            ("/db/neo4j/tx", "POST /db/neo4j/query/v2,"),
            ("/db/my-db.1/tx/commit", "POST /db/my-db.1/query/v2,"),
            ("/db/data/transaction/commit", "POST /db/{db}/query/v2,"),
            ("/db/data/cypher", "POST /db/{db}/query/v2,"),
            ("/db/a%22b/tx/1", "POST /db/{db}/query/v2,"),
            ("/db/neo4j", "POST /db/{db}/query/v2;"),
            ("/tx", "POST /db/{db}/query/v2;"),
        ] {
            let advice = instead_of(path);
            assert!(advice.contains(names), "{path}: {advice}");
        }
    }

    #[test]
    fn everything_else_is_nothing() {
        for path in [
            "/db",
            "/db/",
            "/db/neo4j",
            "/db/neo4j/query",
            "/db/neo4j/query/v1",
            "/db/neo4j/query/v2/foo",
            "/DB/neo4j/query/v2",
            "/db//query/v2",
            "/db/neo4j//query/v2",
            "/db/a%2Fb/query/v2",
            "/db/%FF/query/v2",
            "/db/neo4j/query/v2/tx/%FF",
            "/db/neo4j/query/v2/running/abc/x",
            "/db/neo4j/query/v2/batch/abc",
            "/db/neo4j/query/v2//",
            "/db/neo4j/query/v2/tx/abc/commit/x",
        ] {
            assert_eq!(Path::parse(path), None, "{path}");
        }
    }
}
