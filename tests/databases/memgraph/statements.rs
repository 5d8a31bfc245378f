//! Statements, results and transactions.

use serde_json::{Value, json};

use super::stand::{Stand, all_versions};
use crate::support::{
    bolt::value::v,
    http::Response,
    query::{body, refused, values},
};

#[tokio::test]
async fn runs_statements_with_parameters() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        let parameters = json!({ "i": 1, "f": 1.5, "s": "ä", "l": [1, null, [true]], "m": { "k": {} } });
        let request = json!({ "statement": "RETURN $i, $f, $s, $l, $m", "parameters": parameters });
        let answer = stand.post("/db/memgraph/query/v2", &request).await;
        assert_eq!(values(&answer), json!([[1, 1.5, "ä", [1, null, [true]], { "k": {} }]]));
        assert_eq!(body(&answer)["data"]["fields"], json!(["$i", "$f", "$s", "$l", "$m"]));
        let rows = values(&stand.query("ROWS 25000").await);
        assert_eq!(rows.as_array().unwrap().len(), 25_000);
        assert_eq!((&rows[0], &rows[24_999]), (&json!([1]), &json!([25_000])));
        stand.is_content().await;
    }
}

#[tokio::test]
async fn returns_every_kind_of_value() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        let answer = stand.query("TYPE all").await;
        let fields = body(&answer)["data"]["fields"].clone();
        let row = values(&answer)[0].clone();
        let cell = |name: &str| {
            let at = fields.as_array().unwrap().iter().position(|field| field == name);
            row[at.unwrap_or_else(|| panic!("no {name} in {fields}"))].clone()
        };
        let node = json!({ "elementId": "9", "labels": ["Person", "Admin"], "properties": { "name": "Ann" } });
        assert_eq!(cell("node"), node);
        assert_eq!(cell("relationship")["elementId"], "7");
        assert_eq!(cell("relationship")["startNodeElementId"], "9");
        assert_eq!(cell("path").as_array().unwrap().len(), 5);
        assert_eq!(cell("before1970"), "1969-12-31T23:59:59.5");
        assert_eq!(cell("negativeduration"), "PT-1.5S");
        assert_eq!(cell("enum"), json!({ "__type": "mg_enum", "__value": "Status::Good" }));
        assert_eq!(cell("graph")["nodes"][1]["elementId"], "1");
        assert_eq!(cell("graph")["edges"][0]["type"], "KNOWS");
        assert_eq!(cell("datetime"), "2015-06-24T12:50:00.142+01:30");
        stand.is_content().await;
    }
}

#[tokio::test]
async fn draws_a_graph_although_ids_are_plain_numbers() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        let ask = async |accept: &str| {
            let headers = [("Content-Type", "application/json"), ("Accept", accept)];
            let request = r#"{"statement":"TYPE all"}"#;
            let answer = stand.gateway.send("POST", "/db/memgraph/query/v2", &headers, request).await;
            assert_eq!(answer.status, 200, "{answer}");
            body(&answer)
        };
        let graph = ask("application/vnd.boltgate.graph+json").await;
        let ids = |elements: &Value, id: fn(&Value) -> &Value| {
            let ids = elements.as_array().unwrap().iter().map(|element| id(element).as_str().unwrap().to_owned());
            ids.collect::<Vec<_>>()
        };
        let nodes = ids(&graph["nodes"], |node| &node["elementId"]);
        let relationships = ids(&graph["relationships"], |relationship| &relationship["elementId"]);
        assert!(nodes.contains(&"9".to_owned()) && relationships.contains(&"7".to_owned()), "{graph}");
        // Cytoscape has one space of ids for both.
        let elements = ask("application/vnd.boltgate.graph+json;shape=cytoscape").await;
        let of_edges = relationships.iter().map(|id| format!("r{id}"));
        let expected: Vec<_> = nodes.iter().cloned().chain(of_edges).collect();
        assert_eq!(ids(&elements["elements"], |element| &element["data"]["id"]), expected);
        stand.is_content().await;
    }
}

#[tokio::test]
async fn returns_every_kind_of_value_typed() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        let typed = "application/vnd.neo4j.query.v1.2";
        let headers = [("Content-Type", "application/json"), ("Accept", typed)];
        let request = r#"{"statement":"TYPE all"}"#;
        let answer = stand.gateway.send("POST", "/db/memgraph/query/v2", &headers, request).await;
        let text = answer.text();
        assert!(answer.status == 202 && !text.contains("\"errors\""), "{answer}");
        for expected in [
            r#"{"$type":"LocalDateTime","_value":"1969-12-31T23:59:59.5"}"#,
            r#"{"$type":"Duration","_value":"PT-1.5S"}"#,
            r#""_element_id":"9""#,
            r#"{"$type":"Map","_value":{"__type":{"$type":"String","_value":"mg_enum"}"#,
        ] {
            assert!(text.contains(expected), "{expected} is not in {text}");
        }
        stand.is_content().await;
    }
}

