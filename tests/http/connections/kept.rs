//! Connections that are kept: how long without a request, and how old they may become.

use std::time::Duration;

use serde_json::json;
use tokio::time::{sleep, timeout};

use super::{GOOD, PATH};
use crate::support::{
    bolt::fake_neo4j::{self, FakeNeo4j},
    gateway::{self, Gateway, start_embedded},
    http::{Connection, DEADLINE, Response},
    http2::{self, Ending},
    query::values,
};

async fn fake(settings: &[(&'static str, &str)]) -> (FakeNeo4j, Gateway) {
    let fake = FakeNeo4j::start_with(fake_neo4j::Options::default().without_auth()).await;
    let gateway = gateway::start_for_with(&fake.uri(), settings).await;
    (fake, gateway)
}

async fn answer(connection: &mut Connection) -> Response {
    connection.post(PATH, GOOD).await;
    let answer = connection.answer().await;
    assert_eq!(values(&answer), json!([[1]]));
    answer
}

/// Waits until the gateway has ended the connection in order.
async fn orderly(ending: Ending) {
    let ended = timeout(DEADLINE, ending).await.expect("the connection ends").unwrap();
    assert!(ended.is_ok(), "{ended:?}");
}

#[tokio::test]
async fn keeps_an_idle_connection_beyond_the_header_timeout() {
    let gateway = start_embedded(&[("server.header_timeout", "5s")]).await;
    let mut connection = Connection::open(gateway.address()).await;
    answer(&mut connection).await;
    let (mut requests, _ending) = http2::connect_and_watch(gateway.address()).await;
    let statement = || json!({ "statement": "RETURN 1" });
    assert_eq!(http2::query(&mut requests, gateway.address(), statement()).await.0, 202);
    sleep(Duration::from_millis(5500)).await;
    answer(&mut connection).await;
    assert_eq!(http2::query(&mut requests, gateway.address(), statement()).await.0, 202);
}

#[tokio::test]
async fn applies_the_header_timeout_to_later_requests() {
    let gateway = start_embedded(&[("server.header_timeout", "5s")]).await;
    let mut connection = Connection::open(gateway.address()).await;
    answer(&mut connection).await;
    connection.send(b"POST /db").await;
    connection.end().await;
}

#[tokio::test]
async fn closes_a_connection_without_another_request() {
    let gateway = start_embedded(&[("server.idle_timeout", "1s")]).await;
    let mut connection = Connection::open(gateway.address()).await;
    answer(&mut connection).await;
    assert_eq!(connection.orderly_end().await, b"");
    let (mut requests, ending) = http2::connect_and_watch(gateway.address()).await;
    let (status, _) = http2::query(&mut requests, gateway.address(), json!({ "statement": "RETURN 1" })).await;
    assert_eq!(status, 202);
    orderly(ending).await;
}

/// Whether it asks for nothing or for nothing but signs of life.
#[tokio::test]
async fn does_not_count_pings_as_requests() {
    let gateway = start_embedded(&[("server.idle_timeout", "1s")]).await;
    let stream = tokio::net::TcpStream::connect(gateway.address()).await.unwrap();
    let (requests, mut connection) = h2::client::handshake(stream).await.unwrap();
    let mut pings = connection.ping_pong().expect("it was not taken before");
    let ending = tokio::spawn(connection);
    let mut requests: h2::client::SendRequest<bytes::Bytes> = requests.ready().await.unwrap();
    let (status, _) = http2::query(&mut requests, gateway.address(), json!({ "statement": "RETURN 1" })).await;
    assert_eq!(status, 202);
    while pings.ping(h2::Ping::opaque()).await.is_ok() {
        sleep(Duration::from_millis(20)).await;
    }
    timeout(DEADLINE, ending).await.expect("the connection ends").unwrap().ok();
}

#[tokio::test]
async fn closes_http_2_without_any_request() {
    let gateway = start_embedded(&[("server.header_timeout", "200ms")]).await;
    let (_requests, ending) = http2::connect_and_watch(gateway.address()).await;
    timeout(DEADLINE, ending).await.expect("the connection ends").unwrap().ok();
}

#[tokio::test]
async fn does_not_treat_a_working_connection_as_idle() {
    let short = [("server.idle_timeout", "1s"), ("server.header_timeout", "5s")];
    let (_fake, gateway) = fake(&short).await;
    let mut connection = Connection::open(gateway.address()).await;
    connection.post(PATH, r#"{"statement":"SLEEP 5500"}"#).await;
    assert_eq!(connection.answer().await.status, 202);
    let mut requests = http2::connect(gateway.address()).await;
    let (status, _) = http2::query(&mut requests, gateway.address(), json!({ "statement": "SLEEP 5500" })).await;
    assert_eq!(status, 202);
}

#[tokio::test]
async fn closes_an_old_connection_with_its_next_answer() {
    let gateway = start_embedded(&[("server.max_connection_age", "5s")]).await;
    let mut connection = Connection::open(gateway.address()).await;
    assert_eq!(answer(&mut connection).await.header("Connection"), None);
    // The age differs by up to a tenth from connection to connection.
    sleep(Duration::from_millis(5600)).await;
    // It was not closed under the client's hands, nor are requests that were sent ahead a reason to break it off.
    for _ in 0..3 {
        connection.post(PATH, GOOD).await;
    }
    assert_eq!(connection.answer().await.header("Connection"), Some("close"));
    connection.finish_sending().await;
    assert_eq!(connection.orderly_end().await, b"");
}

#[tokio::test]
async fn finishes_running_requests_of_an_old_connection() {
    let (fake, gateway) = fake(&[("server.max_connection_age", "5s")]).await;
    let mut connection = Connection::open(gateway.address()).await;
    connection.post(PATH, r#"{"statement":"SLEEP 5600"}"#).await;
    assert_eq!(connection.answer().await.header("Connection"), Some("close"));
    assert_eq!(connection.orderly_end().await, b"");

    let address = gateway.address();
    let (mut requests, ending) = http2::connect_and_watch(address).await;
    let head = http2::post(address, PATH).body(()).unwrap();
    let answered = http2::send(&mut requests, head, r#"{"statement":"SLEEP 5600"}"#).await.expect("it is answered");
    assert_eq!(answered.status(), 202);
    http2::whole(answered).await.expect("all of it");
    // No other request was possible meanwhile.
    orderly(ending).await;
    assert_eq!(fake.control.count("RESET"), 0);
}

#[tokio::test]
async fn closes_an_idle_http_2_connection_at_its_age() {
    let gateway = start_embedded(&[("server.max_connection_age", "5s")]).await;
    let (mut requests, ending) = http2::connect_and_watch(gateway.address()).await;
    let (status, _) = http2::query(&mut requests, gateway.address(), json!({ "statement": "RETURN 1" })).await;
    assert_eq!(status, 202);
    orderly(ending).await;
}

#[tokio::test]
async fn keeps_connections_for_ever_with_age_zero() {
    let gateway = start_embedded(&[("server.max_connection_age", "0s")]).await;
    let mut connection = Connection::open(gateway.address()).await;
    for _ in 0..3 {
        assert_eq!(answer(&mut connection).await.header("Connection"), None);
        sleep(Duration::from_millis(50)).await;
    }
}
