//! Paths that are nearly right, and methods that they do not have.

use super::{Differences, INVALID, JSON, ONE, QUERY};
use crate::support::{gateway::start_embedded, query::values};

#[tokio::test]
async fn a_path_that_is_nearly_right() {
    let gateway = start_embedded(&[]).await;
    let mut differences = Differences(Vec::new());
    for (mistake, method, path, status, code, text) in [
        (
            "a query without its path",
            "POST",
            "/",
            405,
            INVALID,
            "Method Not Allowed: this address takes HEAD, GET, OPTIONS",
        ),
        (
            "no database",
            "POST",
            "/query/v2",
            404,
            INVALID,
            "Not Found: send statements to POST /db/{db}/query/v2 in these letters, with the name of the database for {db}, as in /db/neo4j/query/v2; GET /openapi.json describes all routes",
        ),
        (
            "no version",
            "POST",
            "/db/neo4j/query",
            404,
            INVALID,
            "Not Found: send statements to POST /db/{db}/query/v2 in these letters, with the name of the database for {db}, as in /db/neo4j/query/v2; GET /openapi.json describes all routes",
        ),
        (
            "another version",
            "POST",
            "/db/neo4j/query/v1",
            404,
            INVALID,
            "Not Found: send statements to POST /db/{db}/query/v2 in these letters, with the name of the database for {db}, as in /db/neo4j/query/v2; GET /openapi.json describes all routes",
        ),
        (
            "two slashes",
            "POST",
            "//db/neo4j/query/v2",
            404,
            INVALID,
            "Not Found: send statements to POST /db/{db}/query/v2 in these letters, with the name of the database for {db}, as in /db/neo4j/query/v2; GET /openapi.json describes all routes",
        ),
        (
            "an empty name",
            "POST",
            "/db//query/v2",
            404,
            INVALID,
            "Not Found: send statements to POST /db/{db}/query/v2 in these letters, with the name of the database for {db}, as in /db/neo4j/query/v2; GET /openapi.json describes all routes",
        ),
        (
            "the wrong case",
            "POST",
            "/DB/neo4j/query/v2",
            404,
            INVALID,
            "Not Found: send statements to POST /db/{db}/query/v2 in these letters, with the name of the database for {db}, as in /db/neo4j/query/v2; GET /openapi.json describes all routes",
        ),
        (
            "no number of the older API",
            "POST",
            "/db/neo4j/tx/abc",
            404,
            INVALID,
            "Not Found: the routes of Neo4j's older HTTP API are /db/{db}/tx, /tx/commit, /tx/{id} and /tx/{id}/commit (http.transactional), and /db/data/transaction (http.older_paths); of the Query API, send a statement to POST /db/neo4j/query/v2, several at once to POST /db/neo4j/query/v2/batch, and open a transaction with POST /db/neo4j/query/v2/tx",
        ),
        (
            "the oldest API",
            "POST",
            "/db/data/transaction/commit",
            404,
            INVALID,
            "Not Found: the routes of Neo4j's older HTTP API are /db/{db}/tx, /tx/commit, /tx/{id} and /tx/{id}/commit (http.transactional), and /db/data/transaction (http.older_paths); of the Query API, send a statement to POST /db/{db}/query/v2, several at once to POST /db/{db}/query/v2/batch, and open a transaction with POST /db/{db}/query/v2/tx",
        ),
        (
            "tools for agents that are off",
            "POST",
            "/mcp",
            404,
            INVALID,
            "Not Found: tools for agents are switched off here (mcp.enabled)",
        ),
        ("GET for a query", "GET", QUERY, 405, INVALID, "Method Not Allowed: this address takes POST, OPTIONS"),
        ("PUT for a query", "PUT", QUERY, 405, INVALID, "Method Not Allowed: this address takes POST, OPTIONS"),
        (
            "a transaction that there is not",
            "POST",
            "/db/neo4j/query/v2/tx/abcd",
            404,
            INVALID,
            r#"Transaction with Id: "abcd" was not found. It may have timed out and therefore rolled back or the routing header 'neo4j-cluster-affinity' was not provided."#,
        ),
        (
            "the id of the older API",
            "POST",
            "/db/neo4j/query/v2/tx/17/commit",
            404,
            INVALID,
            r#"Transaction with Id: "17" was not found. It may have timed out and therefore rolled back or the routing header 'neo4j-cluster-affinity' was not provided."#,
        ),
        (
            "DELETE of a commit",
            "DELETE",
            "/db/neo4j/query/v2/tx/17/commit",
            405,
            INVALID,
            "Method Not Allowed: this address takes POST, OPTIONS",
        ),
    ] {
        let response = gateway.send(method, path, &[JSON], ONE).await;
        differences.look(mistake, &response, status, code, text);
    }
    // These are no mistakes, as on Neo4j.
    for path in ["/db/neo4j/query/v2/", "/db/NEO4J/query/v2"] {
        assert_eq!(values(&gateway.post(path, ONE).await), serde_json::json!([[1]]), "{path}");
    }
}
