//! Values go in as parameters and come out as rows, as they are.

use serde_json::{Value, json};

use super::gateway;
use crate::support::{
    gateway::Gateway,
    json::Json,
    query::{body, values},
};

const TYPED: &str = "application/vnd.neo4j.query";

/// The rows of `statement` in typed JSON.
async fn typed(gateway: &Gateway, statement: &str) -> Value {
    let headers = [("Content-Type", "application/json"), ("Accept", TYPED)];
    let body = json!({ "statement": statement }).to_string();
    values(&gateway.send("POST", "/db/neo4j/query/v2", &headers, &body).await)
}

#[tokio::test]
async fn orders_members_as_neo4j_does() {
    let response = gateway().await.query("RETURN 1 AS a, 'x' AS b").await;
    assert_eq!(response.status, 202, "{response}");
    let document = Json::parse(&response.text()).expect("JSON");
    let names: Vec<&str> = document.members().iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["data", "queryType", "resultAvailableAfter", "resultConsumedAfter", "bookmarks"]);
    assert_eq!(document.get("data").unwrap().to_string(), r#"{"fields":["a","b"],"values":[[1,"x"]]}"#);
    assert_eq!(document.get("queryType").unwrap().as_str(), Some("r"));
    for timing in ["resultAvailableAfter", "resultConsumedAfter"] {
        let Some(Json::Number(milliseconds)) = document.get(timing) else { panic!("{timing}: {response}") };
        milliseconds.parse::<u64>().expect("whole milliseconds");
    }
    assert_eq!(document.get("bookmarks").unwrap().items().len(), 1);
}

#[tokio::test]
async fn keeps_order_and_text_of_columns() {
    let body = body(&gateway().await.query("RETURN 1 AS b, 2 AS a, 1+1").await);
    assert_eq!(body["data"], json!({ "fields": ["b", "a", "1+1"], "values": [[1, 2, 2]] }));
}

#[tokio::test]
async fn returns_empty_lists_without_rows() {
    let gateway = gateway().await;
    for (statement, fields, kind) in [("CREATE (:X)", json!([]), "w"), ("UNWIND [] AS x RETURN x", json!(["x"]), "r")] {
        let body = body(&gateway.query(statement).await);
        assert_eq!(body["data"], json!({ "fields": fields, "values": [] }), "{statement}");
        assert_eq!(body["queryType"], kind, "{statement}");
    }
}

