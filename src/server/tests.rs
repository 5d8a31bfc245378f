//! Connections from their acceptance to their end, as the observer sees them.

use std::{
    convert::Infallible,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{
    body::Body,
    http::{Request, Response, StatusCode},
};
use hyper::body::Body as _;
use rcgen::{CertificateParams, KeyPair};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, join},
    sync::mpsc::UnboundedSender,
    task::yield_now,
    time::sleep,
};
use tokio_rustls::TlsConnector;
use tokio_util::task::TaskTracker;
use tower::service_fn;

use super::{
    acceptor::Acceptor,
    connection::{HttpService, Protocols, Stop, Timeouts, TimerLimits},
    memory::{Accepted, Client, listener, stream},
    tls::{Prepared, Tls, TlsSettings},
    workers::Workers,
};
use crate::{
    drain::Drain,
    live::Live,
    telemetry::observer::{ClientClose, HttpProtocol, Observer, TlsOutcome},
};

const TIMEOUTS: Timeouts = Timeouts {
    timer: TimerLimits { head: Duration::from_secs(30), idle: Duration::from_secs(75), age: Duration::from_secs(3600) },
    write_stall: Duration::from_secs(20),
    half_close: Duration::from_secs(30),
};

/// Longer than any limit but the age.
const LONG: Duration = Duration::from_secs(300);

/// Writes down what it is told.
#[derive(Default)]
struct Notes {
    notes: Mutex<Vec<String>>,
    accepted: AtomicUsize,
}

impl Notes {
    fn add(&self, note: String) {
        self.notes.lock().unwrap().push(note);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.lock().unwrap())
    }
}

impl Observer for Notes {
    fn client_accepted(&self) {
        self.accepted.fetch_add(1, Relaxed);
        self.add("accepted".into());
    }

    fn client_connected(&self, protocol: HttpProtocol) {
        self.add(format!("{protocol:?}"));
    }

    fn client_disconnected(&self, protocol: Option<HttpProtocol>, reason: ClientClose) {
        self.add(format!("{reason:?} {protocol:?}"));
    }

    fn tls_handshake(&self, outcome: TlsOutcome) {
        self.add(format!("handshake {outcome:?}"));
    }
}

/// A listener in memory, and what is told about it.
struct Stand {
    notes: Arc<Notes>,
    incoming: UnboundedSender<Accepted>,
    connected: AtomicUsize,
    tracker: TaskTracker,
    drain: Drain,
    stop: Stop,
}

impl Stand {
    fn with(tls: Option<Tls>) -> Self {
        let (listener, incoming) = listener();
        let stand = Self {
            notes: Arc::default(),
            incoming,
            connected: AtomicUsize::new(0),
            tracker: TaskTracker::new(),
            drain: Drain::default(),
            stop: Stop::default(),
        };
        let acceptor = Acceptor {
            workers: Arc::new(Workers::here()),
            max_connections: 10,
            protocols: Live::new(Protocols::new(TIMEOUTS)),
            tls,
            drain: stand.drain.clone(),
            stop: stand.stop.clone(),
            tracker: stand.tracker.clone(),
            observer: Arc::clone(&stand.notes) as Arc<dyn Observer>,
        };
        tokio::spawn(acceptor.run(listener, |_| service()));
        stand
    }

    fn connect(&self) -> Client {
        let (stream, client) = stream();
        self.connected.fetch_add(1, Relaxed);
        self.incoming.send(Ok(Ok(stream))).unwrap();
        client
    }

    /// Waits until all connections were accepted and have ended, and returns what was told.
    async fn notes(&self) -> Vec<String> {
        while self.notes.accepted.load(Relaxed) < self.connected.load(Relaxed) {
            yield_now().await;
        }
        self.tracker.close();
        self.tracker.wait().await;
        self.tracker.reopen();
        self.notes.take()
    }
}

/// A service that answers at once, at length, never, or that its request took too long.
fn service() -> impl HttpService {
    service_fn(async |request: Request<_>| {
        let body: super::connection::RequestBody = request.into_parts().1;
        let status = if body.is_end_stream() { StatusCode::OK } else { StatusCode::REQUEST_TIMEOUT };
        Ok::<_, Infallible>(Response::builder().status(status).body(Body::from("x".repeat(100_000))).unwrap())
    })
}

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

