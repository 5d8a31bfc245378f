//! What a request is part of, and how long its parts took: `traceparent`, `X-Request-Id`, `Server-Timing`.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::{
    bolt::{
        self,
        fake_memgraph::{self, FakeMemgraph},
        fake_neo4j::{self, FakeNeo4j},
    },
    gateway::{Gateway, start_memory},
    http::Response,
    query::body,
};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A gateway, and the path of its database.
struct Stand {
    gateway: Gateway,
    path: &'static str,
}

async fn stands(changes: &[(&'static str, &str)]) -> [Stand; 2] {
    let neo4j = FakeNeo4j::start_with(fake_neo4j::Options::default().without_auth()).await;
    let memgraph = FakeMemgraph::start_with(fake_memgraph::Options::default()).await;
    [
        Stand { gateway: start_memory(move || neo4j.connect(), changes).await, path: "/db/neo4j/query/v2" },
        Stand { gateway: start_memory(move || memgraph.connect(), changes).await, path: "/db/memgraph/query/v2" },
    ]
}

impl Stand {
    async fn post(&self, below: &str, headers: &[(&str, &str)], request: Value) -> Response {
        let headers = [&[("Content-Type", "application/json")], headers].concat();
        let path = format!("{}{below}", self.path);
        self.gateway.send("POST", &path, &headers, &request.to_string()).await
    }
}

/// The metadata that the database shows for the statement WHOAMI, without the gateway's own mark on Memgraph.
fn shown(result: &Value) -> Value {
    let data = &result["data"];
    let at = data["fields"].as_array().unwrap().iter().position(|field| field == "tx_metadata");
    let mut shown = data["values"][0][at.unwrap()].clone();
    if let Some(members) = shown.as_object_mut() {
        members.remove("boltgate");
    }
    if shown == json!({}) { Value::Null } else { shown }
}

#[tokio::test]
async fn the_database_learns_what_a_request_is_part_of() {
    for stand in stands(&[]).await {
        let whoami = || json!({ "statement": "WHOAMI" });
        let alone = stand.post("", &[], whoami()).await;
        assert_eq!(shown(&body(&alone)), Value::Null, "{alone}");
        let malformed = [("traceparent", "00-nonsense-01"), ("X-Request-Id", "not an id")];
        assert_eq!(shown(&body(&stand.post("", &malformed, whoami()).await)), Value::Null);
        let twice = [("traceparent", PARENT), ("traceparent", PARENT)];
        assert_eq!(shown(&body(&stand.post("", &twice, whoami()).await)), Value::Null);

        let named = [("X-Request-Id", "mine")];
        assert_eq!(shown(&body(&stand.post("", &named, whoami()).await)), json!({ "request_id": "mine" }));
        let traced = stand.post("", &[("traceparent", PARENT)], whoami()).await;
        let id = traced.header("X-Request-Id").unwrap();
        assert_eq!(shown(&body(&traced)), json!({ "traceparent": PARENT, "request_id": id }));

        let own = json!({ "statement": "WHOAMI", "txMetadata": { "app": "test", "request_id": "its own" } });
        let both = [("traceparent", PARENT), ("X-Request-Id", "mine")];
        let expected = json!({ "app": "test", "request_id": "its own", "traceparent": PARENT });
        assert_eq!(shown(&body(&stand.post("", &both, own).await)), expected);

        let batch = json!({ "statements": [{ "statement": "WHOAMI" }] });
        let results = body(&stand.post("/batch", &named, batch).await);
        assert_eq!(shown(&results["results"][0]), json!({ "request_id": "mine" }));
        let reading = json!({ "statement": "WHOAMI", "accessMode": "READ" });
        assert_eq!(shown(&body(&stand.post("", &named, reading).await)), json!({ "request_id": "mine" }));
    }
}

#[tokio::test]
async fn a_transaction_is_part_of_what_the_request_is_that_begins_it() {
    let fake = Arc::new(FakeNeo4j::start_with(fake_neo4j::Options::default().without_auth()).await);
    let server = Arc::clone(&fake);
    let stand = Stand { gateway: start_memory(move || server.connect(), &[]).await, path: "/db/neo4j/query/v2" };
    let begun = stand.post("/tx", &[("X-Request-Id", "first")], json!({})).await;
    let path = format!("/tx/{}", body(&begun)["transaction"]["id"].as_str().unwrap());
    let second = stand.post(&path, &[("X-Request-Id", "second")], json!({ "statement": "ECHO 1" })).await;
    assert_eq!((second.status, second.header("X-Request-Id")), (202, Some("second")));
    let third = stand.post("/tx", &[("X-Request-Id", "third")], json!({ "statement": "ECHO 1" })).await;
    assert_eq!(third.status, 202, "{third}");
    // The extra dictionary is BEGIN's first field, and RUN's third.
    let told = |name: &str, extra: usize| {
        let seen = fake.control.seen();
        let extras = seen.iter().filter(|message| message.name() == name).filter_map(|message| message.field(extra));
        let id = |extra: &bolt::value::Value| extra.get("tx_metadata")?.get("request_id")?.as_str().map(str::to_owned);
        extras.map(id).collect::<Vec<_>>()
    };
    assert_eq!(told("BEGIN", 0), [Some("first".to_owned()), Some("third".to_owned())]);
    assert_eq!(told("RUN", 2), [None, None]);
}

/// Whether `value` is `name;dur=1.234`, for each of `names` in their order.
fn is_timing(value: &str, names: &[&str]) {
    let parts: Vec<_> = value.split(", ").map(|part| part.split_once(";dur=").expect(value)).collect();
    assert_eq!(parts.iter().map(|(name, _)| *name).collect::<Vec<_>>(), names, "{value}");
    for (_, duration) in parts {
        let decimals = duration.split_once('.').map_or("", |(_, decimals)| decimals);
        assert!(duration.parse::<f64>().is_ok_and(|duration| duration >= 0.0) && decimals.len() <= 3, "{value}");
    }
}

#[tokio::test]
async fn an_answer_says_on_request_how_long_its_parts_took() {
    let [stand, _] = stands(&[]).await;
    let statement = || json!({ "statement": "ROWS 3" });
    assert_eq!(stand.post("", &[], statement()).await.header("Server-Timing"), None);
    assert_eq!(stand.post("", &[("Boltgate-Timing", "off")], statement()).await.header("Server-Timing"), None);
    let wanted = [("Boltgate-Timing", "on")];
    let timed = stand.post("", &wanted, statement()).await;
    is_timing(timed.header("Server-Timing").unwrap(), &["auth", "wait", "database", "total"]);
    let begun = stand.post("/tx", &wanted, json!({})).await;
    is_timing(begun.header("Server-Timing").unwrap(), &["auth", "wait", "database", "total"]);
    let refused = stand.post("", &wanted, json!({})).await;
    assert_eq!(refused.status, 400);
    is_timing(refused.header("Server-Timing").unwrap(), &["auth", "total"]);
    let nowhere = stand.gateway.send("GET", "/", &wanted, "").await;
    is_timing(nowhere.header("Server-Timing").unwrap(), &["total"]);
}

#[tokio::test]
async fn every_answer_says_how_long_its_parts_took_if_the_operator_wants_it() {
    let [stand, _] = stands(&[("http.server_timing", "true")]).await;
    let timed = stand.post("", &[], json!({ "statement": "ROWS 3" })).await;
    is_timing(timed.header("Server-Timing").unwrap(), &["auth", "wait", "database", "total"]);
}
