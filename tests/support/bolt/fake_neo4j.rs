//! A behavioural fake of Neo4j's Bolt server, as seen on the wire of 2026.09 (and 5.26).
//!
//! Owns: the handshake with ranges and manifest, the session state machine (RESET interrupting on
//! arrival, counting, what is never ignored, what closes), login and its limits, reply shapes of
//! every version from 4.1 to 6.1.
//! Promises: what it does not know it refuses, as the server would.
//! May not know: Cypher (statements are directives, see the parent module), the crate under test.

mod execute;
mod fields;
mod handshake;
mod login;
mod network;
mod reply;
mod session;
mod statements;
mod transactions;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::DuplexStream;
use tokio::time::Instant;

use super::control::{Control, Knobs, Ledger, User};
use super::host::Host;
use super::store::Store;

/// What the server is and how it is configured.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bolt versions (major, minor) it speaks, ascending.
    pub versions: Vec<(u8, u8)>,
    pub manifest: bool,
    pub agent: String,
    /// A malformed field fails the session (2026.09), or leaves it as it was (5.26).
    pub malformed_fails_session: bool,
    /// Statuses and classifications of their own for errors (2026.09), or always 50N42 (5.26).
    pub gql_errors: bool,
    /// Off: any login is accepted.
    pub auth: bool,
    /// Impersonation works, and schemes that have tokens.
    pub enterprise: bool,
    pub databases: Vec<String>,
    /// Transactions and statements at the same time; more are refused.
    pub threads: usize,
    /// Time for the whole of handshake and login.
    pub login_within: Duration,
    /// A NOOP this often while a message is being processed.
    pub keep_alive: Duration,
    /// How long an unreachable bookmark is waited for.
    pub bookmark_timeout: Duration,
    /// How long a user is locked out after three bad passwords.
    pub lock_time: Duration,
    /// Hints of the HELLO reply, besides `connection.recv_timeout_seconds`.
    pub telemetry: bool,
    pub recv_timeout_seconds: i64,
}

impl Default for Options {
    fn default() -> Self {
        let ranges = [(4, 0..=4), (5, 0..=4), (5, 6..=8), (6, 0..=1)];
        let versions = ranges.into_iter().flat_map(|(major, minors)| {
            let all: Vec<_> = minors.map(|minor| (major, minor)).collect();
            all
        });
        Options {
            versions: versions.collect(),
            manifest: true,
            agent: "Neo4j/2026.09.0".to_owned(),
            malformed_fails_session: true,
            gql_errors: true,
            auth: true,
            enterprise: false,
            databases: vec!["neo4j".to_owned(), "system".to_owned()],
            threads: 400,
            login_within: Duration::from_secs(30),
            keep_alive: Duration::from_secs(60),
            bookmark_timeout: Duration::from_secs(60),
            lock_time: Duration::from_secs(5),
            telemetry: false,
            recv_timeout_seconds: 120,
        }
    }
}

impl Options {
    /// 5.26: no 6.x, other errors.
    pub fn neo4j_5_26() -> Options {
        let mut options = Options {
            agent: "Neo4j/5.26.31".to_owned(),
            malformed_fails_session: false,
            gql_errors: false,
            ..Options::default()
        };
        options.versions.retain(|version| version.0 < 6);
        options
    }

    /// A server that speaks this version and nothing else, without the manifest.
    pub fn only(major: u8, minor: u8) -> Options {
        Options { versions: vec![(major, minor)], manifest: false, ..Options::default() }
    }

    pub fn without_auth(self) -> Options {
        Options { auth: false, ..self }
    }
}

/// Failed logins of one user: how many in a row, and when the last was.
type Failures = BTreeMap<String, (u32, Instant)>;

/// What all sessions of one fake share.
struct Server {
    options: Options,
    ledger: Arc<Ledger>,
    knobs: Arc<Knobs>,
    store: Arc<Store>,
    threads_used: AtomicUsize,
    failures: Mutex<Failures>,
}

/// A running fake; dropping it ends everything.
pub struct FakeNeo4j {
    host: Host,
    /// The test's hold on it.
    pub control: Control,
    store: Arc<Store>,
}

impl FakeNeo4j {
    /// 2026.09 with authentication on. Users: `neo4j`/`password` (admin), `alice`/`wonderland`,
    /// `bob`/`builder`.
    pub async fn start() -> FakeNeo4j {
        FakeNeo4j::start_with(Options::default()).await
    }

    pub async fn start_with(options: Options) -> FakeNeo4j {
        let server = Arc::new(Server {
            options,
            ledger: Arc::default(),
            knobs: Arc::default(),
            store: Arc::default(),
            threads_used: AtomicUsize::new(0),
            failures: Mutex::default(),
        });
        let (ledger, knobs) = (Arc::clone(&server.ledger), Arc::clone(&server.knobs));
        let store = Arc::clone(&server.store);
        let host = Host::start(move |transport, id| Box::pin(session::serve(transport, id, Arc::clone(&server))));
        let host = host.await;
        let control = Control { ledger, knobs, connections: Arc::clone(host.connections()) };
        for (name, password) in [("neo4j", "password"), ("alice", "wonderland"), ("bob", "builder")] {
            let admin = name == "neo4j";
            let password = password.to_owned();
            control.set_user(name, User { password, admin, ..User::default() });
        }
        FakeNeo4j { host, control, store }
    }

    pub fn addr(&self) -> SocketAddr {
        self.host.addr()
    }

    pub fn uri(&self) -> String {
        format!("bolt://{}", self.addr())
    }

    /// A connection without a socket, before the handshake.
    pub fn connect(&self) -> DuplexStream {
        self.host.connect()
    }

    /// Committed values, past any transaction.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }
}
