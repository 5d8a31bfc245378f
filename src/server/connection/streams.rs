//! HTTP/2 streams whose client takes nothing: after so long without taking a byte, a stream is reset.
//!
//! Flow control belongs to each stream, so nothing is to be seen of that at the socket (`server/connection/stall.rs`): hyper just does
//! not ask for more of the body. Each stream is a task of hyper's. It is watched while it waits for its client, and ended
//! by being dropped: h2 resets the stream then, the body goes, and with it the statement. The connection stays.

use std::{
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Bytes, HttpBody},
    http::Response,
};
use hyper::{
    body::{Frame, SizeHint},
    rt::Executor,
};
use tokio::{
    task_local,
    time::{Instant, Sleep, sleep_until},
};

/// Bytes that are handed to hyper at a time. A client that takes fewer than these within the limit counts as one that
/// takes nothing; and no more than these are buffered for a stream beyond what its window allows.
const PIECE: usize = 16 * 1024;

task_local! {
    /// Of the stream that is being served by the current task.
    static STREAM: Arc<Turn>;
}

/// Runs the streams of HTTP/2 connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamExecutor {
    /// See `server.write_stall_timeout`.
    pub(super) limit: Duration,
}

/// Whose turn it is on a stream: since when its client has something to take, `None` while the gateway is at work.
#[derive(Debug, Default)]
struct Turn(Mutex<Option<Instant>>);

impl Turn {
    fn clients_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F> Executor<F> for StreamExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let (turn, limit) = (Arc::<Turn>::default(), self.limit);
        tokio::spawn(STREAM.scope(Arc::clone(&turn), watch(stream, turn, limit)));
    }
}

/// Serves a stream to its end, or until its client has taken nothing for as long as `limit`.
async fn watch(stream: impl Future<Output = ()>, turn: Arc<Turn>, limit: Duration) {
    let mut stream = pin!(stream);
    let mut timer: Option<Pin<Box<Sleep>>> = None;
    let stalled = std::future::poll_fn(|cx| {
        if stream.as_mut().poll(cx).is_ready() {
            return Poll::Ready(false);
        }
        let Some(since) = *turn.clients_since() else {
            return Poll::Pending;
        };
        let end = since + limit;
        let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
        if timer.deadline() != end {
            timer.as_mut().reset(end);
        }
        timer.as_mut().poll(cx).map(|()| true)
    });
    if stalled.await {
        tracing::info!(after = ?limit, "reset a stream whose client does not read (server.write_stall_timeout)");
    }
}

/// An answer that is about to be given to the client of the current stream.
pub(super) fn watched<B>(answer: Response<B>) -> Response<Watched<B>> {
    pass(true);
    answer.map(|body| Watched { body, piece: Bytes::new() })
}

/// Says whether it is the client who has something to do next.
fn pass(to_client: bool) {
    let _ = STREAM.try_with(|turn| *turn.clients_since() = to_client.then(Instant::now));
}

/// A body that notes when a part of it is taken.
#[derive(Debug)]
pub(super) struct Watched<B> {
    body: B,
    /// What is left of the frame that was taken from the body.
    piece: Bytes,
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Watched<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if self.piece.is_empty() {
            pass(false);
            let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
            pass(true);
            match frame.map(|frame| frame.map(Frame::into_data)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(Err(trailers))) => return Poll::Ready(Some(Ok(trailers))),
                Some(Ok(Ok(data))) => self.piece = data,
            }
        } else {
            pass(true);
        }
        let length = self.piece.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.piece.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.piece.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let length = u64::try_from(self.piece.len()).unwrap_or(u64::MAX);
        let rest = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(length));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(length));
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Full};
    use tokio::time::sleep;

    use super::*;

    async fn served(limit: Duration, stream: impl Future<Output = ()>) {
        let turn = Arc::<Turn>::default();
        STREAM.scope(Arc::clone(&turn), watch(stream, turn, limit)).await;
    }

    fn answer(length: usize) -> Watched<Full<Bytes>> {
        watched(Response::new(Full::new(Bytes::from(vec![7; length])))).into_body()
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_given_up_and_who_waits_is_not() {
        let limit = Duration::from_secs(30);
        let started = Instant::now();
        served(limit, async {
            // The gateway may take its time.
            sleep(Duration::from_secs(100)).await;
            let _body = answer(10);
            std::future::pending::<()>().await;
        })
        .await;
        assert_eq!(started.elapsed().as_secs(), 130);
        let started = Instant::now();
        served(limit, async {
            let mut body = answer(10 * PIECE);
            while let Some(frame) = body.frame().await {
                assert_eq!(frame.unwrap().data_ref().map(Bytes::len), Some(PIECE));
                sleep(Duration::from_secs(20)).await;
            }
        })
        .await;
        assert_eq!(started.elapsed().as_secs(), 200, "a slow client gets all of it");
    }
}
