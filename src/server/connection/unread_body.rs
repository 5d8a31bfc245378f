//! The rest of a request body that its handler has not read.
//!
//! An answer that comes before the body was read must reach a client that is still sending, and must not leave the rest
//! of the body where the next request is expected. A short rest is read and discarded. A long one costs the connection
//! (`server/connection/exchange.rs`). HTTP/2 resets the stream instead.

use std::{future::poll_fn, pin::Pin, time::Duration};

use axum::body::HttpBody as _;
use hyper::body::Incoming;
use tokio::time::timeout;

/// The longest rest that is read, in bytes.
const MAX_DRAINED: u64 = 256 * 1024;
/// How long the answer waits for the rest to arrive.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// The rest of a request body.
pub(super) struct UnreadBody {
    body: Incoming,
    awaits_continue: bool,
}

impl UnreadBody {
    /// `awaits_continue` if the client still waits for `100 Continue` and may send the body or not.
    pub(super) fn new(body: Incoming, awaits_continue: bool) -> Self {
        Self { body, awaits_continue }
    }

    /// Reads to the end, if that is near. Returns whether it was reached.
    pub(super) async fn drain(mut self) -> bool {
        if self.awaits_continue || self.body.size_hint().lower() > MAX_DRAINED {
            return false;
        }
        let read = async {
            let mut drained = 0;
            while let Some(frame) = poll_fn(|cx| Pin::new(&mut self.body).poll_frame(cx)).await {
                let Ok(frame) = frame else { return false };
                drained += frame.data_ref().map_or(0, |data| data.len() as u64);
                if drained > MAX_DRAINED {
                    return false;
                }
            }
            true
        };
        timeout(DRAIN_TIMEOUT, read).await.unwrap_or(false)
    }
}
