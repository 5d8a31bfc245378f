//! What is not a Bolt server, or none that we speak with: found out in the handshake, and said in plain words.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use boltgate::bolt::{AuthToken, Dialer, Endpoint, Error, Recognition, Security, Uri};
use tokio::io::{AsyncReadExt, DuplexStream};

use super::connection::LIMITS;
use crate::support::bolt::{
    fake_memgraph::{self, FakeMemgraph},
    peer::{Handshake, Peer, Script, Step},
};

fn dialer(port: u16) -> Dialer {
    let uri = Uri { security: Security::Plain, host: "127.0.0.1".into(), port };
    Dialer {
        endpoint: Endpoint::Network { uri, tls: None },
        dialect: Recognition::default(),
        timeout: Duration::from_secs(10),
        limits: LIMITS,
        traffic: Arc::default(),
    }
}

/// What the client says of a server that answers the handshake with `answer` and closes.
async fn said_of(answer: &[u8]) -> String {
    let script = || Script::new().step(Step::Handshake(Handshake::Raw(answer.to_vec()))).close();
    let peer = Peer::listen([script(), script()]).await;
    let dialer = dialer(peer.addr().port());
    let error = dialer.dial(&AuthToken::none()).await.unwrap_err();
    assert!(matches!(error, Error::Handshake(_)), "{error:?}");
    let probed = dialer.probe().await.unwrap_err();
    assert_eq!(probed.to_string(), error.to_string());
    peer.join().await;
    error.to_string()
}

#[tokio::test]
async fn names_other_kinds_of_servers_with_advice() {
    for (answer, expected) in [
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(),
            "this is an HTTP port, not a Bolt port (Bolt is usually on 7687); check database.uri",
        ),
        (
            &[0x15, 3, 3, 0, 2, 2, 70],
            "this port wants TLS; use bolt+s:// (or bolt+ssc:// for a self-signed certificate) in database.uri",
        ),
        (
            &[],
            "the connection was closed during the handshake; the port may want TLS: try bolt+s:// (or bolt+ssc:// for \
             a self-signed certificate) in database.uri",
        ),
        (&[0, 0, 0, 0], "the database speaks none of the Bolt versions 4.1 to 6.1"),
        (&[0, 0, 9, 5], "the database chose Bolt 5.9, which was not offered"),
        (&[0, 0, 0, 3], "the database chose Bolt 3.0, which was not offered"),
        (&[0, 0, 1, 6], "the database chose Bolt 6.1, which was not offered"),
        (b"SSH-2.0", "this is not a Bolt server: it answered the handshake with [53, 53, 48, 2D]; check database.uri"),
        (&[0, 0, 1, 0xFF, 0xFF, 0xFF, 0x7F], "the database sent a malformed list of Bolt versions"),
    ] {
        assert_eq!(said_of(answer).await, expected);
    }
}

#[tokio::test]
async fn names_a_memgraph_without_a_common_version() {
    let fake = FakeMemgraph::start_with(fake_memgraph::Options::only(1, 0)).await;
    let error = dialer(fake.addr().port()).dial(&AuthToken::none()).await.unwrap_err();
    let expected = "this Memgraph speaks none of the Bolt versions 4.1 to 6.1 (2.1 and later do)";
    assert_eq!(error.to_string(), expected);
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn names_a_port_without_a_listener() {
    // Bound, so that nobody else gets it, and without a listener.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    let error = dialer(port).dial(&AuthToken::none()).await.unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    assert!(error.to_string().starts_with(&format!("cannot connect to 127.0.0.1:{port}: ")), "{error}");
}

/// Connects to one server in this process. Where the clock is paused, time passes by itself as soon as all wait.
fn dialer_in_memory(stream: DuplexStream) -> Dialer {
    let stream = Mutex::new(Some(stream));
    let connect = move || stream.lock().unwrap().take().expect("one connection");
    Dialer { endpoint: Endpoint::Memory(Arc::new(connect)), timeout: Duration::from_millis(200), ..dialer(0) }
}

#[tokio::test(start_paused = true)]
async fn gives_up_on_a_silent_server() {
    let (stream, mut silent) = tokio::io::duplex(1024);
    let listening = async {
        let mut heard = Vec::new();
        silent.read_to_end(&mut heard).await.unwrap();
        heard
    };
    let (dialer, login) = (dialer_in_memory(stream), AuthToken::none());
    let (heard, dialed) = tokio::join!(listening, dialer.dial(&login));
    assert!(matches!(dialed, Err(Error::Silent(_))), "{dialed:?}");
    assert_eq!(heard.len(), 20, "nothing but the offer was sent, and the connection was closed");
}

#[tokio::test(start_paused = true)]
async fn includes_the_login_in_the_deadline() {
    let script = Script::new().accept(5, 4).expect_any().expect_any().step(Step::ExpectEnd);
    let (stream, peer) = Peer::in_memory(script);
    let dialed = dialer_in_memory(stream).dial(&AuthToken::basic("neo4j", "password")).await;
    assert!(matches!(dialed, Err(Error::Silent(_))), "{dialed:?}");
    peer.join().await;
}
