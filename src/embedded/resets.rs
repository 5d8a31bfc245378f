//! Detects a `RESET`, or the end of the connection, while a statement runs.
//!
//! The Bolt server library reads no messages while it waits for the engine. The client's bytes therefore pass through
//! here first: they are forwarded unchanged, and every `RESET` among them is counted immediately. Promises that a
//! `RESET` interrupts what was sent before it and nothing that is sent after it. Knows only chunk headers and the two
//! bytes of a `RESET`.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;

/// A PackStream structure without fields and with the signature of `RESET`.
const RESET: [u8; 2] = [0xb0, 0x0f];
const BUFFER: usize = 8 * 1024;

/// Forwards a client's bytes after the handshake until the client closes its end, and counts each `RESET` in `heard`.
pub(super) async fn relay(
    mut client: impl AsyncRead + Unpin,
    mut server: impl AsyncWrite + Unpin,
    heard: watch::Sender<u64>,
) {
    let mut scanner = Scanner::default();
    let mut buffer = vec![0; BUFFER];
    while let Ok(length @ 1..) = client.read(&mut buffer).await {
        let bytes = buffer.get(..length).unwrap_or_default();
        // Counted before it is forwarded, so that the number received is never less than the number handled.
        let found = scanner.scan(bytes);
        if found > 0 {
            heard.send_modify(|count| *count += found);
        }
        if server.write_all(bytes).await.is_err() {
            return;
        }
    }
}

/// The `RESET`s of one connection: how many were received, and how many the server has handled.
#[derive(Debug)]
pub(super) struct Resets {
    heard: watch::Receiver<u64>,
    handled: AtomicU64,
}

impl Resets {
    pub(super) fn new(heard: watch::Receiver<u64>) -> Resets {
        Resets { heard, handled: AtomicU64::new(0) }
    }

    /// Waits until a `RESET` is received that the server has not handled yet.
    pub(super) async fn pending(&self) {
        let handled = self.handled.load(Ordering::Acquire);
        let mut heard = self.heard.clone();
        if heard.wait_for(|heard| *heard > handled).await.is_err() {
            // The relay has ended, and the connection ends with it.
            std::future::pending::<()>().await;
        }
    }

    /// Records that the server has handled the next `RESET`. A surplus call (`LOGOFF` makes one) has no effect.
    pub(super) fn handle(&self) {
        let heard = *self.heard.borrow();
        let next = |handled| (handled < heard).then_some(handled + 1);
        // All of them have been handled already.
        let _ = self.handled.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
    }
}

/// Finds messages in chunks that arrive in arbitrary pieces.
#[derive(Debug, Default)]
struct Scanner {
    /// The first byte of a chunk header whose second byte has not arrived.
    half_header: Option<u8>,
    /// The bytes of the current chunk that have not arrived.
    left: usize,
    /// The first bytes of the current message.
    start: [u8; 2],
    /// The bytes of the current message that have arrived, counted only as far as needed.
    length: usize,
}

impl Scanner {
    /// Returns the number of `RESET`s whose signature ends in `bytes`.
    fn scan(&mut self, mut bytes: &[u8]) -> u64 {
        let mut found = 0;
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.left == 0 {
                self.header(byte);
                bytes = rest;
            } else if let Some(place) = self.start.get_mut(self.length) {
                *place = byte;
                self.length += 1;
                self.left -= 1;
                found += u64::from(self.length == RESET.len() && self.start == RESET);
                bytes = rest;
            } else {
                let skipped = self.left.min(bytes.len());
                self.left -= skipped;
                bytes = bytes.get(skipped..).unwrap_or_default();
            }
        }
        found
    }

    fn header(&mut self, byte: u8) {
        match self.half_header.take() {
            None => self.half_header = Some(byte),
            Some(high) => self.left = usize::from(u16::from_be_bytes([high, byte])),
        }
        // An empty chunk ends the message.
        if self.half_header.is_none() && self.left == 0 {
            self.length = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESET_MESSAGE: [u8; 6] = [0, 2, 0xb0, 0x0f, 0, 0];

    #[test]
    fn resets_are_found_in_any_pieces() {
        // A NOOP, a RUN whose text contains the bytes of a RESET message, and two RESETs, one of them in two chunks.
        let mut bytes = vec![0, 0, 0, 8, 0xb3, 0x10];
        bytes.extend(RESET_MESSAGE);
        bytes.extend([0, 2, 0xb0, 0x0f, 0, 0]);
        bytes.extend(RESET_MESSAGE);
        bytes.extend([0, 1, 0xb0, 0, 1, 0x0f, 0, 0]);
        for size in 1..bytes.len() {
            let mut scanner = Scanner::default();
            let found: u64 = bytes.chunks(size).map(|piece| scanner.scan(piece)).sum();
            assert_eq!(found, 2, "pieces of {size}");
        }
    }

    #[tokio::test]
    async fn a_reset_is_pending_until_it_is_handled() {
        let (sender, receiver) = watch::channel(0);
        let resets = Resets::new(receiver);
        resets.handle();
        let (mut client, server) = tokio::io::duplex(64);
        let relaying = tokio::spawn(async move { relay(server, tokio::io::sink(), sender).await });
        client.write_all(&RESET_MESSAGE).await.ok();
        resets.pending().await;
        resets.handle();
        tokio::select! {
            biased;
            () = resets.pending() => panic!("pending after it was handled"),
            () = std::future::ready(()) => {}
        }
        drop(client);
        relaying.await.ok();
    }
}
