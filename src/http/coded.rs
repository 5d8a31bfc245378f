//! Request bodies in gzip or zstd.
//!
//! Owns how they are unpacked: in small steps, between which other requests get their turn, and into memory that was
//! counted before, never beyond a limit. `limits.body` applies to the bytes on the wire, `limits.decompressed_body` to
//! what they unpack to.

use axum::{
    body::{Body, Bytes},
    http::StatusCode,
};
use bytes::BytesMut;
use tokio::task::yield_now;

use super::{
    body_memory::{Hold, Sender},
    refusal::Refusal,
    request::{self, RequestLimits},
};
use crate::{
    query::Error,
    telemetry::observer::RefusalReason,
    unpack::{Coding, UnpackError, Unpacker},
};

/// The most bytes that are unpacked at a time: it takes about a tenth of a millisecond.
const STEP: usize = 64 * 1024;

/// Why nothing more is unpacked.
#[derive(Debug)]
pub(super) enum Failure {
    /// The memory for the next bytes is exhausted.
    Refused(Error),
    /// The bytes are no such stream.
    Invalid(UnpackError),
}

/// Reads and unpacks the whole body, within the limits and counted by `hold`.
pub(super) async fn read(
    mut body: Body,
    coding: Coding,
    limits: &RequestLimits,
    hold: &mut Hold,
    sender: &impl Sender,
) -> Result<Bytes, Refusal> {
    let (mut whole, mut on_the_wire) = (BytesMut::new(), 0);
    let mut unpacker = start(coding, hold, sender).await.map_err(request::no_room)?;
    while let Some(data) = request::next(&mut body).await? {
        on_the_wire += data.len();
        if on_the_wire > limits.body {
            return Err(request::too_long(limits));
        }
        unpacker.feed(data);
        while !unpacker.is_hungry() {
            // One byte more than allowed shows that there is more.
            let room = STEP.min(limits.decompressed_body.saturating_sub(whole.len()) + 1);
            step(&mut unpacker, &mut whole, room, 0, hold, sender).await.map_err(refusal)?;
            if whole.len() > limits.decompressed_body {
                return Err(unpacks_to_too_much(limits));
            }
        }
    }
    // A request without a body may nevertheless say how it would be packed.
    if on_the_wire > 0 {
        unpacker.end().map_err(Failure::Invalid).map_err(refusal)?;
    }
    hold.shrink(whole.len());
    Ok(whole.freeze())
}

/// Starts to unpack a body, with the memory that this takes.
///
/// # Errors
/// When there is no memory.
pub(super) async fn start(coding: Coding, hold: &mut Hold, sender: &impl Sender) -> Result<Unpacker, Error> {
    hold.reserve(coding.memory(), sender).await?;
    Unpacker::new(coding).map_err(|error| Error::unavailable(&format!("the body cannot be unpacked: {error}")))
}

/// Unpacks the next bytes, at most `room` of them and a step's worth, and lets others have their turn. `held` bytes are
/// needed besides those in `out`.
///
/// # Errors
/// [`Failure`].
pub(super) async fn step(
    unpacker: &mut Unpacker,
    out: &mut BytesMut,
    room: usize,
    held: usize,
    hold: &mut Hold,
    sender: &impl Sender,
) -> Result<(), Failure> {
    let room = room.min(STEP);
    let needed = out.len() + room + held + unpacker.memory();
    hold.reserve(needed, sender).await.map_err(Failure::Refused)?;
    unpacker.step(out, room).map_err(Failure::Invalid)?;
    yield_now().await;
    Ok(())
}

fn refusal(failure: Failure) -> Refusal {
    match failure {
        Failure::Refused(error) => request::no_room(error),
        Failure::Invalid(error) => Refusal::bad_header(&format!("the request body cannot be unpacked: {error}")),
    }
}

fn unpacks_to_too_much(limits: &RequestLimits) -> Refusal {
    let limit = limits.decompressed_body;
    let message = format!("The request body unpacks to more than {limit} bytes (limits.decompressed_body).");
    Refusal::plain(StatusCode::PAYLOAD_TOO_LARGE, &message).by_limit(RefusalReason::DecompressedBody)
}
