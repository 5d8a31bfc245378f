//! A Cypher database inside the program: the engine `graphdblite` behind the Bolt server of `boltr`.
//!
//! It is meant for development and tests, so that Boltgate needs nothing else to start. Owns everything between a byte
//! stream and the engine: statements, values, columns, errors, transactions. Promises to speak Bolt 5.1 to 5.4 as a
//! Neo4j 5 does, and to answer with a failure what the engine cannot do (docs/embedded.md has the list). Does not know
//! the gateway: it is one more Bolt server, reached over memory.

mod catalog;
mod counters;
mod cypher;
mod engine;
mod errors;
mod ids;
mod resets;
mod rewrite;
mod sample;
mod session;
mod temporal;
mod unsupported;
mod values;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

use boltr::server::SessionManager;
use boltr::server::connection::Connection;
use boltr::server::handshake::server_handshake;
use tokio::io::DuplexStream;
use tokio::sync::watch;

use engine::store::Store;
use resets::Resets;
use session::Session;

/// The name of the only database.
const DATABASE: &str = "neo4j";
/// Its alias: clients of Memgraph ask for a database of this name.
const ALIAS: &str = "memgraph";
/// The version of Neo4j whose behaviour it follows.
const VERSION: &str = "5.26.0";
/// The name of the server in its greeting.
const SERVER: &str = "Neo4j/5.26.0 compatible (Boltgate embedded)";
/// The hidden command of the program that runs the engine in a process of its own.
pub const ENGINE_COMMAND: &str = "embedded-engine";
/// The memory in GiB that such a process may use.
const MEMORY_GIB: u64 = 4;
/// The bytes that each direction of a connection buffers before the writer must wait.
const BUFFER: usize = 64 * 1024;

/// Whether `name` is a name of the only database. Case does not matter.
fn is_database(name: &str) -> bool {
    [DATABASE, ALIAS].iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// An open database. Clones share it; it closes with the last clone and the last connection.
#[derive(Clone)]
pub struct Embedded {
    store: Arc<Store>,
}

/// The reasons why the database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// A temporary file cannot be created.
    #[error("cannot create a temporary file for the embedded database: {0}; set TMPDIR or name a file")]
    Temporary(#[source] std::io::Error),
    /// The sample graph cannot be written.
    #[error("cannot load the sample graph into the embedded database: {0}")]
    Sample(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file cannot be created, read or written, or is not a database of this engine.
    #[error("cannot open the embedded database {}: {source}", path.display())]
    Open {
        /// The path of the file.
        path: PathBuf,
        /// The error of the engine.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Embedded {
    /// Opens `file`, which is created if it does not exist. `None` means a temporary file that is deleted at the end.
    /// The engine runs in this process, so a statement that has begun runs to its end. Blocks the thread.
    ///
    /// # Errors
    /// Returns an error if the file cannot be created or opened, or is not a database of this engine.
    pub fn open(file: Option<&Path>) -> Result<Embedded, EmbeddedError> {
        Ok(Embedded { store: Arc::new(Store::open(file, None)?) })
    }

    /// As [`Embedded::open`], but each transaction runs in a process of `program`, so that a statement stops when
    /// its caller no longer waits, and one that needs too much memory ends only its own process. `program` must call
    /// [`serve_engine`] on [`ENGINE_COMMAND`].
    ///
    /// # Errors
    /// As [`Embedded::open`], and if no process can be started.
    pub fn open_in_processes(file: Option<&Path>, program: PathBuf) -> Result<Embedded, EmbeddedError> {
        Ok(Embedded { store: Arc::new(Store::open(file, Some(program))?) })
    }

    /// Loads a small graph (people, films, a ledger of tokens) if the database has no nodes. Returns whether it did.
    /// Blocks the thread.
    ///
    /// # Errors
    /// Returns an error if the database cannot be written; then nothing was loaded.
    pub fn load_sample(&self) -> Result<bool, EmbeddedError> {
        sample::load(self.store.path()).map_err(|error| EmbeddedError::Sample(Box::new(error)))
    }

    /// Creates a Bolt connection and returns the client's end of it, before the handshake. A task serves the other end
    /// until the client's end is dropped, and then rolls back an open transaction.
    ///
    /// # Panics
    /// Panics if called outside of a tokio runtime.
    #[must_use]
    pub fn connect(&self) -> DuplexStream {
        let (client, server) = tokio::io::duplex(BUFFER);
        tokio::spawn(serve(Arc::clone(&self.store), server));
        client
    }
}

/// Returns a path that starts the program of this process again.
///
/// # Errors
/// Returns an error if the system does not tell where the program is.
pub fn this_program() -> io::Result<PathBuf> {
    engine::child::this_program()
}

/// Runs the engine for the program that has started this process, until that ends or closes standard input.
///
/// # Errors
/// Returns an error if the process cannot be set up, or standard input is not what that program sends.
pub fn serve_engine(file: &Path, temporary: bool) -> io::Result<()> {
    engine::serve::serve(file, temporary)
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").finish_non_exhaustive()
    }
}

async fn serve(store: Arc<Store>, mut stream: DuplexStream) {
    if let Err(error) = server_handshake(&mut stream).await {
        tracing::debug!(%error, "embedded database: no Bolt handshake");
        return;
    }
    let (from_client, to_client) = tokio::io::split(stream);
    let (relayed, requests) = tokio::io::duplex(BUFFER);
    let (heard, resets) = watch::channel(0);
    let session = Session::new(store, Resets::new(resets));
    // The library logs an address, but a connection in memory has none.
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let sessions = Arc::new(SessionManager::new(None));
    let mut connection = Connection::new(requests, to_client, Arc::new(session), sessions, None, address, None);
    tokio::select! {
        ended = connection.run() => {
            if let Err(error) = ended {
                tracing::debug!(%error, "embedded database: connection failed");
            }
        }
        // The client has disconnected. Dropping the session rolls back its open transaction.
        () = resets::relay(from_client, relayed, heard) => {}
    }
}
