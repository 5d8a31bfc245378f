//! What the programs of the comparison share: Bolt as bytes, prepared answers, an HTTP client that costs little, and
//! figures.
//!
//! Nothing here is part of the gateway, and the gateway uses none of it. It is made for measuring on loopback: it
//! trusts its peers, and a peer that misbehaves ends the run with a message.

pub mod answers;
pub mod bolt;
pub mod driver;
pub mod figures;
pub mod http;
pub mod packstream;
