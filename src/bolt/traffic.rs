//! The bytes that are exchanged with a server.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connection::Transport;

/// The bytes of all connections of a dialer since it was made: those of Bolt, without what TLS adds.
#[derive(Debug, Default)]
pub struct Traffic {
    sent: AtomicU64,
    received: AtomicU64,
}

impl Traffic {
    /// The bytes that were sent.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    /// The bytes that were received.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }
}

/// A stream whose bytes are counted.
pub(super) struct Metered<T> {
    io: T,
    traffic: Arc<Traffic>,
}

impl<T> Metered<T> {
    pub(super) fn new(io: T, traffic: Arc<Traffic>) -> Self {
        Self { io, traffic }
    }
}

impl<T: Transport> Transport for Metered<T> {
    fn move_here(&mut self) {
        self.io.move_here();
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Metered<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buf);
        if polled.is_ready() {
            self.traffic.received.fetch_add((buf.filled().len() - before) as u64, Relaxed);
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Metered<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, buf);
        if let Poll::Ready(Ok(written)) = &polled {
            self.traffic.sent.fetch_add(*written as u64, Relaxed);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn bytes_count_in_both_directions_over_all_connections() {
        let traffic = Arc::new(Traffic::default());
        for _ in 0..2 {
            let (ours, mut theirs) = duplex(4);
            let mut ours = Metered::new(ours, Arc::clone(&traffic));
            let server = tokio::spawn(async move {
                let mut heard = [0; 10];
                theirs.read_exact(&mut heard).await.unwrap();
                theirs.write_all(&heard[..3]).await.unwrap();
            });
            ours.write_all(&[7; 10]).await.unwrap();
            let mut heard = Vec::new();
            ours.read_to_end(&mut heard).await.unwrap();
            assert_eq!(heard, [7; 3]);
            server.await.unwrap();
        }
        assert_eq!((traffic.sent(), traffic.received()), (20, 6));
    }
}
