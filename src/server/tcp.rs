//! TCP as the server sees it.

use std::{future::poll_fn, io, net::IpAddr, task::Poll};

use tokio::{
    io::Interest,
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use super::listener::{Listener, Transport};

/// Listeners that are served as one: those of all addresses that a name has.
pub(super) struct TcpListeners(pub(super) Vec<TcpListener>);

impl Listener for TcpListeners {
    type Accepted = std::net::TcpStream;
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(std::net::TcpStream, Option<IpAddr>)> {
        let accepted = poll_fn(|context| {
            let mut polled = self.0.iter().map(|listener| listener.poll_accept(context));
            polled.find(Poll::is_ready).unwrap_or(Poll::Pending)
        });
        let (stream, peer) = accepted.await?;
        Ok((stream.into_std()?, Some(peer.ip())))
    }

    async fn open(accepted: std::net::TcpStream) -> io::Result<TcpStream> {
        accepted.set_nodelay(true)?;
        TcpStream::from_std(accepted)
    }
}

impl Transport for TcpStream {
    type ReadHalf = OwnedReadHalf;
    type WriteHalf = OwnedWriteHalf;

    fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        TcpStream::into_split(self)
    }

    async fn reset(read: OwnedReadHalf) {
        // If the wait itself fails, the socket is of no use either.
        let _ = read.ready(Interest::ERROR).await;
    }
}
