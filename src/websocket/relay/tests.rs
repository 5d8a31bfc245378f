//! The relay on a paused clock: limits of time and of memory, and how each end of it ends the other.

use std::{
    future::{pending, ready},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    io::{DuplexStream, ReadBuf, duplex},
    task::JoinHandle,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};
use tokio_util::sync::CancellationToken;

use super::*;

/// The most that a relay may hold in one direction.
const MOST: usize = 256 * 1024;

const LIMITS: Limits = Limits {
    first_byte: Duration::from_secs(10),
    idle: Duration::from_secs(600),
    lifetime: Duration::from_secs(12 * 60 * 60),
};

/// A relay between a client of the library's and a stream.
struct Stand {
    client: WebSocketStream<DuplexStream>,
    /// The other side of the stream; `None` once a test has taken it.
    database: Option<DuplexStream>,
    stop: CancellationToken,
    relayed: JoinHandle<Relayed>,
}

impl Stand {
    /// With this many bytes between any two.
    async fn new(limits: Limits, room: usize) -> Self {
        let (client, socket) = duplex(room);
        let (stream, database) = duplex(room);
        let stop = CancellationToken::new();
        let told = stop.clone().cancelled_owned();
        let dial = ready(Ok::<_, io::Error>(stream));
        let relayed = tokio::spawn(async move {
            let stopped = async {
                told.await;
                WebSocketClose::Shutdown
            };
            relay(socket, dial, stopped, limits).await
        });
        let client = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
        Self { client, database: Some(database), stop, relayed }
    }

    async fn say(&mut self, bytes: &[u8]) {
        self.client.send(Message::binary(bytes.to_vec())).await.unwrap();
    }

    async fn database_hears(&mut self, length: usize) -> Vec<u8> {
        let mut heard = vec![0; length];
        self.database.as_mut().unwrap().read_exact(&mut heard).await.unwrap();
        heard
    }

    async fn database_says(&mut self, bytes: &[u8]) {
        self.database.as_mut().unwrap().write_all(bytes).await.unwrap();
    }

    /// The bytes of the next message.
    async fn hear(&mut self) -> Vec<u8> {
        self.client.next().await.unwrap().unwrap().into_data().to_vec()
    }

    /// The code with which the socket is closed, and why the relay says that it has ended.
    async fn end(mut self) -> (Option<u16>, Relayed) {
        let mut code = None;
        while let Some(message) = self.client.next().await {
            match message {
                Ok(Message::Close(frame)) => code = frame.map(|frame| frame.code.into()),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        (code, self.relayed.await.unwrap())
    }
}

/// A stream whose other side has reset it.
struct Reset;

impl AsyncRead for Reset {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
    }
}

impl AsyncWrite for Reset {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn bytes_pass_in_both_directions_and_are_counted() {
    let mut stand = Stand::new(LIMITS, 4096).await;
    stand.say(b"\x60\x60").await;
    stand.say(b"\xb0\x17").await;
    assert_eq!(stand.database_hears(4).await, b"\x60\x60\xb0\x17");
    stand.database_says(b"\x00\x00\x04\x05").await;
    assert_eq!(stand.hear().await, b"\x00\x00\x04\x05");
    stand.client.send(Message::Ping("x".into())).await.unwrap();
    assert_eq!(stand.client.next().await.unwrap().unwrap(), Message::Pong("x".into()));
    stand.client.close(None).await.unwrap();
    let (_, relayed) = stand.end().await;
    assert_eq!(relayed, Relayed { close: WebSocketClose::Done, received: 4, sent: 4 });
}

#[tokio::test]
async fn what_was_said_before_the_end_arrives() {
    let mut stand = Stand::new(LIMITS, 1 << 20).await;
    stand.say(b"hello").await;
    assert_eq!(stand.database_hears(5).await, b"hello");
    stand.say(b"goodbye").await;
    stand.client.close(None).await.unwrap();
    let mut heard = Vec::new();
    stand.database.as_mut().unwrap().read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"goodbye");
    assert_eq!(stand.end().await.1.close, WebSocketClose::Done);

    // As it is when the database takes a goodbye for the end before the client's closing arrives.
    let mut stand = Stand::new(LIMITS, 1 << 20).await;
    stand.say(b"goodbye").await;
    stand.database = None;
    stand.client.close(None).await.unwrap();
    assert_eq!(stand.end().await.1.close, WebSocketClose::Done);

    let mut stand = Stand::new(LIMITS, 1 << 20).await;
    stand.say(b"hello").await;
    stand.database_says(b"failure").await;
    stand.database = None;
    assert_eq!(stand.hear().await, b"failure");
    let (code, relayed) = stand.end().await;
    assert_eq!((code, relayed.close), (Some(1000), WebSocketClose::Database));
}

#[tokio::test(start_paused = true)]
async fn a_client_without_a_byte_costs_no_connection_and_is_sent_away() {
    let (client, socket) = duplex(4096);
    let mut client = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
    let dial = async { panic!("nobody has said anything") as Result<DuplexStream, io::Error> };
    let relayed = tokio::spawn(relay(socket, dial, pending(), LIMITS));
    let began = Instant::now();
    // A ping is no byte of a message.
    client.send(Message::Ping("x".into())).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), Message::Pong("x".into()));
    let Message::Close(Some(frame)) = client.next().await.unwrap().unwrap() else { panic!("no reason") };
    assert_eq!((u16::from(frame.code), began.elapsed()), (1001, LIMITS.first_byte));
    drop(client);
    assert_eq!(relayed.await.unwrap().close, WebSocketClose::Silent);
}

