//! Several statements in one request: all of them or none, in as few round trips as it takes.
//!
//! Runs against the fakes of Neo4j and Memgraph.

use serde_json::{Value, json};

use crate::support::{
    bolt::{
        control::{Control, Fault},
        fake_memgraph::{FakeMemgraph, Options as MemgraphOptions},
        fake_neo4j::{FakeNeo4j, Options as Neo4jOptions},
        message::{self, success},
        peer::{Peer, Script},
        value::{list, map, v},
    },
    gateway::{Gateway, start_for, start_memory},
    http::Response,
    query::{body, values},
};

/// A gateway in front of a fake.
struct Stand {
    gateway: Gateway,
    control: Control,
    path: &'static str,
    name: &'static str,
}

/// One in front of each.
async fn stands() -> [Stand; 2] {
    let neo4j = FakeNeo4j::start_with(Neo4jOptions::default().without_auth()).await;
    let memgraph = FakeMemgraph::start_with(MemgraphOptions::default()).await;
    let controls = [neo4j.control.clone(), memgraph.control.clone()];
    let gateways =
        [start_memory(move || neo4j.connect(), &[]).await, start_memory(move || memgraph.connect(), &[]).await];
    let names = [("/db/neo4j/query/v2", "Neo4j"), ("/db/memgraph/query/v2", "Memgraph")];
    let mut stands = gateways.into_iter().zip(controls).zip(names).map(|((gateway, control), (path, name))| Stand {
        gateway,
        control,
        path,
        name,
    });
    [stands.next().unwrap(), stands.next().unwrap()]
}

impl Stand {
    async fn batch_with(&self, statements: Value, options: Value, headers: &[(&str, &str)]) -> Response {
        let mut request = json!({ "statements": statements });
        request.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        let mut headers = headers.to_vec();
        headers.push(("Content-Type", "application/json"));
        self.gateway.send("POST", &format!("{}/batch", self.path), &headers, &request.to_string()).await
    }

    async fn batch(&self, statements: Value) -> Response {
        self.batch_with(statements, json!({}), &[]).await
    }

    async fn read(&self, key: &str) -> Value {
        let request = json!({ "statement": format!("READ {key}") });
        values(&self.gateway.post(self.path, &request.to_string()).await)[0][0].clone()
    }

    /// How many messages of this kind have arrived.
    fn count(&self, name: &str) -> usize {
        self.control.count(name)
    }

    fn is_content(&self) {
        assert_eq!(self.control.violations(), [""; 0], "{}", self.name);
    }
}

fn statements(texts: &[&str]) -> Value {
    texts.iter().map(|text| json!({ "statement": text })).collect()
}

/// The only error of a refusal.
fn error(response: &Response) -> Value {
    body(response)["errors"][0].clone()
}

#[tokio::test]
async fn returns_all_results_in_order() {
    for stand in stands().await {
        let answer = stand.batch(statements(&["ADD a 2", "READ a", "ROWS 3", "ADD a 1", "READ a"])).await;
        assert_eq!(answer.status, 202, "{answer}");
        let body = body(&answer);
        let rows: Vec<_> = body["results"].as_array().unwrap().iter().map(|result| &result["data"]["values"]).collect();
        assert_eq!(rows[1..3], [&json!([[2]]), &json!([[1], [2], [3]])], "{answer}");
        assert_eq!(rows[4], &json!([[3]]), "{answer}");
        assert_eq!((&body["attempts"], body["bookmarks"].as_array().unwrap().len()), (&json!(1), 1));
        assert_eq!(answer.header("Boltgate-Attempts"), None);
        assert_eq!(stand.read("a").await, json!(3));
        assert_eq!((stand.count("BEGIN"), stand.count("COMMIT"), stand.count("RESET")), (1, 1, 0), "{}", stand.name);
        stand.is_content();
    }
}

