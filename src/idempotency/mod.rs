//! Requests that are carried out once, however often they are sent.
//!
//! Promises that the work behind a key is started once within `keep`; that it runs to its end even if the client leaves,
//! counted so that whoever stops the gateway can wait for it; and that whoever sends the same request again gets the first
//! answer. A small answer is always stored; a larger one is unless there was no room left for it when it was ready. May not
//! know routes, media types, or what the work is. Everything is in memory: a restart forgets it.

mod key;
mod ledger;
mod refused;
mod store;

#[cfg(test)]
mod tests;

pub use key::{Fingerprint, Fingerprinter, Key, LONGEST_KEY};
pub use refused::Refused;
pub use store::Store;

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use tracing::Instrument as _;

use crate::auth::IdentityKey;
use store::{Claim, Claimed};

/// What the operator decides about stored answers.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How long an answer is stored.
    pub keep: Duration,
    /// Where the rows of an answer stop, in bytes.
    pub max_answer: usize,
    /// The size of all stored answers together, in bytes; one caller may fill half of it.
    pub capacity: usize,
}

/// What may follow the last row, in bytes.
const AFTER_ROWS: usize = 64 * 1024;

/// An answer, as far as it is the same each time. What belongs to one connection is added later.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers, in order.
    pub headers: Box<[(HeaderName, HeaderValue)]>,
    /// The whole body.
    pub body: Bytes,
}

/// What the end of a request means for its key, where its answer must not be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was applied, and the request may be repeated.
    NothingDone,
    /// Whether anything was applied is not known, and the answer is of no use to anybody later: it is about a login.
    Unknown,
}

/// What a request with a key came to.
#[derive(Debug)]
pub struct Outcome {
    /// For the client that waits for it.
    pub answer: Answer,
    /// Without one, the answer is stored for all who send the request again.
    pub verdict: Option<Verdict>,
}

/// What the sender of a request with a key is told.
#[derive(Debug)]
pub struct Told {
    /// The answer.
    pub answer: Arc<Answer>,
    /// Whether it was stored when the same request was sent before.
    pub is_replay: bool,
}

/// The answer to the request of `owner` with this key. `work` carries the request out, and is started only if the key is
/// new; it yields nothing when its answer was lost or is longer than [`Store::longest`].
///
/// # Errors
/// [`Refused`] when the key cannot be used, or is used up.
pub async fn once<F>(
    store: &Store,
    owner: IdentityKey,
    key: Key,
    fingerprint: Fingerprint,
    work: impl FnOnce() -> F,
) -> Result<Told, Refused>
where
    F: Future<Output = Option<Outcome>> + Send + 'static,
{
    match store.claim(owner, key, fingerprint)? {
        Claimed::Again(answer) => Ok(Told { answer, is_replay: true }),
        // A task of its own continues when the client has left.
        Claimed::First(claim) => match store.spawn(carry_out(claim, work()).in_current_span()).await {
            Ok(told) => told,
            Err(_) => Err(Refused::OutcomeUnknown),
        },
    }
}

async fn carry_out(claim: Claim, work: impl Future<Output = Option<Outcome>>) -> Result<Told, Refused> {
    let Some(Outcome { answer, verdict }) = work.await else {
        tracing::error!("the answer to a request with an Idempotency-Key broke off or is too large");
        claim.lose();
        return Err(Refused::OutcomeUnknown);
    };
    let answer = Arc::new(answer);
    match verdict {
        Some(Verdict::NothingDone) => claim.forget(),
        Some(Verdict::Unknown) => claim.lose(),
        None => {
            if !claim.store(&answer) {
                tracing::warn!(
                    "no room is left for the answer to a request with an Idempotency-Key (idempotency.capacity)"
                );
            }
        }
    }
    Ok(Told { answer, is_replay: false })
}
