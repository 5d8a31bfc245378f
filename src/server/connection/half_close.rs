//! A client that has closed its sending half behind a complete request: does it wait for the answer, or has it gone?
//!
//! Both look the same until something is sent: a client that has gone answers that with a reset. So the socket sends
//! the first byte of the answer, which is always the same, ahead of the rest (`server/connection/socket.rs`), and this
//! module waits for the reset. A client that sends no reset is waiting. It keeps its connection as long as it can be
//! sent something now and then.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep};

/// A client that has closed its sending half.
pub(super) struct HalfClosed {
    reset: Pin<Box<dyn Future<Output = ()> + Send>>,
    timer: Pin<Box<Sleep>>,
    timeout: Duration,
}

impl HalfClosed {
    /// `reset` completes when the client resets the connection. If nothing is sent for `timeout`, the client counts as
    /// gone.
    pub(super) fn new(reset: impl Future<Output = ()> + Send + 'static, timeout: Duration) -> Self {
        Self { reset: Box::pin(reset), timer: Box::pin(sleep(timeout)), timeout }
    }

    /// Restarts the timeout, because something was sent.
    pub(super) fn sent(&mut self) {
        self.timer.as_mut().reset(Instant::now() + self.timeout);
    }

    /// Waits until the client has gone. Returns how that is known.
    pub(super) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<&'static str> {
        if self.reset.as_mut().poll(cx).is_ready() {
            return Poll::Ready("the client reset the connection");
        }
        self.timer.as_mut().poll(cx).map(|()| {
            tracing::info!(
                after = ?self.timeout,
                "disconnected a client that had closed its sending half (server.half_close_timeout)"
            );
            "the client closed its sending half and could not be sent anything (server.half_close_timeout)"
        })
    }
}

impl fmt::Debug for HalfClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HalfClosed").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
