//! Results as a graph: nodes and relationships for what draws them.
#![cfg(feature = "embedded")]

use serde_json::{Value, json};

use crate::support::{
    bolt::fake_neo4j::{FakeNeo4j, Options},
    gateway::{Gateway, start_embedded, start_memory},
    http::Response,
    query::{begin, body, count, values},
};

const PATH: &str = "/db/neo4j/query/v2";
const GRAPH: &str = "application/vnd.boltgate.graph+json";
const CYTOSCAPE: &str = "application/vnd.boltgate.graph+json;shape=cytoscape";
const ELEMENTS: &str = "Boltgate.ClientError.Limit.GraphElements";

async fn ask_at(gateway: &Gateway, path: &str, accept: &str, request: &Value) -> Response {
    let headers = [("Content-Type", "application/json"), ("Accept", accept)];
    gateway.send("POST", path, &headers, &request.to_string()).await
}

async fn ask(gateway: &Gateway, accept: &str, statement: &str) -> Response {
    ask_at(gateway, PATH, accept, &json!({ "statement": statement })).await
}

/// A gateway with `(Ann)-[KNOWS]->(Bob)-[KNOWS]->(Cid)`.
async fn with_people(changes: &[(&'static str, &str)]) -> Gateway {
    let gateway = start_embedded(changes).await;
    let create = "CREATE (:Person {name: 'Ann'})-[:KNOWS {since: 1}]->(:Person {name: 'Bob'})\
                  -[:KNOWS {since: 2}]->(:Person {name: 'Cid'})";
    assert_eq!(gateway.query(create).await.status, 202);
    gateway
}

fn list<'a>(graph: &'a Value, name: &str) -> &'a [Value] {
    graph[name].as_array().unwrap_or_else(|| panic!("no {name}: {graph}"))
}

#[tokio::test]
async fn each_node_and_relationship_is_there_once_as_plain_json_shows_it() {
    let gateway = with_people(&[]).await;
    let plain = values(&gateway.query("MATCH (n:Person) RETURN n ORDER BY n.name").await);
    let related = values(&gateway.query("MATCH ()-[r:KNOWS]->() RETURN r ORDER BY r.since").await);
    let statement =
        "MATCH p = (:Person {name: 'Ann'})-[:KNOWS*1..2]->() RETURN p, {deep: [nodes(p)]} AS x ORDER BY length(p)";
    let answer = ask(&gateway, GRAPH, statement).await;
    assert_eq!((answer.status, answer.header("Content-Type")), (200, Some(GRAPH)), "{answer}");
    assert_eq!(answer.header("Vary"), Some("Accept, Accept-Encoding"));
    let graph = body(&answer);
    let nodes: Vec<_> = plain.as_array().unwrap().iter().map(|row| row[0].clone()).collect();
    let relationships: Vec<_> = related.as_array().unwrap().iter().map(|row| row[0].clone()).collect();
    assert_eq!((list(&graph, "nodes"), list(&graph, "relationships")), (&*nodes, &*relationships));
    assert_eq!((&graph["rows"], &graph["queryType"]), (&json!(2), &json!("r")));
    assert_eq!(graph["bookmarks"].as_array().map(Vec::len), Some(1), "{graph}");
    let members: Vec<_> = graph.as_object().unwrap().keys().cloned().collect();
    assert!(members.contains(&"resultConsumedAfter".to_owned()) && !members.contains(&"errors".to_owned()), "{graph}");
    // What is no graph is an empty one.
    for statement in ["RETURN 1 AS x, [2] AS y", "CREATE (:N)", "MATCH (n:Nobody) RETURN n"] {
        let graph = body(&ask(&gateway, GRAPH, statement).await);
        assert_eq!((list(&graph, "nodes"), list(&graph, "relationships")), (&[][..], &[][..]), "{statement}");
        assert_eq!(graph["rows"], json!(i32::from(statement.starts_with("RETURN"))));
    }
}

#[tokio::test]
async fn a_relationship_alone_has_both_ends() {
    let gateway = with_people(&[]).await;
    let statement = "MATCH (a:Person {name: 'Ann'})-[r:KNOWS]->() RETURN r, a";
    let graph = body(&ask(&gateway, GRAPH, statement).await);
    let [ann, end] = list(&graph, "nodes") else { panic!("not two nodes: {graph}") };
    let relationship = &graph["relationships"][0];
    assert_eq!((&ann["elementId"], &ann["properties"]["name"]), (&relationship["startNodeElementId"], &json!("Ann")));
    let id = &relationship["endNodeElementId"];
    assert_eq!(end, &json!({ "elementId": id, "labels": [], "properties": {}, "partial": true }));
}

