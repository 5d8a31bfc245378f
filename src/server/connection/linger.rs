//! The end of a connection whose client is still sending: its answer has left, and nobody will read the rest.
//!
//! A socket that is closed with bytes unread answers with a reset, which takes the answer away from a client that has
//! not read it yet. So only our half is closed at first, and what comes is thrown away until the client closes too, or
//! has had its time.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    time::timeout,
};

/// Longest time that is spent on a client.
const WHOLE: Duration = Duration::from_secs(30);
/// Longest time without a byte.
const SILENCE: Duration = Duration::from_secs(5);
/// Most bytes that are thrown away.
const MOST: usize = 256 * 1024 * 1024;
/// Bytes that are read at a time.
const PIECE: usize = 16 * 1024;

/// Reads what nobody wants until there is no more, or the limits are reached.
pub(super) async fn linger(mut read: impl AsyncRead + Unpin) {
    let pass = async {
        let mut piece = vec![0; PIECE];
        let mut passed = 0;
        while let Ok(Ok(length @ 1..)) = timeout(SILENCE, read.read(&mut piece)).await {
            passed += length;
            if passed > MOST {
                return;
            }
        }
    };
    // Whoever has not read the answer by then does not want it.
    let _ = timeout(WHOLE, pass).await;
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
    async fn the_end_of_the_client_is_the_end() {
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
    async fn a_client_that_goes_on_and_on_is_left_alone() {
        let (mut client, ours) = duplex(64);
        let silent = spent(linger(ours)).await;
        assert!(client.write_all(&[0]).await.is_err());
        assert_eq!(silent, SILENCE.as_secs());

        let (mut client, ours) = duplex(64);
        let sending = async move {
            while client.write_all(&[0]).await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        };
        let (trickled, ()) = tokio::join!(spent(linger(ours)), sending);
        assert_eq!(trickled, WHOLE.as_secs());
        // And one that sends as much as it can, in no time at all.
        linger(repeat(0)).await;
    }
}
