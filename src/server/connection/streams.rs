//! HTTP/2 streams whose client takes nothing: a stream is reset after its client has taken no byte for too long.
//!
//! Flow control belongs to each stream, so the socket does not notice (`server/connection/stall.rs`): hyper just does
//! not ask for more of the body. Each stream is a task of hyper's. The executor watches it while it waits for its
//! client and ends it by dropping it: h2 then resets the stream, the body is dropped, and with it the statement. The
//! connection stays open.

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

use crate::telemetry::{observer::CancelReason, record::GivingUp};

/// The most bytes that are handed to hyper at a time. A client that takes fewer than these within the limit counts as
/// one that takes nothing. No more than these are buffered for a stream beyond its window.
const CHUNK: usize = 16 * 1024;

task_local! {
    /// The state of the stream that the current task serves.
    static STREAM: Arc<StreamState>;
}

/// Runs the streams of HTTP/2 connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamExecutor {
    /// How long a client may take nothing of a stream (`server.write_stall_timeout`).
    pub(super) limit: Duration,
}

/// Since when a stream has been waiting for its client. `None` while the gateway is at work.
#[derive(Debug, Default)]
struct StreamState(Mutex<Option<Instant>>);

impl StreamState {
    fn waiting_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F> Executor<F> for StreamExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let (state, limit) = (Arc::<StreamState>::default(), self.limit);
        tokio::spawn(STREAM.scope(Arc::clone(&state), watch(stream, state, limit)));
    }
}

/// Serves a stream to its end, or until its client has taken nothing for `limit`.
async fn watch(stream: impl Future<Output = ()>, state: Arc<StreamState>, limit: Duration) {
    let mut giving_up = GivingUp::default();
    let mut stream = pin!(stream);
    let mut timer: Option<Pin<Box<Sleep>>> = None;
    let stalled = std::future::poll_fn(|cx| {
        if stream.as_mut().poll(cx).is_ready() {
            return Poll::Ready(false);
        }
        let Some(since) = *state.waiting_since() else {
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
        giving_up.because(CancelReason::WriteStall);
        tracing::info!(after = ?limit, "reset a stream whose client does not read (server.write_stall_timeout)");
    }
}

/// Wraps the answer that goes to the client of the current stream.
pub(super) fn watched<B>(answer: Response<B>) -> Response<Watched<B>> {
    set_waiting(true);
    answer.map(|body| Watched { body, rest: Bytes::new() })
}

/// Notes whether the current stream waits for its client.
fn set_waiting(waiting: bool) {
    let _ = STREAM.try_with(|state| *state.waiting_since() = waiting.then(Instant::now));
}

/// A body that notes when its client takes a part of it.
#[derive(Debug)]
pub(super) struct Watched<B> {
    body: B,
    /// The rest of the frame that was last taken from the body.
    rest: Bytes,
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Watched<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if self.rest.is_empty() {
            set_waiting(false);
            let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
            set_waiting(true);
            match frame.map(|frame| frame.map(Frame::into_data)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(Err(trailers))) => return Poll::Ready(Some(Ok(trailers))),
                Some(Ok(Ok(data))) => self.rest = data,
            }
        } else {
            set_waiting(true);
        }
        let length = self.rest.len().min(CHUNK);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let length = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        let body = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower().saturating_add(length));
        if let Some(upper) = body.upper() {
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
    use crate::telemetry::record::Record;

    async fn served(limit: Duration, stream: impl Future<Output = ()>) {
        let state = Arc::<StreamState>::default();
        STREAM.scope(Arc::clone(&state), watch(stream, state, limit)).await;
    }

    fn answer(length: usize) -> Watched<Full<Bytes>> {
        watched(Response::new(Full::new(Bytes::from(vec![7; length])))).into_body()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_dropped_with_a_stalled_stream_knows_why() {
        struct Statement<'a>(&'a mut Option<CancelReason>);
        impl Drop for Statement<'_> {
            fn drop(&mut self) {
                *self.0 = Some(Record::default().departure());
            }
        }
        let mut reason = None;
        served(Duration::from_secs(30), async {
            let _statement = Statement(&mut reason);
            let _body = answer(10);
            std::future::pending::<()>().await;
        })
        .await;
        assert_eq!((reason, Record::default().departure()), (Some(CancelReason::WriteStall), CancelReason::ClientGone));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_reset_and_one_that_waits_is_not() {
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
            let mut body = answer(10 * CHUNK);
            while let Some(frame) = body.frame().await {
                assert_eq!(frame.unwrap().data_ref().map(Bytes::len), Some(CHUNK));
                sleep(Duration::from_secs(20)).await;
            }
        })
        .await;
        assert_eq!(started.elapsed().as_secs(), 200, "a slow client gets all of it");
    }
}
