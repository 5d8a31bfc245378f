//! The gateway's service over a fake in this process, without sockets.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderName, Request},
};
use boltgate::{
    auth::{self, Authenticator, Form, Impersonation, Inbound, Policy, ServiceAccount, WhoRules, token},
    bolt::{Dialer, Endpoint, Recognition, connection::Limits},
    config::WhoRule,
    http,
    named::Queries,
    pool::{self, Pool},
    query::{self, Engine, TransactionSettings},
    telemetry::{event_log::EventLog, logs::LogControl, observer::Observer},
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::{
    io::{DuplexStream, copy_bidirectional, duplex},
    time::Instant,
};
use tower::Service;

use crate::support::bolt::{
    control::{Control, PATIENCE},
    fake_memgraph::{self, FakeMemgraph},
    fake_neo4j::{self, FakeNeo4j},
    value,
};

/// Either database.
pub enum Fake {
    Neo4j(FakeNeo4j),
    Memgraph(FakeMemgraph),
}

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Neo4j,
    Memgraph,
}

impl Fake {
    pub async fn start(kind: Kind) -> Arc<Self> {
        Arc::new(match kind {
            Kind::Neo4j => Self::Neo4j(FakeNeo4j::start_with(fake_neo4j::Options::default().without_auth()).await),
            Kind::Memgraph => Self::Memgraph(FakeMemgraph::start_with(fake_memgraph::Options::default()).await),
        })
    }

    pub fn control(&self) -> &Control {
        match self {
            Self::Neo4j(fake) => &fake.control,
            Self::Memgraph(fake) => &fake.control,
        }
    }

    pub fn database(&self) -> &'static str {
        match self {
            Self::Neo4j(_) => "neo4j",
            Self::Memgraph(_) => "memgraph",
        }
    }

    pub fn committed(&self, key: &str) -> Option<value::Value> {
        match self {
            Self::Neo4j(fake) => fake.store().committed("neo4j", key),
            Self::Memgraph(fake) => fake.store().committed("memgraph", key),
        }
    }

    fn connect(&self) -> DuplexStream {
        match self {
            Self::Neo4j(fake) => fake.connect(),
            Self::Memgraph(fake) => fake.connect(),
        }
    }

    /// A connection through which at most `width` bytes go at a time, so that every message takes many polls.
    fn connect_narrow(&self, width: usize) -> DuplexStream {
        let (ours, mut theirs) = duplex(width);
        let mut far = self.connect();
        // Ends with either side.
        tokio::spawn(async move { copy_bidirectional(&mut theirs, &mut far).await });
        ours
    }
}

/// A gateway without a listener.
#[derive(Clone)]
pub struct Stand {
    service: http::Service,
    pub engine: Engine,
    database: &'static str,
}

pub const POOL: pool::Settings = pool::Settings {
    waiting: 1000,
    caller_waiting: 1000,
    max: 2,
    share: 2,
    login_age: Duration::from_secs(3600),
    acquire_timeout: Duration::from_secs(60),
    max_lifetime: Duration::from_secs(3600),
    liveness_after: Duration::from_secs(30),
    liveness_timeout: Duration::from_secs(1),
    recovery: Duration::from_secs(2),
    patience: Duration::from_millis(250),
};

/// The database decides about callers.
pub fn everything_passed_on() -> auth::Settings {
    let policy = Policy {
        anonymous: Inbound::Forward,
        basic: Inbound::Forward,
        bearer: Inbound::Forward,
        scheme: "bearer".into(),
        form: Form::Auto,
        claims: false,
        request_schemes: Vec::new(),
        issuer_schemes: Vec::new(),
        impersonation: Impersonation::Database,
    };
    let tokens = token::Settings { issuers: Vec::new(), leeway: Duration::ZERO, stale_keys: Duration::ZERO };
    auth::Settings { policy, realm: "boltgate".into(), service_account: ServiceAccount::default(), tokens }
}

impl Stand {
    pub fn new(fake: &Arc<Fake>, width: usize, pool: pool::Settings) -> Self {
        Self::observed(fake, width, pool, Arc::new(EventLog))
    }

    pub fn observed(fake: &Arc<Fake>, width: usize, pool: pool::Settings, observer: Arc<dyn Observer>) -> Self {
        Self::limited(fake, width, pool, query::ResultLimits::default(), observer)
    }

