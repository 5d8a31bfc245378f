//! Answers that come before the request's body was read: the client gets them, and its next request is served.

use serde_json::json;

use super::{GOOD, PATH};
use crate::support::{
    gateway::{Gateway, start_embedded},
    http::{Connection, Response},
    http2,
    query::{refused, values, works},
};

/// Heads that are refused at sight, and with which status.
const REFUSED: [(&str, &str, u16); 5] = [
    ("/nothing", "", 404),
    ("/", "", 405),
    (PATH, "Authorization: Nope\r\n", 400),
    (PATH, "Boltgate-Statuses: nonsense\r\n", 400),
    (PATH, "Origin: http://evil.example\r\n", 403),
];

fn head(path: &str, lines: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{lines}")
}

async fn gateway() -> Gateway {
    start_embedded(&[("limits.body", "1MiB")]).await
}

/// Sends head and body apart, as many clients do, and reads the answer only then.
async fn send(connection: &mut Connection, head: &str, length: usize) {
    connection.send(format!("{head}Content-Length: {length}\r\n\r\n").as_bytes()).await;
    // The gateway may answer in between.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    connection.send(&vec![b' '; length]).await;
}

fn says_close(response: &Response) -> bool {
    response.header("Connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
}

#[tokio::test]
async fn keeps_the_connection_after_a_short_unread_body() {
    let gateway = gateway().await;
    for (path, lines, status) in REFUSED {
        for length in [1, 100, 8_000, 60_000, 200_000] {
            let mut connection = Connection::open(gateway.address()).await;
            for _ in 0..20 {
                send(&mut connection, &head(path, lines), length).await;
                let answer = connection.answer().await;
                assert_eq!(refused(&answer).status, status);
                assert!(!says_close(&answer), "{answer}");
                connection.post(PATH, GOOD).await;
                assert_eq!(values(&connection.answer().await), json!([[1]]), "{path}, {length} bytes");
            }
        }
    }
}

#[tokio::test]
async fn delivers_the_answer_despite_a_long_unread_body() {
    let gateway = gateway().await;
    for (path, lines, status) in [&REFUSED[..], &[(PATH, "", 413)]].concat() {
        for length in [1_100_000, 3_000_000, 70_000_000] {
            let mut connection = Connection::open(gateway.address()).await;
            send(&mut connection, &head(path, lines), length).await;
            let answer = connection.answer().await;
            assert_eq!(refused(&answer).status, status);
            assert!(says_close(&answer), "{answer}");
            assert_eq!(connection.orderly_end().await, b"");
        }
    }
    works(&gateway).await;
}

/// Java's HttpClient asks for HTTP/2 like this with the first request of each connection.
#[tokio::test]
async fn delivers_the_answer_despite_an_upgrade_request() {
    let gateway = gateway().await;
    let upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n";
    let mut connection = Connection::open(gateway.address()).await;
    send(&mut connection, &head("/nothing", upgrade), 60_000).await;
    assert_eq!(refused(&connection.answer().await).status, 404);
    send(&mut connection, &head("/nothing", upgrade), 70_000_000).await;
    assert_eq!(refused(&connection.answer().await).status, 404);
    assert_eq!(connection.orderly_end().await, b"");
}

#[tokio::test]
async fn handles_chunked_bodies_the_same_way() {
    let gateway = gateway().await;
    let chunk = |length: usize| format!("{length:x}\r\n{}\r\n", " ".repeat(length));
    for (path, lines, status) in REFUSED {
        let head = head(path, &format!("{lines}Transfer-Encoding: chunked\r\n\r\n"));
        let mut connection = Connection::open(gateway.address()).await;
        for _ in 0..3 {
            connection.send(head.as_bytes()).await;
            connection.send(chunk(20_000).as_bytes()).await;
            connection.send(b"0\r\n\r\n").await;
            assert_eq!(refused(&connection.answer().await).status, status);
        }
        connection.send(head.as_bytes()).await;
        for _ in 0..100 {
            connection.send(chunk(10_000).as_bytes()).await;
        }
        let answer = connection.answer().await;
        assert_eq!((refused(&answer).status, says_close(&answer)), (status, true));
        // It does not end by itself, and may as well go on.
        connection.send(chunk(10_000).as_bytes()).await;
        connection.finish_sending().await;
        assert_eq!(connection.orderly_end().await, b"");
    }
}

#[tokio::test]
async fn answers_a_client_that_never_sends_the_body() {
    let gateway = gateway().await;
    for (path, lines, status) in REFUSED {
        let mut connection = Connection::open(gateway.address()).await;
        connection.send(format!("{}Content-Length: 100\r\n\r\n", head(path, lines)).as_bytes()).await;
        let answer = connection.answer().await;
        assert_eq!((refused(&answer).status, says_close(&answer)), (status, true));
    }
}

#[tokio::test]
async fn accepts_the_rest_of_a_body_after_the_timeout() {
    let gateway = start_embedded(&[("server.body_timeout", "200ms")]).await;
    let mut connection = Connection::open(gateway.address()).await;
    connection.send(format!("{}Content-Length: 100000\r\n\r\n{{", head(PATH, "")).as_bytes()).await;
    let answer = connection.answer().await;
    assert_eq!((refused(&answer).status, says_close(&answer)), (408, true));
    connection.send(&[b' '; 99_999]).await;
    assert_eq!(connection.orderly_end().await, b"");
}

#[tokio::test]
async fn reports_a_failed_load_to_a_client_that_is_still_sending() {
    let gateway = gateway().await;
    let head = format!("POST {PATH}/batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n");
    let (begin, row, wrong) = ("{\"statement\":\"CREATE (:N {i: $i})\"}\n", "{\"i\":1}\n", "{\"i\":\n");
    for (length, closes) in [(0, false), (8_000_000, true)] {
        let lines = [begin, row, wrong].concat() + &row.repeat(length / row.len());
        let mut connection = Connection::open(gateway.address()).await;
        connection.send(format!("{head}Content-Length: {}\r\n\r\n{lines}", lines.len()).as_bytes()).await;
        let answer = connection.answer().await;
        assert_eq!((answer.status, says_close(&answer)), (400, closes), "{answer}");
        assert!(answer.text().contains("\"lines\":[3,3]") || answer.text().contains("line"), "{answer}");
        if closes {
            assert_eq!(connection.orderly_end().await, b"");
        } else {
            connection.post(PATH, GOOD).await;
            assert_eq!(values(&connection.answer().await), json!([[1]]));
        }
    }
}

#[tokio::test]
async fn answers_400_while_invalid_http_is_still_arriving() {
    let gateway = gateway().await;
    let mut connection = Connection::open(gateway.address()).await;
    connection.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nBad Header\r\n\r\n").await;
    connection.send(&vec![b'x'; 3_000_000]).await;
    connection.finish_sending().await;
    let said = connection.orderly_end().await;
    assert!(said.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&said));
}

#[tokio::test]
async fn keeps_other_http_2_requests_running() {
    let gateway = gateway().await;
    let address = gateway.address();
    let (mut requests, _ending) = http2::connect_and_watch(address).await;
    for _ in 0..20 {
        for (path, status) in [("/nothing", 404), (PATH, 413)] {
            let head = http2::post(address, path).header("content-length", 3_000_000).body(()).unwrap();
            // Only as much as the windows take: the answer comes first.
            let (response, mut body) = requests.send_request(head, false).expect("a stream is free");
            body.send_data(vec![b' '; 60_000].into(), false).expect("the body begins");
            let response = response.await.expect("it is answered");
            assert_eq!(response.status().as_u16(), status);
            let (status, answer) = http2::query(&mut requests, address, json!({ "statement": "RETURN 1 AS a" })).await;
            assert_eq!((status, &answer["data"]["values"]), (202, &json!([[1]])));
        }
    }
}
