//! Requests that are carried out once, however often they are sent.
//!
//! Promises that the work behind a key is started once within `keep`; that it runs to its end even if the client
//! leaves, counted so that a stop of the gateway can wait for it; and that the same request, sent again, gets the first
//! answer. A small answer is always stored; a larger one is stored if there is room for it when it is ready. May not
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

/// The operator's settings for stored answers.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How long an answer is stored.
    pub keep: Duration,
    /// Where the rows of an answer stop, in bytes.
    pub max_answer: usize,
    /// The size of all stored answers together, in bytes; one caller may fill half of it.
    pub capacity: usize,
}

/// The longest text that may follow the last row, in bytes.
const AFTER_ROWS: usize = 64 * 1024;

/// The part of an answer that is the same each time. Headers that belong to one connection are added later.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers, in order.
    pub headers: Box<[(HeaderName, HeaderValue)]>,
    /// The whole body.
    pub body: Bytes,
}

/// Why the answer to a request must not be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was applied, and the request may be repeated.
    NothingDone,
    /// Whether anything was applied is not known, and the answer, which is about a login, is of no use later.
    Unknown,
}

/// The outcome of a request with a key.
#[derive(Debug)]
pub struct Outcome {
    /// The answer for the client that waits for it.
    pub answer: Answer,
    /// Why the answer must not be stored; `None` stores it for clients that send the request again.
    pub verdict: Option<Verdict>,
}

/// The answer to a request with a key.
#[derive(Debug)]
pub struct Told {
    /// The answer.
    pub answer: Arc<Answer>,
    /// Whether it is the stored answer to the same request, sent before.
    pub is_replay: bool,
}

/// Carries out the request of `owner` with this key, or finds its stored answer. `work` is started only if the key is
/// new; it yields `None` if the answer was lost or is longer than [`Store::longest`].
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
        // In a task of its own, which continues when the client has left.
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
