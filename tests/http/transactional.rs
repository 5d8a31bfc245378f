//! Neo4j's older HTTP API: several statements in a request, results as rows, errors in the answer.
//!
//! Runs against the embedded database.

use serde_json::{Value, json};

use crate::support::{
    gateway::{Gateway, start_embedded},
    http::Response,
    query::body,
};

const TX: &str = "/db/neo4j/tx";
const COMMIT: &str = "/db/neo4j/tx/commit";
const JSON: (&str, &str) = ("Content-Type", "application/json");

async fn post(gateway: &Gateway, path: &str, statements: Value) -> Response {
    let request = json!({ "statements": statements });
    gateway.send("POST", path, &[JSON], &request.to_string()).await
}

fn list(texts: &[&str]) -> Value {
    texts.iter().map(|text| json!({ "statement": text })).collect()
}

/// The code of the only error.
fn code(response: &Response) -> String {
    let errors = body(response)["errors"].clone();
    assert_eq!(errors.as_array().map(Vec::len), Some(1), "{response}");
    errors[0]["code"].as_str().unwrap().to_owned()
}

/// How many nodes there are.
async fn count(gateway: &Gateway) -> Value {
    let response = post(gateway, COMMIT, list(&["MATCH (n) RETURN count(n) AS c"])).await;
    body(&response)["results"][0]["data"][0]["row"][0].clone()
}

/// The path in an address of an answer.
fn path(address: &str) -> &str {
    &address[address.find("/db/").unwrap()..]
}

#[tokio::test]
async fn statements_are_committed_together() {
    let gateway = start_embedded(&[]).await;
    let statements = json!([
        {"statement": "CREATE (:A {x: $x})", "parameters": {"x": 1}, "includeStats": true},
        {"statement": "MATCH (n:A) RETURN n, n.x AS x, [1, 'a'] AS l"},
    ]);
    let response = post(&gateway, COMMIT, statements).await;
    let answer = body(&response);
    assert_eq!((response.status, &answer["errors"]), (200, &json!([])), "{response}");
    assert_eq!(answer["results"][0]["columns"], json!([]));
    assert!(answer["results"][0]["stats"].is_object() && answer["results"][1].get("stats").is_none(), "{response}");
    assert_eq!(answer["results"][1]["columns"], json!(["n", "x", "l"]));
    let row = &answer["results"][1]["data"][0];
    assert_eq!(row["row"], json!([{"x": 1}, 1, [1, "a"]]));
    let meta = row["meta"].as_array().unwrap();
    assert_eq!((meta.len(), &meta[0]["type"], &meta[1]), (4, &json!("node"), &Value::Null));
    assert_eq!((answer.get("commit"), answer.get("transaction")), (None, None));
}

#[tokio::test]
async fn an_error_undoes_all_statements_and_keeps_the_results_before_it() {
    let gateway = start_embedded(&[]).await;
    let response = post(&gateway, COMMIT, list(&["CREATE (:A) RETURN 1 AS x", "nonsense", "RETURN 2 AS y"])).await;
    let answer = body(&response);
    assert_eq!((response.status, answer["results"].as_array().map(Vec::len)), (200, Some(1)), "{response}");
    assert!(code(&response).starts_with("Neo.ClientError."), "{response}");
    assert_eq!(count(&gateway).await, 0);
}

#[tokio::test]
async fn a_wrong_statement_undoes_those_before_it() {
    let gateway = start_embedded(&[]).await;
    let statements = json!([
        {"statement": "CREATE (:A)"}, {"statement": "RETURN 1 AS x", "resultDataContents": ["pie"]},
    ]);
    let response = post(&gateway, COMMIT, statements).await;
    assert_eq!(code(&response), "Neo.DatabaseError.Statement.ExecutionFailed");
    assert_eq!(body(&response)["results"].as_array().map(Vec::len), Some(1), "{response}");
    assert_eq!(count(&gateway).await, 0);
}

