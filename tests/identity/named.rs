//! Who may call which named query, on which account, and that nobody learns of the others.

use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::own_cypher::{token, with_tokens};
use crate::support::{
    bolt::fake_neo4j::FakeNeo4j,
    gateway::{self, Gateway},
    http::Response,
    query::{authorization, body, refused},
};

const FILES: [(&str, &str); 8] = [
    ("hurried", "//: timeout = \"5s\"\nWHOAMI"),
    ("writing", "//: access = \"write\"\nWHOAMI"),
    ("anybody", "WHOAMI"),
    ("for-alice", "//: allow = [\"user:alice\"]\nWHOAMI"),
    ("elsewhere", "//: databases = [\"other\"]\nWHOAMI"),
    ("open", "//: allow = [\"*\"]\n//: run_as = \"service\"\nWHOAMI"),
    ("lent", "//: allow = [\"user:alice\"]\n//: run_as = \"service\"\nWHOAMI"),
    ("role", "//: allow = [\"claim:roles=reader\"]\n//: run_as = \"service\"\nWHOAMI"),
];
const ACCOUNT: [(&str, &str); 2] =
    [("auth.service_account.user", "neo4j"), ("auth.service_account.password", "password")];

struct Stand {
    fake: FakeNeo4j,
    gateway: Gateway,
    _folder: TempDir,
}

