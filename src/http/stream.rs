//! A body whose text is made by a task of its own.
//!
//! The task owns the rest of the answer, and with it the statement. So a client that does not read cannot keep a deadline
//! or a cancellation from taking effect: nobody needs to ask for more text for that. At most one part of the text waits for
//! the reader beside the one that is being written.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;
use thiserror::Error;
use tokio::sync::mpsc;
use tracing::Instrument as _;

use super::rest::{Rest, Text};

/// The answer cannot be completed; the transfer is broken off, so that nobody takes it for whole.
#[derive(Debug, Error)]
#[error("the answer was broken off")]
pub(super) struct BrokenOff;

/// Text on its way.
enum Part {
    /// More follows.
    More(Bytes),
    /// This was all.
    Last(Bytes),
}

/// The body of an answer: the text that there is, and the rest as it comes. Dropping it cancels the statement.
pub(super) fn body(mut rest: Rest) -> Body {
    let Text::More(first) = rest.take() else { unreachable!("the rest of an answer begins with more to come") };
    let (parts, waiting) = mpsc::channel(1);
    tokio::spawn(write(rest, parts).in_current_span());
    Body::new(Parts { first: Some(first), waiting: Some(waiting) })
}

struct Parts {
    first: Option<Bytes>,
    /// `None` once the end was reached.
    waiting: Option<mpsc::Receiver<Part>>,
}

impl HttpBody for Parts {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let Some(waiting) = &mut self.waiting else {
            return Poll::Ready(None);
        };
        let part = ready!(waiting.poll_recv(cx));
        Poll::Ready(Some(match part {
            Some(Part::More(text)) => Ok(Frame::data(text)),
            Some(Part::Last(text)) => {
                self.waiting = None;
                Ok(Frame::data(text))
            }
            None => {
                self.waiting = None;
                Err(BrokenOff)
            }
        }))
    }
}

/// Writes the rest of an answer, as fast as the reader and the database allow.
async fn write(mut rest: Rest, parts: mpsc::Sender<Part>) {
    loop {
        let ready = rest.is_ready();
        tokio::select! {
            biased;
            // Nobody waits for it any more.
            () = parts.closed() => return,
            room = parts.reserve(), if ready => {
                let Ok(room) = room else { return };
                match rest.take() {
                    Text::More(text) => room.send(Part::More(text)),
                    Text::Last(text) => return room.send(Part::Last(text)),
                    // The channel closes without a last part.
                    Text::Torn => return,
                }
            }
            () = rest.go_on() => {}
        }
    }
}
