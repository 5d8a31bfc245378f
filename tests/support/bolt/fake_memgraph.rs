//! A behavioural fake of Memgraph's Bolt server, with its closures, texts and traps.
//!
//! Owns: its handshake, login, Idle/Result/Error machine, the cache of RUN's extra map, the output
//! buffer that cuts records, transactions that are seen and terminated from other connections.
//! Promises: whatever the real server punishes with a closed connection, a wrong answer or its own
//! death is also recorded as a violation.
//! May not know: Cypher (statements are directives, see the parent module), the crate under test.

mod configure;
mod execute;
mod handshake;
mod oidc;
mod output;
mod parameters;
mod registry;
mod session;
mod session_limits;
mod sign_on;
mod statements;
mod transactions;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use tokio::io::DuplexStream;
use tokio::sync::Semaphore;

use super::control::{Control, Knobs, Ledger};
use super::host::{Connections, Host};
use super::store::Store;
pub use oidc::Oidc;
use registry::Registry;
use session_limits::SessionLimits;
pub use sign_on::AuthModule;

/// What the server is and how it is configured.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bolt versions (major, minor) it speaks.
    pub versions: Vec<(u8, u8)>,
    /// Empty: HELLO and LOGON do not name a server. [`FakeMemgraph::rename`] changes it.
    pub server_name: String,
    /// A failure in mid-stream follows a cut record in the same message (3.1 to 3.12).
    pub glued_failure: bool,
    /// Replies wait until the input is exhausted (after 3.13).
    pub deferred_acks: bool,
    /// Impersonation, single sign-on and further databases.
    pub license: bool,
    pub databases: Vec<String>,
    /// Roles that exist: an auth module can give no others. `admin` may do everything.
    pub roles: Vec<String>,
    /// A login without a scheme is one as nobody, and what is no string counts as empty (3.9); else such a login ends
    /// the connection.
    pub lenient_login: bool,
    /// What checking a login takes. Logins are checked one at a time, and statements wait for them.
    pub login_delay: Duration,
    /// Statements executed at the same time; more wait. Each keeps its worker until its answer is written, however slowly
    /// its client reads.
    pub workers: usize,
    /// Limit that `tx_timeout` can lower, or switch off.
    pub query_timeout: Duration,
    /// Statements look at their limit while they run. Not all do: not one that waits for another, or in a procedure.
    pub heeds_timeouts: bool,
    /// Statements see that they are to end while they run. One that is past the last place where it looks does not: it
    /// is carried out and committed, and TERMINATE has still said `killed: true`.
    pub heeds_terminations: bool,
    /// Columns of SHOW TRANSACTIONS.
    pub transaction_columns: Vec<&'static str>,
    /// Sent for three-dimensional Cartesian points: 9157, in 2.19 and 2.20 9757.
    pub cartesian_3d: i64,
    /// Routing table entries (role, address) of a coordinator; `None`: a standalone instance.
    pub routing: Option<Vec<(String, String)>>,
}

impl Default for Options {
    /// 3.12.
    fn default() -> Self {
        Options {
            versions: vec![(4, 0), (4, 1), (4, 3), (4, 4), (5, 2)],
            server_name: "Neo4j/v5.11.0 compatible graph database server - Memgraph".to_owned(),
            glued_failure: true,
            deferred_acks: false,
            license: true,
            databases: vec!["memgraph".to_owned()],
            roles: Vec::new(),
            lenient_login: true,
            login_delay: Duration::ZERO,
            workers: 8,
            query_timeout: Duration::from_secs(600),
            heeds_timeouts: true,
            heeds_terminations: true,
            transaction_columns: vec![
                "username",
                "transaction_id",
                "query",
                "status",
                "metadata",
                "start_time",
                "elapsed_ms",
            ],
            cartesian_3d: 9157,
            routing: None,
        }
    }
}

impl Options {
    /// 2.20: no 4.4, the other SRID, four columns, strict logins.
    pub fn old() -> Options {
        Options {
            versions: vec![(4, 0), (4, 1), (4, 3), (5, 2)],
            glued_failure: false,
            lenient_login: false,
            transaction_columns: vec!["username", "transaction_id", "query", "metadata"],
            cartesian_3d: 9757,
            ..Options::default()
        }
    }

    /// After 3.13: no glued failures, replies in bursts, one more column.
    pub fn newest() -> Options {
        let mut options = Options { glued_failure: false, deferred_acks: true, ..Options::default() };
        options.transaction_columns.push("database");
        options
    }

    /// A server that speaks this version and nothing else.
    pub fn only(major: u8, minor: u8) -> Options {
        Options { versions: vec![(major, minor)], ..Options::default() }
    }

    pub fn with_roles<const N: usize>(mut self, names: [&str; N]) -> Options {
        self.roles.extend(names.map(str::to_owned));
        self
    }

