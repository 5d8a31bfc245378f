//! A client that does not read: once it has taken no byte for too long, writing to it fails.
//!
//! hyper then drops the connection and with it the response body, which cancels the statement.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::AsyncWrite,
    time::{Instant, Sleep, sleep},
};

use super::activity::Activity;
use crate::{server::listener::Transport, telemetry::observer::ClientClose};

/// A transport whose writes fail after they have waited for too long. TLS lies above it: what TLS buffers is not yet
/// taken by the client.
pub(super) struct Guarded<T> {
    stream: T,
    limit: Duration,
    activity: Arc<Activity>,
}

impl<T> Guarded<T> {
    /// Writes to `stream` fail once the client has taken no byte for `limit`.
    pub(super) fn new(stream: T, limit: Duration, activity: &Arc<Activity>) -> Self {
        Self { stream, limit, activity: Arc::clone(activity) }
    }
}

impl<T: Transport> Transport for Guarded<T> {
    type ReadHalf = T::ReadHalf;
    type WriteHalf = StallGuard<T::WriteHalf>;

    fn into_split(self) -> (Self::ReadHalf, Self::WriteHalf) {
        let (read, write) = self.stream.into_split();
        (read, StallGuard::new(write, self.limit, self.activity))
    }

    fn reset(read: Self::ReadHalf) -> impl Future<Output = ()> + Send + 'static {
        T::reset(read)
    }
}

/// The half of a transport that writes.
pub(super) struct StallGuard<T> {
    io: T,
    limit: Duration,
    /// Runs while a write waits.
    timer: Option<Pin<Box<Sleep>>>,
    activity: Arc<Activity>,
}

impl<T> StallGuard<T> {
    fn new(io: T, limit: Duration, activity: Arc<Activity>) -> Self {
        Self { io, limit, timer: None, activity }
    }

    /// Returns the result of a write, or an error once the write has waited for too long.
    fn guard<R>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if written.is_ready() {
            self.timer = None;
            self.activity.set_writing(false);
            return written;
        }
        self.activity.set_writing(true);
        let limit = self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        match timer.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                timer.as_mut().reset(Instant::now() + limit);
                self.activity.set_close(ClientClose::WriteStall);
                tracing::info!(
                    after = ?limit,
                    "disconnected a client that does not read (server.write_stall_timeout)"
                );
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read")))
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for StallGuard<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        self.guard(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.guard(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(cx);
        self.guard(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_never_reads_is_disconnected() {
        let (ours, _theirs) = tokio::io::duplex(8);
        let mut guarded = StallGuard::new(ours, Duration::from_secs(30), Arc::default());
        let started = Instant::now();
        let error = guarded.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed().as_secs(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_client_is_not_disconnected() {
        use tokio::io::AsyncReadExt;
        let (ours, mut theirs) = tokio::io::duplex(8);
        let mut guarded = StallGuard::new(ours, Duration::from_secs(30), Arc::default());
        let reader = tokio::spawn(async move {
            let mut taken = 0;
            while taken < 64 {
                sleep(Duration::from_secs(20)).await;
                taken += theirs.read(&mut [0; 8]).await.unwrap();
            }
        });
        guarded.write_all(&[0; 64]).await.unwrap();
        reader.await.unwrap();
    }
}
