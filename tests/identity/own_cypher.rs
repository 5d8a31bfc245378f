//! `cypher.allow`: who may send statements of their own, on every route that takes some.

use std::time::{Duration, SystemTime};

use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::support::{
    bolt::fake_neo4j::FakeNeo4j,
    gateway::{self, Gateway},
    query::{authorization, refused, values},
};

const SECRET: &str = "an-issuers-secret-of-more-than-32-bytes";
const JSON: (&str, &str) = ("Content-Type", "application/json");
const QUERY: &str = "/db/neo4j/query/v2";
const FORBIDDEN: &str = "Neo.ClientError.Security.Forbidden";

/// Every route that takes statements, or ends a transaction of them.
const ROUTES: [(&str, &str, &str); 11] = [
    ("POST", "/db/neo4j/query/v2", r#"{"statement":"RETURN 1"}"#),
    ("POST", "/db/neo4j/query/v2", "{"),
    ("POST", "/db/neo4j/query/v2/tx", ""),
    ("POST", "/db/neo4j/query/v2/tx/0", r#"{"statement":"RETURN 1"}"#),
    ("POST", "/db/neo4j/query/v2/tx/0/commit", ""),
    ("DELETE", "/db/neo4j/query/v2/tx/0", ""),
    ("POST", "/db/neo4j/query/v2/batch", r#"{"statements":[{"statement":"RETURN 1"}]}"#),
    ("POST", "/db/neo4j/tx", ""),
    ("POST", "/db/neo4j/tx/1", r#"{"statements":[{"statement":"RETURN 1"}]}"#),
    ("POST", "/db/neo4j/tx/commit", r#"{"statements":[{"statement":"RETURN 1"}]}"#),
    ("POST", "/db/data/transaction/commit", r#"{"statements":[{"statement":"RETURN 1"}]}"#),
];

async fn start(settings: &[(&'static str, &str)]) -> (FakeNeo4j, Gateway) {
    let fake = FakeNeo4j::start().await;
    let settings = [&[("http.older_paths", "true")], settings].concat();
    let gateway = gateway::start_for_with(&fake.uri(), &settings).await;
    (fake, gateway)
}

/// The settings of a gateway that verifies tokens and logs in with an account of its own.
pub fn with_tokens(allow: &str) -> Vec<(&'static str, &str)> {
    vec![
        ("cypher.allow", allow),
        ("auth.bearer", "service"),
        ("auth.service_account.user", "neo4j"),
        ("auth.service_account.password", "password"),
        ("auth.issuers.test.issuer", "test"),
        ("auth.issuers.test.audience", "*"),
        ("auth.issuers.test.secret", SECRET),
    ]
}

pub fn token(claims: &Value) -> String {
    let expires = SystemTime::now() + Duration::from_secs(600);
    let expires = expires.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let mut all = json!({ "iss": "test", "exp": expires });
    all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    let key = EncodingKey::from_secret(SECRET.as_bytes()).unwrap();
    let token = encode(&Header::default(), &all, &key).unwrap();
    format!("Bearer {token}")
}

#[tokio::test]
async fn everybody_may_send_statements_unless_the_operator_says_otherwise() {
    let (_fake, gateway) = start(&[]).await;
    let alice = authorization("alice", "wonderland");
    let answer = gateway.send("POST", QUERY, &[JSON, ("Authorization", &alice)], r#"{"statement":"RETURN 1"}"#).await;
    assert_eq!(values(&answer), json!([[1]]));
}

#[tokio::test]
async fn nobody_else_may_send_statements_on_any_route() {
    let (fake, gateway) = start(&[("cypher.allow", "user:alice")]).await;
    let bob = authorization("bob", "builder");
    for (method, path, body) in ROUTES {
        for expect in [&[][..], &[("Expect", "100-continue")]] {
            let headers = [&[JSON, ("Authorization", &bob), ("Idempotency-Key", "k")], expect].concat();
            let error = refused(&gateway.send(method, path, &headers, body).await);
            assert_eq!((error.status, error.code.as_str()), (403, FORBIDDEN), "{method} {path}");
            assert!(error.message.contains("cypher.allow"), "{error:?}");
        }
    }
    let lines = [("Content-Type", "application/jsonl"), ("Authorization", &bob)];
    let load = gateway.send("POST", "/db/neo4j/query/v2/batch", &lines, "{\"statement\":\"RETURN 1\"}\n{}\n").await;
    assert_eq!((load.status, refused(&load).code.as_str()), (403, FORBIDDEN));
    assert_eq!((fake.control.count("RUN"), fake.control.count("BEGIN")), (0, 0));
}

#[tokio::test]
async fn those_who_may_are_judged_by_the_database_as_ever() {
    let (fake, gateway) = start(&[("cypher.allow", "user:alice")]).await;
    let (alice, guess) = (authorization("alice", "wonderland"), authorization("alice", "guess"));
    let answer = gateway.send("POST", QUERY, &[JSON, ("Authorization", &alice)], r#"{"statement":"RETURN 1"}"#).await;
    assert_eq!(values(&answer), json!([[1]]));
    // Whoever only claims to be somebody learns nothing of who may do what.
    let (bob, nobody) = (authorization("bob", "guess"), authorization("nobody", "guess"));
    for (method, path, body) in ROUTES {
        for authorization in [&guess, &bob, &nobody] {
            let answer = gateway.send(method, path, &[JSON, ("Authorization", authorization)], body).await;
            assert_eq!(answer.status, 401, "{method} {path}: {answer}");
        }
    }
    assert_eq!(fake.control.count("RUN"), 1);
}

#[tokio::test]
async fn tokens_are_judged_by_their_claims() {
    let (_fake, gateway) = start(&with_tokens("claim:/realm/roles=analyst, user:carol")).await;
    for (claims, allowed) in [
        (json!({ "sub": "a", "realm": { "roles": ["reader", "analyst"] } }), true),
        (json!({ "sub": "a", "realm": { "roles": "reader analyst" } }), true),
        (json!({ "sub": "carol" }), true),
        (json!({ "sub": "a", "realm": { "roles": ["analysts"] } }), false),
        (json!({ "sub": "a", "roles": ["analyst"] }), false),
        (json!({ "sub": "neo4j" }), false),
    ] {
        let headers = [JSON, ("Authorization", &token(&claims))];
        // Twice, since a token that was verified is remembered.
        for _ in 0..2 {
            let answer = gateway.send("POST", QUERY, &headers, r#"{"statement":"RETURN 1"}"#).await;
            assert_eq!(answer.status, if allowed { 202 } else { 403 }, "{claims}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_reload_changes_who_may() {
    let (fake, gateway) = start(&[]).await;
    let alice = authorization("alice", "wonderland");
    let headers = [JSON, ("Authorization", alice.as_str())];
    let open = gateway.send("POST", &format!("{QUERY}/tx"), &headers, "{}").await;
    assert_eq!(open.status, 202);
    let uri = fake.uri();
    gateway.reload(&[("database.uri", &uri), ("cypher.allow", "")]);
    let answer = gateway.send("POST", QUERY, &headers, r#"{"statement":"RETURN 1"}"#).await;
    assert_eq!((answer.status, refused(&answer).code.as_str()), (403, FORBIDDEN));
}
