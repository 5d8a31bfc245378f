//! One exchange of a request and its answer. Stands between hyper and the service, and holds for every handler alike:
//! requests are counted, their heads are limited, and each answer leaves the connection in order.
//!
//! Where a handler has left the rest of a request body that is too long to be read, the answer says `Connection:
//! close`, and the socket is read for a while afterwards (`server/connection/linger.rs`).

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{HeaderValue, Request, Response, StatusCode, header},
};
use hyper::body::{Frame, Incoming, SizeHint};
use tower::Service;

use super::{
    activity::{Activity, Open},
    request_body::RequestBody,
};
use crate::telemetry::observer::ClientClose;

/// The longest request head, in bytes of HTTP/1.
pub(super) const MAX_HEAD: usize = 64 * 1024;
/// The most header lines of a request.
pub(super) const MAX_LINES: usize = 200;

/// A service that answers the requests of a connection. It is always ready.
pub(in crate::server) trait HttpService:
    Service<Request<RequestBody>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S> HttpService for S where
    S: Service<Request<RequestBody>, Response = Response<Body>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static
{
}

/// Answers one request of a connection.
pub(super) fn exchange<S: HttpService>(
    service: &S,
    activity: &Arc<Activity>,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<ResponseBody>, Infallible>> + use<S> {
    let mut open = Open::new(activity);
    // hyper has checked the heads of HTTP/1.
    let answer = (!activity.is_http2() || fits_limits(&request)).then(|| {
        let awaits_continue = request.headers().contains_key(header::EXPECT);
        service.clone().call(request.map(|body| RequestBody::new(body, awaits_continue, activity)))
    });
    async move {
        let mut answer = match answer {
            Some(answer) => answer.await?,
            None => too_large(),
        };
        let activity = open.activity();
        let continues = activity.is_http2() || answer.status() == StatusCode::SWITCHING_PROTOCOLS;
        let mut last = if continues { None } else { activity.ends_with_answer() };
        if let Some(unread) = activity.take_unread_body() {
            // A client that is told that its body took too long need not finish it. Boxed, because draining is large
            // and rare.
            if answer.status() == StatusCode::REQUEST_TIMEOUT {
                last = Some(ClientClose::BodyTimeout);
            } else if !Box::pin(unread.drain()).await {
                last = last.or(Some(ClientClose::Done));
            }
        }
        if let Some(reason) = last {
            activity.set_close(reason);
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            // The client may still be sending this body, or its next request.
            activity.leave_unread();
        }
        open.answered();
        Ok(answer.map(|body| ResponseBody { body, _open: open }))
    }
}

/// Whether the head of an HTTP/2 request would be within the limits if it were one of HTTP/1.
fn fits_limits<B>(request: &Request<B>) -> bool {
    const PUNCTUATION: usize = ": \r\n".len();
    let uri = request.uri();
    let target = uri.path_and_query().map_or(0, |target| target.as_str().len());
    let host = uri.authority().map_or(0, |authority| "host".len() + authority.as_str().len() + PUNCTUATION);
    let first = request.method().as_str().len() + target + "  HTTP/2\r\n".len();
    let lines: usize =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + PUNCTUATION).sum();
    request.headers().len() <= MAX_LINES && first + host + lines + "\r\n".len() <= MAX_HEAD
}

fn too_large() -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    answer
}

/// An answer's body. The exchange ends with it.
pub(super) struct ResponseBody {
    body: Body,
    _open: Open,
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(value: usize, lines: usize) -> Request<()> {
        let mut request = Request::get("http://localhost/path").header("token", "x".repeat(value));
        for _ in 1..lines {
            request = request.header("a", "b");
        }
        request.body(()).unwrap()
    }

    #[test]
    fn a_head_of_http_2_is_measured_as_one_of_http_1() {
        let text =
            |value: usize| format!("GET /path HTTP/2\r\nhost: localhost\r\ntoken: {}\r\n\r\n", "x".repeat(value));
        let longest = MAX_HEAD - text(0).len();
        assert!(fits_limits(&request(longest, 1)));
        assert!(!fits_limits(&request(longest + 1, 1)));
        assert!(fits_limits(&request(1, MAX_LINES)));
        assert!(!fits_limits(&request(1, MAX_LINES + 1)));
    }
}
