//! A request's body on its way to whoever answers the request, and what is left of it when the answer is there.
//!
//! An answer that comes before the body was read must reach a client that is still sending, and must not leave the rest
//! of the body where the next request is expected. A short rest is read and thrown away, and the connection goes on. Of a
//! long one, the answer says `Connection: close`, and the socket reads on behind it for a while (`server/connection/linger.rs`).
//! This happens here for all answers alike; no handler knows of it. HTTP/2 has resets for that.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Bytes, HttpBody},
    http::{HeaderValue, Response, StatusCode, header},
};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::timeout;

use super::activity::Activity;

/// The longest rest that is read before an answer.
const SHORT: u64 = 256 * 1024;
/// A rest has this long to arrive; the answer waits for it.
const PATIENCE: Duration = Duration::from_secs(1);

/// A request's body.
#[derive(Debug)]
pub(in crate::server) struct RequestBody {
    /// Until it is dropped.
    body: Option<Incoming>,
    ended: bool,
    /// The client sends the body only after it was asked to, which is done when the body is read.
    expected: bool,
    activity: Arc<Activity>,
}

/// What a handler has left of a request's body.
#[derive(Debug)]
pub(super) struct Rest {
    body: Incoming,
    expected: bool,
}

impl RequestBody {
    /// The body of a request; `expects` if its client waits for `100 Continue`.
    pub(super) fn new(body: Incoming, expects: bool, activity: &Arc<Activity>) -> Self {
        Self { body: Some(body), ended: false, expected: expects, activity: Arc::clone(activity) }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = Pin::new(body).poll_frame(cx);
        self.expected = false;
        self.ended |= matches!(frame, Poll::Ready(None | Some(Err(_))));
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Incoming::size_hint).unwrap_or_default()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if self.ended || self.is_end_stream() || self.activity.is_http2() {
            return;
        }
        if let Some(body) = self.body.take() {
            self.activity.put_rest(Rest { body, expected: self.expected });
        }
    }
}

impl Rest {
    /// Makes way for the answer: the rest is read, or the answer says that no other request will be.
    pub(super) async fn make_way<B>(self, answer: &mut Response<B>, activity: &Activity) {
        // Who is told that the body took too long need not finish it. Who was not asked for it may send it or not.
        if self.expected || answer.status() == StatusCode::REQUEST_TIMEOUT || !self.drained().await {
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            activity.leave_unread();
        }
    }

    /// Reads to the end, if that is near.
    async fn drained(mut self) -> bool {
        if self.body.size_hint().lower() > SHORT {
            return false;
        }
        let read = async {
            let mut passed = 0;
            while let Some(frame) = poll_fn(|cx| Pin::new(&mut self.body).poll_frame(cx)).await {
                let Ok(frame) = frame else { return false };
                passed += frame.data_ref().map_or(0, |data| data.len() as u64);
                if passed > SHORT {
                    return false;
                }
            }
            true
        };
        timeout(PATIENCE, read).await.unwrap_or(false)
    }
}
