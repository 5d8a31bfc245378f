//! A connection over memory, from its first byte to its end.

use std::{
    convert::Infallible,
    future::{pending, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use axum::{
    body::Body,
    http::{Request, Response, StatusCode, header},
};
use futures_util::{StreamExt as _, stream};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, sleep},
};
use tower::service_fn;

use super::{
    Activity, FIRST_REQUEST, HttpService, Protocols, Stop, Terms, Timeouts, TimerLimits, request_body::RequestBody,
    serve,
};
use crate::{server::memory, telemetry::event_log::EventLog};

const TIMEOUTS: Timeouts = Timeouts {
    timer: TimerLimits { head: Duration::from_secs(30), idle: Duration::from_secs(75), age: Duration::from_secs(3600) },
    write_stall: Duration::from_secs(30),
    half_close: Duration::from_secs(30),
};

fn protocols() -> Arc<Protocols> {
    Arc::new(Protocols::new(TIMEOUTS))
}

fn terms(protocols: Arc<Protocols>) -> Terms {
    Terms {
        protocols,
        activity: Arc::<Activity>::default(),
        observer: Arc::new(EventLog),
        stop: Stop::default(),
        slot: Arc::new(()),
    }
}

/// The number of parts in the answer of `/slow`.
const PARTS: usize = 10;
/// The pause before each part, in seconds.
const PAUSE: u64 = 20;

/// A service that greets, answers in slow parts, or never. Where the request asks for an upgrade, it upgrades the
/// connection and then returns what the client sends.
fn service() -> impl HttpService {
    service_fn(async |mut request: Request<RequestBody>| {
        match request.uri().path() {
            "/slow" => {
                let parts = stream::iter(0..PARTS).then(async |_| {
                    sleep(Duration::from_secs(PAUSE)).await;
                    Ok::<_, Infallible>("part ")
                });
                return Ok::<_, Infallible>(Response::new(Body::from_stream(Box::pin(parts))));
            }
            "/never" => pending().await,
            _ => {}
        }
        if !request.headers().contains_key(header::UPGRADE) || request.uri() == "/plain" {
            return Ok(Response::new(Body::from("hello")));
        }
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let (mut read, mut write) = tokio::io::split(TokioIo::new(upgrade.await.unwrap()));
            tokio::io::copy(&mut read, &mut write).await.unwrap();
        });
        let answer = Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, "echo");
        Ok(answer.body(Body::empty()).unwrap())
    })
}

