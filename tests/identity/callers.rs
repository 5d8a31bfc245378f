//! Who is let in, and as whom: what the operator has decided, seen from the outside.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::{
    bolt::fake_neo4j::{FakeNeo4j, Options},
    gateway::{self, Gateway},
    http::Response,
    query::{Refused, refused, transaction_id, values},
};

/// `neo4j`, who may act as others, and `alice`.
const ADMIN: (&str, &str) = ("Authorization", "Basic bmVvNGo6cGFzc3dvcmQ=");
const ALICE: (&str, &str) = ("Authorization", "Basic YWxpY2U6d29uZGVybGFuZA==");
const HEADER: &str = "Boltgate-Impersonated-User";
const QUERY: &str = "/db/neo4j/query/v2";

async fn enterprise(settings: &[(&'static str, &str)]) -> (FakeNeo4j, Gateway) {
    let fake = FakeNeo4j::start_with(Options { enterprise: true, ..Options::default() }).await;
    let gateway = gateway::start_for_with(&fake.uri(), settings).await;
    (fake, gateway)
}

async fn send(gateway: &Gateway, path: &str, headers: &[(&str, &str)], body: &Value) -> Response {
    let headers = [&[("Content-Type", "application/json")], headers].concat();
    gateway.send("POST", path, &headers, &body.to_string()).await
}

/// The user that the database saw, and the one that it was to act as.
fn who(response: &Response) -> Value {
    let row = &values(response)[0];
    json!([row[0], row[1]])
}

fn whoami() -> Value {
    json!({ "statement": "WHOAMI" })
}

fn forbidden(user: &str) -> Refused {
    Refused {
        status: 400,
        code: "Neo.ClientError.Security.Forbidden".into(),
        message: format!("This caller may not act as '{user}' (auth.impersonation)."),
    }
}

#[tokio::test]
async fn reads_the_impersonated_user_from_body_or_header() {
    let (_fake, gateway) = enterprise(&[]).await;
    let in_body = json!({ "statement": "WHOAMI", "impersonatedUser": "bob" });
    assert_eq!(who(&send(&gateway, QUERY, &[ADMIN], &in_body).await), json!(["neo4j", "bob"]));
    let in_header = [ADMIN, (HEADER, " bob ")];
    assert_eq!(who(&send(&gateway, QUERY, &in_header, &whoami()).await), json!(["neo4j", "bob"]));
    assert_eq!(who(&send(&gateway, QUERY, &in_header, &in_body).await), json!(["neo4j", "bob"]));
    assert_eq!(who(&send(&gateway, QUERY, &[ADMIN, (HEADER, " ")], &whoami()).await), json!(["neo4j", null]));
    for headers in [vec![ADMIN, (HEADER, "alice")], vec![ADMIN, (HEADER, "bob"), (HEADER, "bob")]] {
        let error = refused(&send(&gateway, QUERY, &headers, &in_body).await);
        assert_eq!((error.status, error.code.as_str()), (400, "Neo.ClientError.Request.Invalid"));
        assert!(error.message.contains(HEADER), "{}", error.message);
    }
    assert_eq!(
        who(&send(&gateway, QUERY, &[ADMIN], &whoami()).await),
        json!(["neo4j", null]),
        "it was for one request"
    );
}

#[tokio::test]
async fn keeps_the_user_of_a_transaction() {
    let (_fake, gateway) = enterprise(&[]).await;
    let bob = [ADMIN, (HEADER, "bob")];
    let begun = gateway.send("POST", &format!("{QUERY}/tx"), &bob, "").await;
    let path = format!("{QUERY}/tx/{}", transaction_id(&begun));
    for headers in [&bob[..], &[ADMIN]] {
        assert_eq!(who(&send(&gateway, &path, headers, &whoami()).await), json!(["neo4j", "bob"]));
    }
    let error = refused(&send(&gateway, &path, &[ADMIN, (HEADER, "alice")], &whoami()).await);
    assert!(error.status == 400 && error.message.contains("impersonates another user"), "{error:?}");
    assert_eq!(gateway.send("POST", &format!("{path}/commit"), &bob, "").await.status, 202, "it is still open");
}

#[tokio::test]
async fn allows_impersonation_as_configured() {
    let list = [("auth.impersonation", "list"), ("auth.impersonation_list", "neo4j -> bob, * -> reader")];
    for (settings, user, allowed) in [
        (&[("auth.impersonation", "off")][..], "bob", false),
        (&[("auth.impersonation", "own")], "bob", false),
        (&list, "bob", true),
        (&list, "alice", false),
        (&[("auth.impersonation", "database")], "bob", true),
        (&[("auth.impersonation", "any")], "bob", true),
    ] {
        let (fake, gateway) = enterprise(settings).await;
        let request = json!({ "statement": "WHOAMI", "impersonatedUser": user });
        for path in [QUERY.to_owned(), format!("{QUERY}/tx")] {
            let answer = send(&gateway, &path, &[ADMIN], &request).await;
            if allowed {
                assert_eq!(who(&answer), json!(["neo4j", user]), "{settings:?}");
            } else {
                assert_eq!(refused(&answer), forbidden(user), "{settings:?}");
                assert_eq!(fake.control.count("RUN"), 0);
            }
        }
    }
    let (_fake, gateway) = enterprise(&list).await;
    let request = json!({ "statement": "WHOAMI", "impersonatedUser": "bob" });
    assert_eq!(refused(&send(&gateway, QUERY, &[ALICE], &request).await), forbidden("bob"), "the rule is for neo4j");
}

#[tokio::test]
async fn rejects_impersonation_by_anonymous_callers() {
    let account = [
        ("auth.anonymous", "service"),
        ("auth.service_account.user", "neo4j"),
        ("auth.service_account.password", "password"),
    ];
    let (_fake, gateway) = enterprise(&account).await;
    assert_eq!(who(&send(&gateway, QUERY, &[], &whoami()).await), json!(["neo4j", null]));
    let error = refused(&send(&gateway, QUERY, &[(HEADER, "bob")], &whoami()).await);
    assert_eq!(error, forbidden("bob"));
    // Those with credentials of their own go on as themselves, and one's transactions are not the other's.
    assert_eq!(who(&send(&gateway, QUERY, &[ALICE], &whoami()).await), json!(["alice", null]));
    let begun = send(&gateway, &format!("{QUERY}/tx"), &[], &json!({})).await;
    let path = format!("{QUERY}/tx/{}", transaction_id(&begun));
    assert_eq!(send(&gateway, &path, &[ADMIN], &whoami()).await.status, 404, "the same login, another caller");
    assert_eq!(who(&send(&gateway, &path, &[], &whoami()).await), json!(["neo4j", null]));
}

#[tokio::test]
async fn rejects_unaccepted_kinds_of_credentials() {
    let settings = [("auth.anonymous", "refuse"), ("auth.basic", "refuse"), ("auth.bearer", "refuse")];
    let (fake, gateway) = enterprise(&settings).await;
    for (headers, message) in [
        (vec![], "No authentication header supplied."),
        (vec![ADMIN], "This gateway does not accept user names and passwords (auth.basic)."),
        (vec![("Authorization", "Bearer a.b.c")], "This gateway does not accept tokens (auth.bearer)."),
    ] {
        let answer = send(&gateway, QUERY, &headers, &whoami()).await;
        let error = refused(&answer);
        let code = "Neo.ClientError.Security.Unauthorized";
        assert_eq!((error.status, error.code.as_str(), error.message.as_str()), (401, code, message));
        assert_eq!(answer.header("WWW-Authenticate"), None, "there is nothing to offer");
    }
    assert_eq!(fake.control.counts().accepted, 0);
}

#[tokio::test]
async fn challenges_for_what_is_accepted() {
    const WRONG: (&str, &str) = ("Authorization", "Basic bmVvNGo6d3Jvbmc=");
    for (changes, challenge) in [
        (&[][..], r#"Basic realm="boltgate", Bearer realm="boltgate""#),
        (&[("auth.bearer", "refuse")], r#"Basic realm="boltgate""#),
        (&[("auth.basic", "refuse")], r#"Bearer realm="boltgate""#),
        (&[("auth.bearer", "refuse"), ("auth.realm", r#"The "graph""#)], r#"Basic realm="The \"graph\"""#),
    ] {
        let (_fake, gateway) = enterprise(changes).await;
        for path in [QUERY, "/db/neo4j/query/v2/tx", "/db/neo4j/nothing"] {
            let answer = send(&gateway, path, &[WRONG], &whoami()).await;
            assert_eq!((answer.status, answer.header("WWW-Authenticate")), (401, Some(challenge)), "{path}: {answer}");
        }
    }
}

#[tokio::test]
async fn sends_no_challenge_to_pages_that_ask_themselves() {
    const WRONG: (&str, &str) = ("Authorization", "Basic bmVvNGo6d3Jvbmc=");
    let (_fake, database_refuses) = enterprise(&[]).await;
    let (_other, gateway_refuses) = enterprise(&[("auth.anonymous", "refuse"), ("auth.bearer", "refuse")]).await;
    for (gateway, path, credentials) in [
        (&database_refuses, QUERY, vec![WRONG]),
        (&database_refuses, "/db/neo4j/query/v2/tx", vec![WRONG]),
        (&database_refuses, "/db/neo4j/nothing", vec![WRONG]),
        (&gateway_refuses, QUERY, vec![]),
        (&gateway_refuses, QUERY, vec![("Authorization", "Bearer a.b.c")]),
    ] {
        for (said, challenged) in [("true", false), ("false", true), ("TRUE", true)] {
            let headers = [&credentials[..], &[("X-Ajax-Browser-Auth", said)]].concat();
            let answer = send(gateway, path, &headers, &whoami()).await;
            assert_eq!(refused(&answer).status, 401);
            assert_eq!(answer.header("WWW-Authenticate").is_some(), challenged, "{path} {said}: {answer}");
        }
    }
}

#[tokio::test]
async fn rejects_repeated_headers() {
    let (fake, gateway) = enterprise(&[]).await;
    let token = ("Authorization", "Bearer a.b.c");
    for headers in [vec![token, token], vec![token, ("X-Id-Token", "a.b.c"), ("X-Id-Token", "d.e.f")]] {
        let error = refused(&send(&gateway, QUERY, &headers, &whoami()).await);
        assert_eq!((error.status, error.code.as_str()), (400, "Neo.ClientError.Request.InvalidFormat"));
    }
    assert_eq!(fake.control.counts().accepted, 0);
}

#[tokio::test]
async fn allows_only_reads_through_a_read_only_account() {
    let settings = [
        ("auth.anonymous", "service"),
        ("auth.service_account.user", "alice"),
        ("auth.service_account.password", "wonderland"),
        ("auth.service_account.read_only", "true"),
    ];
    let (_fake, gateway) = enterprise(&settings).await;
    for request in [whoami(), json!({ "statement": "WHOAMI", "accessMode": "WRITE" })] {
        for path in [QUERY.to_owned(), format!("{QUERY}/tx")] {
            let row = values(&send(&gateway, &path, &[], &request).await)[0].clone();
            assert_eq!(row[3], json!("r"), "{request} {path}");
        }
    }
    let row = values(&send(&gateway, QUERY, &[ADMIN], &whoami()).await)[0].clone();
    assert_eq!(row[3], Value::Null, "those who log in as themselves write");
}

/// A cache by user name would give the second user the rights of the first.
#[tokio::test]
async fn separates_two_tokens_of_one_user() {
    let (fake, gateway) = enterprise(&[]).await;
    let claims = |role: &str| json!({ "iss": "i", "sub": "alice", "roles": [role], "exp": 4_000_000_000_u64 });
    let token = |role| format!("e30.{}.signature", URL_SAFE_NO_PAD.encode(claims(role).to_string()));
    let (reader, admin) = (token("reader"), token("admin"));
    fake.control.set_token("bearer", &reader, "alice as reader");
    fake.control.set_token("bearer", &admin, "alice as admin");
    let begun =
        send(&gateway, &format!("{QUERY}/tx"), &[("Authorization", &format!("Bearer {admin}"))], &json!({})).await;
    let path = format!("{QUERY}/tx/{}", transaction_id(&begun));
    for _ in 0..3 {
        for (token, principal) in [(&reader, "alice as reader"), (&admin, "alice as admin")] {
            let authorization = ("Authorization", format!("Bearer {token}"));
            let headers = [(authorization.0, authorization.1.as_str())];
            assert_eq!(who(&send(&gateway, QUERY, &headers, &whoami()).await), json!([principal, null]));
        }
    }
    let headers = [("Authorization", format!("Bearer {reader}"))];
    let headers = [(headers[0].0, headers[0].1.as_str())];
    assert_eq!(send(&gateway, &path, &headers, &whoami()).await.status, 404, "the other token's transaction");
}

#[tokio::test]
async fn hides_statements_from_other_callers_on_the_service_account() {
    let settings = [
        ("auth.anonymous", "service"),
        ("auth.service_account.user", "neo4j"),
        ("auth.service_account.password", "password"),
    ];
    let (_fake, gateway) = enterprise(&settings).await;
    let running = "/db/neo4j/query/v2/running";
    for (method, path) in [("GET", running.to_owned()), ("DELETE", format!("{running}/0123456789abcdef"))] {
        let told = refused(&gateway.send(method, &path, &[], "").await);
        assert_eq!((told.status, told.code.as_str()), (400, "Neo.ClientError.Security.Forbidden"), "{method}");
        assert!(told.message.contains("cannot be told apart"), "{}", told.message);
        let precise = gateway.send(method, &path, &[("Boltgate-Statuses", "precise")], "").await;
        assert_eq!(precise.status, 403, "{precise}");
    }
    // Any named user may.
    assert_eq!(gateway.send("GET", running, &[ADMIN], "").await.status, 200);
}
