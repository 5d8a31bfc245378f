//! The Bolt protocol, from the client's side, over any byte stream.
//!
//! Owns PackStream, chunks, messages, the handshake, the states of one connection, and dialing over TCP and TLS.
//! Promises that a connection always knows which replies are outstanding ([`Connection::is_clean`]), wherever a caller
//! stops reading. Knows nothing of HTTP, JSON, the meaning of tokens, or pools.

pub mod auth;
pub mod chunk;
pub mod connection;
pub mod dial;
pub mod dialect;
pub mod error;
pub mod failure;
pub mod handshake;
pub mod message;
pub mod packstream;
pub mod parameters;
mod recognise;
pub mod recover;
mod socket;
pub mod summary;
pub mod terminate;
mod tls_failure;
mod traffic;
pub mod uri;
pub mod version;
pub mod zone;

pub use auth::AuthToken;
pub use connection::{Connection, Defect, Reply};
pub use dial::{Dialer, Endpoint};
pub use dialect::Dialect;
pub use error::{Error, HandshakeError};
pub use failure::Failure;
pub use message::Extra;
pub use recognise::Recognition;
pub use summary::{Columns, Stats, Summary};
pub use traffic::Traffic;
pub use uri::{Security, Uri};
