//! Bolt at the level of bytes: messages in chunks, a scanner for what a server sends, and a client on one socket.

mod client;
mod scan;

pub use client::{Client, Login, Statement};
pub use scan::Scan;

/// The tags of requests.
pub mod request {
    /// Greets the server.
    pub const HELLO: u8 = 0x01;
    /// Ends the connection.
    pub const GOODBYE: u8 = 0x02;
    /// Makes the connection usable again after a failure.
    pub const RESET: u8 = 0x0F;
    /// Runs a statement.
    pub const RUN: u8 = 0x10;
    /// Opens a transaction.
    pub const BEGIN: u8 = 0x11;
    /// Commits a transaction.
    pub const COMMIT: u8 = 0x12;
    /// Rolls a transaction back.
    pub const ROLLBACK: u8 = 0x13;
    /// Discards rows.
    pub const DISCARD: u8 = 0x2F;
    /// Requests rows.
    pub const PULL: u8 = 0x3F;
    /// Reports what the client does.
    pub const TELEMETRY: u8 = 0x54;
    /// Logs in.
    pub const LOGON: u8 = 0x6A;
    /// Logs out.
    pub const LOGOFF: u8 = 0x6B;
}

/// The tags of replies.
pub mod reply {
    /// A request succeeded.
    pub const SUCCESS: u8 = 0x70;
    /// A row.
    pub const RECORD: u8 = 0x71;
    /// A request was skipped after a failure.
    pub const IGNORED: u8 = 0x7E;
    /// A request failed.
    pub const FAILURE: u8 = 0x7F;
}

/// The first bytes of a Bolt connection.
pub const MAGIC: [u8; 4] = [0x60, 0x60, 0xB0, 0x17];

/// The maximum size of a chunk in bytes.
const CHUNK: usize = 0xFFFF;

/// Appends `message` in chunks, followed by the end marker.
pub fn frame(out: &mut Vec<u8>, message: &[u8]) {
    for chunk in message.chunks(CHUNK) {
        out.extend(u16::try_from(chunk.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend(chunk);
    }
    out.extend([0, 0]);
}

/// Returns a message in chunks.
#[must_use]
pub fn framed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 4);
    frame(&mut out, message);
    out
}

/// Returns the first chunk of the first message in `bytes`, and all bytes of that message. `None` until it is complete.
///
/// An empty chunk is a keep-alive: a message without bytes.
#[must_use]
pub fn first_message(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let mut at = 0;
    let mut first: &[u8] = &[];
    loop {
        let size = usize::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
        at += 2;
        if size == 0 {
            return Some((first, at));
        }
        let chunk = bytes.get(at..at + size)?;
        if first.is_empty() {
            first = chunk;
        }
        at += size;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_found_once_it_is_complete() {
        let message = vec![7; CHUNK + 10];
        let bytes = framed(&message);
        assert_eq!(bytes.len(), message.len() + 6);
        assert_eq!(first_message(&bytes), Some((message.get(..CHUNK).unwrap_or_default(), bytes.len())));
        assert_eq!(first_message(bytes.get(..bytes.len() - 1).unwrap_or_default()), None);
        assert_eq!(first_message(&[0, 0, 1]), Some((&[][..], 2)));
    }
}
