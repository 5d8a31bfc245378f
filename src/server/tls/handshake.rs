//! One TLS handshake with a client.
//!
//! Promises that handshakes, however many arrive at once, leave the worker's time to what else it serves: of those on one
//! worker, only one computes before others have had their turn.

use std::{future::poll_fn, io, pin::Pin, sync::Arc, task::Poll, time::Duration};

use rustls::{ServerConfig, server::Acceptor};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::Semaphore,
    task::yield_now,
};
use tokio_rustls::LazyConfigAcceptor;

use super::stream::{Encrypted, Joined};
use crate::server::listener::Transport;

/// The first byte of a TLS connection: a record of a handshake.
const HANDSHAKE: u8 = 0x16;

/// What a client is told that speaks HTTP without TLS.
const NOT_ENCRYPTED: &str = "HTTP/1.1 400 Bad Request\r\n\
     Content-Type: application/json\r\n\
     Content-Length: 139\r\n\
     Connection: close\r\n\
     \r\n\
     {\"errors\":[{\"code\":\"Boltgate.ClientError.Request.NotEncrypted\",\
     \"message\":\"Bad Request: this port speaks HTTPS; use https:// in the URL.\"}]}";

/// How a handshake is performed.
pub(in crate::server) struct Handshake {
    pub(in crate::server) config: Arc<ServerConfig>,
    /// The longest time that it may take. The caller watches it.
    pub(in crate::server) limit: Duration,
    /// The turns to compute on this worker.
    pub(in crate::server) turns: Arc<Semaphore>,
}

/// Why there is no encrypted connection.
pub(in crate::server) enum HandshakeError<T: Transport> {
    /// The client closed the connection before it sent anything, as checks of a load balancer do.
    Nothing,
    /// The client was told what is wrong, if it can be told, and may still be sending.
    Failed(io::Error, Option<Joined<T>>),
}

impl Handshake {
    /// Performs the handshake with the client at the other end of `stream`.
    pub(in crate::server) async fn accept<T: Transport>(self, stream: T) -> Result<Encrypted<T>, HandshakeError<T>> {
        let mut stream = Joined::new(stream);
        let mut first = [0];
        match stream.read(&mut first).await {
            Ok(0) => return Err(HandshakeError::Nothing),
            Ok(_) => {}
            Err(error) => return Err(HandshakeError::Failed(error, None)),
        }
        let [first] = first;
        if first != HANDSHAKE {
            return Err(not_encrypted(stream, first).await);
        }
        stream.unread(first);
        let mut acceptor = LazyConfigAcceptor::new(Acceptor::default(), stream);
        let hello = match (&mut acceptor).await {
            Ok(hello) => hello,
            Err(error) => return Err(failed(error, acceptor.take_io()).await),
        };
        // Key exchange and signature are computed in here.
        let turn = self.turns.acquire().await;
        let mut rest = hello.into_stream(self.config).into_fallible();
        let begun = poll_fn(|cx| Poll::Ready(Pin::new(&mut rest).poll(cx))).await;
        yield_now().await;
        drop(turn);
        let accepted = match begun {
            Poll::Ready(accepted) => accepted,
            Poll::Pending => rest.await,
        };
        match accepted {
            Ok(stream) => Ok(Encrypted::new(stream)),
            Err((error, stream)) => Err(failed(error, Some(stream)).await),
        }
    }
}

async fn not_encrypted<T: Transport>(mut stream: Joined<T>, first: u8) -> HandshakeError<T> {
    // A method of HTTP begins like this.
    if first.is_ascii_uppercase() {
        let _ = stream.write_all(NOT_ENCRYPTED.as_bytes()).await;
    }
    failed(io::Error::new(io::ErrorKind::InvalidData, "the client does not speak TLS"), Some(stream)).await
}

async fn failed<T: Transport>(error: io::Error, mut stream: Option<Joined<T>>) -> HandshakeError<T> {
    if let Some(stream) = &mut stream {
        let _ = stream.shutdown().await;
    }
    HandshakeError::Failed(error, stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_without_tls_has_the_length_that_it_says() {
        let (head, body) = NOT_ENCRYPTED.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{}", body.len());
        serde_json::from_str::<serde_json::Value>(body).unwrap();
    }
}
