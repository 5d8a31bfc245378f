//! What can go wrong on a wire.

use std::{io, time::Duration};

use thiserror::Error;

use super::{failure::Failure, packstream::DecodeError, version::Version};

/// A wire that cannot be had, or cannot be used any longer. After any of these the connection is closed, save
/// where its variant says otherwise.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// No TCP connection.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// Host and port.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// No TLS.
    #[error("TLS with {address} failed: {source}")]
    Tls {
        /// Host and port.
        address: String,
        /// What rustls said.
        source: io::Error,
    },
    /// The other side speaks something else.
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
    /// A message could not be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A message is larger than allowed.
    #[error("the database sent a message of more than {limit} bytes (limits.record)")]
    MessageTooLong {
        /// The limit in bytes.
        limit: usize,
    },
}

/// The two sides have no version in common, or the other side is no Bolt server.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeError {
    /// Four zero bytes.
    #[error("the database speaks none of the Bolt versions 4.1 to 6.1")]
    NoCommonVersion,
    /// `HTTP`, the beginning of an HTTP response.
    #[error("this is an HTTP port, not a Bolt port (Bolt is usually on 7687); check database.uri")]
    Http,
    /// The beginning of a TLS alert.
    #[error("this port wants TLS; use bolt+s:// (or bolt+ssc:// for a self-signed certificate) in database.uri")]
    TlsAlert,
    /// The end of the stream, without a byte.
    #[error(
        "the connection was closed during the handshake; the port may want TLS: try bolt+s:// (or bolt+ssc:// for \
         a self-signed certificate) in database.uri"
    )]
    Closed,
    /// Memgraph answers with a failure instead of zeros.
    #[error("this Memgraph speaks none of the Bolt versions 4.1 to 6.1 (2.1 and later do)")]
    MemgraphRefusal,
    /// A version that was not offered.
    #[error("the database chose Bolt {0}, which was not offered")]
    NotOffered(Version),
    /// Anything else.
    #[error("this is not a Bolt server: it answered the handshake with {0:02X?}; check database.uri")]
    NotBolt([u8; 4]),
    /// A list of versions that makes no sense.
    #[error("the database sent a malformed list of Bolt versions")]
    BadManifest,
}
