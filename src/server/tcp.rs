//! TCP as the server sees it.

use std::{io, net::IpAddr};

use tokio::{
    io::Interest,
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use super::listener::{Listener, Transport};

impl Listener for TcpListener {
    type Accepted = std::net::TcpStream;
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(std::net::TcpStream, Option<IpAddr>)> {
        let (stream, peer) = TcpListener::accept(self).await?;
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