    pub fn with_databases<const N: usize>(mut self, names: [&str; N]) -> Options {
        self.databases.extend(names.map(str::to_owned));
        self
    }
}

/// What all sessions of one fake share.
struct Server {
    options: Options,
    ledger: Arc<Ledger>,
    knobs: Arc<Knobs>,
    store: Arc<Store>,
    registry: Arc<Registry>,
    session_limits: Arc<SessionLimits>,
    workers: Arc<Semaphore>,
    /// By scheme.
    modules: Mutex<BTreeMap<String, AuthModule>>,
    /// The lock of the users, which logins hold and statements pass.
    auth: tokio::sync::Mutex<()>,
    connections: OnceLock<Weak<Connections>>,
    /// What HELLO and LOGON call the server.
    name: Mutex<String>,
    /// A SYNC replica confirms nothing that is committed.
    lagging: AtomicBool,
    /// What the log would warn of.
    warnings: Mutex<Vec<String>>,
}

impl Server {
    fn warn(&self, what: &str) {
        self.warnings.lock().unwrap().push(what.to_owned());
    }

    /// What kills the real process: every connection ends, no new one is let in.
    fn crash(&self, why: &str) {
        self.knobs.violation(format!("fatal, the server process dies: {why}"));
        if let Some(connections) = self.connections.get().and_then(Weak::upgrade) {
            connections.refuse_new(true);
            connections.close_all();
        }
    }
}

/// An open transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// As TERMINATE TRANSACTIONS wants it.
    pub id: String,
    /// Who runs it: the one who logged in, or somebody impersonated.
    pub user: String,
    /// Its statements so far.
    pub statements: Vec<String>,
}

/// A running fake; dropping it ends everything.
pub struct FakeMemgraph {
    host: Host,
    /// The test's hold on it.
    pub control: Control,
    store: Arc<Store>,
    server: Arc<Server>,
}

impl FakeMemgraph {
    /// 3.12 without users, so everybody may come in.
    pub async fn start() -> FakeMemgraph {
        FakeMemgraph::start_with(Options::default()).await
    }

    pub async fn start_with(options: Options) -> FakeMemgraph {
        let server = Arc::new(Server {
            workers: Arc::new(Semaphore::new(options.workers)),
            name: Mutex::new(options.server_name.clone()),
            options,
            ledger: Arc::default(),
            knobs: Arc::default(),
            store: Arc::default(),
            registry: Arc::default(),
            session_limits: Arc::default(),
            modules: Mutex::default(),
            auth: tokio::sync::Mutex::default(),
            connections: OnceLock::new(),
            lagging: AtomicBool::new(false),
            warnings: Mutex::default(),
        });
        let serving = Arc::clone(&server);
        let host = Host::start(move |transport, id| Box::pin(session::serve(transport, id, Arc::clone(&serving))));
        let host = host.await;
        let _ = server.connections.set(Arc::downgrade(host.connections()));
        let control = Control {
            ledger: Arc::clone(&server.ledger),
            knobs: Arc::clone(&server.knobs),
            connections: Arc::clone(host.connections()),
        };
        FakeMemgraph { host, control, store: Arc::clone(&server.store), server }
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

    /// Hands the logins under `scheme` to a module, as `--auth-module-mappings` does.
    pub fn map_scheme(&self, scheme: &str, module: AuthModule) {
        self.server.modules.lock().unwrap().insert(scheme.to_owned(), module);
    }

    /// The transactions that are open now, oldest first.
    pub fn transactions(&self) -> Vec<Listed> {
        let listed = |entry: Arc<registry::Entry>| Listed {
            id: entry.id.to_string(),
            user: entry.username.clone(),
            statements: entry.queries.lock().unwrap().clone(),
        };
        self.server.registry.all().into_iter().map(listed).collect()
    }

    /// The next so many SHOW TRANSACTIONS leave all transactions out, as they do with one that is just being looked at.
    pub fn hide_transactions(&self, times: usize) {
        self.server.registry.hide(times);
    }

    /// `SET DATABASE SETTING 'server.name'`: what later logins are told.
    pub fn rename(&self, name: &str) {
        name.clone_into(&mut self.server.name.lock().unwrap());
    }

    /// Whether a SYNC replica leaves open if it has what is committed: committed it is all the same, with a notification.
    pub fn lag(&self, lagging: bool) {
        self.server.lagging.store(lagging, Ordering::SeqCst);
    }

    /// What the server's log warns of.
    pub fn warnings(&self) -> Vec<String> {
        self.server.warnings.lock().unwrap().clone()
    }

    /// Committed values, past any transaction.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// What a client did that the real server punishes. Empty for a correct one.
    pub fn violations(&self) -> Vec<String> {
        self.control.violations()
    }
}
