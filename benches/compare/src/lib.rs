//! What the programs of the comparison share: Bolt at the level of bytes, prepared responses, a cheap HTTP client, and
//! figures.
//!
//! Nothing here is part of the gateway, and the gateway uses none of it. It is made for measurements on loopback: it
//! trusts its peers, and a misbehaving peer ends the run with an error.

pub mod answers;
pub mod bolt;
pub mod driver;
pub mod figures;
pub mod http;
pub mod packstream;