#[tokio::test]
async fn a_transaction_lasts_until_it_is_committed() {
    let gateway = start_embedded(&[]).await;
    let begun = post(&gateway, TX, list(&["CREATE (:A)"])).await;
    assert_eq!(begun.status, 201, "{begun}");
    let location = begun.header("Location").unwrap().to_owned();
    let answer = body(&begun);
    assert_eq!(answer["commit"], json!(format!("{location}/commit")));
    let expires = answer["transaction"]["expires"].as_str().unwrap();
    assert!(expires.ends_with(" GMT") && expires.len() == 29, "{expires}");
    let id = location.rsplit('/').next().unwrap();
    assert!(id.parse::<u32>().is_ok_and(|id| id < 1_000_000_000), "{id}");

    let again = post(&gateway, path(&location), list(&["MATCH (n:A) RETURN count(n) AS c"])).await;
    assert_eq!(body(&again)["results"][0]["data"][0]["row"], json!([1]), "{again}");
    let alive = gateway.send("POST", path(&location), &[], "").await;
    assert_eq!((alive.status, &body(&alive)["errors"]), (200, &json!([])), "{alive}");
    let committed = post(&gateway, path(answer["commit"].as_str().unwrap()), json!([])).await;
    assert_eq!((committed.status, body(&committed).get("transaction")), (200, None), "{committed}");
    assert_eq!(count(&gateway).await, 1);

    let over = post(&gateway, path(&location), json!([])).await;
    assert_eq!((over.status, code(&over).as_str()), (404, "Neo.ClientError.Transaction.TransactionNotFound"));
    assert_eq!(body(&over).get("commit"), None, "{over}");
}

#[tokio::test]
async fn a_transaction_can_be_rolled_back() {
    let gateway = start_embedded(&[]).await;
    let begun = post(&gateway, TX, list(&["CREATE (:A)"])).await;
    let location = begun.header("Location").unwrap();
    let ended = gateway.send("DELETE", path(location), &[], "").await;
    assert_eq!((ended.status, body(&ended)), (200, json!({"results": [], "errors": []})));
    assert_eq!(count(&gateway).await, 0);
}

#[tokio::test]
async fn every_error_ends_a_transaction() {
    let gateway = start_embedded(&[]).await;
    for wrong in [r#"{"statements":[{"statement":"nonsense"}]}"#, "[]", r#"{"statements":[null]}"#] {
        let begun = post(&gateway, TX, list(&["CREATE (:A)"])).await;
        let location = begun.header("Location").unwrap();
        let failed = gateway.send("POST", path(location), &[JSON], wrong).await;
        assert_eq!((failed.status, body(&failed).get("transaction")), (200, None), "{failed}");
        code(&failed);
        assert_eq!(post(&gateway, path(location), json!([])).await.status, 404, "{wrong}");
    }
    assert_eq!(count(&gateway).await, 0);
}

#[tokio::test]
async fn a_request_that_fails_to_begin_has_an_address_all_the_same() {
    let gateway = start_embedded(&[]).await;
    for wrong in [r#"{"statements":[{"statement":"nonsense"}]}"#, "x"] {
        let failed = gateway.send("POST", TX, &[JSON], wrong).await;
        let location = failed.header("Location").unwrap();
        assert_eq!((failed.status, body(&failed).get("transaction")), (201, None), "{failed}");
        assert_eq!(post(&gateway, path(location), json!([])).await.status, 404, "{wrong}");
    }
}

#[tokio::test]
async fn neither_api_knows_the_transactions_of_the_other() {
    let gateway = start_embedded(&[]).await;
    let begun = post(&gateway, TX, json!([])).await;
    let id = begun.header("Location").unwrap().rsplit('/').next().unwrap().to_owned();
    let stranger = gateway.send("POST", &format!("/db/neo4j/query/v2/tx/{id}"), &[JSON], "{}").await;
    assert_eq!(stranger.status, 404, "{stranger}");
    assert_eq!(post(&gateway, &format!("{TX}/{id}"), json!([])).await.status, 200);
}

#[tokio::test]
async fn heads_are_checked_before_a_transaction_is_touched() {
    let gateway = start_embedded(&[]).await;
    let begun = post(&gateway, TX, json!([])).await;
    let location = path(begun.header("Location").unwrap()).to_owned();
    let text = gateway.send("POST", &location, &[("Content-Type", "text/plain")], "x").await;
    assert_eq!(text.status, 415, "{text}");
    let jolt = [JSON, ("Accept", "application/vnd.neo4j.jolt")];
    let refused = gateway.send("POST", &location, &jolt, "").await;
    assert_eq!((refused.status, refused.header("Content-Type")), (406, Some("application/vnd.neo4j.jolt")));
    let charset = [JSON, ("Accept", "application/json;charset=UTF-8")];
    let answered = gateway.send("POST", &location, &charset, "").await;
    assert_eq!((answered.status, answered.header("Content-Type")), (200, Some("application/json;charset=utf-8")));
    assert_eq!(gateway.send("POST", &format!("{TX}/abc"), &[JSON], "").await.status, 404);
}