#[tokio::test]
async fn cytoscape_gets_its_elements() {
    let gateway = with_people(&[]).await;
    let answer = ask(&gateway, CYTOSCAPE, "MATCH (a)-[r {since: 1}]->(b) RETURN r, b, a").await;
    assert_eq!((answer.status, answer.header("Content-Type")), (200, Some(CYTOSCAPE)), "{answer}");
    let graph = body(&answer);
    let [bob, ann, knows] = list(&graph, "elements") else { panic!("not three elements: {graph}") };
    let node = |element: &Value, name: &str| {
        assert_eq!((&element["group"], &element["classes"]), (&json!("nodes"), &json!("Person")));
        let data = &element["data"];
        assert_eq!((&data["labels"], &data["properties"]), (&json!(["Person"]), &json!({ "name": name })));
        data["id"].clone()
    };
    let (bob, ann) = (node(bob, "Bob"), node(ann, "Ann"));
    let id = &knows["data"]["id"];
    assert_eq!(
        knows,
        &json!({
            "group": "edges",
            "data": { "id": id, "source": ann, "target": bob, "type": "KNOWS", "properties": { "since": 1 } },
            "classes": "KNOWS",
        })
    );
    assert_eq!(graph["rows"], 1);
    let refused = ask(&gateway, "application/vnd.boltgate.graph+json;shape=sigma", "RETURN 1").await;
    assert_eq!(refused.status, 400, "{refused}");
    assert!(refused.text().contains("shape=cytoscape"), "{refused}");
}

#[tokio::test]
async fn more_elements_than_allowed_end_with_an_error() {
    let gateway = start_embedded(&[("limits.graph_elements", "5")]).await;
    let create = "UNWIND range(1, 20) AS i CREATE (n:L {i: i}) RETURN n";
    for accept in [GRAPH, CYTOSCAPE] {
        let before = count(&gateway, "L").await;
        let answer = ask(&gateway, accept, create).await;
        assert_eq!(answer.status, 200, "{answer}");
        let graph = body(&answer);
        let elements = graph.get("nodes").or(graph.get("elements")).unwrap();
        assert_eq!((elements.as_array().unwrap().len(), &graph["rows"]), (5, &json!(5)), "{graph}");
        let error = &graph["errors"][0];
        assert_eq!(error["code"], ELEMENTS, "{graph}");
        assert!(error["message"].as_str().unwrap().contains("limits.graph_elements = 5"), "{graph}");
        assert!(answer.text().ends_with("]}"), "the errors come last: {answer}");
        // The statement was carried out all the same.
        assert_eq!(count(&gateway, "L").await, before + 20);
    }
    gateway.reload(&[("limits.graph_elements", "200")]);
    let graph = body(&ask(&gateway, GRAPH, "MATCH (n:L) RETURN n").await);
    assert_eq!((list(&graph, "nodes").len(), graph.get("errors")), (40, None));
    // What waits for nodes has a limit in bytes besides.
    gateway.reload(&[("limits.graph", "1KiB")]);
    assert_eq!(gateway.query("UNWIND range(1, 30) AS i CREATE (:A)-[:R {i: i}]->(:A)").await.status, 202);
    let graph = body(&ask(&gateway, GRAPH, "MATCH ()-[r:R]->() RETURN r").await);
    assert!((1..30).contains(&list(&graph, "relationships").len()), "{graph}");
    assert!(graph["errors"][0]["message"].as_str().unwrap().contains("limits.graph = 1024"), "{graph}");
}

#[tokio::test]
async fn a_limit_rolls_an_open_transaction_back() {
    let gateway = start_embedded(&[("limits.graph_elements", "2")]).await;
    let path = begin(&gateway, &json!({ "statement": "CREATE (:T)" })).await;
    let request = json!({ "statement": "UNWIND range(1, 3) AS i CREATE (n:T) RETURN n" });
    let graph = body(&ask_at(&gateway, &path, GRAPH, &request).await);
    assert_eq!((list(&graph, "nodes").len(), &graph["errors"][0]["code"]), (2, &json!(ELEMENTS)), "{graph}");
    assert_eq!(graph.get("transaction"), None);
    assert_eq!(gateway.post(&format!("{path}/commit"), "{}").await.status, 404);
    assert_eq!(count(&gateway, "T").await, 0);
}