/// Counts how often a task is woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lone_p_wakes_its_connection_once() {
    let (stream, mut client) = memory::stream();
    let wakes = Arc::<Wakes>::default();
    let waker = Waker::from(Arc::clone(&wakes));
    let mut connection = pin!(serve(stream, None, service(), terms(protocols())));
    let mut poll = || assert!(connection.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    poll();
    assert_eq!(wakes.0.load(Relaxed), 0);
    client.send("P").await;
    assert_eq!(wakes.0.load(Relaxed), 1);
    // It waits for the next byte, although the first one does not tell the protocol.
    for _ in 0..10 {
        poll();
        assert_eq!(wakes.0.load(Relaxed), 1);
    }
    client.send("OST / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(wakes.0.load(Relaxed), 2);
    // Nothing of it is lost.
    poll();
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test(start_paused = true)]
async fn the_preface_is_found_in_pieces_and_replayed() {
    let (stream, mut client) = memory::stream();
    tokio::spawn(serve(stream, None, service(), terms(protocols())));
    for byte in "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".chars() {
        client.send(&byte.to_string()).await;
        sleep(Duration::from_millis(1)).await;
    }
    // An empty SETTINGS frame, which the server answers by its own.
    client.write.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    let mut frame = [0; 9];
    client.read.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[3], 4, "a frame of type SETTINGS: {frame:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_can_upgrade_its_connection() {
    let (stream, mut client) = memory::stream();
    let slot = Arc::new(());
    let terms = Terms { slot: slot.clone(), ..terms(protocols()) };
    let stop = terms.stop.gently.clone();
    let serving = tokio::spawn(serve(stream, None, service(), terms));
    client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nearly ").await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 101 ") && head.contains("upgrade: echo\r\n"), "{head}");
    client.send("late").await;
    let mut echoed = [0; 10];
    client.read.read_exact(&mut echoed).await.unwrap();
    assert_eq!(&echoed, b"early late");
    // The HTTP connection has ended. The socket still counts.
    serving.await.unwrap();
    stop.cancel();
    assert_eq!(Arc::strong_count(&slot), 2);
    drop(client.write);
    assert_eq!(client.read.read(&mut echoed).await.unwrap(), 0);
    let mut slot = slot;
    poll_fn(|cx| match Arc::get_mut(&mut slot) {
        Some(()) => Poll::Ready(()),
        None => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_upgrade_was_not_granted_ends_with_its_client() {
    let (stream, mut client) = memory::stream();
    let slot = Arc::new(());
    let terms = Terms { slot: slot.clone(), ..terms(protocols()) };
    let serving = tokio::spawn(serve(stream, None, service(), terms));
    client.send("GET /plain HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n").await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    drop(client.write);
    serving.await.unwrap();
    assert_eq!(Arc::strong_count(&slot), 1);
}

#[tokio::test(start_paused = true)]
async fn an_old_connection_closes_with_its_next_answer_unless_that_upgrades_it() {
    let timer = TimerLimits { age: Duration::from_secs(5), ..TIMEOUTS.timer };
    let protocols = Arc::new(Protocols::new(Timeouts { timer, ..TIMEOUTS }));
    for (headers, status) in [("", "200"), ("Connection: upgrade\r\nUpgrade: echo\r\n", "101")] {
        let (stream, mut client) = memory::stream();
        tokio::spawn(serve(stream, None, service(), terms(Arc::clone(&protocols))));
        client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n").await;
        let young = client.head().await;
        assert!(!young.contains("connection: close\r\n"), "{young}");
        sleep(Duration::from_secs(10)).await;
        client.send(&format!("HEAD / HTTP/1.1\r\nHost: h\r\n{headers}\r\n")).await;
        let old = client.head().await;
        assert!(old.starts_with(&format!("HTTP/1.1 {status} ")), "{old}");
        assert_eq!(old.contains("connection: close\r\n"), status == "200", "{old}");
    }
}

/// A request of a client that closes its sending half behind it, the answer, and how many seconds it took.
async fn half_closed(path: &str) -> (String, u64) {
    let (stream, mut client) = memory::stream();
    let started = Instant::now();
    tokio::spawn(serve(stream, None, service(), terms(protocols())));
    client.send(&format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n")).await;
    drop(client.write);
    let mut answer = String::new();
    client.read.read_to_string(&mut answer).await.unwrap();
    (answer, started.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_half_closed_client_gets_an_answer_that_takes_longer_than_its_timeout() {
    let (answer, seconds) = half_closed("/slow").await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n0\r\n\r\n"), "{answer}");
    assert_eq!(answer.matches("part ").count(), PARTS, "{answer}");
    assert_eq!(seconds, PAUSE * PARTS as u64);
}

#[tokio::test(start_paused = true)]
async fn a_half_closed_client_that_is_sent_nothing_for_too_long_counts_as_gone() {
    let (answer, seconds) = half_closed("/never").await;
    assert_eq!((answer.as_str(), seconds), ("H", TIMEOUTS.half_close.as_secs()));
}

#[tokio::test(start_paused = true)]
async fn the_first_request_of_a_new_connection_is_served_although_the_gateway_stops() {
    let (stream, mut client) = memory::stream();
    let terms = terms(protocols());
    terms.stop.gently.cancel();
    let serving = tokio::spawn(serve(stream, None, service(), terms));
    sleep(FIRST_REQUEST / 2).await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_request_ends_soon_when_the_gateway_stops() {
    for (age, wait) in [(Duration::ZERO, FIRST_REQUEST), (FIRST_REQUEST * 2, Duration::ZERO)] {
        let (stream, _client) = memory::stream();
        let terms = terms(protocols());
        let stop = terms.stop.gently.clone();
        let serving = tokio::spawn(serve(stream, None, service(), terms));
        sleep(age).await;
        stop.cancel();
        let stopped = Instant::now();
        serving.await.unwrap();
        // The runtime's timers count milliseconds.
        assert!(stopped.elapsed().abs_diff(wait) <= Duration::from_millis(1), "{:?} after {age:?}", stopped.elapsed());
    }
}
