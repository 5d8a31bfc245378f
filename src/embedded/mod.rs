//! A Cypher database inside the process: the engine `graphdblite` behind the Bolt server of
//! `boltr`.
//!
//! It is for trying out, development and tests, so that Boltgate needs nothing else to start. Owns
//! everything between a byte stream and the engine: statements, values, columns, errors,
//! transactions. Promises to speak Bolt 5.1 to 5.4 as a Neo4j 5 would, and to answer with a failure
//! what the engine cannot do (docs/embedded.md lists it). May not know the gateway: it is one more
//! Bolt server, reached over memory.

mod catalog;
mod clauses;
mod columns;
mod errors;
mod lexer;
mod projection;
mod query;
mod resets;
mod schema;
mod session;
mod statement;
mod store;
mod tables;
mod temporal;
mod values;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use boltr::server::SessionManager;
use boltr::server::connection::Connection;
use boltr::server::handshake::server_handshake;
use tokio::io::DuplexStream;
use tokio::sync::watch;

use resets::Resets;
use session::Session;
use store::Store;

/// The name of the one database.
const DATABASE: &str = "neo4j";
/// The Neo4j whose behaviour is followed.
const VERSION: &str = "5.26.0";
/// What the server calls itself.
const SERVER: &str = "Neo4j/5.26.0 compatible (Boltgate embedded)";
/// Bytes that each direction of a connection holds before the writer waits.
const BUFFER: usize = 64 * 1024;

/// An open database; a clone is the same one. It closes with the last clone and the last
/// connection.
#[derive(Clone)]
pub struct Embedded {
    store: Arc<Store>,
}

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// There is no place for a temporary file.
    #[error("cannot create a temporary file for the embedded database: {0}; set TMPDIR or name a file")]
    Temporary(#[source] std::io::Error),
    /// The file cannot be created, read or written, or belongs to something else.
    #[error("cannot open the embedded database {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the engine said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Embedded {
    /// Opens `file`, which is created if it is not there, or a temporary file that is deleted at
    /// the end when `None`. Blocks while it does.
    ///
    /// # Errors
    /// When the file cannot be created or opened, or is not a database of this engine.
    pub fn open(file: Option<&Path>) -> Result<Embedded, EmbeddedError> {
        Ok(Embedded { store: Arc::new(Store::open(file)?) })
    }

    /// Makes a new Bolt connection and returns the client's end of it, before the handshake. The
    /// other end is served by a task that ends when the client's end is dropped; an open
    /// transaction is rolled back then.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn connect(&self) -> DuplexStream {
        let (client, server) = tokio::io::duplex(BUFFER);
        tokio::spawn(serve(Arc::clone(&self.store), server));
        client
    }
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
    // The library wants an address for its log; there is none.
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let sessions = Arc::new(SessionManager::new(None));
    let mut connection = Connection::new(requests, to_client, Arc::new(session), sessions, None, address, None);
    tokio::select! {
        ended = connection.run() => {
            if let Err(error) = ended {
                tracing::debug!(%error, "embedded database: connection failed");
            }
        }
        // The client is gone: dropping the session rolls back what is open.
        () = resets::relay(from_client, relayed, heard) => {}
    }
}
