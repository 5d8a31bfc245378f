//! The end of a connection whose client is still sending although it was answered: a lingering close.
//!
//! Closing a socket with unread bytes resets the connection, and a client that has not read its answer yet loses it. So
//! the server closes only its own half at first, and discards what arrives until the client closes too or the limits
//! are reached.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    time::timeout,
};

/// The longest time that is spent on a client.
const MAX_TIME: Duration = Duration::from_secs(30);
/// The longest time without a byte.
const MAX_SILENCE: Duration = Duration::from_secs(5);
/// The most bytes that are discarded.
const MAX_BYTES: usize = 256 * 1024 * 1024;
/// The size of a read, in bytes.
const CHUNK: usize = 16 * 1024;

/// Discards what arrives until the client closes or the limits are reached.
pub(super) async fn linger(mut read: impl AsyncRead + Unpin) {
    let discard = async {
        let mut chunk = vec![0; CHUNK];
        let mut discarded = 0;
        while let Ok(Ok(length @ 1..)) = timeout(MAX_SILENCE, read.read(&mut chunk)).await {
            discarded += length;
            if discarded > MAX_BYTES {
                return;
            }
        }
    };
    // A client that has not read its answer by now does not want it.
    let _ = timeout(MAX_TIME, discard).await;
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncWriteExt as _, duplex, repeat},
        time::{Instant, sleep},
    };

    use super::*;

    async fn spent(lingering: impl Future<Output = ()>) -> u64 {
        let started = Instant::now();
        lingering.await;
        started.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn lingering_ends_when_the_client_closes() {
        let (mut client, ours) = duplex(64);
        let sending = async move {
            for _ in 0..8 {
                client.write_all(&[0; 1000]).await.unwrap();
                sleep(Duration::from_secs(1)).await;
            }
        };
        let (spent, ()) = tokio::join!(spent(linger(ours)), sending);
        assert_eq!(spent, 8);
    }

    #[tokio::test(start_paused = true)]
    async fn lingering_ends_at_its_limits() {
        let (mut client, ours) = duplex(64);
        let silent = spent(linger(ours)).await;
        assert!(client.write_all(&[0]).await.is_err());
        assert_eq!(silent, MAX_SILENCE.as_secs());

        let (mut client, ours) = duplex(64);
        let sending = async move {
            while client.write_all(&[0]).await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        };
        let (trickled, ()) = tokio::join!(spent(linger(ours)), sending);
        assert_eq!(trickled, MAX_TIME.as_secs());
        // A client that sends as fast as it can.
        linger(repeat(0)).await;
    }
}
