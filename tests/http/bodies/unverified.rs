//! Whoever is not known has a MiB together with all other strangers, and keeps nobody out.

use super::*;

#[tokio::test]
async fn nothing_large_is_read_from_them() {
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
async fn nor_is_what_says_no_length() {
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
async fn good_callers_who_are_not_known_yet_are_served() {
    for size in [100, MIB / 2, 5 * MIB] {
        let (_fake, gateway) = stand(&[]).await;
        is_served(&gateway, size).await;
        // And then as somebody who is known.
        is_served(&gateway, size).await;
    }
}

#[tokio::test]
async fn strangers_who_send_slowly_keep_nobody_out() {
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