#[tokio::test]
async fn returns_all_results_in_every_format() {
    for stand in stands().await {
        let lines = [("Accept", "application/jsonl")];
        let answer = stand.batch_with(statements(&["ROWS 2", "RETURN 7"]), json!({}), &lines).await;
        let events: Vec<Value> = answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let names: Vec<_> = events.iter().map(|event| event["$event"].as_str().unwrap()).collect();
        assert_eq!(
            names,
            ["Header", "Record", "Record", "Summary", "Header", "Record", "Summary", "Batch"],
            "{}",
            stand.name
        );
        assert_eq!(events[7]["_body"]["attempts"], 1);
        let typed = [("Accept", "application/vnd.neo4j.query")];
        let answer = stand.batch_with(statements(&["RETURN 7"]), json!({}), &typed).await;
        let cell = json!({ "$type": "Integer", "_value": "7" });
        assert_eq!(body(&answer)["results"][0]["data"]["values"], json!([[cell]]), "{answer}");
        assert_eq!(answer.header("Content-Type"), Some("application/vnd.neo4j.query"));
    }
}

#[tokio::test]
async fn returns_one_result_for_a_list_of_parameters() {
    for stand in stands().await {
        let list: Vec<_> = (1..=200).map(|n| json!({ "n": n })).collect();
        let added = json!([
            { "statement": "ECHO $n", "parametersList": list },
            { "statement": "STATS", "parametersList": [{}, {}, {}] },
            { "statement": "ECHO $n", "parameters": { "n": 1000 } },
        ]);
        let answer = stand.batch_with(added, json!({ "includeCounters": true }), &[]).await;
        assert_eq!(answer.status, 202, "{answer}");
        let body = body(&answer);
        let rows: Vec<_> = (1..=200).map(|n| json!([n])).collect();
        assert_eq!(body["results"][0]["data"]["values"], json!(rows), "{}", stand.name);
        assert_eq!(body["results"].as_array().unwrap().len(), 3);
        let once = stand.batch_with(statements(&["STATS"]), json!({ "includeCounters": true }), &[]).await;
        let once = crate::support::query::body(&once)["counters"]["nodesCreated"].as_i64().unwrap();
        assert!(once > 0, "{}", stand.name);
        assert_eq!(body["results"][1]["counters"]["nodesCreated"], once * 3);
        assert_eq!(body["counters"]["nodesCreated"], once * 3);
        assert_eq!(body["counters"]["containsUpdates"], true);
        stand.is_content();
    }
}

#[tokio::test]
async fn applies_nothing_when_one_statement_fails() {
    for stand in stands().await {
        for (at, failing) in [(0, "FAIL A.ClientError.C.D no"), (2, "FAILPULL 1 A.ClientError.C.D no")] {
            let mut texts = vec!["ADD a 1", "ADD a 2", "ADD a 3"];
            texts.insert(at, failing);
            let answer = stand.batch(statements(&texts)).await;
            assert_eq!(answer.status, 400, "{answer}");
            assert_eq!(
                (error(&answer)["statement"].as_u64(), &error(&answer)["message"]),
                (Some(at as u64), &json!("no"))
            );
            assert!(body(&answer).get("results").is_none());
            assert_eq!(stand.read("a").await, Value::Null, "{}", stand.name);
        }
        let answer = stand.batch(statements(&["ADD a 1", "FAILCOMMIT A.ClientError.C.D no"])).await;
        assert_eq!((answer.status, error(&answer).get("statement")), (400, None), "{answer}");
        assert_eq!(stand.read("a").await, Value::Null, "{}", stand.name);
        stand.is_content();
    }
}

#[tokio::test]
async fn rejects_a_bad_request_before_anything_is_sent() {
    let [stand, _] = stands().await;
    for (request, named) in [
        (json!([]), "statements cannot be null or empty"),
        (json!(null), "statements cannot be null or empty"),
        (json!([{}]), "statements[0]: statement cannot be null or empty"),
        (json!([{ "statement": "RETURN 1", "parametersList": [] }]), "parametersList"),
        (json!([{ "statement": "RETURN 1", "txType": "IMPLICIT" }]), "unknown field `txType`"),
    ] {
        let answer = stand.batch(request).await;
        assert_eq!(answer.status, 400, "{answer}");
        assert!(error(&answer)["message"].as_str().unwrap().contains(named), "{answer}");
    }
    assert_eq!(stand.count("BEGIN"), 0);
    // A value that only the connection shows to be unfit is the statement's fault, and takes all back.
    let deep = (0..1100).fold(json!(1), |inner, _| json!([inner]));
    let unfit = json!([{ "statement": "ADD a 1" }, { "statement": "ECHO $d", "parameters": { "d": deep } }]);
    let answer = stand.batch(unfit).await;
    assert_eq!(answer.status, 400, "{answer}");
    assert_eq!(stand.read("a").await, Value::Null);
}

