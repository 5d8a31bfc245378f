//! A client that closes its sending half behind a complete request gets its answer; one that is gone is told apart.

use std::time::Duration;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{GOOD, PATH};
use crate::support::{
    bolt::{
        control::Counts,
        fake_neo4j::{self, FakeNeo4j},
    },
    gateway::{self, Gateway, start_embedded},
    http::{Connection, DEADLINE, Response, exchange},
    query::{body, refused, values},
};

async fn fake(settings: &[(&'static str, &str)]) -> (FakeNeo4j, Gateway) {
    let fake = FakeNeo4j::start_with(fake_neo4j::Options::default().without_auth()).await;
    let gateway = gateway::start_for_with(&fake.uri(), settings).await;
    (fake, gateway)
}

fn request(version: &str, lines: &str, statement: &str) -> String {
    let body = json!({ "statement": statement }).to_string();
    format!(
        "POST {PATH} {version}\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{lines}\r\n{body}",
        body.len()
    )
}

/// Sends this, closes the sending half, and gives the connection.
async fn half_closed(gateway: &Gateway, bytes: &str) -> Connection {
    let mut connection = Connection::open(gateway.address()).await;
    connection.send(bytes.as_bytes()).await;
    connection.finish_sending().await;
    connection
}

/// The one answer, and the end of the connection.
async fn only_answer(mut connection: Connection) -> Response {
    let answer = connection.answer().await;
    assert_eq!(connection.orderly_end().await, b"");
    answer
}

#[tokio::test]
async fn answers_every_kind_of_request() {
    let gateway = start_embedded(&[]).await;
    for (version, lines) in [("HTTP/1.1", ""), ("HTTP/1.1", "Connection: close\r\n"), ("HTTP/1.0", "")] {
        for _ in 0..5 {
            let document = format!("GET / {version}\r\nHost: localhost\r\n{lines}\r\n");
            assert_eq!(only_answer(half_closed(&gateway, &document).await).await.status, 200);
            let rows = request(version, lines, "UNWIND range(1, 20000) AS i RETURN i");
            let answer = only_answer(half_closed(&gateway, &rows).await).await;
            assert_eq!(values(&answer).as_array().map(Vec::len), Some(20_000));
        }
    }
}

/// The end is noticed while the statement runs, not together with the request.
#[tokio::test]
async fn waits_for_a_slow_statement() {
    let (fake, gateway) = fake(&[]).await;
    for (version, lines) in [("HTTP/1.1", ""), ("HTTP/1.1", "Connection: close\r\n"), ("HTTP/1.0", "")] {
        let connection = half_closed(&gateway, &request(version, lines, "SLEEP 3000")).await;
        let answer = only_answer(connection).await;
        assert_eq!((answer.status, values(&answer).as_array().map(Vec::len)), (202, Some(1)));

        let mut connection = Connection::open(gateway.address()).await;
        connection.send(request(version, lines, "SLEEP 1000").as_bytes()).await;
        fake.control.wait_for("the statement", |counts| counts.running == 1).await;
        connection.finish_sending().await;
        assert_eq!(only_answer(connection).await.status, 202);
    }
    assert_eq!(fake.control.count("RESET"), 0);
}

#[tokio::test]
async fn answers_all_pipelined_requests() {
    let (_fake, gateway) = fake(&[]).await;
    let requests = ["SLEEP 200", "ECHO 1", "SLEEP 200", "ECHO 2"].map(|text| request("HTTP/1.1", "", text));
    let mut connection = half_closed(&gateway, &requests.concat()).await;
    for expected in [None, Some(1), None, Some(2)] {
        let values = values(&connection.answer().await);
        assert!(expected.is_none_or(|number| values == json!([[number]])), "{values}");
    }
    assert_eq!(connection.orderly_end().await, b"");
}

#[tokio::test]
async fn ignores_an_incomplete_request() {
    let gateway = start_embedded(&[]).await;
    let whole = request("HTTP/1.1", "", "RETURN 1");
    let connection = half_closed(&gateway, &whole[..whole.len() - 3]).await;
    assert_eq!(refused(&only_answer(connection).await).status, 400);
    let connection = half_closed(&gateway, &whole[..20]).await;
    assert_eq!(connection.end().await, b"");
}

/// What was sent ahead of an answer is a part of it, however the answer is written.
#[tokio::test]
async fn sends_the_same_answers_as_to_an_open_connection() {
    let (_fake, gateway) = fake(&[]).await;
    for statement in ["ECHO 1", "ROWS 30000 WIDE 100", "nonsense"] {
        let bytes = request("HTTP/1.1", "X-Request-Id: same\r\nConnection: close\r\n", statement);
        let whole = exchange(gateway.address(), bytes.as_bytes(), false).await.expect("it is answered");
        let half = only_answer(half_closed(&gateway, &bytes).await).await;
        let seen = |response: &Response| {
            // These tell the time.
            let told = |name: &String| !["date", "content-length"].contains(&name.as_str());
            let names: Vec<_> = response.headers.iter().map(|(name, _)| name.clone()).filter(told).collect();
            let answer = body(response);
            (response.status, names, answer["data"].clone(), answer["errors"].clone())
        };
        assert_eq!(seen(&half), seen(&whole));
    }
}

#[tokio::test]
async fn allows_a_long_result_to_exceed_the_limit() {
    let (_fake, gateway) = fake(&[("server.half_close_timeout", "6s")]).await;
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    stream.write_all(request("HTTP/1.1", "", "ROWS 300000 WIDE 100").as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    // At most 64 KiB in 20 ms: the result takes more than 10 seconds, and never stands still for long.
    let (mut length, mut part) = (0, vec![0; 64 * 1024]);
    let mut last = Vec::new();
    loop {
        let read = timeout(DEADLINE, stream.read(&mut part)).await.expect("more arrives").unwrap();
        if read == 0 {
            break;
        }
        length += read;
        last.extend_from_slice(&part[..read]);
        last.drain(..last.len().saturating_sub(1000));
        sleep(Duration::from_millis(20)).await;
    }
    assert!(length > 300_000 * 100, "{length} bytes");
    assert!(last.ends_with(b"0\r\n\r\n"), "{}", String::from_utf8_lossy(&last));
}

fn over(counts: &Counts) -> bool {
    counts.resets == 1 && counts.running == 0 && counts.transactions == 0
}

#[tokio::test]
async fn treats_a_client_as_gone_when_nothing_can_be_sent_for_long() {
    let (fake, gateway) = fake(&[("server.half_close_timeout", "300ms")]).await;
    let connection = half_closed(&gateway, &request("HTTP/1.1", "", "SLEEP 60000")).await;
    fake.control.wait_for("the end of the statement", over).await;
    assert_eq!(connection.end().await, b"H", "no more than what all answers begin with");
}

/// Its system answers the first byte of the answer with a reset, so nobody waits for the limit.
#[tokio::test]
async fn cancels_the_statement_of_a_client_that_closed_both_halves() {
    let (fake, gateway) = fake(&[("server.half_close_timeout", "1h")]).await;
    let mut connection = Connection::open(gateway.address()).await;
    connection.send(request("HTTP/1.1", "", "SLEEP 60000").as_bytes()).await;
    fake.control.wait_for("the statement", |counts| counts.running == 1).await;
    drop(connection);
    fake.control.wait_for("the end of the statement", over).await;
}

#[tokio::test]
async fn notices_a_client_that_closes_the_other_half_later() {
    let (fake, gateway) = fake(&[("server.half_close_timeout", "1h")]).await;
    let mut connection = half_closed(&gateway, &request("HTTP/1.1", "", "SLEEP 60000")).await;
    fake.control.wait_for("the statement", |counts| counts.running == 1).await;
    // The byte is there and will never be read, so the end is a reset.
    connection.wait_for_bytes_unread().await;
    drop(connection);
    fake.control.wait_for("the end of the statement", over).await;
}

#[tokio::test]
async fn closes_an_idle_connection_with_its_client() {
    let gateway = start_embedded(&[]).await;
    let mut connection = Connection::open(gateway.address()).await;
    connection.post(PATH, GOOD).await;
    assert_eq!(values(&connection.answer().await), json!([[1]]));
    connection.finish_sending().await;
    assert_eq!(connection.orderly_end().await, b"");
}
