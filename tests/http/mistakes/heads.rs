//! Headers and methods that do not fit.

use super::{Differences, INVALID, JSON, ONE, QUERY};
use crate::support::gateway::start_embedded;

#[tokio::test]
async fn a_header_that_does_not_fit() {
    let gateway = start_embedded(&[]).await;
    let mut differences = Differences(Vec::new());
    for (mistake, headers, status, code, text) in [
        (
            "no Content-Type",
            &[][..],
            415,
            INVALID,
            "Unsupported Media Type: send Content-Type: application/json, or one of application/vnd.neo4j.query, application/vnd.neo4j.query.v1.0, application/vnd.neo4j.query.v1.1, application/vnd.neo4j.query.v1.2",
        ),
        (
            "curl -d",
            &[("Content-Type", "application/x-www-form-urlencoded")],
            415,
            INVALID,
            "Unsupported Media Type: send Content-Type: application/json, or one of application/vnd.neo4j.query, application/vnd.neo4j.query.v1.0, application/vnd.neo4j.query.v1.1, application/vnd.neo4j.query.v1.2",
        ),
        (
            "text",
            &[("Content-Type", "text/plain")],
            415,
            INVALID,
            "Unsupported Media Type: send Content-Type: application/json, or one of application/vnd.neo4j.query, application/vnd.neo4j.query.v1.0, application/vnd.neo4j.query.v1.1, application/vnd.neo4j.query.v1.2",
        ),
        (
            "an Accept that nothing fits",
            &[JSON, ("Accept", "text/xml")],
            406,
            INVALID,
            "Not Acceptable: send Accept: application/json, or one of application/vnd.neo4j.query, application/vnd.neo4j.query.v1.0, application/vnd.neo4j.query.v1.1, application/vnd.neo4j.query.v1.2, application/jsonl, application/vnd.neo4j.query.v1.0+jsonl, application/vnd.neo4j.query.v1.1+jsonl, application/vnd.neo4j.query.v1.2+jsonl, application/x-ndjson, text/csv, application/vnd.boltgate.graph+json, application/vnd.apache.arrow.stream",
        ),
        (
            "an Accept that is none",
            &[JSON, ("Accept", "a/b/c")],
            400,
            INVALID,
            "Bad Request: Accept is not a list of media types",
        ),
        (
            "an encoding that is not supported",
            &[JSON, ("Content-Encoding", "br")],
            415,
            INVALID,
            "Unsupported Media Type: Content-Encoding: br is not supported; send the body in one of gzip, zstd, or without an encoding",
        ),
        (
            "an encoding that the body does not have",
            &[JSON, ("Content-Encoding", "gzip")],
            400,
            INVALID,
            "Bad Request: the request body cannot be unpacked: it is not valid gzip: invalid gzip header",
        ),
        (
            "an Idempotency-Key that is none",
            &[
                JSON,
                (
                    "Idempotency-Key",
                    "Bad Request: the header Idempotency-Key is not 1 to 255 visible ASCII characters without spaces",
                ),
            ],
            400,
            INVALID,
            "Bad Request: the header Idempotency-Key is not 1 to 255 visible ASCII characters without spaces",
        ),
        (
            "statuses that there are not",
            &[JSON, ("Boltgate-Statuses", "exact")],
            400,
            INVALID,
            "Bad Request: the header Boltgate-Statuses must be `query-api` or `precise`",
        ),
        (
            "another host",
            &[JSON, ("Host", "graph.example")],
            421,
            "Boltgate.ClientError.Request.HostNotAllowed",
            r#"Misdirected Request: the gateway does not answer to the name "graph.example"; if clients should use it, add it to the setting server.allowed_hosts."#,
        ),
        (
            "a host that is none",
            &[JSON, ("Host", "http://localhost")],
            400,
            INVALID,
            "Bad Request: the Host header is not HOST or HOST:PORT",
        ),
        (
            "a page of another origin",
            &[JSON, ("Origin", "http://app.example")],
            403,
            "Boltgate.ClientError.Request.CrossOrigin",
            "Forbidden: a page of another origin sent this request; to allow it, add its origin to the setting cors.allowed_origins.",
        ),
    ] {
        let response = gateway.send("POST", QUERY, headers, ONE).await;
        differences.look(mistake, &response, status, code, text);
    }
}
