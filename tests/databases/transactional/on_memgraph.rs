//! Rows in every form, transactions, and statements that Memgraph runs alone.

use serde_json::{Value, json};

use super::{location, post};
use crate::support::{
    bolt::{
        control::Answer,
        fake_memgraph::{FakeMemgraph, Options},
        value::{self, map, strings, structure, v},
    },
    gateway::{Gateway, start_for},
    query::body,
};

const COMMIT: &str = "/db/memgraph/tx/commit";
const TX: &str = "/db/memgraph/tx";
/// What the gateway asks for the ends of relationships.
const LOOK_UP: &str = "UNWIND $ids AS id MATCH (n) WHERE id(n) = id RETURN n";
const RELATED: &str = "MATCH ()-[r]->() RETURN r";

fn node(id: i64, label: &str, name: &str) -> value::Value {
    structure(b'N', [v(id), strings(&[label]), map([("name", v(name))]), v(id.to_string())])
}

fn relationship(id: i64, start: i64, end: i64) -> value::Value {
    let text = |id: i64| v(id.to_string());
    structure(b'R', [v(id), v(start), v(end), v("KNOWS"), map([("since", v(1999))]), text(id), text(start), text(end)])
}

/// `(Ann)-[:KNOWS]->(Bob)-[:KNOWS]->(Cid)`, where Cid is hidden from whoever looks for him.
async fn stand(options: Options) -> (FakeMemgraph, Gateway) {
    let fake = FakeMemgraph::start_with(options).await;
    let rows = [vec![relationship(7, 0, 1)], vec![relationship(8, 1, 2)]];
    fake.control.answer(RELATED, Answer::rows(&["r"], rows));
    let found = [vec![node(0, "Person", "Ann")], vec![node(1, "Person", "Bob")]];
    fake.control.answer(LOOK_UP, Answer::rows(&["n"], found));
    let both = [vec![node(0, "Person", "Ann"), relationship(7, 0, 1), node(1, "Person", "Bob")]];
    fake.control.answer("MATCH (n)-[r]->(m) RETURN n, r, m", Answer::rows(&["n", "r", "m"], both));
    let gateway = start_for(&fake.uri()).await;
    (fake, gateway)
}

/// The parameters of every look-up so far.
fn looked_up(fake: &FakeMemgraph) -> Vec<value::Value> {
    let seen = fake.control.seen();
    let runs = seen.iter().filter(|seen| seen.name() == "RUN" && seen.field(0) == Some(&v(LOOK_UP)));
    runs.map(|run| run.field(1).and_then(|map| map.get("ids")).expect("it has ids").clone()).collect()
}

/// The names of the nodes of a graph. One that is gone has none.
fn names(graph: &Value) -> Vec<&str> {
    graph["nodes"].as_array().unwrap().iter().filter_map(|node| node["properties"]["name"].as_str()).collect()
}

#[tokio::test]
async fn ends_of_relationships_are_looked_up_by_number() {
    for options in [Options::old(), Options::default(), Options::newest()] {
        let (fake, gateway) = stand(options).await;
        let answer = body(&post(&gateway, COMMIT, &[RELATED, "RETURN 1 AS n"], &["graph"]).await);
        assert_eq!(answer["errors"], json!([]), "{answer}");
        let rows = answer["results"][0]["data"].as_array().unwrap();
        assert_eq!((names(&rows[0]["graph"]), names(&rows[1]["graph"])), (vec!["Ann", "Bob"], vec!["Bob"]), "{answer}");
        assert_eq!(
            rows[0]["graph"]["relationships"],
            json!([{"id": "7", "elementId": "7", "type": "KNOWS", "startNode": "0", "startNodeElementId": "0",
                    "endNode": "1", "endNodeElementId": "1", "properties": {"since": 1999}}])
        );
        assert_eq!(answer["results"][1]["data"], json!([{"graph": {"nodes": [], "relationships": []}}]));
        assert_eq!(rows[1]["graph"]["nodes"][1], json!({"id": "2", "elementId": "2", "deleted": true}), "{answer}");
        let [ids] = &looked_up(&fake)[..] else { panic!("it is asked once: {:?}", looked_up(&fake)) };
        let mut ids: Vec<_> = ids.as_list().unwrap().iter().map(|id| id.as_int().expect("a number")).collect();
        ids.sort_unstable();
        assert_eq!(ids, [0, 1, 2]);
        assert_eq!(fake.control.violations(), [""; 0]);
    }
}

#[tokio::test]
async fn nothing_is_looked_up_that_the_row_has() {
    let (fake, gateway) = stand(Options::default()).await;
    let answer = body(&post(&gateway, COMMIT, &["MATCH (n)-[r]->(m) RETURN n, r, m"], &["graph"]).await);
    assert_eq!(names(&answer["results"][0]["data"][0]["graph"]), ["Ann", "Bob"], "{answer}");
    assert_eq!(looked_up(&fake), []);
}

