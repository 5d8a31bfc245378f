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

use super::{
    encode::Ending,
    rest::{Rest, Text},
};

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

/// The body of an answer that has ended.
pub(super) fn whole(text: Bytes, ending: Ending) -> Body {
    match ending {
        Ending::Complete => Body::from(text),
        Ending::BrokenOff => Body::from_stream(stream::iter([Ok(text), Err(BrokenOff)])),
    }
}

/// The body of an answer that goes on: its first text, and the rest as it comes. Dropping it cancels the statement.
pub(super) fn body(mut rest: Rest) -> Body {
    let first = Part::from(rest.take());
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
                let text = rest.take();
                let is_last = matches!(text, Text::Last(..));
                room.send(text.into());
                if is_last {
                    return;
                }
            }
            () = rest.go_on() => {}
        }
    }
}

impl From<Text> for Part {
    fn from(text: Text) -> Self {
        match text {
            Text::Last(text, Ending::Complete) => Self::Last(text),
            // The channel closes without a last part.
            Text::More(text) | Text::Last(text, Ending::BrokenOff) => Self::More(text),
        }
    }
}