impl Stand {
    async fn start(settings: &[(&'static str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let has_issuer = settings.iter().any(|(key, _)| key.starts_with("auth.issuers"));
        for (name, text) in FILES.iter().filter(|(name, _)| has_issuer || *name != "role") {
            let text = format!("//: mcp = true\n{text}");
            fs::write(folder.path().join(format!("{name}.cypher")), text).expect("there is room for a file");
        }
        let fake = FakeNeo4j::start().await;
        let directory = folder.path().to_str().expect("it is UTF-8").to_owned();
        let named = [("named.directory", directory.as_str()), ("named.check", "off"), ("mcp.enabled", "true")];
        let settings = [&named[..], settings].concat();
        let gateway = gateway::start_for_with(&fake.uri(), &settings).await;
        Self { fake, gateway, _folder: folder }
    }

    async fn call(&self, method: &str, name: &str, authorization: Option<&str>) -> Response {
        let credentials: Vec<_> = authorization.into_iter().map(|value| ("Authorization", value)).collect();
        self.gateway.send(method, &format!("/db/neo4j/named/{name}"), &credentials, "").await
    }
}

/// The named queries that `/openapi.json` has a path for, and its tag.
async fn described(stand: &Stand, authorization: Option<&str>) -> (Vec<String>, String) {
    let credentials: Vec<_> = authorization.into_iter().map(|value| ("Authorization", value)).collect();
    let answer = stand.gateway.send("GET", "/openapi.json", &credentials, "").await;
    assert_eq!((answer.status, answer.header("Vary")), (200, Some("Authorization, Accept-Encoding")), "{answer}");
    let tag = answer.header("ETag").expect("it has a tag").to_owned();
    let document = body(&answer);
    let paths = document["paths"].as_object().expect("paths").keys();
    let names = paths.filter_map(|path| path.strip_prefix("/db/{db}/named/")).filter(|name| *name != "{name}");
    (names.map(str::to_owned).collect(), tag)
}

#[tokio::test]
async fn the_description_shows_what_its_reader_may_call() {
    let stand = Stand::start(&ACCOUNT).await;
    let (alice, bob) = (authorization("alice", "wonderland"), authorization("bob", "builder"));
    let guessed = authorization("alice", "guess");
    let (of_alice, tag_of_alice) = described(&stand, Some(&alice)).await;
    assert_eq!(of_alice, ["anybody", "elsewhere", "for-alice", "hurried", "lent", "open", "writing"]);
    let (of_bob, tag_of_bob) = described(&stand, Some(&bob)).await;
    assert_eq!(of_bob, ["anybody", "elsewhere", "hurried", "open", "writing"]);
    let (of_nobody, tag_of_nobody) = described(&stand, Some(&guessed)).await;
    assert_eq!(of_nobody, ["open"]);
    assert_ne!(tag_of_alice, tag_of_bob);
    assert_ne!(tag_of_bob, tag_of_nobody);
    for (caller, tag, status) in
        [(&alice, &tag_of_alice, 304), (&bob, &tag_of_alice, 200), (&guessed, &tag_of_alice, 200)]
    {
        let headers = [("Authorization", caller.as_str()), ("If-None-Match", tag)];
        let again = stand.gateway.send("GET", "/openapi.json", &headers, "").await;
        let vary = again.header("Vary").unwrap_or_default();
        assert!(again.status == status && vary.starts_with("Authorization"), "{again}");
    }
}

/// The user that the database saw.
fn who(answer: &Response) -> Value {
    assert_eq!(answer.status, 200, "{answer}");
    body(answer)[0]["principal"].clone()
}

/// Everything of an answer that may not tell one query from another.
fn told(answer: &Response, name: &str) -> (u16, Vec<(String, String)>, String) {
    let varies = |header: &str| header.eq_ignore_ascii_case("x-request-id") || header.eq_ignore_ascii_case("date");
    let mut headers: Vec<_> = answer.headers.iter().filter(|(header, _)| !varies(header)).cloned().collect();
    headers.retain(|(header, _)| !header.eq_ignore_ascii_case("content-length"));
    headers.sort();
    (answer.status, headers, answer.text().replace(name, "NAME"))
}

#[tokio::test]
async fn whoever_may_call_runs_as_the_file_says() {
    let stand = Stand::start(&ACCOUNT).await;
    let (alice, bob) = (authorization("alice", "wonderland"), authorization("bob", "builder"));
    assert_eq!(who(&stand.call("GET", "anybody", Some(&bob)).await), "bob");
    assert_eq!(who(&stand.call("GET", "for-alice", Some(&alice)).await), "alice");
    assert_eq!(who(&stand.call("GET", "lent", Some(&alice)).await), "neo4j");
    for anybody in [None, Some(alice.as_str()), Some("Basic bm9ib2R5Om5vdGhpbmc="), Some("Bearer x"), Some("nonsense")]
    {
        assert_eq!(who(&stand.call("GET", "open", anybody).await), "neo4j", "{anybody:?}");
    }
}

#[tokio::test]
async fn the_transaction_is_as_the_file_and_the_request_say() {
    let stand = Stand::start(&ACCOUNT).await;
    let bob = authorization("bob", "builder");
    let typed = [("Authorization", bob.as_str()), ("Accept", "application/vnd.neo4j.query.v1.0")];
    let written = body(&stand.gateway.send("POST", "/db/neo4j/named/writing", &typed, "").await);
    let bookmark = written["bookmarks"][0].as_str().expect("a bookmark");
    let waited_for = format!(" {bookmark} ,");
    let headers = [("Authorization", bob.as_str()), ("Boltgate-Bookmarks", waited_for.as_str())];
    let hurried = stand.gateway.send("GET", "/db/neo4j/named/hurried", &headers, "").await;
    let row = &body(&hurried)[0];
    assert_eq!((&row["tx_timeout"], &row["mode"]), (&json!(5000), &json!("r")), "{hurried}");
    assert_eq!(row["bookmarks"], json!([bookmark]), "{hurried}");
    let writing = body(&stand.call("POST", "writing", Some(&bob)).await)[0].clone();
    assert_eq!(writing["tx_timeout"], json!(600_000), "{writing}");
    assert_ne!(writing["mode"], "r");
}

/// The answer, and what the database was sent before it: what takes no other way takes no other time.
async fn told_and_asked(
    stand: &Stand,
    method: &str,
    name: &str,
    authorization: &str,
) -> ((u16, Vec<(String, String)>, String), BTreeMap<&'static str, usize>) {
    stand.fake.control.forget_messages();
    let answer = stand.call(method, name, Some(authorization)).await;
    let mut asked = stand.fake.control.counts().messages;
    // Comes when the connection has been given up, after the answer.
    asked.remove("GOODBYE");
    (told(&answer, &name.replace("%20", " ")), asked)
}

#[tokio::test]
async fn unknown_and_forbidden_queries_are_told_alike() {
    let stand = Stand::start(&ACCOUNT).await;
    let bob = authorization("bob", "builder");
    // Bob is known from now on.
    stand.call("GET", "nothing", Some(&bob)).await;
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"] {
        let expected = told_and_asked(&stand, method, "nothing", &bob).await;
        assert_eq!(expected.0.0, 404, "{method}");
        if method == "GET" {
            let document = json!({ "errors": [{ "code": "Neo.ClientError.Request.NotFound", "message": "There is no query NAME." }] });
            assert_eq!(serde_json::from_str::<Value>(&expected.0.2).unwrap(), document);
        }
        for name in ["for-alice", "elsewhere", "lent", "NOTHING", "a%20b"] {
            assert_eq!(told_and_asked(&stand, method, name, &bob).await, expected, "{method} {name}");
        }
    }
    // Neither do faulty parameters, headers or bodies tell them apart.
    for headers in [vec![("Accept", "image/png")], vec![("Content-Type", "x/y")], vec![("Boltgate-Bookmarks", "x")]] {
        let headers = [vec![("Authorization", bob.as_str())], headers].concat();
        let ask =
            async |name: &str| stand.gateway.send("POST", &format!("/db/neo4j/named/{name}"), &headers, "{").await;
        assert_eq!(told(&ask("for-alice").await, "for-alice"), told(&ask("nothing").await, "nothing"));
    }
    assert_eq!(stand.fake.control.count("RUN"), 0);
}

#[tokio::test]
async fn who_is_not_accepted_learns_only_that() {
    let stand = Stand::start(&ACCOUNT).await;
    const NAMES: [&str; 4] = ["anybody", "for-alice", "elsewhere", "lent"];
    for (user, password) in [("alice", "guess"), ("nobody", "guess"), ("neo4j", "guess")] {
        let credentials = authorization(user, password);
        // The gateway remembers what the database has refused.
        stand.call("GET", "nothing", Some(&credentials)).await;
        for method in ["GET", "POST", "PUT"] {
            let expected = told_and_asked(&stand, method, "nothing", &credentials).await;
            assert_eq!(expected.0.0, 401, "{user} {method}");
            for name in NAMES {
                assert_eq!(told_and_asked(&stand, method, name, &credentials).await, expected, "{user} {name}");
            }
        }
        let list = stand.gateway.send("GET", "/db/neo4j/named", &[("Authorization", &credentials)], "").await;
        assert_eq!(list.status, 401, "{list}");
    }
    let of_stranger = async |name: &str| {
        let credentials = authorization(&format!("stranger of {name}"), "guess");
        told_and_asked(&stand, "GET", name, &credentials).await
    };
    let expected = of_stranger("nothing").await;
    assert_eq!((expected.0.0, expected.1.get("LOGON")), (401, Some(&1)), "{expected:?}");
    for name in NAMES {
        assert_eq!(of_stranger(name).await, expected, "{name}");
    }
    let stand = Stand::start(&[&ACCOUNT[..], &[("auth.anonymous", "refuse")]].concat()).await;
    let expected = told(&stand.call("GET", "nothing", None).await, "nothing");
    assert_eq!((expected.0, told(&stand.call("GET", "lent", None).await, "lent")), (401, expected.clone()));
    assert_eq!(who(&stand.call("GET", "open", None).await), "neo4j");
    assert_eq!(stand.fake.control.count("RUN"), 1);
}

#[tokio::test]
async fn tokens_are_judged_by_their_claims() {
    let stand = Stand::start(&with_tokens("*")).await;
    let reader = token(&json!({ "sub": "x", "roles": ["reader", "other"] }));
    let other = token(&json!({ "sub": "x", "roles": ["other"] }));
    assert_eq!(who(&stand.call("GET", "role", Some(&reader)).await), "neo4j");
    assert_eq!(stand.call("GET", "role", Some(&other)).await.status, 404);
    let alice = token(&json!({ "sub": "alice" }));
    assert_eq!(who(&stand.call("GET", "lent", Some(&alice)).await), "neo4j");
    let names = async |token: &str| {
        let listed = stand.gateway.send("GET", "/db/neo4j/named", &[("Authorization", token)], "").await;
        let names = body(&listed)["named"].as_array().unwrap().iter().map(|entry| entry["name"].clone()).collect();
        Value::Array(names)
    };
    assert_eq!(names(&reader).await, json!(["anybody", "hurried", "open", "role", "writing"]));
    assert_eq!(names(&alice).await, json!(["anybody", "for-alice", "hurried", "lent", "open", "writing"]));
}

#[tokio::test]
async fn the_account_that_is_lent_acts_as_nobody_else() {
    let stand = Stand::start(&ACCOUNT).await;
    let alice = authorization("alice", "wonderland");
    let headers = [("Authorization", alice.as_str()), ("Boltgate-Impersonated-User", "bob")];
    let answer = stand.gateway.send("GET", "/db/neo4j/named/lent", &headers, "").await;
    assert_eq!(refused(&answer).code, "Neo.ClientError.Security.Forbidden");
    let anonymous = [("Boltgate-Impersonated-User", "bob")];
    let answer = stand.gateway.send("GET", "/db/neo4j/named/open", &anonymous, "").await;
    assert_eq!(refused(&answer).code, "Neo.ClientError.Security.Forbidden");
}

#[tokio::test]
async fn queries_are_left_to_those_who_may_send_nothing_of_their_own() {
    let settings = [&ACCOUNT[..], &[("cypher.allow", "")]].concat();
    let stand = Stand::start(&settings).await;
    let alice = authorization("alice", "wonderland");
    let headers = [("Content-Type", "application/json"), ("Authorization", alice.as_str())];
    let own = stand.gateway.send("POST", "/db/neo4j/query/v2", &headers, r#"{"statement":"WHOAMI"}"#).await;
    assert_eq!(own.status, 403, "{own}");
    assert_eq!(who(&stand.call("GET", "for-alice", Some(&alice)).await), "alice");
}

/// Sends agents' requests.
#[cfg(feature = "mcp")]
mod agents {
    use super::*;

    /// A request of an older revision, which needs no handshake.
    async fn ask(stand: &Stand, authorization: &str, method: &str, params: Value) -> Response {
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let headers = [
            ("Content-Type", "application/json"),
            ("Accept", "application/json, text/event-stream"),
            ("MCP-Protocol-Version", "2025-11-25"),
            ("Authorization", authorization),
        ];
        stand.gateway.send("POST", "/mcp", &headers, &message.to_string()).await
    }

    async fn tools(stand: &Stand, authorization: &str) -> Vec<String> {
        let listed = body(&ask(stand, authorization, "tools/list", json!({})).await);
        let tools = listed["result"]["tools"].as_array().unwrap_or_else(|| panic!("{listed}"));
        // The first two are the gateway's own.
        tools.iter().skip(2).map(|tool| tool["name"].as_str().expect("it has a name").to_owned()).collect()
    }

    async fn call(stand: &Stand, authorization: &str, tool: &str) -> Value {
        body(&ask(stand, authorization, "tools/call", json!({"name": tool, "arguments": {}})).await)
    }

    /// The row that the tool returns.
    async fn row(stand: &Stand, authorization: &str, tool: &str) -> Value {
        let answer = call(stand, authorization, tool).await;
        assert_eq!(answer["result"]["isError"], false, "{answer}");
        answer["result"]["structuredContent"]["rows"][0].clone()
    }

    #[tokio::test]
    async fn agents_are_offered_what_their_users_may_call() {
        let stand = Stand::start(&ACCOUNT).await;
        let (alice, bob) = (authorization("alice", "wonderland"), authorization("bob", "builder"));
        let all = ["anybody", "elsewhere", "for_alice", "hurried", "lent", "open", "writing"];
        assert_eq!(tools(&stand, &alice).await, all);
        assert_eq!(tools(&stand, &bob).await, ["anybody", "elsewhere", "hurried", "open", "writing"]);
        for tool in ["for_alice", "lent", "nothing"] {
            let answer = call(&stand, &bob, tool).await;
            let error = json!({"code": -32602, "message": format!("There is no tool {tool}.")});
            assert_eq!(answer["error"], error, "{answer}");
        }
        let guessed = authorization("alice", "guess");
        for tool in ["for_alice", "open", "nothing"] {
            let refusal = ask(&stand, &guessed, "tools/call", json!({"name": tool, "arguments": {}})).await;
            assert_eq!(refused(&refusal).status, 401, "{tool}");
        }
        assert_eq!(stand.fake.control.count("RUN"), 0);
    }

    #[tokio::test]
    async fn tools_run_as_the_file_says() {
        let stand = Stand::start(&ACCOUNT).await;
        let (alice, bob) = (authorization("alice", "wonderland"), authorization("bob", "builder"));
        for (caller, tool, principal) in [
            (&bob, "anybody", "bob"),
            (&bob, "open", "neo4j"),
            (&alice, "for_alice", "alice"),
            (&alice, "lent", "neo4j"),
            (&bob, "writing", "bob"),
        ] {
            assert_eq!(row(&stand, caller, tool).await["principal"], principal, "{tool}");
        }
        let hurried = row(&stand, &bob, "hurried").await;
        assert_eq!((&hurried["tx_timeout"], &hurried["mode"]), (&json!(5000), &json!("r")), "{hurried}");
        assert_ne!(row(&stand, &bob, "writing").await["mode"], "r");
    }

    #[tokio::test]
    async fn who_an_agent_is_matters_only_once_the_database_has_said_it() {
        let stand = Stand::start(&ACCOUNT).await;
        stand.fake.control.refuse_new(true);
        let alice = authorization("alice", "wonderland");
        let [known, unknown] = [call(&stand, &alice, "for_alice").await, call(&stand, &alice, "nothing").await];
        assert_eq!(known["result"]["isError"], true, "{known}");
        assert_eq!(known, unknown);
    }
}
