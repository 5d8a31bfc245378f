//! Named queries from the outside: calls, formats, caches, faults, the list, reloads.
#![cfg(feature = "embedded")]

use std::{fs, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    gateway::{Gateway, start_embedded},
    http::Response,
    query::{body, count, refused},
};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const NUMBERS: &str = "\
//: summary = \"Numbers up to a limit\"
//: cache = \"60s\"
//: [parameters.limit]
//: type = \"integer\"
//: minimum = 0
//: maximum = 1000000
UNWIND range(1, $limit) AS n RETURN n, toString(n) AS text
";
const ECHO: &str = "\
//: [parameters.text]
//: type = \"string\"
//: max_length = 100
RETURN $text AS text
";
const ADD: &str = "\
//: access = \"write\"
//: [parameters.name]
//: type = \"string\"
CREATE (n:Added {name: $name}) RETURN n.name AS name
";

/// A gateway with named queries.
struct Stand {
    gateway: Gateway,
    folder: TempDir,
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        fs::write(folder.join(format!("{name}.cypher")), text).expect("there is room for a file");
    }
}

impl Stand {
    async fn start(files: &[(&str, &str)], settings: &[(&'static str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        write(folder.path(), files);
        let directory = folder.path().to_str().expect("it is UTF-8").to_owned();
        let settings = [&[("named.directory", directory.as_str()), ("named.check", "off")], settings].concat();
        Self { gateway: start_embedded(&settings).await, folder }
    }

    fn reload(&self, settings: &[(&'static str, &str)]) {
        let directory = self.folder.path().to_str().expect("it is UTF-8");
        self.gateway.reload(&[&[("named.directory", directory), ("named.check", "off")], settings].concat());
    }

    async fn get(&self, call: &str) -> Response {
        self.get_with(call, &[]).await
    }

    async fn get_with(&self, call: &str, headers: &[(&str, &str)]) -> Response {
        self.gateway.send("GET", &format!("/db/neo4j/named/{call}"), headers, "").await
    }

    async fn post(&self, name: &str, text: &str) -> Response {
        self.gateway.send("POST", &format!("/db/neo4j/named/{name}"), &[JSON], text).await
    }
}

#[tokio::test]
async fn a_query_is_called_with_a_query_string_or_an_object() {
    let stand = Stand::start(&[("numbers", NUMBERS), ("echo", ECHO)], &[]).await;
    let answer = stand.get("numbers?limit=2").await;
    assert_eq!((answer.status, answer.header("Content-Type")), (200, Some("application/json")), "{answer}");
    let rows = json!([{ "n": 1, "text": "1" }, { "n": 2, "text": "2" }]);
    assert_eq!(body(&answer), rows);
    assert_eq!(body(&stand.post("numbers", r#"{"limit":2}"#).await), rows);
    assert_eq!(body(&stand.get("numbers?limit=0").await), json!([]));
    assert_eq!(body(&stand.get("echo?text=a+%26%20b%C3%A4").await), json!([{ "text": "a & bä" }]));
    let typed = [("Content-Type", "application/vnd.neo4j.query.v1.0")];
    let text = r#"{"limit":{"$type":"Integer","_value":"2"}}"#;
    assert_eq!(body(&stand.gateway.send("POST", "/db/neo4j/named/numbers", &typed, text).await), rows);
}

#[tokio::test]
async fn text_never_becomes_part_of_a_statement() {
    let stand = Stand::start(&[("echo", ECHO)], &[]).await;
    for attack in [
        "' OR 1=1 //",
        "\" }) DETACH DELETE n //",
        "'}) RETURN 1 UNION MATCH (n) RETURN n //",
        "$text",
        "${text}",
        "`); CREATE (:Hacked); //",
        "\\u0027; CREATE (:Hacked)",
        "a\u{0}b",
        "*/ CREATE (:Hacked) /*",
        "a\r\n//: access = \"write\"",
        "{{text}} #{text} %(text)s",
    ] {
        let by_json = stand.post("echo", &json!({ "text": attack }).to_string()).await;
        assert_eq!(body(&by_json), json!([{ "text": attack }]), "{attack}");
        let encoded: String = attack.bytes().map(|byte| format!("%{byte:02x}")).collect();
        assert_eq!(body(&stand.get(&format!("echo?text={encoded}")).await), json!([{ "text": attack }]), "{attack}");
    }
    assert_eq!(count(&stand.gateway, "Hacked").await, 0);
}

#[tokio::test]
async fn all_faulty_parameters_are_told_at_once() {
    let stand = Stand::start(&[("numbers", NUMBERS), ("echo", ECHO)], &[]).await;
    let faults = |answer: &Response| {
        assert_eq!((answer.status, answer.header("Cache-Control")), (400, Some("no-store")), "{answer}");
        let errors = body(answer)["errors"].as_array().expect("errors").clone();
        let text = |error: &Value, key: &str| error[key].as_str().expect(key).to_owned();
        let of = |error: &Value| (text(error, "code"), text(error, "parameter"));
        errors.iter().map(of).collect::<Vec<_>>()
    };
    let code = |name: &str| format!("Neo.ClientError.Statement.{name}");
    assert_eq!(
        faults(&stand.get("numbers?x=1&limit=a").await),
        [(code("TypeError"), "limit".to_owned()), (code("ArgumentError"), "x".to_owned())]
    );
    assert_eq!(faults(&stand.get("numbers").await), [(code("ParameterMissing"), "limit".to_owned())]);
    assert_eq!(faults(&stand.get("numbers?limit=-1").await), [(code("ArgumentError"), "limit".to_owned())]);
    assert_eq!(faults(&stand.post("numbers", r#"{"limit":1e3}"#).await), [(code("TypeError"), "limit".to_owned())]);
    assert_eq!(faults(&stand.post("echo", "").await), [(code("ParameterMissing"), "text".to_owned())]);
    let precise = [("Boltgate-Statuses", "precise")];
    assert_eq!(body(&stand.get_with("numbers", &precise).await)["errors"][0]["retryable"], false);
    for (text, part) in [("[1]", "must be an object"), ("{", "line 1"), ("{\"limit\":1} {}", "text follows")] {
        let error = refused(&stand.post("numbers", text).await);
        assert!(error.status == 400 && error.message.contains(part), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_has_the_form_that_its_file_says() {
    let one = "RETURN 1 AS a, [2] AS b";
    let none = "UNWIND [] AS a RETURN a";
    let two = "UNWIND [1, 2] AS a RETURN a";
    let with = |result: &str, statement: &str| format!("//: result = \"{result}\"\n{statement}");
    let files = [
        ("record", with("record", one)),
        ("value", with("value", one)),
        ("document", with("document", one)),
        ("no-record", with("record", none)),
        ("no-value", with("value", none)),
        ("two-records", with("record", two)),
        ("two-values", with("value", two)),
        (
            "two-written",
            "//: access = \"write\"\n//: result = \"record\"\nUNWIND [1, 2] AS a CREATE (:Two) RETURN a".to_owned(),
        ),
    ];
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let stand = Stand::start(&files, &[]).await;
    assert_eq!(body(&stand.get("record").await), json!({ "a": 1, "b": [2] }));
    assert_eq!(body(&stand.get("value").await), json!(1));
    let document = stand.get("document").await;
    assert_eq!((document.status, &body(&document)["data"]["values"]), (200, &json!([[1, [2]]])));
    for name in ["no-record", "no-value"] {
        let error = refused(&stand.get(name).await);
        assert_eq!((error.status, error.code.as_str()), (404, "Neo.ClientError.Request.NotFound"));
        assert!(error.message.contains("has no record"), "{error:?}");
    }
    for name in ["two-records", "two-values"] {
        let error = refused(&stand.get(name).await);
        assert_eq!((error.status, error.code.as_str()), (500, "Boltgate.DatabaseError.Named.SeveralRecords"));
    }
    assert_eq!(stand.post("two-written", "").await.status, 500);
    assert_eq!(count(&stand.gateway, "Two").await, 0, "it was rolled back");
}

#[tokio::test]
async fn other_types_come_by_accept() {
    let stand = Stand::start(&[("numbers", NUMBERS)], &[]).await;
    let text = async |accept: &str| {
        let answer = stand.get_with("numbers?limit=2", &[("Accept", accept)]).await;
        assert_eq!(answer.status, 200, "{answer}");
        assert!(answer.header("ETag").is_some(), "{answer}");
        answer.text()
    };
    assert_eq!(text("text/csv").await, "n,text\r\n1,1\r\n2,2\r\n");
    assert_eq!(text("application/x-ndjson").await, "{\"n\":1,\"text\":\"1\"}\n{\"n\":2,\"text\":\"2\"}\n");
    assert!(text("application/jsonl").await.starts_with("{\"$event\":\"Header\""));
    assert!(text("application/vnd.neo4j.query.v1.0").await.contains(r#"{"$type":"Integer","_value":"1"}"#));
    let refused = stand.get_with("numbers?limit=2", &[("Accept", "image/png")]).await;
    assert_eq!((refused.status, refused.header("Cache-Control")), (406, Some("no-store")), "{refused}");
}

#[tokio::test]
async fn caches_revalidate_what_they_have() {
    let plain = "//: [parameters.x]\n//: type = \"integer\"\n//: default = 1\nRETURN $x AS x, 2 AS y";
    let public = "//: allow = [\"*\"]\n//: run_as = \"service\"\n//: cache = \"5m\"\n//: cache_scope = \"public\"\nRETURN 1 AS x";
    let stand = Stand::start(&[("numbers", NUMBERS), ("plain", plain), ("public", public), ("add", ADD)], &[]).await;
    let header = |answer: &Response, name: &str| answer.header(name).unwrap_or_default().to_owned();
    let first = stand.get("numbers?limit=3").await;
    let tag = header(&first, "ETag");
    assert!(tag.starts_with("W/\"") && tag.len() == 36, "{tag}");
    assert_eq!(header(&first, "Cache-Control"), "private, max-age=60");
    assert_eq!(header(&first, "Vary"), "Accept, Accept-Encoding, Authorization");
    assert_eq!(header(&stand.get("plain").await, "Cache-Control"), "private, no-cache");
    assert_eq!(header(&stand.get("public").await, "Cache-Control"), "public, max-age=300");

    let strong = tag.trim_start_matches("W/").to_owned();
    for known in [tag.clone(), strong, format!("\"x\", {tag}"), "*".to_owned()] {
        let again = stand.get_with("numbers?limit=3", &[("If-None-Match", &known)]).await;
        assert_eq!((again.status, again.text().as_str()), (304, ""), "{again}");
        assert_eq!(
            (header(&again, "ETag"), header(&again, "Cache-Control")),
            (tag.clone(), header(&first, "Cache-Control"))
        );
        assert_eq!(header(&again, "Vary"), header(&first, "Vary"));
    }
    // Another answer has another tag: other rows, and another type.
    assert_eq!(stand.get_with("numbers?limit=4", &[("If-None-Match", &tag)]).await.status, 200);
    let csv = [("If-None-Match", tag.as_str()), ("Accept", "text/csv")];
    assert_eq!(stand.get_with("numbers?limit=3", &csv).await.status, 200);
    // The document's timings are not part of it.
    let lines = [("Accept", "application/vnd.neo4j.query.v1.0")];
    let [one, other] =
        [stand.get_with("numbers?limit=3", &lines).await, stand.get_with("numbers?limit=3", &lines).await];
    assert_eq!(header(&one, "ETag"), header(&other, "ETag"));

    let head = stand.gateway.send("HEAD", "/db/neo4j/named/numbers?limit=3", &[], "").await;
    assert_eq!((head.status, header(&head, "ETag"), head.body.len()), (200, tag, 0));
    let long = stand.get("numbers?limit=200000").await;
    assert_eq!(
        (long.status, long.header("ETag"), header(&long, "Cache-Control").as_str()),
        (200, None, "private, max-age=60")
    );
    assert_eq!(body(&long).as_array().map(Vec::len), Some(200_000));
    let written = stand.post("add", r#"{"name":"a"}"#).await;
    assert_eq!(
        (written.status, written.header("ETag"), written.header("Cache-Control")),
        (200, None, Some("no-store"))
    );
}

#[tokio::test]
async fn writing_takes_post() {
    let stand = Stand::start(&[("add", ADD), ("echo", ECHO)], &[]).await;
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        let answer = stand.gateway.send(method, "/db/neo4j/named/add?name=a", &[], "").await;
        assert_eq!((answer.status, answer.header("Allow")), (405, Some("POST,OPTIONS")), "{answer}");
        let unknown = stand.gateway.send(method, "/db/neo4j/named/nothing", &[], "").await;
        assert_eq!((unknown.status, unknown.header("Allow")), (404, None), "{unknown}");
    }
    let put = stand.gateway.send("PUT", "/db/neo4j/named/echo", &[], "").await;
    assert_eq!((put.status, put.header("Allow")), (405, Some("HEAD,GET,POST,OPTIONS")));
    let key = [JSON, ("Idempotency-Key", "once")];
    for replayed in [None, Some("true")] {
        let answer = stand.gateway.send("POST", "/db/neo4j/named/add", &key, r#"{"name":"a"}"#).await;
        assert_eq!((body(&answer), answer.header("Idempotency-Replayed")), (json!([{ "name": "a" }]), replayed));
    }
    assert_eq!(count(&stand.gateway, "Added").await, 1);
    let lines = [JSON, ("Accept", "application/jsonl")];
    let answer = stand.gateway.send("POST", "/db/neo4j/named/add", &lines, r#"{"name":"b"}"#).await;
    let summary: Value = serde_json::from_str(answer.text().lines().last().unwrap()).unwrap();
    assert_eq!(summary["_body"]["counters"]["nodesCreated"], 1, "{answer}");
    // A query that is to read cannot write.
    let sly = "CREATE (:Sly) RETURN 1 AS x";
    write(stand.folder.path(), &[("sly", sly)]);
    stand.reload(&[]);
    assert_eq!(stand.get("sly").await.status, 400);
    assert_eq!(count(&stand.gateway, "Sly").await, 0);
}

#[tokio::test]
async fn a_result_has_a_limit_of_its_own() {
    let limited = format!("//: max_rows = 3\n{NUMBERS}");
    let stand = Stand::start(&[("limited", &limited)], &[]).await;
    assert_eq!(body(&stand.get("limited?limit=3").await).as_array().map(Vec::len), Some(3));
    for accept in ["application/json", "text/csv", "application/vnd.neo4j.query.v1.0"] {
        let error = refused(&stand.get_with("limited?limit=4", &[("Accept", accept)]).await);
        assert_eq!((error.status, error.code.as_str()), (400, "Boltgate.ClientError.Limit.ResultRows"));
    }
}

#[tokio::test]
async fn the_list_says_what_can_be_called_and_how() {
    let old = "//: deprecated = true\n//: databases = [\"neo4j\"]\nRETURN 1 AS x;";
    let secret = "//: allow = [\"user:alice\"]\nRETURN 1 AS x";
    let stand = Stand::start(&[("numbers", NUMBERS), ("add", ADD), ("old", old), ("secret", secret)], &[]).await;
    let listed = stand.gateway.send("GET", "/db/neo4j/named", &[], "").await;
    assert_eq!((listed.status, listed.header("Cache-Control")), (200, Some("no-store")), "{listed}");
    let named = body(&listed)["named"].clone();
    let names: Vec<_> = named.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["add", "numbers", "old"]);
    assert_eq!(
        named[1],
        json!({
            "name": "numbers", "summary": "Numbers up to a limit", "description": "", "access": "read",
            "methods": ["GET", "HEAD", "POST"], "result": "records", "href": "/db/neo4j/named/numbers", "deprecated": false,
            "parameters": { "type": "object", "additionalProperties": false, "required": ["limit"], "properties": {
                "limit": { "type": "integer", "format": "int64", "minimum": 0, "maximum": 1_000_000 },
            } },
        })
    );
    assert_eq!((&named[0]["methods"], &named[2]["deprecated"]), (&json!(["POST"]), &json!(true)));
    let elsewhere = body(&stand.gateway.send("GET", "/db/other/named", &[], "").await);
    assert_eq!(elsewhere["named"].as_array().map(Vec::len), Some(2));
    stand.reload(&[("named.show_statements", "true")]);
    assert_eq!(
        body(&stand.gateway.send("GET", "/db/neo4j/named", &[], "").await)["named"][2]["statement"],
        "RETURN 1 AS x"
    );
}

#[tokio::test]
async fn a_reload_takes_all_files_or_none_while_requests_go_on() {
    let stand = Stand::start(&[("numbers", NUMBERS), ("a", "RETURN 1 AS x"), ("b", "RETURN 1 AS x")], &[]).await;
    let asked = async {
        for _ in 0..200 {
            let [a, b] = [stand.get("a").await, stand.get("b").await];
            assert_eq!((a.status, b.status), (200, 200));
            let long = stand.get("numbers?limit=2000").await;
            assert_eq!(body(&long).as_array().map(Vec::len), Some(2000));
        }
    };
    let reloads = async {
        for version in 2..30 {
            let text = format!("RETURN {version} AS x");
            write(stand.folder.path(), &[("a", &text), ("b", &text)]);
            stand.reload(&[]);
            let [a, b] = [stand.get("a").await, stand.get("b").await];
            assert_eq!((body(&a), body(&b)), (json!([{ "x": version }]), json!([{ "x": version }])));
        }
    };
    futures_util::future::join(asked, reloads).await;
}

#[tokio::test]
async fn pages_of_other_origins_may_revalidate() {
    let origin = "https://app.example";
    let stand = Stand::start(&[("echo", ECHO)], &[("cors.allowed_origins", origin)]).await;
    let answer = stand.get_with("echo?text=a", &[("Origin", origin)]).await;
    let exposed = answer.header("Access-Control-Expose-Headers").unwrap_or_default();
    assert!(exposed.split(", ").any(|name| name == "ETag"), "{answer}");
    let asked = [("Origin", origin), ("Access-Control-Request-Method", "GET")];
    let preflight = stand.gateway.send("OPTIONS", "/db/neo4j/named/echo", &asked, "").await;
    let allowed = preflight.header("Access-Control-Allow-Headers").unwrap_or_default();
    for name in ["If-None-Match", "Boltgate-Bookmarks", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"] {
        assert!(allowed.split(", ").any(|one| one == name), "{name}: {allowed}");
    }
}
