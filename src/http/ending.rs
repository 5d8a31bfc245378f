//! The end of a request: the last byte of its answer has been handed over, or its client has left.
//!
//! Promises that each request ends exactly once, whatever happens to its handler and its body.

use std::{
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{Method, StatusCode, Uri, Version},
    response::Response,
};
use hyper::body::{Frame, SizeHint};

use super::{access_log, gateway::Gateway, path::template, traced};
use crate::telemetry::{
    observer::{CancelReason, RequestEnded},
    record::Record,
};

/// The status of a request whose client left before the head of its answer. HTTP has no status of its own for that.
const CLIENT_GONE: u16 = 499;

/// A request that ends when this is dropped, if not before.
pub(super) struct Ending {
    pub(super) gateway: Arc<Gateway>,
    pub(super) record: Arc<Record>,
    pub(super) head: RequestHead,
    /// The status of the answer, and when its head was ready.
    answered: Option<(StatusCode, Duration)>,
    has_ended: bool,
}

/// What is known of a request from its head.
pub(super) struct RequestHead {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) version: Version,
    /// The address of the client or the last proxy; `None` on a Unix socket.
    pub(super) client: Option<IpAddr>,
}

/// How a request ended.
pub(super) struct Ended {
    pub(super) route: &'static str,
    pub(super) status: u16,
    /// From the arrival of the head to the end.
    pub(super) duration: Duration,
    /// From the arrival of the head to the head of the answer.
    pub(super) to_head: Option<Duration>,
    /// Whether the client left before the end.
    pub(super) is_gone: bool,
}

impl Ending {
    /// Begins a request.
    pub(super) fn new(gateway: Arc<Gateway>, record: Arc<Record>, head: RequestHead) -> Self {
        gateway.engine.observer().request_arrived();
        Self { gateway, record, head, answered: None, has_ended: false }
    }

    /// Goes on with the head of the answer, to the end of its body.
    pub(super) fn with_answer(mut self, answer: Response, to_head: Duration) -> Response {
        self.answered = Some((answer.status(), to_head));
        answer.map(|body| Body::new(EndingBody { body, ending: self }))
    }

    /// Whether no body follows the head of the answer, so that nothing is taken from it.
    fn has_no_body(&self) -> bool {
        let status = self.answered.map(|(status, _)| status);
        self.head.method == Method::HEAD
            || status.is_some_and(|status| {
                status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            })
    }

    /// Ends the request, if it has not ended yet. `is_whole`: all of the answer was handed over, or all that there is.
    fn end(&mut self, is_whole: bool) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        let Self { gateway, record, head, answered, .. } = self;
        if !is_whole {
            record.set_departed();
        }
        let ended = Ended {
            route: record.route().unwrap_or_else(|| template(head.uri.path())),
            status: answered.map_or(CLIENT_GONE, |(status, _)| status.as_u16()),
            duration: record.started().elapsed(),
            to_head: answered.map(|(_, to_head)| to_head),
            is_gone: !is_whole && record.departure() != CancelReason::Shutdown,
        };
        gateway.engine.observer().request_ended(&RequestEnded {
            method: head.method.as_str(),
            route: ended.route,
            status: ended.status,
            duration: ended.duration,
            request_bytes: record.request_bytes(),
            response_bytes: record.response_bytes(),
        });
        traced::end(record, &ended, answered.is_some());
        access_log::write(gateway.engine.log().access(), record, head, &ended);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.end(false);
    }
}

/// The body of an answer, with which the request ends.
struct EndingBody {
    body: Body,
    ending: Ending,
}

impl HttpBody for EndingBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                self.ending.record.add_response_bytes(u64::try_from(length).unwrap_or(u64::MAX));
            }
            // An answer that is broken off ends as well: its client has not left.
            Some(Err(_)) | None => self.ending.end(true),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for EndingBody {
    fn drop(&mut self) {
        // Before what makes the body is dropped, so that it can be told why.
        let is_whole = self.body.is_end_stream() || self.ending.has_no_body();
        self.ending.end(is_whole);
    }
}

/// The body of a request, whose bytes are counted.
pub(super) struct CountedBody<B> {
    pub(super) body: B,
    pub(super) record: Arc<Record>,
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for CountedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            let length = frame.data_ref().map_or(0, Bytes::len);
            self.record.add_request_bytes(u64::try_from(length).unwrap_or(u64::MAX));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