#[tokio::test]
async fn rows_have_every_form() {
    let (_fake, gateway) = stand(Options::default()).await;
    let forms = ["row", "rest", "graph"];
    let answer = body(&post(&gateway, COMMIT, &["MATCH (n)-[r]->(m) RETURN n, r, m"], &forms).await);
    let row = &answer["results"][0]["data"][0];
    assert_eq!(row["row"], json!([{"name": "Ann"}, {"since": 1999}, {"name": "Bob"}]), "{answer}");
    let entity = |id: i64, kind: &str| json!({"id": id, "elementId": id.to_string(), "type": kind, "deleted": false});
    assert_eq!(row["meta"], json!([entity(0, "node"), entity(7, "relationship"), entity(1, "node")]));
    let (ann, knows) = (&row["rest"][0], &row["rest"][1]);
    assert_eq!(ann["metadata"], json!({"elementId": "0", "id": 0, "labels": ["Person"]}), "{answer}");
    assert!(ann["self"].as_str().unwrap().ends_with("/db/memgraph/node/0"), "{ann}");
    assert!(knows["start"].as_str().unwrap().ends_with("/node/0"), "{knows}");
    assert!(knows["end"].as_str().unwrap().ends_with("/node/1"), "{knows}");
    assert_eq!(row["graph"]["relationships"][0]["type"], "KNOWS");
}

#[tokio::test]
async fn every_kind_of_value_is_shown() {
    let (fake, gateway) = stand(Options::default()).await;
    let answer = body(&post(&gateway, COMMIT, &["TYPE all"], &["row", "rest", "graph"]).await);
    assert_eq!(answer["errors"], json!([]), "{answer}");
    let result = &answer["results"][0];
    let columns = result["columns"].as_array().unwrap().len();
    assert_eq!(result["data"][0]["row"].as_array().map(Vec::len), Some(columns), "{answer}");
    assert_eq!(result["data"][0]["rest"].as_array().map(Vec::len), Some(columns), "{answer}");
    assert_eq!(fake.control.violations(), [""; 0]);
}

#[tokio::test]
async fn a_transaction_lasts_over_requests() {
    for options in [Options::old(), Options::default(), Options::newest()] {
        let (fake, gateway) = stand(options).await;
        let begun = post(&gateway, TX, &["WRITE a 1"], &["row"]).await;
        assert_eq!(begun.status, 201, "{begun}");
        let path = location(&begun);
        let read = body(&post(&gateway, &path, &["READ a", RELATED], &["graph", "row"]).await);
        assert_eq!(read["results"][0]["data"][0]["row"], json!([1]), "{read}");
        assert_eq!(names(&read["results"][1]["data"][0]["graph"]), ["Ann", "Bob"], "{read}");
        assert_eq!(fake.store().committed("memgraph", "a"), None);
        let committed = post(&gateway, &format!("{path}/commit"), &["ADD a 1"], &["row"]).await;
        assert_eq!((committed.status, &body(&committed)["errors"]), (200, &json!([])), "{committed}");
        assert_eq!(body(&committed).get("lastBookmarks"), None, "Memgraph has none: {committed}");
        assert_eq!(fake.store().committed("memgraph", "a"), Some(v(2)));

        let path = location(&post(&gateway, TX, &["WRITE a 9"], &["row"]).await);
        let ended = gateway.send("DELETE", &path, &[], "").await;
        assert_eq!((ended.status, body(&ended)), (200, json!({"results": [], "errors": []})));
        let path = location(&post(&gateway, TX, &["WRITE a 9"], &["row"]).await);
        let failed = post(&gateway, &path, &["NONSENSE"], &["row"]).await;
        assert_eq!((failed.status, body(&failed)["errors"].as_array().map(Vec::len)), (200, Some(1)), "{failed}");
        assert_eq!(post(&gateway, &path, &[], &[]).await.status, 404);
        fake.control.wait_for("the end of all transactions", |counts| counts.transactions == 0).await;
        assert_eq!(fake.store().committed("memgraph", "a"), Some(v(2)));
        assert_eq!(fake.control.violations(), [""; 0]);
    }
}

#[tokio::test]
async fn a_statement_that_memgraph_runs_alone_is_run_alone() {
    let (fake, gateway) = stand(Options::default()).await;
    let alone = body(&post(&gateway, COMMIT, &["CREATE INDEX ON :Person(name)"], &["row"]).await);
    assert_eq!((&alone["errors"], alone["results"].as_array().map(Vec::len)), (&json!([]), Some(1)), "{alone}");
    let together = body(&post(&gateway, COMMIT, &["WRITE a 1", "CREATE INDEX ON :Person(name)"], &["row"]).await);
    assert_eq!(together["results"].as_array().map(Vec::len), Some(1), "{together}");
    assert_eq!(together["errors"].as_array().map(Vec::len), Some(1), "{together}");
    assert_eq!(fake.store().committed("memgraph", "a"), None, "it is undone");
}

#[tokio::test]
async fn a_conflict_is_tried_again() {
    let (_fake, gateway) = stand(Options::default()).await;
    let response = post(&gateway, COMMIT, &["WRITE a 1", "CONFLICT 2"], &["row"]).await;
    let answer = body(&response);
    assert_eq!((response.status, &answer["errors"]), (200, &json!([])), "{response}");
    assert_eq!(answer["results"].as_array().map(Vec::len), Some(2), "of the last attempt only: {response}");
    assert_eq!(response.header("Boltgate-Attempts"), Some("3"));
}