#[tokio::test]
async fn rejects_text_after_the_batch() {
    let one = r#"{"statements":[{"statement":"WRITE behind 1"}]}"#;
    for stand in stands().await {
        for behind in [one, " junk", "\n{}", "]"] {
            let (path, text) = (format!("{}/batch", stand.path), format!("{one}{behind}"));
            let answer = stand.gateway.send("POST", &path, &[("Content-Type", "application/json")], &text).await;
            let message = body(&answer)["errors"][0]["message"].as_str().unwrap_or_default().to_owned();
            assert!(answer.status == 400 && message.contains("text follows the object"), "{}: {answer}", stand.name);
        }
        assert_eq!(stand.read("behind").await, Value::Null, "{}", stand.name);
    }
}

#[tokio::test]
async fn sends_statements_together() {
    for stand in stands().await {
        // So many that they cannot all be on their way at once, and parameters that fill the sockets both ways.
        let wide = "x".repeat(10_000);
        let many: Vec<_> =
            (0..500).map(|n| json!({ "statement": "ECHO $n, $w", "parameters": { "n": n, "w": wide } })).collect();
        let answer = stand.batch(json!(many)).await;
        assert_eq!(answer.status, 202, "{}", stand.name);
        let body = body(&answer);
        let first = |n: usize| body["results"][n]["data"]["values"][0][0].as_u64();
        assert!((0..500).all(|n| first(n) == Some(n as u64)), "{}", stand.name);
        stand.is_content();
    }
}

/// A database that says nothing until BEGIN and fifty statements have come, and nothing until COMMIT has: two exchanges.
#[tokio::test]
async fn sends_fifty_statements_in_two_round_trips() {
    let mut script = Script::new().login((5, 4), "Neo4j/5.26.0").expect_tag(message::BEGIN);
    for _ in 0..50 {
        script = script.expect_tag(message::RUN).expect_tag(message::PULL);
    }
    script = script.send(success(map([])));
    for _ in 0..50 {
        script = script.send(success(map([("fields", list([]))]))).send(success(map([("type", v("w"))])));
    }
    script = script.expect_tag(message::COMMIT).send(success(map([("bookmark", v("FB:done"))])));
    let peer = Peer::listen([script]).await;
    let gateway = start_for(&peer.uri()).await;
    let texts: Vec<_> = (0..50).map(|_| "CREATE ()").collect();
    let request = json!({ "statements": statements(&texts) });
    let answer = gateway.post("/db/neo4j/query/v2/batch", &request.to_string()).await;
    let body = body(&answer);
    assert_eq!((answer.status, &body["bookmarks"]), (202, &json!(["FB:done"])), "{answer}");
    assert_eq!(body["results"].as_array().unwrap().len(), 50);
    gateway.shutdown().await;
    peer.join().await;
}

#[tokio::test]
async fn streams_large_results() {
    for stand in stands().await {
        let answer = stand.batch(statements(&["ROWS 20000 WIDE 500", "ADD a 1", "ROWS 20000 WIDE 500"])).await;
        assert_eq!((answer.status, answer.header("Content-Length")), (202, None), "{}", stand.name);
        let body = body(&answer);
        for at in [0, 2] {
            let rows = body["results"][at]["data"]["values"].as_array().unwrap();
            assert!(rows.len() == 20_000 && rows[19_999][0] == 20_000, "{}", stand.name);
        }
        assert_eq!(stand.read("a").await, json!(1));
        // What fails after that is the last thing in the answer.
        let failing = "FAIL A.ClientError.C.D no";
        let answer = stand.batch(statements(&["ADD a 1", "ROWS 20000 WIDE 500", failing])).await;
        let body = crate::support::query::body(&answer);
        assert_eq!((answer.status, &body["errors"][0]["statement"]), (202, &json!(2)), "{}", stand.name);
        assert!(body.get("bookmarks").is_none());
        assert_eq!(stand.read("a").await, json!(1));
        stand.is_content();
    }
}

