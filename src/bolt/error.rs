//! Why a connection cannot be opened, or cannot be used any longer.

use std::{io, time::Duration};

use thiserror::Error;

use super::{failure::Failure, packstream::DecodeError, version::Version};

/// A failure to open or to use a connection. The connection is closed after any of these.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The TCP connection could not be opened.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// Host and port.
        address: String,
        /// The system's error.
        source: io::Error,
    },
    /// The TLS handshake failed.
    #[error("TLS with {address} failed: {source}")]
    Tls {
        /// Host and port.
        address: String,
        /// The error of the TLS library.
        source: io::Error,
    },
    /// The Bolt handshake failed.
    #[error("{0}")]
    Handshake(#[from] HandshakeError),
    /// The server refused the login.
    #[error("the database refused the login: {}", .0.code)]
    Login(Failure),
    /// The connection broke.
    #[error("the connection to the database broke: {0}")]
    Io(#[source] io::Error),
    /// The server closed the connection.
    #[error("the database closed the connection")]
    Closed,
    /// The server was silent for too long.
    #[error("the database did not answer within {0:?}")]
    Silent(Duration),
    /// The server broke the protocol.
    #[error("the database broke the Bolt protocol: {0}")]
    Protocol(&'static str),
    /// The server sent a message that could not be decoded.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The server sent a message that is larger than allowed.
    #[error("the database sent a message of more than {limit} bytes (limits.record)")]
    MessageTooLong {
        /// The limit in bytes.
        limit: usize,
    },
}

/// The two sides have no Bolt version in common, or the other side is not a Bolt server.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The answer was four zero bytes.
    #[error("the database speaks none of the Bolt versions 4.1 to 6.1")]
    NoCommonVersion,
    /// The answer was `HTTP`, the beginning of an HTTP response.
    #[error("this is an HTTP port, not a Bolt port (Bolt is usually on 7687); check database.uri")]
    Http,
    /// The answer was the beginning of a TLS alert.
    #[error("this port wants TLS; use bolt+s:// (or bolt+ssc:// for a self-signed certificate) in database.uri")]
    TlsAlert,
    /// The connection was closed without an answer.
    #[error(
        "the connection was closed during the handshake; the port may want TLS: try bolt+s:// (or bolt+ssc:// for \
         a self-signed certificate) in database.uri"
    )]
    Closed,
    /// The answer was a failure, which Memgraph sends instead of zeros.
    #[error("this Memgraph speaks none of the Bolt versions 4.1 to 6.1 (2.1 and later do)")]
    MemgraphRefusal,
    /// The server chose a version that was not offered.
    #[error("the database chose Bolt {0}, which was not offered")]
    NotOffered(Version),
    /// The answer was something else.
    #[error("this is not a Bolt server: it answered the handshake with {0:02X?}; check database.uri")]
    NotBolt([u8; 4]),
    /// The server sent an invalid list of versions.
    #[error("the database sent a malformed list of Bolt versions")]
    BadManifest,
}
