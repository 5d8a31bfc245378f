//! Traces: what a collector receives.
#![cfg(feature = "otlp")]

mod collector;
mod protobuf;

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use self::collector::{Collector, Kind, Span};
use crate::support::{
    bolt::{control::Fault, fake_neo4j::FakeNeo4j},
    gateway::{Gateway, start_for_with},
    http::Response,
    query::{authorization, body, values},
};

const QUERY: &str = "/db/neo4j/query/v2";
const TX: &str = "/db/neo4j/query/v2/tx";
/// The longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);
const PARENT: &str = "00f067aa0ba902b7";

/// A gateway between a fake of Neo4j and a collector.
struct Stand {
    database: FakeNeo4j,
    collector: Collector,
    gateway: Gateway,
    authorization: String,
    /// The number of traces.
    traces: u128,
}

impl Stand {
    async fn new(changes: &[(&'static str, &str)]) -> Self {
        Self::with(Collector::start().await, changes).await
    }

    async fn with(collector: Collector, changes: &[(&'static str, &str)]) -> Self {
        let database = FakeNeo4j::start().await;
        let endpoint = ("telemetry.otlp.endpoint", collector.endpoint.as_str());
        let changes: Vec<_> = [endpoint].into_iter().chain(changes.iter().copied()).collect();
        let gateway = start_for_with(&database.uri(), &changes).await;
        Self { database, collector, gateway, authorization: authorization("neo4j", "password"), traces: 0 }
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let ours = [("Content-Type", "application/json"), ("Authorization", self.authorization.as_str())];
        let headers: Vec<_> = ours.into_iter().chain(headers.iter().copied()).collect();
        self.gateway.send(method, path, &headers, body).await
    }

    /// The id of a trace that is another one each time.
    fn new_trace(&mut self) -> String {
        self.traces += 1;
        format!("{:032x}", 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_0000 + self.traces)
    }

    /// POSTs as a part of a trace that its caller samples, and gets the answer and the spans.
    async fn traced(&mut self, path: &str, body: &Value) -> (Response, Spans) {
        self.traced_as("POST", path, &body.to_string()).await
    }

    async fn traced_as(&mut self, method: &str, path: &str, body: &str) -> (Response, Spans) {
        let trace = self.new_trace();
        let response = self.send(method, path, &[("traceparent", &format!("00-{trace}-{PARENT}-01"))], body).await;
        (response, Spans(self.collector.trace(&trace).await))
    }

    /// The ids of the traces that the collector got up to that of a request that is sampled for sure.
    async fn traces_until_now(&mut self) -> Vec<String> {
        let last = self.new_trace();
        self.send("GET", "/", &[("traceparent", &format!("00-{last}-{PARENT}-01"))], "").await;
        let known = |span: &Span| span.trace == last && span.kind == Kind::Server;
        let spans = self.collector.spans_until(|spans| spans.iter().any(known)).await;
        spans.into_iter().map(|span| span.trace).filter(|trace| *trace != last).collect()
    }
}

/// The spans of one trace.
struct Spans(Vec<Span>);

impl Spans {
    fn server(&self) -> &Span {
        let found: Vec<_> = self.0.iter().filter(|span| span.kind == Kind::Server).collect();
        assert_eq!(found.len(), 1, "{found:#?}");
        found[0]
    }

    /// Those of exchanges with the database, the first to begin first.
    fn exchanges(&self) -> Vec<&Span> {
        let mut found: Vec<_> = self.0.iter().filter(|span| span.kind == Kind::Client).collect();
        found.sort_by_key(|span| span.started);
        for span in &found {
            assert_eq!(span.parent, self.server().id, "{span:#?}");
        }
        found
    }

    fn names(&self) -> Vec<&str> {
        self.exchanges().iter().map(|span| span.name.as_str()).collect()
    }
}

fn pairs(expected: &[(&str, &str)]) -> BTreeMap<String, String> {
    expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn a_request_and_its_exchange_are_described() {
    let mut stand = Stand::new(&[("telemetry.otlp.service_name", "gw"), ("server.instance", "gw-a")]).await;
    let trace = stand.new_trace();
    let headers = [
        ("traceparent", format!("00-{trace}-{PARENT}-01")),
        ("X-Request-Id", "r-1".to_owned()),
        ("User-Agent", "tests/1".to_owned()),
        ("Host", "localhost:7474".to_owned()),
    ];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let request = json!({ "statement": "RETURN $secret AS x", "parameters": { "secret": "s3cret" } }).to_string();
    let answer = stand.send("POST", &format!("{QUERY}?q=s3cret"), &headers, &request).await;
    assert_eq!(values(&answer), json!([["s3cret"]]));
    let spans = Spans(stand.collector.trace(&trace).await);

    let server = spans.server();
    assert_eq!((server.name.as_str(), server.parent.as_str()), ("POST /db/{db}/query/v2", PARENT));
    let mut attributes = server.attributes.clone();
    let caller = attributes.remove("boltgate.caller").expect("a caller");
    assert!(caller.len() == 16 && caller.bytes().all(|byte| byte.is_ascii_hexdigit()), "{caller}");
    let expected = [
        ("http.request.method", "POST"),
        ("http.route", "/db/{db}/query/v2"),
        ("url.path", QUERY),
        ("url.scheme", "http"),
        ("http.response.status_code", "#202"),
        ("server.address", "localhost"),
        ("server.port", "#7474"),
        ("client.address", "127.0.0.1"),
        ("network.protocol.version", "1.1"),
        ("user_agent.original", "tests/1"),
        ("boltgate.request_id", "r-1"),
    ];
    assert_eq!(attributes, pairs(&expected));
    assert!(!server.is_error);

    let exchanges = spans.exchanges();
    assert_eq!(spans.names(), ["RUN neo4j"]);
    let port = format!("#{}", stand.database.addr().port());
    let expected = [
        ("db.system.name", "neo4j"),
        ("db.namespace", "neo4j"),
        ("db.operation.name", "RUN"),
        ("server.address", "127.0.0.1"),
        ("server.port", port.as_str()),
        ("db.response.returned_rows", "#1"),
    ];
    assert_eq!(exchanges[0].attributes, pairs(&expected));
    assert!(!exchanges[0].is_error);
    assert!(server.started <= exchanges[0].started && exchanges[0].started <= exchanges[0].ended);
    assert!(exchanges[0].ended <= server.ended);

    let resource = &server.resource;
    assert_eq!((resource["service.name"].as_str(), resource["service.instance.id"].as_str()), ("gw", "gw-a"));
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
    for export in stand.collector.exports() {
        assert!(!String::from_utf8_lossy(&export.body).contains("s3cret"), "{export:?}");
    }
}

#[tokio::test]
async fn every_exchange_of_a_transaction_has_a_span() {
    let mut stand = Stand::new(&[]).await;
    let statement = json!({ "statement": "RETURN 1 AS one" });
    for end in ["commit", "commit with a statement", "roll back"] {
        let (opened, spans) = stand.traced(TX, &json!({})).await;
        assert_eq!((spans.server().name.as_str(), spans.names()), ("POST /db/{db}/query/v2/tx", vec!["BEGIN neo4j"]));
        let path = format!("{TX}/{}", body(&opened)["transaction"]["id"].as_str().expect("a handle"));
        let (_, spans) = stand.traced(&path, &statement).await;
        let name = "POST /db/{db}/query/v2/tx/{id}";
        assert_eq!((spans.server().name.as_str(), spans.names()), (name, vec!["RUN neo4j"]));
        let (_, spans) = stand.traced(&path, &json!({})).await;
        assert_eq!(spans.names(), [""; 0], "keeping it alive asks nothing");
        let (answer, spans) = match end {
            "commit" => stand.traced(&format!("{path}/commit"), &json!({})).await,
            "roll back" => stand.traced_as("DELETE", &path, "").await,
            _ => stand.traced(&format!("{path}/commit"), &statement).await,
        };
        assert!(answer.status < 300, "{answer}");
        let expected: &[&str] = match end {
            "commit" => &["COMMIT neo4j"],
            "roll back" => &["ROLLBACK neo4j"],
            _ => &["RUN neo4j", "COMMIT neo4j"],
        };
        assert_eq!(spans.names(), expected);
        assert!(spans.exchanges().iter().all(|span| !span.is_error), "{:#?}", spans.0);
    }
}

#[tokio::test]
async fn the_pipelined_statements_of_a_batch_are_one_exchange() {
    let mut stand = Stand::new(&[]).await;
    let statements: Vec<_> = (0..100).map(|_| json!({ "statement": "ROWS 2" })).collect();
    let (answer, spans) = stand.traced(&format!("{QUERY}/batch"), &json!({ "statements": statements })).await;
    assert_eq!(answer.status, 202, "{answer}");
    assert_eq!(spans.names(), ["RUN neo4j", "COMMIT neo4j"]);
    assert_eq!(spans.exchanges()[0].attributes["db.response.returned_rows"], "#200");
}

#[tokio::test]
async fn every_attempt_has_a_span() {
    let mut stand = Stand::new(&[]).await;
    let (answer, spans) = stand.traced(QUERY, &json!({ "statement": "CONFLICT 2" })).await;
    assert_eq!(answer.header("Boltgate-Attempts"), Some("3"), "{answer}");
    assert_eq!(spans.names(), ["RUN neo4j"; 3]);
    let failed: Vec<_> = spans.exchanges().iter().map(|span| span.is_error).collect();
    assert_eq!(failed, [true, true, false]);
    let code = &spans.exchanges()[0].attributes["db.response.status_code"];
    assert!(code.starts_with("Neo.TransientError."), "{code}");
    assert_eq!(&spans.exchanges()[0].attributes["error.type"], code);
    assert!(!spans.server().is_error);
}

#[tokio::test]
async fn failures_have_their_codes_and_only_those_of_the_server_are_errors() {
    let mut stand = Stand::new(&[]).await;
    let code = "Neo.ClientError.Statement.SyntaxError";
    let (answer, spans) = stand.traced(QUERY, &json!({ "statement": format!("FAIL {code} no") })).await;
    assert_eq!(answer.status, 400, "{answer}");
    let run = spans.exchanges()[0].clone();
    assert!(run.is_error && run.attributes["db.response.status_code"] == code && run.attributes["error.type"] == code);
    assert_eq!(spans.server().attributes["http.response.status_code"], "#400");
    assert!(!spans.server().is_error && !spans.server().attributes.contains_key("error.type"));

    let code = "Neo.DatabaseError.General.UnknownError";
    let (answer, spans) = stand.traced(QUERY, &json!({ "statement": format!("FAIL {code} no") })).await;
    assert_eq!(answer.status, 500, "{answer}");
    assert!(spans.server().is_error && spans.exchanges()[0].is_error);
    assert_eq!(spans.server().attributes["error.type"], "500");
}

#[tokio::test]
async fn a_client_that_leaves_is_no_error_of_the_server() {
    let mut stand = Stand::new(&[]).await;
    let trace = stand.new_trace();
    let traceparent = format!("00-{trace}-{PARENT}-01");
    let request = json!({ "statement": "SLEEP 600000" }).to_string();
    let headers = [("traceparent", traceparent.as_str())];
    {
        let sending = stand.send("POST", QUERY, &headers, &request);
        tokio::select! {
            answer = sending => panic!("{answer}"),
            _ = stand.database.control.wait_for("the statement runs", |counts| counts.running == 1) => {}
        }
    }
    let trace = Spans(stand.collector.trace(&trace).await);
    let server = trace.server();
    assert_eq!(server.attributes["error.type"], "client_gone");
    assert!(!server.is_error && !server.attributes.contains_key("http.response.status_code"), "{server:#?}");
}

#[tokio::test]
async fn made_up_methods_and_paths_make_up_no_names() {
    let mut stand = Stand::new(&[]).await;
    let (_, spans) = stand.traced_as("BREW", "/db/neo4j/coffee", "").await;
    let server = spans.server();
    assert_eq!(server.name, "HTTP");
    assert_eq!(server.attributes["http.request.method"], "_OTHER");
    assert_eq!(server.attributes["http.request.method_original"], "BREW");
    assert!(!server.attributes.contains_key("http.route"), "{server:#?}");
}

#[tokio::test]
async fn a_callers_decision_goes_before_the_share() {
    for (sample, without_caller) in [("0.0", 0), ("1.0", 1)] {
        let mut stand = Stand::new(&[("telemetry.otlp.sample", sample)]).await;
        let trace = stand.new_trace();
        stand.send("GET", "/", &[("traceparent", &format!("00-{trace}-{PARENT}-00"))], "").await;
        stand.send("GET", "/", &[], "").await;
        let traces = stand.traces_until_now().await;
        assert!(!traces.contains(&trace), "{sample}");
        assert_eq!(traces.len(), without_caller, "{sample}");
        assert!(traces.iter().all(|trace| trace.len() == 32 && !trace.starts_with("4bf9")), "{traces:?}");
    }
}

#[tokio::test]
async fn a_reload_changes_what_is_sampled() {
    let mut stand = Stand::new(&[("telemetry.otlp.sample", "0.0")]).await;
    stand.send("GET", "/", &[], "").await;
    stand.gateway.reload(&[("telemetry.otlp.sample", "1.0"), ("telemetry.otlp.statements", "true")]);
    stand.send("GET", "/", &[], "").await;
    assert_eq!(stand.traces_until_now().await.len(), 1);
    let (_, spans) = stand.traced(QUERY, &json!({ "statement": "RETURN 1" })).await;
    assert_eq!(spans.exchanges()[0].attributes["db.query.text"], "RETURN 1");
}

#[tokio::test]
async fn what_became_of_spans_is_counted() {
    let collector = Collector::start_with(&[400]).await;
    let stand = Stand::with(collector, &[("admin.listen", "127.0.0.1:0")]).await;
    for (failed, exported) in [(1.0, 0.0), (1.0, 1.0)] {
        stand.send("GET", "/", &[], "").await;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let metrics = stand.gateway.metrics().await;
            let count = |result| metrics.value("boltgate_otlp_spans_total", &[("result", result)]);
            assert!(count("dropped") == 0.0 && count("failed") <= failed && count("exported") <= exported);
            if (count("failed"), count("exported")) == (failed, exported) {
                break;
            }
            assert!(Instant::now() < deadline, "the export is not counted");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn statements_are_in_spans_only_if_the_operator_wants_them() {
    let statement = "RETURN $secret AS x";
    for (setting, text) in [("false", None), ("true", Some(statement))] {
        let mut stand = Stand::new(&[("telemetry.otlp.statements", setting)]).await;
        let request = json!({ "statement": statement, "parameters": { "secret": "s3cret" } });
        let (_, spans) = stand.traced(QUERY, &request).await;
        assert_eq!(spans.exchanges()[0].attributes.get("db.query.text").map(String::as_str), text);
        for export in stand.collector.exports() {
            assert!(!String::from_utf8_lossy(&export.body).contains("s3cret"), "{export:?}");
        }
    }
}

#[tokio::test]
async fn the_database_is_told_the_span_of_its_exchange() {
    let mut stand = Stand::new(&[]).await;
    let trace = stand.new_trace();
    let traceparent = format!("00-{trace}-{PARENT}-01");
    let whoami = json!({ "statement": "WHOAMI" }).to_string();
    let answer = stand.send("POST", QUERY, &[("traceparent", &traceparent)], &whoami).await;
    let spans = Spans(stand.collector.trace(&trace).await);
    let told = format!("00-{trace}-{}-01", spans.exchanges()[0].id);
    assert_eq!(metadata(&answer)["traceparent"], told);

    // A trace that is not sampled goes on as it came.
    let traceparent = format!("00-{trace}-{PARENT}-00");
    let answer = stand.send("POST", QUERY, &[("traceparent", &traceparent)], &whoami).await;
    assert_eq!(metadata(&answer)["traceparent"], traceparent);
}

/// The metadata of the transaction, according to the fake.
fn metadata(answer: &Response) -> Value {
    let data = &body(answer)["data"];
    let fields = data["fields"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let at = fields.iter().position(|field| field == "tx_metadata").expect("a column");
    data["values"][0][at].clone()
}

#[tokio::test]
async fn waiting_for_a_connection_has_a_span() {
    let mut stand = Stand::new(&[]).await;
    stand.database.control.on_next("HELLO", Fault::Delay(Duration::from_millis(20)));
    let (_, spans) = stand.traced(QUERY, &json!({ "statement": "RETURN 1" })).await;
    for name in ["pool.acquire", "database.connect"] {
        let found: Vec<_> = spans.0.iter().filter(|span| span.name == name).collect();
        assert_eq!(found.len(), 1, "{name}: {:#?}", spans.0);
        assert_eq!((found[0].kind, found[0].parent.as_str()), (Kind::Internal, spans.server().id.as_str()));
        assert!(found[0].ended - found[0].started >= 20_000_000, "{:#?}", found[0]);
    }
}

#[tokio::test]
async fn exports_have_headers_and_are_sent_again_when_the_collector_is_busy() {
    let collector = Collector::start_with(&[503, 429]).await;
    let mut stand = Stand::with(collector, &[("telemetry.otlp.headers", "authorization=Bearer k3y,x-scope=a")]).await;
    let (_, spans) = stand.traced_as("GET", "/", "").await;
    assert_eq!(spans.server().name, "GET /");
    let exports = stand.collector.exports();
    assert_eq!(exports.iter().map(|export| export.status).collect::<Vec<_>>(), [503, 429, 200]);
    for export in exports {
        assert_eq!(export.headers["content-type"], "application/x-protobuf");
        assert_eq!(
            (&export.headers["authorization"], &export.headers["x-scope"]),
            (&"Bearer k3y".parse().unwrap(), &"a".parse().unwrap())
        );
        assert_eq!(export.body, stand.collector.exports()[0].body);
    }
}

#[tokio::test]
async fn a_stopping_gateway_exports_what_is_left() {
    let mut stand = Stand::new(&[]).await;
    let trace = stand.new_trace();
    stand.send("GET", "/", &[("traceparent", &format!("00-{trace}-{PARENT}-01"))], "").await;
    let Stand { gateway, collector, .. } = stand;
    gateway.shutdown().await;
    let exports = collector.exports();
    assert_eq!(exports.len(), 1, "exported by the time that it has stopped");
    assert_eq!(collector.trace(&trace).await.len(), 1);
}