#[tokio::test]
async fn repeats_the_whole_batch_after_a_conflict() {
    for stand in stands().await {
        let answer = stand.batch(statements(&["ADD a 1", "CONFLICT 2", "RETURN 7"])).await;
        assert_eq!((answer.status, answer.header("Boltgate-Attempts")), (202, Some("3")), "{answer}");
        assert_eq!((&body(&answer)["attempts"], stand.read("a").await), (&json!(3), json!(1)), "{answer}");
        let once = json!({ "retry": false });
        let answer = stand.batch_with(statements(&["ADD a 1", "CONFLICT 3"]), once, &[]).await;
        assert_eq!((answer.status, &error(&answer)["statement"]), (400, &json!(1)), "{answer}");
        assert_eq!(stand.read("a").await, json!(1), "{}", stand.name);
        stand.is_content();
    }
}

#[tokio::test]
async fn retries_when_the_connection_is_lost_before_the_commit() {
    for stand in stands().await {
        for (message, fault) in
            [("BEGIN", Fault::CloseBefore), ("RUN", Fault::CloseAfter), ("PULL", Fault::CloseBefore)]
        {
            stand.control.on_next(message, fault);
            let answer = stand.batch(statements(&["ADD a 1", "ADD a 1"])).await;
            assert_eq!((answer.status, answer.header("Boltgate-Attempts")), (202, Some("2")), "{message}: {answer}");
        }
        assert_eq!(stand.read("a").await, json!(6), "{}", stand.name);
        for (fault, committed) in [(Fault::CloseBefore, json!(6)), (Fault::CloseAfter, json!(7))] {
            stand.control.on_next("COMMIT", fault);
            let answer = stand.batch(statements(&["ADD a 1"])).await;
            let error = error(&answer);
            assert_eq!(answer.status, 502, "{answer}");
            assert_eq!(error["code"], "Boltgate.DatabaseError.Transaction.OutcomeUnknown", "{answer}");
            assert!(
                error["message"].as_str().unwrap().ends_with("it is unknown whether the transaction was committed")
            );
            assert_eq!(stand.read("a").await, committed, "{}", stand.name);
        }
    }
}

#[tokio::test]
async fn applies_options_to_the_transaction() {
    let [stand, _] = stands().await;
    let bookmark = body(&stand.batch(statements(&["ADD a 1"])).await)["bookmarks"][0].clone();
    let options = json!({
        "accessMode": "READ", "bookmarks": [bookmark.clone()], "txMetadata": { "app": "test" }, "maxExecutionTime": 7,
    });
    let answer = stand.batch_with(statements(&["RETURN 1", "WHOAMI"]), options, &[]).await;
    let result = &body(&answer)["results"][1]["data"];
    let cell = |name: &str| {
        let at = result["fields"].as_array().unwrap().iter().position(|field| field == name).unwrap();
        result["values"][0][at].clone()
    };
    assert_eq!((cell("mode"), cell("bookmarks")), (json!("r"), json!([bookmark])), "{answer}");
    assert_eq!((cell("tx_timeout"), cell("tx_metadata")), (json!(7000), json!({ "app": "test" })), "{answer}");
}

#[tokio::test]
async fn applies_nothing_when_the_keyed_answer_is_too_large() {
    for stand in stands().await {
        // Because of its rows, or of the number of its statements.
        let rows = vec!["ADD a 1", "ROWS 3000 WIDE 500"];
        let mut counters = vec!["ADD a 1"];
        counters.extend(std::iter::repeat_n("STATS", 6000));
        for (key, texts) in [("rows", rows), ("counters", counters)] {
            let key = [("Idempotency-Key", key)];
            let answer = stand.batch_with(statements(&texts), json!({ "includeCounters": true }), &key).await;
            assert_eq!(answer.status, 400, "{answer}");
            let message = error(&answer)["message"].clone();
            assert!(message.as_str().unwrap().contains("nothing of the batch was applied"), "{answer}");
            assert_eq!(stand.read("a").await, Value::Null, "{}", stand.name);
        }
    }
}
