//! A client that has closed its sending half behind a complete request: does it wait for the answer, or has it gone?
//!
//! On the wire both look the same, until something is sent: who has gone answers that with a reset. So the first byte of
//! the answer, which is always the same, is sent ahead (`server/connection/socket.rs`), and here the reset is waited for. Whoever
//! sends none waits, and is waited for as long as it can be told something now and then.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::Interest,
    net::tcp::OwnedReadHalf,
    time::{Instant, Sleep, sleep},
};

/// A client that may have gone.
pub(super) struct HalfClosed {
    reset: Pin<Box<dyn Future<Output = ()> + Send>>,
    patience: Pin<Box<Sleep>>,
    limit: Duration,
}

impl HalfClosed {
    /// The end of `read` was reached. When nothing was sent for `limit`, the client counts as gone.
    pub(super) fn new(read: OwnedReadHalf, limit: Duration) -> Self {
        let reset = async move {
            // An error of the wait itself means that the socket is of no use either.
            let _ = read.ready(Interest::ERROR).await;
        };
        Self { reset: Box::pin(reset), patience: Box::pin(sleep(limit)), limit }
    }

    /// Something was sent.
    pub(super) fn put_off(&mut self) {
        self.patience.as_mut().reset(Instant::now() + self.limit);
    }

    /// Waits until the client has gone, and says how that is known.
    pub(super) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<&'static str> {
        if self.reset.as_mut().poll(cx).is_ready() {
            return Poll::Ready("the client has gone");
        }
        self.patience.as_mut().poll(cx).map(|()| {
            tracing::info!(
                after = ?self.limit,
                "cut off a client that had closed its sending half (server.half_close_timeout)"
            );
            "the client has closed its sending half and nothing could be sent (server.half_close_timeout)"
        })
    }
}

impl fmt::Debug for HalfClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HalfClosed").field("limit", &self.limit).finish_non_exhaustive()
    }
}
