//! Requests that are carried out once, however often they are sent.
//!
//! Promises that the work behind a key is begun once within `keep`, that it runs to its end also when the client goes
//! away, counted so that whoever stops the gateway can wait for it, and that whoever sends the same request again gets the first answer. An answer of a small size can always be
//! had again; a larger one can unless there was no room left for it when it was ready. Knows nothing of what the work
//! is. All is in memory: a restart forgets it.

mod key;
mod ledger;
mod refused;
mod store;

#[cfg(test)]
mod tests;

pub(super) use key::{Key, fingerprint, key};
pub(super) use refused::Refused;
pub(super) use store::Store;

use std::{future::Future, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, StatusCode},
    response::Response,
};
use http_body_util::BodyExt;
use tracing::Instrument;

use self::{
    key::Fingerprint,
    store::{Claim, Claimed},
};
use super::refusal::{Later, Verdict};
use crate::auth::IdentityKey;

/// What the operator decides about answers that are kept.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How long an answer can be had again.
    pub keep: Duration,
    /// Where the rows of an answer stop, in bytes.
    pub max_answer: usize,
    /// For all that is kept, in bytes; one caller may fill half of it.
    pub capacity: usize,
}

/// Says that an answer is not the first one.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// What may follow the last row.
const AFTER_ROWS: usize = 64 * 1024;

/// An answer, as far as it is the same each time. What belongs to one connection is added after this.
#[derive(Debug, PartialEq, Eq)]
struct Kept {
    status: StatusCode,
    headers: Box<[(HeaderName, HeaderValue)]>,
    body: Bytes,
}

/// The answer of `work`, which is begun if nobody has used the key before.
///
/// # Errors
/// [`Refused`] when the key cannot be used, or is used up.
pub(super) async fn once<F>(
    store: &Store,
    owner: IdentityKey,
    key: Key,
    fingerprint: Fingerprint,
    work: impl FnOnce() -> F,
) -> Result<Response, Refused>
where
    F: Future<Output = Response> + Send + 'static,
{
    match store.claim(owner, key, fingerprint)? {
        Claimed::Again(kept) => Ok(again(&kept)),
        // A task of its own goes on when nobody waits for it any more.
        Claimed::First(claim) => match store.spawn(carry_out(claim, work()).in_current_span()).await {
            Ok(answer) => answer,
            Err(_) => Err(Refused::OutcomeUnknown),
        },
    }
}

async fn carry_out(claim: Claim, work: impl Future<Output = Response>) -> Result<Response, Refused> {
    let longest = claim.max_answer().saturating_add(AFTER_ROWS);
    let (parts, body) = work.await.into_parts();
    let Some(body) = whole(body, longest).await else {
        tracing::error!(longest, "the answer to a request with an Idempotency-Key broke off or is too large");
        claim.end(None);
        return Err(Refused::OutcomeUnknown);
    };
    let later = parts.extensions.get::<Later>().and_then(Later::verdict);
    match parts.extensions.get::<Verdict>().copied().or(later) {
        Some(Verdict::NothingDone) => claim.forget(),
        Some(Verdict::Unknown) => {
            claim.end(None);
        }
        None => {
            let headers = parts.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            if !claim.end(Some(Kept { status: parts.status, headers, body: body.clone() })) {
                tracing::warn!(
                    "no room is left for the answer to a request with an Idempotency-Key (idempotency.capacity)"
                );
            }
        }
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// All of `body`, if it is not longer than `longest`. It is read to its end in any case: what is not read is not
/// carried out.
async fn whole(mut body: Body, longest: usize) -> Option<Bytes> {
    let mut bytes = Some(Vec::new());
    while let Some(frame) = body.frame().await {
        let Ok(chunk) = frame.ok()?.into_data() else { continue };
        bytes = bytes.filter(|bytes| bytes.len() + chunk.len() <= longest);
        if let Some(bytes) = &mut bytes {
            bytes.extend_from_slice(&chunk);
        }
    }
    // Without the room that it had for growing.
    bytes.map(|bytes| Bytes::from(bytes.into_boxed_slice()))
}

fn again(kept: &Kept) -> Response {
    let mut response = Response::new(Body::from(kept.body.clone()));
    *response.status_mut() = kept.status;
    response.headers_mut().extend(kept.headers.iter().cloned());
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