#[tokio::test]
async fn a_request_that_is_sent_again_is_carried_out_once() {
    let gateway = start_embedded(&[]).await;
    let request = json!({ "statements": list(&["CREATE (:A)"]) }).to_string();
    let keyed = [JSON, ("Idempotency-Key", "k")];
    let first = gateway.send("POST", COMMIT, &keyed, &request).await;
    let again = gateway.send("POST", COMMIT, &keyed, &request).await;
    assert_eq!((&first.body, again.header("Idempotency-Replayed")), (&again.body, Some("true")));
    assert_eq!(count(&gateway).await, 1);
}

#[tokio::test]
async fn long_results_are_whole() {
    let gateway = start_embedded(&[]).await;
    let response = post(&gateway, COMMIT, list(&["UNWIND range(1, 20000) AS i RETURN i", "RETURN 'last' AS x"])).await;
    let answer = body(&response);
    assert_eq!(answer["results"][0]["data"].as_array().map(Vec::len), Some(20_000));
    assert_eq!(answer["results"][1]["data"][0]["row"], json!(["last"]));
}

#[tokio::test]
async fn the_paths_of_neo4j_3_5_have_to_be_switched_on() {
    let without = start_embedded(&[]).await;
    assert_eq!(post(&without, "/db/data/transaction/commit", json!([])).await.status, 404);

    let gateway = start_embedded(&[("http.older_paths", "true")]).await;
    let root = gateway.send("GET", "/db/data/", &[], "").await;
    let answer = body(&root);
    assert!(answer["transaction"].as_str().unwrap().ends_with("/db/data/transaction"), "{root}");
    assert_eq!(answer["results"], json!([{"columns": [], "data": []}]));
    let begun = post(&gateway, "/db/data/transaction", list(&["CREATE (:A)"])).await;
    let location = begun.header("Location").unwrap();
    assert!(location.contains("/db/data/transaction/"), "{location}");
    let committed = post(&gateway, &format!("{}/commit", path(location)), json!([])).await;
    assert_eq!(committed.status, 200, "{committed}");
    assert_eq!(count(&gateway).await, 1);

    post(&gateway, COMMIT, list(&["MATCH (a:A) CREATE (a)-[:R {x: 1}]->(:B)"])).await;
    let related = json!([{"statement": "MATCH ()-[r:R]->() RETURN r", "resultDataContents": ["graph"]}]);
    let older = post(&gateway, "/db/data/transaction/commit", related.clone()).await;
    let (shown, newer) = (body(&older), body(&post(&gateway, COMMIT, related).await));
    assert!(!older.text().contains("lementId"), "3.5 had none: {older}");
    let graph_of = |answer: &Value| answer["results"][0]["data"][0]["graph"]["relationships"][0].clone();
    let mut expected = graph_of(&newer);
    expected.as_object_mut().unwrap().retain(|name, _| !name.to_ascii_lowercase().ends_with("elementid"));
    assert_eq!((graph_of(&shown), &expected["properties"]), (expected.clone(), &json!({"x": 1})));
}

#[tokio::test]
async fn the_api_can_be_switched_off() {
    let gateway = start_embedded(&[("http.transactional", "false"), ("http.older_paths", "true")]).await;
    for path in [COMMIT, TX, "/db/neo4j/tx/1", "/db/data/transaction/commit"] {
        assert_eq!(post(&gateway, path, json!([])).await.status, 404, "{path}");
    }
    assert_eq!(body(&gateway.send("GET", "/", &[], "").await).get("transaction"), None);
}

/// The answer to one statement in the form `graph`.
async fn graph(gateway: &Gateway, text: &str) -> Response {
    post(gateway, COMMIT, json!([{"statement": text, "resultDataContents": ["graph"]}])).await
}

/// The graphs of a result: the names of nodes, in order, and how many relationships there are.
fn names(result: &Value) -> Vec<(Vec<&str>, usize)> {
    let rows = result["data"].as_array().unwrap();
    rows.iter()
        .map(|row| {
            let nodes = row["graph"]["nodes"].as_array().unwrap();
            let mut names: Vec<_> = nodes.iter().map(|node| node["properties"]["name"].as_str().unwrap()).collect();
            names.sort_unstable();
            (names, row["graph"]["relationships"].as_array().unwrap().len())
        })
        .collect()
}