#[tokio::test]
async fn transactions_show_a_graph_where_they_have_a_statement() {
    let gateway = with_people(&[]).await;
    let path = begin(&gateway, &json!({ "statement": "CREATE (:T)" })).await;
    let answer = ask_at(&gateway, &path, GRAPH, &json!({ "statement": "MATCH (n:T) RETURN n" })).await;
    let graph = body(&answer);
    assert_eq!((answer.status, list(&graph, "nodes").len()), (200, 1), "{answer}");
    assert!(path.ends_with(graph["transaction"]["id"].as_str().unwrap()), "{graph}");
    for (path, request) in [
        (path.clone(), json!({})),
        (format!("{path}/commit"), json!({})),
        (format!("{PATH}/tx"), json!({ "statement": "RETURN 1" })),
        (format!("{PATH}/batch"), json!({ "statements": [{ "statement": "RETURN 1" }] })),
    ] {
        assert_eq!(ask_at(&gateway, &path, GRAPH, &request).await.status, 406, "{path}");
    }
    assert_eq!(gateway.post(&format!("{path}/commit"), "{}").await.status, 202);
}

#[tokio::test]
async fn an_error_before_the_first_row_is_json_with_its_own_status() {
    let gateway = start_embedded(&[("limits.result_rows", "10")]).await;
    for (statement, code) in [
        ("RETRUN 1", "Neo.ClientError.Statement.SyntaxError"),
        ("UNWIND [1, 0] AS x RETURN 1 / x AS y", "Neo.ClientError.Statement.ArithmeticError"),
        ("UNWIND range(1, 11) AS x CREATE (n:W) RETURN n", "Boltgate.ClientError.Limit.ResultRows"),
    ] {
        let answer = ask(&gateway, GRAPH, statement).await;
        assert_eq!((answer.status, answer.header("Content-Type")), (400, Some("application/json")), "{answer}");
        assert_eq!(body(&answer)["errors"][0]["code"], code, "{answer}");
    }
    assert_eq!(count(&gateway, "W").await, 0);
}

#[tokio::test]
async fn a_limit_on_bytes_counts_relationships_too() {
    let gateway = start_embedded(&[("limits.result_bytes", "8KiB")]).await;
    assert_eq!(gateway.query("UNWIND range(1, 100) AS i CREATE (:A)-[:R {i: i}]->(:A)").await.status, 202);
    let answer = ask(&gateway, GRAPH, "MATCH ()-[r:R]->() RETURN r").await;
    assert_eq!(body(&answer)["errors"][0]["code"], "Boltgate.ClientError.Limit.ResultBytes", "{answer}");
    let graph = body(&ask(&gateway, GRAPH, "MATCH ()-[r:R]->() WHERE r.i < 11 RETURN r").await);
    assert_eq!((list(&graph, "nodes").len(), list(&graph, "relationships").len()), (20, 10));
}

#[tokio::test]
async fn an_error_after_rows_is_the_last_member() {
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    let gateway = start_memory(move || fake.connect(), &[]).await;
    let answer = ask(&gateway, GRAPH, "FAILPULL 3000 Neo.TransientError.General.OutOfMemoryError no memory").await;
    assert_eq!(answer.status, 200, "{answer}");
    let graph = body(&answer);
    assert_eq!((list(&graph, "nodes"), list(&graph, "relationships")), (&[][..], &[][..]));
    assert!(graph["rows"].as_u64().is_some_and(|rows| rows >= 1000), "{graph}");
    let error = json!([{ "code": "Neo.TransientError.General.OutOfMemoryError", "message": "no memory" }]);
    assert_eq!(graph["errors"], error);
    assert!(answer.text().ends_with(&format!("\"errors\":{error}}}")), "{answer}");
}

#[tokio::test]
async fn an_answer_is_kept_under_its_key() {
    let gateway = start_embedded(&[]).await;
    let request = json!({ "statement": "CREATE (n:K) RETURN n" }).to_string();
    let headers = [("Content-Type", "application/json"), ("Accept", GRAPH), ("Idempotency-Key", "once")];
    let first = gateway.send("POST", PATH, &headers, &request).await;
    let again = gateway.send("POST", PATH, &headers, &request).await;
    assert_eq!((again.status, again.header("Content-Type"), again.text()), (200, Some(GRAPH), first.text()));
    assert_eq!((list(&body(&first), "nodes").len(), count(&gateway, "K").await), (1, 1));
}