#[tokio::test(start_paused = true)]
async fn idleness_counts_from_the_last_byte_of_either_side() {
    let mut stand = Stand::new(LIMITS, 4096).await;
    let began = Instant::now();
    stand.say(b"hello").await;
    stand.database_hears(5).await;
    sleep(Duration::from_secs(400)).await;
    stand.database_says(b"row").await;
    assert_eq!(stand.hear().await, b"row");
    sleep(Duration::from_secs(400)).await;
    stand.say(b"more").await;
    stand.database_hears(4).await;
    let (code, relayed) = stand.end().await;
    assert_eq!((code, relayed.close), (Some(1001), WebSocketClose::Idle));
    assert_eq!(began.elapsed().as_secs(), 400 + 400 + 600);
}

#[tokio::test(start_paused = true)]
async fn a_busy_socket_ends_at_its_age() {
    let limits = Limits { lifetime: Duration::from_secs(3550), ..LIMITS };
    let mut stand = Stand::new(limits, 4096).await;
    let began = Instant::now();
    for _ in 0..11 {
        stand.say(b"x").await;
        stand.database_hears(1).await;
        sleep(Duration::from_secs(300)).await;
    }
    let (code, relayed) = stand.end().await;
    assert_eq!((code, relayed.close, began.elapsed().as_secs()), (Some(1001), WebSocketClose::Age, 3550));
}

#[tokio::test]
async fn a_stop_is_told_in_the_middle_of_anything() {
    // Before the first byte, and while rows wait for a client that does not read.
    for rows in [0, 1 << 20] {
        let mut stand = Stand::new(LIMITS, 4096).await;
        if rows > 0 {
            stand.say(b"x").await;
            stand.database_hears(1).await;
            let mut database = stand.database.take().unwrap();
            tokio::spawn(async move { database.write_all(&vec![0; rows]).await });
            stand.hear().await;
        }
        stand.stop.cancel();
        let (code, relayed) = stand.end().await;
        assert_eq!((code, relayed.close), (Some(1001), WebSocketClose::Shutdown), "{rows}");
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_or_fails_is_told() {
    let (client, socket) = duplex(4096);
    let mut client = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
    let dial = ready(Err::<DuplexStream, _>(io::Error::from(io::ErrorKind::ConnectionRefused)));
    let relayed = tokio::spawn(relay(socket, dial, pending(), LIMITS));
    client.send(Message::binary("x")).await.unwrap();
    let Message::Close(Some(frame)) = client.next().await.unwrap().unwrap() else { panic!("no reason") };
    assert_eq!(u16::from(frame.code), 1011);
    drop(client);
    assert_eq!(relayed.await.unwrap().close, WebSocketClose::DatabaseFailed);

    let (client, socket) = duplex(4096);
    let mut client = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
    let relayed = tokio::spawn(relay(socket, ready(Ok::<_, io::Error>(Reset)), pending(), LIMITS));
    client.send(Message::binary("x")).await.unwrap();
    let Message::Close(Some(frame)) = client.next().await.unwrap().unwrap() else { panic!("no reason") };
    assert_eq!(u16::from(frame.code), 1011);
    drop(client);
    assert_eq!(relayed.await.unwrap().close, WebSocketClose::DatabaseFailed);
}

/// Writes without end, and counts what was taken.
async fn flood(mut into: impl AsyncWrite + Unpin, taken: Arc<AtomicUsize>) {
    while let Ok(length) = into.write(&[0; 1000]).await {
        taken.fetch_add(length, Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_makes_the_database_wait() {
    let mut stand = Stand::new(LIMITS, 1000).await;
    stand.say(b"x").await;
    stand.database_hears(1).await;
    let taken = Arc::new(AtomicUsize::new(0));
    tokio::spawn(flood(stand.database.take().unwrap(), Arc::clone(&taken)));
    // The clock moves on only when nobody has anything to do.
    sleep(Duration::from_secs(1)).await;
    let held = taken.load(Relaxed);
    assert!(held > 1000 && held <= MOST, "{held}");
    // It goes on when the client reads.
    stand.hear().await;
    sleep(Duration::from_secs(1)).await;
    assert!(taken.load(Relaxed) > held);
}

#[tokio::test(start_paused = true)]
async fn a_database_that_does_not_read_makes_the_client_wait() {
    let (mut client, socket) = duplex(1000);
    let (stream, mut database) = duplex(1000);
    tokio::spawn(relay(socket, ready(Ok::<_, io::Error>(stream)), pending(), LIMITS));
    // One frame as long as a frame may be, whose mask changes nothing.
    client.write_all(&[0x82, 0xff, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]).await.unwrap();
    let taken = Arc::new(AtomicUsize::new(0));
    tokio::spawn(flood(client, Arc::clone(&taken)));
    sleep(Duration::from_secs(1)).await;
    let held = taken.load(Relaxed);
    assert!(held > 1000 && held <= MOST, "{held}");
    database.read_exact(&mut vec![0; 100_000]).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert!(taken.load(Relaxed) > held);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_pings_and_does_not_read_waits() {
    let (mut client, socket) = duplex(1000);
    tokio::spawn(relay(socket, pending::<Result<DuplexStream, io::Error>>(), pending(), LIMITS));
    let taken = Arc::new(AtomicUsize::new(0));
    let pinging = {
        let taken = Arc::clone(&taken);
        async move {
            while client.write_all(&[0x89, 0x80, 0, 0, 0, 0]).await.is_ok() {
                taken.fetch_add(6, Relaxed);
            }
        }
    };
    tokio::spawn(pinging);
    sleep(Duration::from_secs(1)).await;
    let held = taken.load(Relaxed);
    // Three bytes of a ping make one of a pong.
    assert!(held > 1000 && held <= 3 * MOST, "{held}");
}
