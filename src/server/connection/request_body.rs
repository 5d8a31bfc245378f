//! A request's body on its way to the handler. When the handler drops it unread, the connection gets the rest back.
//!
//! This is the same for all handlers; none of them knows of it.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};

use super::{activity::Activity, unread_body::UnreadBody};

/// A request's body.
pub(in crate::server) struct RequestBody {
    /// `None` only while it is dropped.
    body: Option<Incoming>,
    ended: bool,
    /// The client sends the body after `100 Continue`, which hyper sends when the body is first read.
    awaits_continue: bool,
    activity: Arc<Activity>,
}

impl RequestBody {
    /// Wraps the body of a request. `awaits_continue` if its client waits for `100 Continue`.
    pub(super) fn new(body: Incoming, awaits_continue: bool, activity: &Arc<Activity>) -> Self {
        Self { body: Some(body), ended: false, awaits_continue, activity: Arc::clone(activity) }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = Pin::new(body).poll_frame(cx);
        self.awaits_continue = false;
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
            self.activity.put_unread_body(UnreadBody::new(body, self.awaits_continue));
        }
    }
}
