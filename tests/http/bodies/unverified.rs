//! Unverified callers share one MiB, and keep nobody else out.

use super::*;

#[tokio::test]
async fn reads_no_large_body_from_an_unverified_caller() {
    let (_fake, gateway) = stand(&[]).await;
    for _ in 0..24 {
        let mut connection = Connection::open(gateway.address()).await;
        connection.send(head(PATH, BAD, &format!("Content-Length: {}", 56 * MIB)).as_bytes()).await;
        // Not a byte of the body has been sent.
        let answer = connection.head().await;
        assert_eq!(answer.status, 401, "{answer}");
    }
}

#[tokio::test]
async fn reads_no_large_chunked_body_from_an_unverified_caller() {
    let (_fake, gateway) = stand(&[]).await;
    let mut connection = Connection::open(gateway.address()).await;
    connection.send(head(PATH, BAD, "Transfer-Encoding: chunked").as_bytes()).await;
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    for _ in 0..=16 {
        connection.send(chunk.as_bytes()).await;
    }
    let answer = connection.head().await;
    assert_eq!(answer.status, 401, "{answer}");
}

#[tokio::test]
async fn serves_valid_callers_at_their_first_request() {
    for size in [100, MIB / 2, 5 * MIB] {
        let (_fake, gateway) = stand(&[]).await;
        is_served(&gateway, size).await;
        // And then as somebody who is known.
        is_served(&gateway, size).await;
    }
}

#[tokio::test]
async fn serves_others_while_unverified_callers_send_slowly() {
    let (_fake, gateway) = stand(&[]).await;
    let mut strangers = Vec::new();
    for _ in 0..150 {
        let mut connection = Connection::open(gateway.address()).await;
        connection.send(head(PATH, BAD, "Content-Length: 10000").as_bytes()).await;
        strangers.push(connection);
    }
    for size in [100, 10_000, 5 * MIB] {
        is_served(&gateway, size).await;
    }
}
