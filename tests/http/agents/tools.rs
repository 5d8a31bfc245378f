//! What the tools answer.

use serde_json::json;

use super::{call, called, failed, request, send, start};
use crate::support::query::{body, values};

#[tokio::test]
async fn reading_returns_rows_as_plain_json() {
    let gateway = start(&[]).await;
    let arguments = json!({
        "query": "RETURN $n AS n, date('2026-11-30') AS day, [1.0, null] AS list, $n AS m",
        "parameters": {"n": 9_007_199_254_740_993_i64},
    });
    let result = call(&gateway, "read_cypher", arguments).await;
    let expected = json!({
        "columns": ["n", "day", "list", "m"],
        "rows": [{"n": 9_007_199_254_740_993_i64, "day": "2026-11-30", "list": [1.0, null], "m": 9_007_199_254_740_993_i64}],
        "rowCount": 1,
        "truncated": false,
    });
    assert_eq!(result["structuredContent"], expected, "{result}");
    let text = result["content"][0]["text"].as_str().expect("it has a text");
    assert_eq!(serde_json::from_str::<serde_json::Value>(text).expect("the text is the same JSON"), expected);
    assert!(
        text.starts_with(r#"{"columns":["n","day","list","m"],"rows":[{"n":9007199254740993,"#),
        "in order: {text}"
    );
    let named = called(&gateway, "read_cypher", json!({"query": "RETURN 1 AS one", "database": "neo4j"})).await;
    assert_eq!(named["rows"], json!([{"one": 1}]));
}

#[tokio::test]
async fn results_are_cut_off_and_say_so() {
    let gateway = start(&[("mcp.max_bytes", "512"), ("mcp.max_rows", "200")]).await;
    let rows = |n: u32, more: serde_json::Value| {
        let mut arguments = json!({"query": format!("UNWIND range(1, {n}) AS n RETURN n")});
        arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        arguments
    };
    for (arguments, count, truncated) in [
        (rows(100, json!({})), 100, true),
        (rows(50, json!({})), 50, false),
        (rows(3, json!({"limit": 3})), 3, false),
        (rows(4, json!({"limit": 3})), 3, true),
        (rows(5000, json!({"limit": 2})), 2, true),
    ] {
        let result = call(&gateway, "read_cypher", arguments.clone()).await;
        let shown = &result["structuredContent"];
        let text = result["content"][0]["text"].as_str().unwrap_or_default();
        if arguments["query"].as_str().is_some_and(|query| query.contains("100)")) {
            // 512 bytes have no room for all of them.
            assert!(shown["rowCount"].as_u64().is_some_and(|rows| (50..100).contains(&rows)), "{shown}");
        } else {
            assert_eq!(shown["rowCount"], count, "{shown}");
        }
        assert_eq!(shown["truncated"], truncated, "{shown}");
        assert_eq!(text.contains("cut off after"), truncated, "{text}");
    }
    let result = called(&gateway, "read_cypher", json!({"query": "RETURN range(1, 1000) AS n"})).await;
    assert_eq!((&result["rowCount"], &result["truncated"]), (&json!(0), &json!(true)));
}

#[tokio::test]
async fn what_the_database_refuses_is_a_result_that_an_agent_can_mend() {
    let gateway = start(&[]).await;
    let text = failed(&gateway, "read_cypher", json!({"query": "RETRUN 1"})).await;
    assert!(text.starts_with("Neo.ClientError.Statement.SyntaxError: "), "{text}");
    let text = failed(&gateway, "read_cypher", json!({"query": "RETURN $x"})).await;
    assert!(text.starts_with("Neo.ClientError.Statement.ParameterMissing: "), "{text}");
    let text = failed(&gateway, "read_cypher", json!({"query": "RETURN 1", "database": "nowhere"})).await;
    assert!(text.starts_with("Neo.ClientError.Database.DatabaseNotFound: "), "{text}");
    let text =
        failed(&gateway, "read_cypher", json!({"query": "LOAD CSV FROM 'file:///etc/passwd' AS r RETURN r"})).await;
    assert!(text.starts_with("Neo.ClientError.Security.Forbidden: ") && text.contains("mcp.deny"), "{text}");
    let text = failed(&gateway, "read_cypher", json!({"query": "CALL ap\\u006fc.load.json('x')"})).await;
    assert!(text.contains("Unicode escapes"), "{text}");
    let text = failed(&gateway, "read_cypher", json!({"query": "RETURN 1 AS a; RETURN 2 AS b"})).await;
    assert!(text.starts_with("Neo.ClientError.Statement.AccessMode: Only one statement"), "{text}");
}

#[tokio::test]
async fn callers_without_cypher_of_their_own_still_see_the_schema() {
    let gateway = start(&[("cypher.allow", "[]"), ("mcp.write", "true")]).await;
    for tool in ["read_cypher", "write_cypher"] {
        let text = failed(&gateway, tool, json!({"query": "RETURN 1"})).await;
        assert!(text.starts_with("Neo.ClientError.Security.Forbidden: ") && text.contains("cypher.allow"), "{text}");
    }
    called(&gateway, "get_schema", json!({})).await;
}

#[tokio::test]
async fn writing_is_there_only_where_it_is_allowed() {
    let gateway = start(&[("mcp.write", "true")]).await;
    let listed = body(&send(&gateway, &request("tools/list", json!({})), &[]).await);
    let write = &listed["result"]["tools"][2];
    assert_eq!(write["name"], "write_cypher", "{listed}");
    assert_eq!(
        (&write["annotations"]["readOnlyHint"], &write["annotations"]["destructiveHint"]),
        (&json!(false), &json!(true))
    );
    let arguments = json!({"query": "UNWIND range(1, 9) AS n CREATE (a:Made {n: n}) RETURN a.n AS n", "limit": 2});
    let made = called(&gateway, "write_cypher", arguments).await;
    assert_eq!(made["rows"], json!([{"n": 1}, {"n": 2}]), "{made}");
    assert_eq!(made["truncated"], true, "{made}");
    assert_eq!(
        values(&gateway.query("MATCH (a:Made) RETURN count(a)").await),
        json!([[9]]),
        "all of it was carried out"
    );
    let made = called(&gateway, "write_cypher", json!({"query": "CREATE (:Made)"})).await;
    assert_eq!((&made["rowCount"], &made["counters"]["nodesCreated"]), (&json!(0), &json!(1)), "{made}");
    let text = failed(&gateway, "write_cypher", json!({"query": "LOAD CSV FROM 'x' AS r CREATE (:Made)"})).await;
    assert!(text.contains("mcp.deny"), "{text}");
}

#[tokio::test]
async fn the_schema_shows_what_is_there() {
    let gateway = start(&[]).await;
    let create = "CREATE (a:Person {name: 'A', born: 1990}), (b:Person:Actor {name: 'B', born: 'unknown'}), (c:Odd {x: [1]}) \
                  CREATE (a)-[:KNOWS {since: date('2020-01-01')}]->(b), (c)-[:KNOWS]->(a)";
    values(&gateway.query(create).await);
    values(&gateway.query("CREATE INDEX FOR (n:Person) ON (n.name)").await);
    let schema = called(&gateway, "get_schema", json!({"database": "neo4j"})).await;
    assert_eq!((&schema["database"], &schema["truncated"]), (&json!("neo4j"), &json!(false)), "{schema}");
    let person = json!({
        "label": "Person", "count": 2,
        "properties": [{"name": "born", "types": ["INTEGER", "STRING"]}, {"name": "name", "types": ["STRING"]}],
    });
    let labels = schema["nodeLabels"].as_array().expect("a list");
    assert!(labels.contains(&person), "{schema}");
    assert!(labels.iter().any(|label| label["label"] == "Odd"), "{schema}");
    let knows = &schema["relationshipTypes"][0];
    assert_eq!(knows["type"], "KNOWS", "{schema}");
    assert_eq!(knows["properties"], json!([{"name": "since", "types": ["DATE"]}]), "{schema}");
    assert_eq!((&knows["from"], &knows["to"]), (&json!(["Odd", "Person"]), &json!(["Actor", "Person"])), "{schema}");
    let index = &schema["indexes"][0];
    assert_eq!((&index["labelsOrTypes"], &index["properties"]), (&json!(["Person"]), &json!(["name"])), "{schema}");

    // For a minute nobody asks the database again.
    values(&gateway.query("CREATE (:Later)").await);
    assert_eq!(called(&gateway, "get_schema", json!({"database": "neo4j"})).await, schema);
    let fresh = called(&gateway, "get_schema", json!({"database": "neo4j", "sample": 10})).await;
    assert!(fresh["nodeLabels"].as_array().expect("a list").iter().any(|label| label["label"] == "Later"), "{fresh}");
    let default = called(&gateway, "get_schema", json!({})).await;
    assert_eq!(default["nodeLabels"], fresh["nodeLabels"]);
}

#[tokio::test]
async fn an_empty_database_has_an_empty_schema() {
    let gateway = start(&[]).await;
    let schema = called(&gateway, "get_schema", json!({"database": "neo4j"})).await;
    let expected = json!({
        "database": "neo4j", "nodeLabels": [], "relationshipTypes": [], "indexes": [], "truncated": false,
    });
    assert_eq!(schema, expected);
}
