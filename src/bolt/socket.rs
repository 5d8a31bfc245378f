//! A TCP stream that moves with its user from one runtime to another.
//!
//! A stream is registered with the runtime in which it was created, which wakes the tasks that wait for it. It works in
//! other runtimes too, but each reply takes a detour through that runtime's thread, which costs more than the exchange.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    runtime::{Handle, Id},
};

/// A TCP stream, and the runtime with which it is registered.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    home: Id,
}

impl Socket {
    /// Wraps a stream that was created in the current runtime.
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, home: Handle::current().id() }
    }

    /// Registers the stream with the current runtime. If that fails, it stays with its old one, and still works.
    pub(super) fn move_here(&mut self) {
        let here = Handle::current().id();
        if self.home == here {
            return;
        }
        match SockRef::from(&self.stream).try_clone().and_then(|socket| TcpStream::from_std(socket.into())) {
            Ok(stream) => *self = Self { stream, home: here },
            Err(error) => {
                tracing::debug!(%error, "a connection to the database stays registered with another thread")
            }
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        runtime::Builder,
    };

    use super::*;

    #[test]
    fn a_stream_outlives_the_runtime_that_it_left() {
        let runtime = || Builder::new_current_thread().enable_io().build().unwrap();
        let (first, second) = (runtime(), runtime());
        let (mut socket, mut peer) = first.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            (Socket::new(stream), listener.accept().await.unwrap().0.into_std().unwrap())
        });
        // Bytes that arrived before the move are not lost.
        std::io::Write::write_all(&mut peer, b"before").unwrap();
        second.block_on(async { socket.move_here() });
        drop(first);
        second.block_on(async {
            let mut peer = TcpStream::from_std(peer).unwrap();
            let mut heard = [0; 6];
            socket.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"before");
            socket.write_all(b"after").await.unwrap();
            drop(socket);
            let mut heard = Vec::new();
            peer.read_to_end(&mut heard).await.unwrap();
            assert_eq!(heard, b"after");
        });
    }
}
