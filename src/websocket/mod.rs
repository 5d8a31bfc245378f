//! A byte stream in WebSocket messages (RFC 6455), which is the only kind of socket that a web page can open.
//!
//! Owns the frames, and the relay between a WebSocket and another byte stream. Promises that the boundaries of messages
//! mean nothing, that neither direction holds more than a quarter of a MiB, and that each end has its close code. Knows
//! neither how a WebSocket begins nor what its bytes say.

pub mod frames;
mod relay;

pub use relay::{Limits, Relayed, relay};
