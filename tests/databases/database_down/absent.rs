//! No database at the address, or none that speaks Bolt.

use std::time::Duration;

use serde_json::json;
use tokio::{io::AsyncReadExt, net::TcpListener};

use super::address::{Address, neo4j};
use crate::support::{
    bolt::peer::{Handshake, Peer, Script, Step},
    gateway,
    query::{refused, values},
};

const UNAVAILABLE: &str = "Neo.TransientError.General.DatabaseUnavailable";

#[tokio::test]
async fn serves_once_the_database_starts_later() {
    let mut place = Address::new();
    let gateway = gateway::start_for(&place.uri()).await;
    for path in ["/db/neo4j/query/v2", "/db/neo4j/query/v2/tx"] {
        let answer = gateway.post(path, r#"{"statement":"RETURN 1"}"#).await;
        assert_eq!(answer.header("Retry-After"), Some("1"));
        let error = refused(&answer);
        assert_eq!((error.status, error.code.as_str()), (503, UNAVAILABLE));
        let address = place.uri().replace("bolt://", "");
        assert!(error.message.starts_with(&format!("cannot connect to {address}: ")), "{}", error.message);
    }
    // What can be said without the database is said.
    assert_eq!(gateway.send("GET", "/", &[], "").await.status, 200);
    let fake = neo4j().await;
    place.move_in(fake.addr());
    assert_eq!(values(&gateway.query("ECHO 7").await), json!([[7]]));
    assert_eq!(gateway.engine().open_transactions(), 0);
}

#[tokio::test]
async fn rejects_invalid_requests_without_a_database() {
    let place = Address::new();
    let gateway = gateway::start_for(&place.uri()).await;
    assert_eq!(refused(&gateway.post("/db/neo4j/query/v2", "{").await).status, 400);
    assert_eq!(gateway.send("GET", "/nowhere", &[], "").await.status, 404);
}

const NO_BOLT: &str = "Boltgate.DatabaseError.Connection.NoBolt";

/// The status, code and message for a server that answers the handshake with `answer`.
async fn told_of(answer: &[u8]) -> (u16, String, String) {
    let peer = Peer::listen([Script::new().step(Step::Handshake(Handshake::Raw(answer.to_vec()))).close()]).await;
    let gateway = gateway::start_for(&peer.uri()).await;
    let error = refused(&gateway.query("RETURN 1").await);
    assert!(error.message.ends_with(&format!(" ({})", peer.uri())), "{}", error.message);
    peer.join().await;
    (error.status, error.code, error.message)
}

#[tokio::test]
async fn names_the_wrong_port() {
    for (answer, status, code, advice) in [
        (b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".as_slice(), 502, NO_BOLT, "this is an HTTP port"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", 502, NO_BOLT, "check database.uri"),
        (&[0x15, 3, 3, 0, 2, 2, 70], 502, NO_BOLT, "bolt+ssc://"),
        (&[0, 0, 0, 0], 502, NO_BOLT, "4.1 to 6.1"),
        // It may just be starting: worth another try.
        (&[], 503, UNAVAILABLE, "try bolt+s://"),
    ] {
        let told = told_of(answer).await;
        assert_eq!((told.0, told.1.as_str()), (status, code), "{told:?}");
        assert!(told.2.contains(advice), "{told:?}");
    }
}

#[tokio::test]
async fn recognises_a_real_http_server() {
    // The gateway itself is one.
    let fake = neo4j().await;
    let other = gateway::start_for(&fake.uri()).await;
    let gateway = gateway::start_for(&format!("bolt://{}", other.address())).await;
    let error = refused(&gateway.query("RETURN 1").await);
    assert_eq!(error.status, 502, "{error:?}");
    assert!(error.message.contains("database.uri"), "{error:?}");
}

#[tokio::test]
async fn gives_up_on_a_hanging_server_in_time() {
    for timeouts in [
        [("database.connect_timeout", "200ms"), ("database.acquire_timeout", "60s")],
        [("database.connect_timeout", "60s"), ("database.acquire_timeout", "200ms")],
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("bolt://{}", listener.local_addr().unwrap());
        let gateway = gateway::start_for_with(&uri, &timeouts).await;
        let hanging = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            // Says nothing until the gateway has closed the connection.
            stream.read_to_end(&mut Vec::new()).await.unwrap();
        };
        let (answer, ()) = tokio::join!(gateway.query("RETURN 1"), hanging);
        let error = refused(&answer);
        assert_eq!((error.status, error.code.as_str()), (503, UNAVAILABLE), "{timeouts:?}");
        assert!(error.message.starts_with("the database did not answer within "), "{}", error.message);
    }
}

#[tokio::test]
async fn waits_for_a_slow_login() {
    let fake = neo4j().await;
    let slow = crate::support::bolt::control::Fault::Delay(Duration::from_millis(300));
    fake.control.on_next("LOGON", slow);
    let gateway = gateway::start_for(&fake.uri()).await;
    assert_eq!(values(&gateway.query("ECHO 7").await), json!([[7]]));
    assert_eq!(values(&gateway.query("ECHO 8").await), json!([[8]]));
    assert_eq!(fake.control.counts().accepted, 1, "the connection stays, however long its opening took");
}
