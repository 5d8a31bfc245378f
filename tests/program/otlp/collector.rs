//! An OpenTelemetry collector that keeps what it is sent.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::timeout};

use super::protobuf::Message;

/// The longest wait for spans.
const PATIENCE: Duration = Duration::from_secs(60);

/// A collector. Nobody listens any more once it is dropped.
pub struct Collector {
    pub endpoint: String,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    /// The statuses of the next answers. Later answers have 200.
    statuses: Mutex<Vec<u16>>,
    exports: watch::Sender<Vec<Export>>,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Export {
    pub headers: HeaderMap,
    pub body: Bytes,
    pub status: u16,
}

/// A span as it arrived.
#[derive(Debug, Clone)]
pub struct Span {
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub name: String,
    pub kind: Kind,
    pub started: u64,
    pub ended: u64,
    pub attributes: BTreeMap<String, String>,
    /// Whether the status is ERROR.
    pub is_error: bool,
    pub resource: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Internal,
    Server,
    Client,
}

impl Collector {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// One whose first answers have these statuses.
    pub async fn start_with(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let statuses = Mutex::new(statuses.iter().rev().copied().collect());
        let shared = Arc::new(Shared { statuses, exports: watch::Sender::new(Vec::new()) });
        let router = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { endpoint, shared, serving }
    }

    /// All requests so far.
    pub fn exports(&self) -> Vec<Export> {
        self.shared.exports.borrow().clone()
    }

    /// All spans that were taken, once `is_enough` says so.
    pub async fn spans_until(&self, is_enough: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        let mut exports = self.shared.exports.subscribe();
        let enough = exports.wait_for(|exports| is_enough(&spans(exports)));
        let found = timeout(PATIENCE, enough).await.map(|found| spans(&found.expect("the collector is there")));
        found.unwrap_or_else(|_| panic!("these spans are not enough: {:#?}", spans(&self.exports())))
    }

    /// The spans of `trace`, once its request has ended.
    pub async fn trace(&self, trace: &str) -> Vec<Span> {
        let of = |span: &&Span| span.trace == trace;
        let spans = self.spans_until(|spans| spans.iter().filter(of).any(|span| span.kind == Kind::Server)).await;
        spans.iter().filter(of).cloned().collect()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let status = shared.statuses.lock().expect("no test panics here").pop().unwrap_or(200);
    shared.exports.send_modify(|exports| exports.push(Export { headers, body, status }));
    StatusCode::from_u16(status).expect("a status")
}

fn spans(exports: &[Export]) -> Vec<Span> {
    exports.iter().filter(|export| export.status == 200).flat_map(|export| of_export(&export.body)).collect()
}

/// The numbers of fields are those of `opentelemetry/proto/trace/v1/trace.proto`.
fn of_export(body: &[u8]) -> Vec<Span> {
    let mut spans = Vec::new();
    for resource_spans in Message::parse(body).messages(1) {
        let resource = attributes(resource_spans.message(1).messages(1));
        for scope_spans in resource_spans.messages(2) {
            assert_eq!(scope_spans.message(1).text(1), "boltgate");
            spans.extend(scope_spans.messages(2).map(|span| Span {
                trace: hex(span.bytes(1)),
                id: hex(span.bytes(2)),
                parent: hex(span.bytes(4)),
                name: span.text(5),
                kind: match span.number(6) {
                    1 => Kind::Internal,
                    2 => Kind::Server,
                    3 => Kind::Client,
                    kind => panic!("kind {kind}"),
                },
                started: span.number(7),
                ended: span.number(8),
                attributes: attributes(span.messages(9)),
                is_error: span.message(15).number(3) == 2,
                resource: resource.clone(),
            }));
        }
    }
    spans
}

/// Attributes as text; numbers come with a `#`.
fn attributes<'a>(pairs: impl Iterator<Item = Message<'a>>) -> BTreeMap<String, String> {
    let pair = |pair: Message<'_>| {
        let value = pair.message(2);
        let value = if value.has(3) { format!("#{}", value.number(3)) } else { value.text(1) };
        (pair.text(1), value)
    };
    pairs.map(pair).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
