//! Answers in gzip or zstd.
//!
//! Owns which answers are compressed, and how: each part of the text leaves at once, so that no row waits for the next,
//! and is compressed in small pieces, between which other connections get their turn. An answer that is broken off has
//! no end in its coding either.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{
        HeaderMap, HeaderValue, Method,
        header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
    },
    response::Response,
};
use hyper::body::Frame;

use super::vary;
use crate::{
    pack::{Packer, Then},
    unpack::Coding,
};

/// The shortest answer that is compressed, in bytes. A shorter one fits into a packet as it is.
const WORTHWHILE: u64 = 1024;
/// The most bytes that are compressed at a time, and so the longest that another connection of the thread waits.
const PIECE: usize = 64 * 1024;

/// Compresses an answer, if it is worth it and its client accepts a coding. Caches learn that it depends on that.
pub(super) fn compress(answer: &mut Response, accepted: Option<Coding>, method: &Method) {
    let is_head = method == Method::HEAD;
    let length = if is_head { announced(answer.headers()) } else { answer.body().size_hint().exact() };
    if length.is_some_and(|length| length < WORTHWHILE) || is_event_stream(answer.headers()) {
        return;
    }
    // One that was compressed beforehand says so itself.
    if answer.headers().contains_key(CONTENT_ENCODING) {
        return;
    }
    vary::by(answer.headers_mut(), "Accept-Encoding");
    // Without memory for it, the answer stays as it is.
    let Some((coding, Ok(packer))) = accepted.map(|coding| (coding, Packer::new(coding, length))) else { return };
    let headers = answer.headers_mut();
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    headers.remove(CONTENT_LENGTH);
    if !is_head {
        let text = std::mem::take(answer.body_mut());
        *answer.body_mut() =
            Body::new(Compressed { text, part: Bytes::new(), packer: Some(packer), owes_a_turn: false });
    }
}

/// Whether the answer consists of events, each of which has to arrive as soon as it is there.
fn is_event_stream(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|name| name.as_bytes().starts_with(b"text/event-stream"))
}

/// The length of the body that would follow if the request were no `HEAD`.
fn announced(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    length.or(Some(0))
}

/// A body that is compressed while it is sent.
struct Compressed {
    text: Body,
    /// The rest of the part of the text that is being compressed.
    part: Bytes,
    /// `None` once the end has left.
    packer: Option<Packer>,
    /// Whether others have waited for the last piece.
    owes_a_turn: bool,
}