#[tokio::test]
async fn returns_plain_parameters_unchanged() {
    let gateway = gateway().await;
    for value in [
        "null",
        "true",
        "0",
        "9007199254740993",
        "-9223372036854775808",
        "9223372036854775807",
        "1.5",
        "-0.0",
        "1.0E300",
        r#""""#,
        r#""Grüße, 世界""#,
        r#""😀 and \" and \n""#,
        r#""NaN""#,
        r#""2020-01-01""#,
        "[]",
        "[1,[2.0,null],\"x\"]",
        "{}",
        r#"{"key":{"inner":[1]}}"#,
    ] {
        let request = format!(r#"{{"statement":"RETURN $p AS p","parameters":{{"p":{value}}}}}"#);
        let response = gateway.post("/db/neo4j/query/v2", &request).await;
        let start = format!(r#"{{"data":{{"fields":["p"],"values":[[{value}]]}},"#);
        assert!(response.text().starts_with(&start), "{value}: {response}");
    }
    // What would be typed JSON elsewhere is a map like any other here.
    let map = json!({ "$type": "Integer", "_value": "1" });
    let request = json!({ "statement": "RETURN $p.`$type` AS type, $p._value AS value", "parameters": { "p": map } });
    let response = gateway.post("/db/neo4j/query/v2", &request.to_string()).await;
    assert_eq!(values(&response), json!([["Integer", "1"]]));
}

#[tokio::test]
async fn returns_typed_parameters_typed() {
    let gateway = gateway().await;
    let integer = |text: &str| json!({ "$type": "Integer", "_value": text });
    for (kind, value) in [
        ("Null", json!(null)),
        ("Boolean", json!(true)),
        ("Integer", json!("9223372036854775807")),
        ("Float", json!("0.1")),
        ("Float", json!("NaN")),
        ("Float", json!("-Infinity")),
        ("String", json!("Grüße \u{1F600}")),
        ("List", json!([integer("1"), { "$type": "Null", "_value": null }])),
        ("Map", json!({ "k": integer("2") })),
        ("Date", json!("2020-02-29")),
        ("Time", json!("12:50:35.556+01:00")),
        ("LocalTime", json!("12:00:00")),
        ("LocalDateTime", json!("2015-07-04T19:32:24")),
        ("OffsetDateTime", json!("2015-06-24T12:50:35.556+01:00")),
        ("ZonedDateTime", json!("2026-07-01T00:00:00-04:00[America/New_York]")),
        ("Duration", json!("P1Y2M3DT4.5S")),
    ] {
        let value = json!({ "$type": kind, "_value": value });
        let request = json!({ "statement": "RETURN $p AS p", "parameters": { "p": value } }).to_string();
        let response =
            gateway.send("POST", "/db/neo4j/query/v2", &[("Content-Type", TYPED), ("Accept", TYPED)], &request);
        assert_eq!(values(&response.await), json!([[value]]));
    }
}

#[tokio::test]
async fn accepts_bare_numbers_and_any_field_order_in_typed_parameters() {
    let request = r#"{"parameters":{
        "i":{"_value":9223372036854775807,"$type":"Integer"},
        "f":{"$type":"Float","_value":0.1},
        "n":null
    },"statement":"RETURN $i AS i, $f AS f, $n AS n"}"#;
    let headers = [("Content-Type", TYPED), ("Accept", "application/json")];
    let response = gateway().await.send("POST", "/db/neo4j/query/v2", &headers, request).await;
    assert_eq!(response.header("Content-Type"), Some("application/json"));
    assert!(response.text().contains(r#""values":[[9223372036854775807,0.1,null]]"#), "{response}");
}

#[tokio::test]
async fn returns_a_graph_plain_and_typed() {
    let gateway = gateway().await;
    gateway.query("CREATE (:A {x: 1})-[:R {y: 2.5}]->(:B)<-[:S]-(:C:D)").await;
    let statement = "MATCH p = (a:A)-[r:R]->(b:B)<-[s:S]-(c) RETURN a, r, p";

    let rows = values(&gateway.query(statement).await);
    let [a, r, path] = &rows[0].as_array().unwrap()[..] else { panic!("{rows}") };
    let (start, end) = (a["elementId"].as_str().unwrap(), r["endNodeElementId"].as_str().unwrap());
    assert_eq!(a, &json!({ "elementId": start, "labels": ["A"], "properties": { "x": 1 } }));
    assert_eq!(
        r,
        &json!({
            "elementId": r["elementId"].as_str().unwrap(),
            "startNodeElementId": start, "endNodeElementId": end, "type": "R", "properties": { "y": 2.5 },
        })
    );
    let path = path.as_array().unwrap();
    assert_eq!((path.len(), &path[0], &path[1], &path[2]["labels"]), (5, a, r, &json!(["B"])));
    // The second relationship is walked against its direction, and shows its own.
    assert_eq!((&path[3]["endNodeElementId"], &path[3]["startNodeElementId"]), (&json!(end), &path[4]["elementId"]));

    let rows = typed(&gateway, statement).await;
    let integer = json!({ "$type": "Integer", "_value": "1" });
    let node = json!({ "_element_id": start, "_labels": ["A"], "_properties": { "x": integer } });
    assert_eq!(rows[0][0], json!({ "$type": "Node", "_value": node }));
    let relationship = json!({
        "_element_id": r["elementId"], "_start_node_element_id": start, "_end_node_element_id": end,
        "_type": "R", "_properties": { "y": { "$type": "Float", "_value": "2.5" } },
    });
    assert_eq!(rows[0][1], json!({ "$type": "Relationship", "_value": relationship }));
    assert_eq!(rows[0][2]["$type"], "Path");
    let kinds: Vec<&Value> = rows[0][2]["_value"].as_array().unwrap().iter().map(|step| &step["$type"]).collect();
    assert_eq!(kinds, ["Node", "Relationship", "Node", "Relationship", "Node"]);
}

#[tokio::test]
async fn formats_times_as_neo4j_does() {
    let gateway = gateway().await;
    let statement = "RETURN date('2020-01-01') AS d, localtime('12:00') AS t, time('12:00:00.5-05:30') AS z, \
                     datetime('2026-07-01T00:00:00[America/New_York]') AS r, duration('P13M') AS p";
    let plain = json!([["2020-01-01", "12:00:00", "12:00:00.5-05:30", "2026-07-01T00:00:00-04:00", "P1Y1M"]]);
    assert_eq!(values(&gateway.query(statement).await), plain);
    let kinds = typed(&gateway, statement).await;
    let kinds: Vec<&Value> = kinds[0].as_array().unwrap().iter().map(|value| &value["$type"]).collect();
    assert_eq!(kinds, ["Date", "LocalTime", "Time", "ZonedDateTime", "Duration"]);
}
