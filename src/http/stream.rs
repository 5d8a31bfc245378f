//! A body whose text is produced by a task of its own.
//!
//! The task owns the rest of the answer, and with it the statement. So a client that does not read cannot keep a
//! deadline or a cancellation from taking effect, since neither depends on anybody asking for more text. In addition to
//! the part that is being written, at most one part of the text waits for the reader.

use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::{StreamExt as _, stream};
use thiserror::Error;
use tokio::{sync::mpsc, time::sleep};
use tracing::Instrument as _;

use super::{
    encode::Ending,
    rest::{Rest, Text},
};

/// The answer cannot be completed. The transfer is broken off, so that no client takes the answer for complete.
#[derive(Debug, Error)]
#[error("the answer was broken off")]
pub(super) struct BrokenOff;

/// A part of the text, on its way to the client.
enum Part {
    /// A part that others follow.
    More(Bytes),
    /// The last part.
    Last(Bytes),
}

/// How long the last text has to leave before the transfer is broken off. hyper throws away what it has not written by
/// then, and the last line may say why.
const PARTING: Duration = Duration::from_millis(100);

/// The body of an answer that has ended.
pub(super) fn whole(text: Bytes, ending: Ending) -> Body {
    match ending {
        Ending::Complete => Body::from(text),
        Ending::BrokenOff => Body::from_stream(stream::iter([Ok(text)]).chain(stream::once(broken_off()))),
    }
}

async fn broken_off() -> Result<Bytes, BrokenOff> {
    sleep(PARTING).await;
    Err(BrokenOff)
}

/// The body of an answer that has not ended: its first text, and the rest as it comes. Dropping it cancels the
/// statement.
pub(super) fn body(mut rest: Rest) -> Body {
    let first = Part::from(rest.take());
    let (parts, waiting) = mpsc::channel(1);
    tokio::spawn(write(rest, parts).in_current_span());
    Body::from_stream(stream::unfold(Some((Some(first), waiting)), next))
}

/// Yields the part that is ready, then those that arrive, up to the last one. If the last one never arrives, the
/// transfer is broken off.
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
        None => (broken_off().await, None),
    })
}

/// Writes the rest of an answer, as fast as the reader and the database allow.
async fn write(mut rest: Rest, parts: mpsc::Sender<Part>) {
    loop {
        let ready = rest.is_ready();
        tokio::select! {
            biased;
            // The client has left.
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
            () = rest.proceed() => {}
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