#[tokio::test]
async fn a_graph_has_the_ends_of_its_relationships() {
    let gateway = start_embedded(&[]).await;
    post(
        &gateway,
        COMMIT,
        list(&["CREATE (a:A {name: 'a'})-[:R {x: 1}]->(b:B {name: 'b'}), (b)-[:S]->(:C {name: 'c'})"]),
    )
    .await;
    let answer = body(&graph(&gateway, "MATCH ()-[r:R]->() RETURN r").await);
    assert_eq!(answer["errors"], json!([]), "{answer}");
    let graph_of_row = &answer["results"][0]["data"][0]["graph"];
    let relationship = &graph_of_row["relationships"][0];
    assert_eq!((&relationship["type"], &relationship["properties"]), (&json!("R"), &json!({"x": 1})));
    for (end, label) in [("startNode", "A"), ("endNode", "B")] {
        let nodes = graph_of_row["nodes"].as_array().unwrap();
        let node = nodes.iter().find(|node| node["id"] == relationship[end]).unwrap();
        assert_eq!(node["elementId"], relationship[format!("{end}ElementId")]);
        assert_eq!(node["labels"], json!([label]), "{answer}");
    }

    for (text, expected) in [
        ("MATCH (n:A) RETURN n, [n, {m: n}] AS l", vec![(vec!["a"], 0)]),
        ("MATCH ()-[r]->() RETURN r ORDER BY type(r)", vec![(vec!["a", "b"], 1), (vec!["b", "c"], 1)]),
        ("MATCH ()-[r]->() RETURN collect(r) AS l", vec![(vec!["a", "b", "c"], 2)]),
        ("MATCH p = (:A)-[:R]->()-[:S]->() RETURN p", vec![(vec!["a", "b", "c"], 2)]),
        ("MATCH (n:B)-[r:R]-(m) RETURN m, r, n", vec![(vec!["a", "b"], 1)]),
        // Rows that could leave at once stay behind those that wait.
        (
            "MATCH (n)-[r]->() RETURN r, CASE n.name WHEN 'b' THEN null END AS x ORDER BY n.name DESC",
            vec![(vec!["b", "c"], 1), (vec!["a", "b"], 1)],
        ),
        ("RETURN 1 AS x", vec![(vec![], 0)]),
        ("MATCH (n:Nothing) RETURN n", vec![]),
    ] {
        let answer = body(&graph(&gateway, text).await);
        assert_eq!(answer["errors"], json!([]), "{text}: {answer}");
        assert_eq!(names(&answer["results"][0]), expected, "{text}");
    }
}

#[tokio::test]
async fn a_graph_shows_what_its_statement_saw() {
    let gateway = start_embedded(&[]).await;
    let begun = post(&gateway, TX, list(&["CREATE (:A {name: 'a'})-[:R]->(:B {name: 'b'})"])).await;
    let location = begun.header("Location").unwrap();
    let statements = json!([
        {"statement": "MATCH ()-[r]->() RETURN r", "resultDataContents": ["rest", "graph", "row"]},
        {"statement": "MATCH (n) SET n.name = 'x' RETURN n.name AS name"},
        {"statement": "MATCH ()-[r]->() RETURN r", "resultDataContents": ["GRAPH"]},
    ]);
    let response = post(&gateway, path(location), statements).await;
    let answer = body(&response);
    assert_eq!(answer["errors"], json!([]), "{response}");
    assert_eq!(names(&answer["results"][0]), [(vec!["a", "b"], 1)]);
    assert_eq!(names(&answer["results"][2]), [(vec!["x", "x"], 1)]);
    let text = response.text();
    let places: Vec<_> = ["\"rest\"", "\"graph\"", "\"row\"", "\"meta\""].map(|form| text.find(form)).into();
    assert!(places.is_sorted() && !places.contains(&None), "{text}");
    assert!(answer["transaction"].is_object(), "{response}");
}

#[tokio::test]
async fn what_waits_for_nodes_has_a_limit() {
    let gateway = start_embedded(&[("limits.graph", "1KiB")]).await;
    let created =
        post(&gateway, COMMIT, list(&["UNWIND range(1, 100) AS i CREATE (:A {i: i})-[:R]->(:B {i: i})"])).await;
    assert_eq!(body(&created)["errors"], json!([]), "{created}");
    let whole = graph(&gateway, "MATCH (n)-[r]->(m) RETURN n, r, m").await;
    assert_eq!(body(&whole)["results"][0]["data"].as_array().map(Vec::len), Some(100), "{whole}");
    let begun = post(&gateway, TX, list(&["CREATE (:C)"])).await;
    let location = begun.header("Location").unwrap();
    let statements = json!([{"statement": "MATCH ()-[r]->() RETURN r", "resultDataContents": ["graph"]}]);
    let refused = post(&gateway, path(location), statements).await;
    assert_eq!(code(&refused), "Boltgate.ClientError.Limit.ResultBytes");
    assert!(refused.text().contains("limits.graph"), "{refused}");
    assert_eq!(post(&gateway, path(location), json!([])).await.status, 404);
    assert_eq!(count(&gateway).await, 200);
}
