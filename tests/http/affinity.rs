//! Several gateways behind one address: who has a transaction, and what the others answer.
#![cfg(feature = "embedded")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use boltgate::embedded::Embedded;
use serde_json::json;

use crate::support::{
    gateway::{Gateway, start_memory},
    http::Response,
    query::{body, refused, transaction_id, values},
};

const TX: &str = "/db/neo4j/query/v2/tx";
const AFFINITY: &str = "neo4j-cluster-affinity";
const JSON: (&str, &str) = ("Content-Type", "application/json");
const RETURN_1: &str = r#"{"statement":"RETURN 1 AS one"}"#;

/// Gateways in front of one database.
struct Stand {
    database: Arc<Embedded>,
    /// How often a gateway has connected to the database.
    connections: Arc<AtomicUsize>,
}

impl Stand {
    fn new() -> Self {
        let database = Arc::new(Embedded::open(None).expect("a temporary database opens"));
        Self { database, connections: Arc::default() }
    }

    async fn gateway(&self, changes: &[(&'static str, &str)]) -> Gateway {
        let (database, connections) = (Arc::clone(&self.database), Arc::clone(&self.connections));
        let connect = move || {
            connections.fetch_add(1, Ordering::Relaxed);
            database.connect()
        };
        start_memory(connect, changes).await
    }

    async fn instance(&self, name: &str) -> Gateway {
        self.gateway(&[("server.instance", name)]).await
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// The answer that opens a transaction.
async fn begin(gateway: &Gateway, headers: &[(&str, &str)], body: &str) -> Response {
    let headers: Vec<_> = [JSON].into_iter().chain(headers.iter().copied()).collect();
    let response = gateway.send("POST", TX, &headers, body).await;
    assert_eq!(response.status, 202, "{response}");
    response
}

/// All that can be asked of the transaction `id`.
fn requests(id: &str) -> [(&'static str, String, &'static str); 5] {
    [
        ("POST", format!("{TX}/{id}"), RETURN_1),
        ("POST", format!("{TX}/{id}"), ""),
        ("POST", format!("{TX}/{id}/commit"), RETURN_1),
        ("POST", format!("{TX}/{id}/commit"), ""),
        ("DELETE", format!("{TX}/{id}"), ""),
    ]
}

#[tokio::test]
async fn the_answer_that_opens_a_transaction_says_who_has_it() {
    let gateway = Stand::new().instance("gw-1.eu").await;
    let read = json!({ "accessMode": "READ" }).to_string();
    for request in [read.as_str(), r#"{"statement":"RETURN 1 AS one","accessMode":"READ"}"#] {
        let opened = begin(&gateway, &[], request).await;
        assert_eq!(opened.header(AFFINITY), Some("gw-1.eu"));
        let cookie = "boltgate-affinity=gw-1.eu; Path=/db/; HttpOnly; SameSite=Lax";
        assert_eq!(opened.header("Set-Cookie"), Some(cookie));
        let id = transaction_id(&opened);
        let digits = id.strip_prefix("gw-1.eu-").expect("the handle begins with the instance");
        assert!(digits.len() == 28 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");

        let used = gateway.post(&format!("{TX}/{id}"), RETURN_1).await;
        assert_eq!(values(&used), json!([[1]]));
        let committed = gateway.post(&format!("{TX}/{id}/commit"), "").await;
        assert_eq!(committed.status, 202, "{committed}");
        for answer in [used, committed] {
            assert_eq!((answer.header(AFFINITY), answer.header("Set-Cookie")), (None, None), "{answer}");
        }
    }
    let query = gateway.query("RETURN 1").await;
    assert_eq!((query.header(AFFINITY), query.header("Set-Cookie")), (None, None), "{query}");
}

#[tokio::test]
async fn no_transaction_no_affinity() {
    let gateway = Stand::new().instance("gw-a").await;
    let refused = gateway.post(TX, r#"{"statement":"THIS IS NOT CYPHER"}"#).await;
    assert_eq!(refused.status, 400, "{refused}");
    assert_eq!((refused.header(AFFINITY), refused.header("Set-Cookie")), (None, None), "{refused}");
}

#[tokio::test]
async fn the_cookie_is_secure_if_the_client_speaks_tls_to_a_trusted_proxy() {
    let stand = Stand::new();
    let trusting = stand.gateway(&[("server.instance", "gw-a"), ("server.trusted_proxies", "127.0.0.1")]).await;
    let other = stand.instance("gw-a").await;
    let read = json!({ "accessMode": "READ" }).to_string();
    for (gateway, scheme, secure) in [(&trusting, "https", true), (&trusting, "http", false), (&other, "https", false)]
    {
        let opened = begin(gateway, &[("X-Forwarded-Proto", scheme)], &read).await;
        let cookie = opened.header("Set-Cookie").expect("a cookie");
        assert_eq!(cookie.ends_with("; SameSite=Lax; Secure"), secure, "{scheme}: {cookie}");
    }
}

#[tokio::test]
async fn another_instance_says_who_has_the_transaction_and_looks_no_further() {
    let stand = Stand::new();
    let (a, b) = (stand.instance("gw-a").await, stand.instance("gw-b").await);
    let opened = begin(&a, &[], "{}").await;
    let id = transaction_id(&opened);
    let connections = stand.connections();
    for authorization in [None, Some("Basic !"), Some("Digest x")] {
        for (method, path, request) in requests(&id) {
            let headers: Vec<_> = [Some(JSON), authorization.map(|value| ("Authorization", value))]
                .into_iter()
                .flatten()
                .chain([("Idempotency-Key", "k")])
                .collect();
            let response = b.send(method, &path, &headers, request).await;
            assert_eq!(response.header(AFFINITY), Some("gw-a"), "{method} {path}: {response}");
            assert_eq!(response.header("Content-Type"), Some("application/json"), "{response}");
            assert_eq!(response.header("Set-Cookie"), None, "{response}");
            let refusal = refused(&response);
            assert_eq!(
                (refusal.status, refusal.code.as_str()),
                (421, "Boltgate.ClientError.Transaction.OtherInstance"),
                "{method} {path}"
            );
            assert!(refusal.message.contains("gw-a has this transaction"), "{}", refusal.message);
        }
    }
    let precise = b.send("DELETE", &format!("{TX}/{id}"), &[("Boltgate-Statuses", "precise")], "").await;
    assert_eq!((precise.status, &body(&precise)["errors"][0]["retryable"]), (421, &json!(false)), "{precise}");
    assert_eq!(stand.connections(), connections, "the database was asked");

    // It is still there for who has it.
    let committed = a.post(&format!("{TX}/{id}/commit"), RETURN_1).await;
    assert_eq!(values(&committed), json!([[1]]));
}

#[tokio::test]
async fn handles_of_nobody_are_not_found() {
    let gateway = Stand::new().instance("gw-a").await;
    let digits = "0".repeat(28);
    for id in [
        "abc".to_owned(),
        "0".repeat(32),
        format!("gw-a-{digits}"),
        format!("gw-b-{digits}0"),
        format!("gw-b-{}", "G".repeat(28)),
        format!("gw_b-{digits}"),
        format!("gw%0D%0Ax-{digits}"),
        format!("{}-{digits}", "x".repeat(33)),
    ] {
        for (method, path, request) in requests(&id) {
            let response = gateway.send(method, &path, &[JSON], request).await;
            assert_eq!(response.header(AFFINITY), None, "{method} {path}: {response}");
            assert_eq!(refused(&response).status, 404, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_only_gateway_knows_no_instances() {
    let gateway = Stand::new().gateway(&[]).await;
    let opened = begin(&gateway, &[(AFFINITY, "gw-a"), ("Cookie", "boltgate-affinity=gw-a")], "{}").await;
    assert_eq!((opened.header(AFFINITY), opened.header("Set-Cookie")), (None, None), "{opened}");
    let id = transaction_id(&opened);
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    for (method, path, request) in requests(&format!("gw-a-{}", "0".repeat(28))) {
        let response = gateway.send(method, &path, &[JSON], request).await;
        assert_eq!((response.header(AFFINITY), refused(&response).status), (None, 404), "{method} {path}");
    }
}

#[tokio::test]
async fn old_affinities_on_other_requests_mean_nothing() {
    let gateway = Stand::new().instance("gw-b").await;
    // The Python driver sends the last one that it has received along with everything.
    let stale = [JSON, (AFFINITY, "gw-a"), ("Cookie", "boltgate-affinity=gw-a")];
    let query = gateway.send("POST", "/db/neo4j/query/v2", &stale, RETURN_1).await;
    assert_eq!(values(&query), json!([[1]]));
    let opened = begin(&gateway, &stale[1..], "{}").await;
    assert_eq!(opened.header(AFFINITY), Some("gw-b"));
}

/// The older API's.
const OLDER: &str = "/db/neo4j/tx";

/// The path of the transaction that a request to the older API opens.
async fn open_older(gateway: &Gateway, request: &str) -> String {
    let opened = gateway.send("POST", OLDER, &[JSON], request).await;
    assert_eq!(opened.status, 201, "{opened}");
    let location = opened.header("Location").expect("it has an address");
    location[location.find("/db/").unwrap()..].to_owned()
}

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn the_older_api_tells_instances_by_the_first_digits() {
    let stand = Stand::new();
    for (name, digits) in [("gw-0", "10"), ("boltgate-7", "17"), ("gw-89", "99"), ("gw-90", "10"), ("gw-a", "10")] {
        let gateway = stand.instance(name).await;
        for request in ["", r#"{"statements":[{"statement":"RETURN 1"}]}"#] {
            let path = open_older(&gateway, request).await;
            assert!(id(&path).len() == 9 && id(&path).starts_with(digits), "{name}: {path}");
            let ended = gateway.send("DELETE", &path, &[], "").await;
            assert_eq!(ended.status, 200, "{ended}");
        }
        // What leads to no transaction leads to this gateway as well.
        let failed = open_older(&gateway, r#"{"statements":[{"statement":"NONSENSE"}]}"#).await;
        assert!(id(&failed).starts_with(digits), "{name}: {failed}");
        assert_eq!(gateway.send("POST", &failed, &[JSON], "").await.status, 404);
    }
}

#[tokio::test]
async fn the_older_api_says_who_has_a_transaction_of_another_instance() {
    let stand = Stand::new();
    let (one, two) = (stand.instance("gw-1").await, stand.instance("gw-2").await);
    let opened = one.send("POST", OLDER, &[JSON], "").await;
    assert_eq!(opened.header(AFFINITY), Some("gw-1"), "{opened}");
    let path = open_older(&one, "").await;
    let connections = stand.connections();
    for authorization in [None, Some("Basic !")] {
        for (method, path) in [("POST", path.clone()), ("POST", format!("{path}/commit")), ("DELETE", path.clone())] {
            let headers: Vec<_> =
                [Some(JSON), authorization.map(|value| ("Authorization", value))].into_iter().flatten().collect();
            let response = two.send(method, &path, &headers, "").await;
            assert_eq!(
                (response.status, response.header(AFFINITY)),
                (421, Some("gw-1")),
                "{method} {path}: {response}"
            );
            let answer = body(&response);
            let error = &answer["errors"][0];
            assert_eq!((&answer["results"], answer.get("commit")), (&json!([]), None), "{response}");
            assert_eq!(error["code"], "Boltgate.ClientError.Transaction.OtherInstance");
            assert!(error["message"].as_str().unwrap().contains("gw-1 has this transaction"), "{response}");
        }
    }
    assert_eq!(stand.connections(), connections, "the database was asked");
    assert_eq!(one.send("POST", &format!("{path}/commit"), &[JSON], "").await.status, 200, "it is still there");

    // Handles that no instance has made, or this one.
    for id in ["12", "-12", "099999999", "1234567890", "121234567"] {
        let response = two.send("POST", &format!("{OLDER}/{id}"), &[JSON], "").await;
        assert_eq!((response.status, response.header(AFFINITY)), (404, None), "{id}: {response}");
    }
}

#[tokio::test]
async fn the_older_api_takes_no_instance_for_another_without_numbers() {
    for name in [None, Some("gw-a")] {
        let changes: Vec<_> = name.map(|name| ("server.instance", name)).into_iter().collect();
        let gateway = Stand::new().gateway(&changes).await;
        let response = gateway.send("POST", &format!("{OLDER}/151234567"), &[JSON], "").await;
        assert_eq!((response.status, response.header(AFFINITY)), (404, None), "{response}");
    }
}