#[tokio::test]
async fn runs_a_transaction_from_begin_to_commit() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        let run = async |path: &str, statement: &str| stand.post(path, &json!({ "statement": statement })).await;
        let path = stand.begin().await;
        assert_eq!(values(&run(&path, "WRITE k 7 ROWS 3").await), json!([[1], [2], [3]]));
        assert_eq!(values(&run(&path, "READ k").await), json!([[7]]));
        assert_eq!(values(&stand.query("READ k").await), json!([[null]]), "nobody else sees it yet");
        assert_eq!(values(&run(&path, "ROWS 3000").await).as_array().unwrap().len(), 3000);
        let committed = run(&format!("{path}/commit"), "ADD k 1").await;
        assert_eq!(committed.status, 202, "{committed}");
        assert_eq!(stand.committed("k"), Some(v(8)));

        let path = stand.begin().await;
        run(&path, "WRITE k 99").await;
        assert_eq!(stand.gateway.send("DELETE", &path, &[], "").await.status, 200);
        assert_eq!(stand.committed("k"), Some(v(8)));
        stand.is_content().await;
    }
}

#[tokio::test]
async fn returns_counters_and_notifications() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        let request = json!({ "statement": "STATS", "includeCounters": true });
        let answer = body(&stand.post("/db/memgraph/query/v2", &request).await);
        assert_eq!(answer["counters"]["nodesCreated"], 1, "{answer}");
        assert_eq!(answer["counters"]["containsUpdates"], true, "{answer}");
        let answer = stand.query("NOTIFY").await;
        assert_eq!(values(&answer), json!([[1]]));
        for statement in ["EXPLAIN RETURN 1", "PROFILE RETURN 1"] {
            assert!(!values(&stand.query(statement).await).as_array().unwrap().is_empty(), "{statement}");
        }
        stand.is_content().await;
    }
}

#[tokio::test]
async fn runs_schema_statements_without_a_transaction() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        let index = "CREATE INDEX ON :Person(name)";
        assert_eq!(stand.query(index).await.status, 202);
        let path = stand.begin().await;
        let error = refused(&stand.post(&path, &json!({ "statement": index })).await);
        assert_eq!((error.status, error.code.as_str()), (400, "Memgraph.ClientError.MemgraphError.MemgraphError"));
        let expected = "Index manipulation is not allowed in multicommand transactions.";
        assert!(error.message.starts_with(expected), "{}", error.message);
        assert_eq!(stand.post(&path, &json!({})).await.status, 404, "a failure ends the transaction");
        stand.is_content().await;
    }
}

#[tokio::test]
async fn answers_connectivity_checks_on_any_database() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        let ping = json!({ "statement": "CALL db.ping()" });
        for database in ["memgraph", "a", "system", "SYSTEM"] {
            let answer = stand.post(&format!("/db/{database}/query/v2"), &ping).await;
            assert_eq!(values(&answer), json!([[true]]), "{database}");
            let answer = body(&answer);
            assert_eq!((&answer["data"]["fields"], &answer["queryType"]), (&json!(["success"]), &json!("s")));
        }
        let begun = stand.post("/db/system/query/v2/tx", &ping).await;
        assert_eq!(values(&begun), json!([[true]]));
        let id = crate::support::query::transaction_id(&begun);
        let ended = stand.post(&format!("/db/system/query/v2/tx/{id}/commit"), &ping).await;
        assert_eq!(values(&ended), json!([[true]]));
        let error = refused(&stand.post("/db/system/query/v2", &json!({ "statement": "RETURN 1" })).await);
        assert_eq!((error.status, error.code.as_str()), (404, "Neo.ClientError.Database.DatabaseNotFound"));
        let error = refused(&stand.post("/db/nope/query/v2", &ping).await);
        assert_eq!(error.status, 404);
        stand.is_content().await;
    }
}

fn bookmark(response: &Response) -> Value {
    let answer = body(response);
    let bookmarks = answer["bookmarks"].as_array().unwrap_or_else(|| panic!("no bookmarks:\n{response}"));
    assert_eq!(bookmarks.len(), 1, "{response}");
    bookmarks[0].clone()
}

#[tokio::test]
async fn returns_changing_bookmarks_without_server_support() {
    for options in all_versions() {
        let stand = Stand::start_with(options).await;
        let first = bookmark(&stand.query("RETURN 1").await);
        let request = json!({ "statement": "WHOAMI", "bookmarks": [first] });
        let answer = stand.post("/db/memgraph/query/v2", &request).await;
        assert_eq!(Stand::who_am_i(&answer)["bookmarks"], json!([]), "it is not the database's");
        let second = bookmark(&answer);
        let begin = json!({ "bookmarks": [first, second] });
        let begun = stand.post("/db/memgraph/query/v2/tx", &begin).await;
        let id = crate::support::query::transaction_id(&begun);
        let committed = stand.post(&format!("/db/memgraph/query/v2/tx/{id}/commit"), &json!({})).await;
        let third = bookmark(&committed);
        assert!(first != second && second != third && first != third, "{first} {second} {third}");
        stand.is_content().await;
    }
}
