//! Our Bolt client against scripted peers and a fake of Neo4j: versions, round trips, framing, refusals and ends.
#![allow(unreachable_pub, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

#[path = "bolt_client/ends.rs"]
mod ends;
#[path = "bolt_client/framing.rs"]
mod framing;
#[path = "bolt_client/logins.rs"]
mod logins;
#[path = "bolt_client/refusals.rs"]
mod refusals;
#[path = "bolt_client/round_trips.rs"]
mod round_trips;
#[path = "bolt_client/versions.rs"]
mod versions;
#[path = "bolt_client/wire.rs"]
mod wire;
