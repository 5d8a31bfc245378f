//! The end of a connection whose client is still sending although it was answered: a lingering close.
//!
//! Closing a socket with unread bytes resets the connection, and a client that has not read its answer yet loses it. So
//! the server closes only its own half at first, and discards what arrives until the client closes too or the limits
//! are reached.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// The longest time that is spent on a client.
const MAX_TIME: Duration = Duration::from_secs(30);
/// The longest time without a byte.
const MAX_SILENCE: Duration = Duration::from_secs(5);
/// How long a stop of the gateway waits for a client.
const MAX_TIME_AT_STOP: Duration = Duration::from_millis(250);
/// The most bytes that are discarded.
const MAX_BYTES: usize = 256 * 1024 * 1024;
/// The size of a read, in bytes.
const CHUNK: usize = 16 * 1024;

/// Discards what arrives until the client closes or the limits are reached, which are short after `stop`.
pub(super) async fn linger(mut read: impl AsyncRead + Unpin, stop: &CancellationToken) {
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
    let stopped = async {
        stop.cancelled().await;
        sleep(MAX_TIME_AT_STOP).await;
    };
    // A client that has not read its answer by then does not want it.
    tokio::select! {
        _ = timeout(MAX_TIME, discard) => {}
        () = stopped => {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncWriteExt as _, duplex, repeat},
        time::Instant,
    };

    use super::*;

    async fn spent(lingering: impl Future<Output = ()>) -> u64 {
        let started = Instant::now();
        lingering.await;
        started.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn lingering_ends_when_the_client_closes() {
        let stop = CancellationToken::new();
        let (mut client, ours) = duplex(64);
        let sending = async move {
            for _ in 0..8 {
                client.write_all(&[0; 1000]).await.unwrap();
                sleep(Duration::from_secs(1)).await;
            }
        };
        let (spent, ()) = tokio::join!(spent(linger(ours, &stop)), sending);
        assert_eq!(spent, 8);
    }

    #[tokio::test(start_paused = true)]
    async fn lingering_ends_at_its_limits() {
        let stop = CancellationToken::new();
        let (mut client, ours) = duplex(64);
        let silent = spent(linger(ours, &stop)).await;
        assert!(client.write_all(&[0]).await.is_err());
        assert_eq!(silent, MAX_SILENCE.as_secs());

        let (mut client, ours) = duplex(64);
        let sending = async move {
            while client.write_all(&[0]).await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        };
        let (trickled, ()) = tokio::join!(spent(linger(ours, &stop)), sending);
        assert_eq!(trickled, MAX_TIME.as_secs());
        // A client that sends as fast as it can.
        linger(repeat(0), &stop).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_shortens_lingering() {
        let stop = CancellationToken::new();
        let (_client, ours) = duplex(64);
        let started = Instant::now();
        let stopping = async {
            sleep(Duration::from_secs(1)).await;
            stop.cancel();
        };
        tokio::join!(linger(ours, &stop), stopping);
        assert_eq!(started.elapsed(), Duration::from_secs(1) + MAX_TIME_AT_STOP);
    }
}