    pub fn limited(
        fake: &Arc<Fake>,
        width: usize,
        pool: pool::Settings,
        result: query::ResultLimits,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let server = Arc::clone(fake);
        let dialer = Dialer {
            endpoint: Endpoint::Memory(Arc::new(move || server.connect_narrow(width))),
            dialect: Recognition::default(),
            timeout: Duration::from_secs(60),
            limits: Limits { max_message: 1 << 20, silence: Duration::from_secs(60) },
            traffic: Arc::default(),
        };
        let settings = query::Settings {
            max_execution_time: Duration::from_secs(60),
            termination_grace: Duration::from_secs(65),
            result,
            transactions: TransactionSettings {
                max: 4,
                share: 4,
                idle_timeout: Duration::from_secs(60),
                max_lifetime: Duration::from_secs(60),
                grace: Duration::from_secs(65),
            },
            aliases: query::Aliases::default(),
            log: LogControl::detached(boltgate::config::Settings::default().log),
            instance: None,
        };
        let engine = Engine::new(Pool::new(dialer, pool, observer), settings);
        let settings = http::Settings {
            requests: 1000,
            decompressed_body: 1 << 20,
            caller_requests: 1000,
            guard: http::GuardSettings {
                upgrades: false,
                loopback: true,
                allowed_hosts: Vec::new(),
                trusted_proxies: Vec::new(),
                cors: http::CorsSettings {
                    origins: Vec::new(),
                    credentials: false,
                    max_age: Duration::from_secs(60),
                    id_token_header: "X-Id-Token".into(),
                },
            },
            body: 1 << 20,
            body_memory: 1 << 26,
            body_timeout: Duration::from_secs(60),
            content: http::BodyLimits { statement: 1 << 19, depth: 100, packed: 1 << 21 },
            graph: 1 << 20,
            graph_elements: 1000,
            line: 1 << 20,
            id_token_header: HeaderName::from_static("x-id-token"),
            statuses: http::Statuses::QueryApi,
            server_timing: false,
            compression: true,
            csv_formulas: http::CsvFormulas::Keep,
            cypher: WhoRules::new(&[WhoRule::Anybody]),
            console: None,
            named: Queries::default(),
            named_statements: false,
            transactional: true,
            mcp: None,
            older_database: None,
            retry: query::Retry::NEVER,
            work: tokio_util::task::TaskTracker::new(),
            at_once: tokio_util::sync::CancellationToken::new(),
            websocket: None,
            idempotency: http::IdempotencySettings {
                keep: Duration::from_secs(60),
                max_answer: 1 << 20,
                capacity: 1 << 26,
            },
            neo4j_version: "2026.09.0".into(),
            neo4j_edition: "community",
            bolt_port: Some(7687),
            instance: None,
            tracer: None,
        };
        let service = http::service(
            engine.clone(),
            Authenticator::new(everything_passed_on(), Arc::clone(engine.observer())).unwrap(),
            settings,
        );
        Self { service, engine, database: fake.database() }
    }

    /// Sends a request to `/db/NAME/query/v2` and what is behind it, and reads the whole answer.
    pub fn send(&self, method: &str, path: &str, body: &Value) -> impl Future<Output = Answer> + use<> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/db/{}/query/v2{path}", self.database))
            .header("Host", "localhost")
            .header("Content-Type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let mut service = self.service.clone();
        async move {
            let response = service.call(request).await.unwrap();
            let status = response.status().as_u16();
            let bytes = response.into_body().collect().await.unwrap().to_bytes();
            Answer { status, body: serde_json::from_slice(&bytes).unwrap() }
        }
    }

    pub async fn run(&self, path: &str, statement: &str) -> Answer {
        self.send("POST", path, &json!({ "statement": statement })).await
    }

    /// Opens a transaction in which `statement` has run, and gives its path.
    pub async fn begin(&self, statement: &str) -> String {
        self.run("/tx", statement).await.transaction()
    }

    /// Waits until no connection is lent or being cleaned.
    pub async fn quiet(&self, what: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.engine.pool_status().in_use > 0 {
            assert!(Instant::now() < deadline, "{what}: a connection is never given back");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// What came of a request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    /// The path of the transaction that is open.
    pub fn transaction(&self) -> String {
        format!("/tx/{}", self.body["transaction"]["id"].as_str().unwrap_or_else(|| panic!("{self:?}")))
    }

    pub fn values(&self) -> &Value {
        assert!(self.status == 202 && self.body.get("errors").is_none(), "{self:?}");
        &self.body["data"]["values"]
    }

    pub fn error(&self) -> (u16, &str) {
        (self.status, self.body["errors"][0]["message"].as_str().unwrap_or_else(|| panic!("{self:?}")))
    }
}

/// A future that is dropped after a number of polls.
pub struct Polled<F> {
    future: Pin<Box<F>>,
    left: usize,
}

impl<F> Polled<F> {
    pub fn new(future: F, polls: usize) -> Self {
        Self { future: Box::pin(future), left: polls }
    }
}

impl<F: Future> Future for Polled<F> {
    /// `None` when it has not completed in time.
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.left -= 1;
        match self.future.as_mut().poll(cx) {
            Poll::Pending if self.left == 0 => Poll::Ready(None),
            polled => Poll::Ready(Some(ready!(polled))),
        }
    }
}