/// Reads to the end of the connection.
async fn rest(client: &mut Client) -> String {
    let mut rest = Vec::new();
    let _ = client.read.read_to_end(&mut rest).await;
    String::from_utf8_lossy(&rest).into_owned()
}

/// Reads an answer of [`service`].
async fn answer(client: &mut Client) -> String {
    let head = client.head().await;
    client.read.read_exact(&mut vec![0; 100_000]).await.unwrap();
    head
}

#[tokio::test(start_paused = true)]
async fn every_connection_ends_once_for_the_reason_that_ended_it() {
    let stand = Stand::with(None);
    let ended = async |protocol: Option<&str>, reason: &str| {
        let mut expected = vec!["accepted".to_owned()];
        expected.extend(protocol.map(str::to_owned));
        expected.push(format!("{reason} {}", protocol.map_or("None".into(), |protocol| format!("Some({protocol})"))));
        assert_eq!(stand.notes().await, expected);
    };
    const HTTP1: Option<&str> = Some("Http1");

    drop(stand.connect());
    ended(None, "Done").await;

    let mut client = stand.connect();
    client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
    rest(&mut client).await;
    drop(client);
    ended(HTTP1, "Done").await;

    let mut client = stand.connect();
    client.send(GET).await;
    answer(&mut client).await;
    drop(client);
    ended(HTTP1, "Done").await;

    let mut client = stand.connect();
    client.send(GET).await;
    answer(&mut client).await;
    rest(&mut client).await;
    ended(HTTP1, "Idle").await;

    let _silent = stand.connect();
    ended(None, "HeaderTimeout").await;

    let mut client = stand.connect();
    client.send("GET / HT").await;
    ended(HTTP1, "HeaderTimeout").await;

    let mut client = stand.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf").await;
    assert!(rest(&mut client).await.starts_with("HTTP/1.1 408 "));
    ended(HTTP1, "BodyTimeout").await;

    // More than fits between them.
    let mut client = stand.connect();
    client.send(GET).await;
    ended(HTTP1, "WriteStall").await;
    drop(client);

    let mut client = stand.connect();
    client.send("no HTTP at all\r\n\r\n").await;
    rest(&mut client).await;
    drop(client);
    ended(HTTP1, "Error").await;

    let mut client = stand.connect();
    for _ in 0..60 {
        client.send(GET).await;
        if answer(&mut client).await.contains("connection: close\r\n") {
            break;
        }
        sleep(Duration::from_secs(70)).await;
    }
    drop(client);
    ended(HTTP1, "Age").await;

    let mut client = stand.connect();
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    client.write.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    rest(&mut client).await;
    ended(Some("Http2"), "HeaderTimeout").await;
}