impl HttpBody for Compressed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        loop {
            if std::mem::take(&mut self.owes_a_turn) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let Self { text, part, packer: place, owes_a_turn } = &mut *self;
            let Some(packer) = place else { return Poll::Ready(None) };
            let mut has_ended = false;
            if part.is_empty() {
                match ready!(Pin::new(&mut *text).poll_frame(cx)) {
                    // There are no trailers.
                    Some(Ok(frame)) => *part = frame.into_data().unwrap_or_default(),
                    Some(Err(error)) => {
                        *place = None;
                        return Poll::Ready(Some(Err(error)));
                    }
                    None => has_ended = true,
                }
            }
            let piece = part.split_to(part.len().min(PIECE));
            let then = if !part.is_empty() {
                Then::More
            } else if has_ended || text.is_end_stream() {
                Then::End
            } else {
                Then::Pause
            };
            *owes_a_turn = then == Then::More;
            let packed = packer.pack(&piece, then);
            if then == Then::End || packed.is_err() {
                *place = None;
            }
            match packed {
                Ok(packed) if packed.is_empty() => {}
                packed => {
                    let frame = packed.map(|packed| Frame::data(packed.into())).map_err(axum::Error::new);
                    return Poll::Ready(Some(frame));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.packer.is_none()
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use axum::http::{StatusCode, header::VARY};
    use bytes::BytesMut;
    use futures_util::{FutureExt as _, StreamExt as _, stream};
    use http_body_util::BodyExt as _;
    use tokio::sync::mpsc;

    use super::*;
    use crate::unpack::Unpacker;

    const CODINGS: [Coding; 2] = [Coding::Gzip, Coding::Zstd];

    #[test]
    fn event_streams_stay_as_they_are() {
        let mut answer = Response::new(Body::from("x".repeat(2000)));
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
        compress(&mut answer, Some(Coding::Gzip), &Method::POST);
        assert_eq!((answer.headers().get(CONTENT_ENCODING), answer.headers().get(VARY)), (None, None));
    }

    fn compressed(body: impl Into<Body>, coding: Coding) -> Response {
        let mut answer = Response::new(body.into());
        compress(&mut answer, Some(coding), &Method::POST);
        assert_eq!(answer.headers()[CONTENT_ENCODING], coding.name());
        answer
    }

    fn unpack(unpacker: &mut Unpacker, packed: Bytes) -> BytesMut {
        let mut out = BytesMut::new();
        unpacker.feed(packed);
        while !unpacker.is_hungry() {
            unpacker.step(&mut out, 65_536).unwrap();
        }
        out
    }

    #[tokio::test]
    async fn an_answer_is_compressed_in_pieces_and_ends_as_its_coding_says() {
        for coding in CODINGS {
            for size in [1024, PIECE, PIECE + 1, 5 * PIECE] {
                let text: Vec<u8> = (0_u64..).flat_map(|n| (n * n).to_string().into_bytes()).take(size).collect();
                let packed = compressed(text.clone(), coding).into_body().collect().await.unwrap().to_bytes();
                let mut unpacker = Unpacker::new(coding).unwrap();
                assert_eq!(unpack(&mut unpacker, packed), text);
                unpacker.end().unwrap();
            }
        }
    }

    #[tokio::test]
    async fn others_get_their_turn_between_pieces() {
        for coding in CODINGS {
            let mut body = compressed(vec![b'x'; 8 * PIECE], coding).into_body();
            let mut turns = 0;
            while !body.is_end_stream() {
                match body.frame().now_or_never() {
                    Some(frame) => drop(frame.unwrap().unwrap()),
                    None => turns += 1,
                }
            }
            assert_eq!(turns, 7, "{coding:?}");
        }
    }

    #[tokio::test]
    async fn each_part_leaves_before_the_next_is_there() {
        for coding in CODINGS {
            let (parts, mut waiting) = mpsc::channel::<Bytes>(1);
            let parts_of_text = stream::poll_fn(move |cx| waiting.poll_recv(cx)).map(Ok::<_, io::Error>);
            let mut body = compressed(Body::from_stream(parts_of_text), coding).into_body();
            let mut unpacker = Unpacker::new(coding).unwrap();
            for part in ["[1]", "[2]", "", "[3]"] {
                parts.send(part.into()).await.unwrap();
                let mut received = BytesMut::new();
                while let Some(frame) = body.frame().now_or_never() {
                    received.extend(unpack(&mut unpacker, frame.unwrap().unwrap().into_data().unwrap()));
                }
                assert_eq!(received, part, "{coding:?}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_broken_off_has_no_end() {
        for coding in CODINGS {
            let parts = stream::iter([Ok("[1]"), Err(io::Error::other("it broke"))]);
            let mut body = compressed(Body::from_stream(parts), coding).into_body();
            let mut unpacker = Unpacker::new(coding).unwrap();
            let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
            assert_eq!(unpack(&mut unpacker, first), "[1]");
            assert!(body.frame().await.unwrap().is_err());
            assert!(unpacker.end().is_err());
            assert!(body.frame().await.is_none(), "nothing follows");
        }
    }

    #[test]
    fn short_answers_and_those_without_a_body_stay_as_they_are() {
        for (status, body) in [
            (StatusCode::OK, Body::from("x".repeat(1023))),
            (StatusCode::NO_CONTENT, Body::empty()),
            (StatusCode::NOT_MODIFIED, Body::empty()),
        ] {
            let mut answer = Response::new(body);
            *answer.status_mut() = status;
            compress(&mut answer, Some(Coding::Gzip), &Method::GET);
            assert!(answer.headers().is_empty(), "{status}");
        }
    }

    #[test]
    fn what_is_compressed_already_stays_as_it_is() {
        let mut answer = Response::new(Body::from("x".repeat(1024)));
        answer.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        let size = answer.body().size_hint().exact();
        compress(&mut answer, Some(Coding::Zstd), &Method::GET);
        assert_eq!((answer.headers()[CONTENT_ENCODING].to_str().unwrap(), answer.headers().len()), ("gzip", 1));
        assert_eq!(answer.body().size_hint().exact(), size);
    }

    #[test]
    fn the_head_is_the_same_without_the_body() {
        let mut answer = Response::new(Body::empty());
        answer.headers_mut().insert(CONTENT_LENGTH, 5000.into());
        compress(&mut answer, Some(Coding::Zstd), &Method::HEAD);
        let headers = answer.headers();
        assert_eq!(
            (&headers[CONTENT_ENCODING], headers.get(CONTENT_LENGTH)),
            (&HeaderValue::from_static("zstd"), None)
        );
        assert!(answer.body().is_end_stream());
    }

    #[test]
    fn caches_learn_what_an_answer_depends_on() {
        let mut answer = Response::new(Body::from("x".repeat(1024)));
        compress(&mut answer, None, &Method::GET);
        assert_eq!((answer.headers()[VARY].to_str().unwrap(), answer.headers().len()), ("Accept-Encoding", 1));
    }
}
