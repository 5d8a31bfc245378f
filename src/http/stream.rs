//! A body whose text is made by a task of its own.
//!
//! The task owns the rest of the answer, and with it the statement. So a client that does not read cannot keep a deadline
//! or a cancellation from taking effect: nobody needs to ask for more text for that. At most one part of the text waits for
//! the reader beside the one that is being written.

use axum::body::{Body, Bytes};
use futures_util::stream;
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
    let first = match rest.take() {
        Text::More(text) => Part::More(text),
        Text::Last(text) => Part::Last(text),
        Text::Torn => return Body::from_stream(stream::iter([Err::<Bytes, _>(BrokenOff)])),
    };
    let (parts, waiting) = mpsc::channel(1);
    tokio::spawn(write(rest, parts).in_current_span());
    Body::from_stream(stream::unfold(Some((Some(first), waiting)), next))
}

/// The text that was made before, then what waits, to the last part. Without a last part the transfer is broken off.
async fn next(
    state: Option<(Option<Part>, mpsc::Receiver<Part>)>,
) -> Option<(Result<Bytes, BrokenOff>, Option<(Option<Part>, mpsc::Receiver<Part>)>)> {
    let (ready, mut waiting) = state?;
    let part = match ready {
        Some(part) => Some(part),
        None => waiting.recv().await,
    };
    Some(match part {
        Some(Part::More(text)) => (Ok(text), Some((None, waiting))),
        Some(Part::Last(text)) => (Ok(text), None),
        None => (Err(BrokenOff), None),
    })
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
