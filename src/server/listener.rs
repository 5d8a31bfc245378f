//! The seam between the server and the sockets: where connections come from, and the byte streams that they are.
//!
//! Each kind of socket implements both traits in a file of its own: `server/tcp.rs`, `server/unix.rs`. The acceptor and
//! everything in `server/connection/` are written against the traits and know no kind.

use std::{io, net::IpAddr};

use tokio::io::{AsyncRead, AsyncWrite};

/// A source of connections.
pub(super) trait Listener: Send + Sync + 'static {
    /// An accepted connection that does not belong to a runtime yet.
    type Accepted: Send + 'static;
    /// The connection once it belongs to the runtime that serves it.
    type Stream: Transport;

    /// Accepts the next connection and returns it with its peer's address, if peers have any. Safe to cancel.
    ///
    /// # Errors
    /// Either the connection failed before it was accepted, or the system is out of a resource.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Accepted, Option<IpAddr>)>> + Send;

    /// Prepares an accepted connection for its first byte of HTTP. Runs on the runtime that serves the connection.
    ///
    /// # Errors
    /// The connection is of no use. Others are not affected.
    fn open(accepted: Self::Accepted) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// A byte stream to a client. Its halves are used apart: each may be dropped while the other is in use.
pub(super) trait Transport: Send + 'static {
    /// The half that reads.
    type ReadHalf: AsyncRead + Send + Unpin + 'static;
    /// The half that writes. Dropping it tells the client that nothing follows.
    type WriteHalf: AsyncWrite + Send + Unpin + 'static;

    /// Splits the stream into its halves.
    fn into_split(self) -> (Self::ReadHalf, Self::WriteHalf);

    /// Completes when the client has reset the connection. `read` has been read to its end.
    fn reset(read: Self::ReadHalf) -> impl Future<Output = ()> + Send + 'static;
}