#[tokio::test(start_paused = true)]
async fn a_drain_ends_connections_with_their_next_answer_and_a_stop_those_that_are_idle() {
    let stand = Stand::with(None);
    let (mut kept, mut idle, _silent) = (stand.connect(), stand.connect(), stand.connect());
    for client in [&mut kept, &mut idle] {
        client.send(GET).await;
        assert!(!answer(client).await.contains("connection: close"));
    }
    stand.drain.begin();
    // Those that exist and those that come are served, once.
    let mut late = stand.connect();
    for client in [&mut kept, &mut late] {
        client.send(GET).await;
        assert!(rest(client).await.contains("connection: close\r\n"));
    }
    drop((kept, late));
    stand.stop.gently.cancel();
    assert_eq!(rest(&mut idle).await, "");
    let notes = stand.notes().await;
    assert_eq!(notes.iter().filter(|note| *note == "Drain Some(Http1)").count(), 3, "{notes:?}");
    assert_eq!(notes.iter().filter(|note| *note == "Drain None").count(), 1, "{notes:?}");
    assert_eq!(notes.iter().filter(|note| *note == "accepted").count(), 4, "{notes:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_left_ends_at_once_when_the_time_for_a_stop_is_over() {
    let stand = Stand::with(None);
    let mut stalled = stand.connect();
    stalled.send(GET).await;
    // It is being answered.
    let _ = stalled.read.read_u8().await.unwrap();
    stand.stop.gently.cancel();
    tokio::select! {
        _ = stand.notes() => panic!("it goes on"),
        () = sleep(Duration::from_secs(1)) => {}
    }
    stand.stop.at_once.cancel();
    assert_eq!(stand.notes().await, ["accepted", "Http1", "Drain Some(Http1)"]);
}

/// TLS with a certificate of its own.
fn tls() -> Tls {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let settings = TlsSettings {
        certificate: folder.path().join("certificate"),
        key: folder.path().join("key"),
        client_ca: None,
        client_certificate_required: false,
        handshake_timeout: Duration::from_secs(10),
        reload: Duration::ZERO,
    };
    std::fs::write(&settings.certificate, certificate.pem()).unwrap();
    std::fs::write(&settings.key, key.serialize_pem()).unwrap();
    Tls::new(Some(Prepared::read(settings).unwrap()), Arc::new(Notes::default()))
}

fn trusting() -> Arc<ClientConfig> {
    crate::tls::unverified().unwrap()
}

#[tokio::test(start_paused = true)]
async fn handshakes_succeed_fail_or_take_too_long() {
    let stand = Stand::with(Some(tls()));
    let name = ServerName::try_from("localhost").unwrap();
    let Client { read, write } = stand.connect();
    let mut client = TlsConnector::from(trusting()).connect(name, join(read, write)).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut read = Vec::new();
    client.read_to_end(&mut read).await.expect("it ends as TLS ends");
    assert!(read.ends_with(&[b'x'; 100_000]));
    drop(client);
    assert_eq!(stand.notes().await, ["accepted", "handshake Ok", "Http1", "Done Some(Http1)"]);

    // A check of a load balancer.
    drop(stand.connect());
    assert_eq!(stand.notes().await, ["accepted", "Done None"]);

    let mut plain = stand.connect();
    plain.send(GET).await;
    let said = rest(&mut plain).await;
    assert!(said.starts_with("HTTP/1.1 400 ") && said.contains("https://"), "{said}");
    let mut garbage = stand.connect();
    garbage.write.write_all(&[0x16, 0xff, 0xff, 0xff]).await.unwrap();
    rest(&mut garbage).await;
    drop((plain, garbage));
    let notes = stand.notes().await;
    assert_eq!(notes.iter().filter(|note| *note == "handshake Error").count(), 2, "{notes:?}");
    assert_eq!(notes.iter().filter(|note| *note == "Tls None").count(), 2, "{notes:?}");

    let (_silent, mut slow) = (stand.connect(), stand.connect());
    slow.write.write_all(&[0x16, 3, 1]).await.unwrap();
    let notes = stand.notes().await;
    assert_eq!(notes.iter().filter(|note| *note == "handshake Timeout").count(), 2, "{notes:?}");
    assert_eq!(notes.iter().filter(|note| *note == "Tls None").count(), 2, "{notes:?}");
}

#[tokio::test(start_paused = true)]
async fn an_encrypted_client_that_does_not_read_is_disconnected_and_one_that_reads_slowly_is_not() {
    let stand = Stand::with(Some(tls()));
    for slowly in [false, true] {
        let Client { read, write } = stand.connect();
        let name = ServerName::try_from("localhost").unwrap();
        let mut client = TlsConnector::from(trusting()).connect(name, join(read, write)).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await.unwrap();
        if slowly {
            // Less than TLS and the socket buffer in the time that it has for a byte.
            let mut read = 0;
            while let Ok(length @ 1..) = client.read(&mut [0; 16 * 1024]).await {
                read += length;
                sleep(TIMEOUTS.write_stall / 2).await;
            }
            assert!(read > 100_000, "{read}");
        }
        let expected = if slowly { "Done Some(Http1)" } else { "WriteStall Some(Http1)" };
        let notes = if slowly {
            drop(client);
            stand.notes().await
        } else {
            stand.notes().await
        };
        assert_eq!(notes.last().map(String::as_str), Some(expected), "{notes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_hangs_does_not_delay_a_stop() {
    let stand = Stand::with(Some(tls()));
    let _silent = stand.connect();
    tokio::select! {
        () = pending() => {}
        () = sleep(Duration::from_secs(1)) => stand.stop.gently.cancel(),
    }
    let started = tokio::time::Instant::now();
    assert_eq!(stand.notes().await, ["accepted", "Drain None"]);
    assert!(started.elapsed() < LONG);
}
