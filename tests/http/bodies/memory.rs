//! All bodies share a limited amount of memory.

use super::*;

const ROOM: [(&str, &str); 3] = [("limits.body", "4MiB"), ("limits.line", "4MiB"), ("limits.body_memory", "4MiB")];

fn is_refused(answer: &Response, error: &Value) {
    assert_eq!(error["code"], "Boltgate.TransientError.Limit.BodyMemory", "{answer}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("4194304 bytes (limits.body_memory)"), "{message}");
    assert_eq!(answer.status, 503, "{answer}");
}

#[tokio::test]
async fn rejects_a_body_that_does_not_fit_before_reading_it() {
    let (_fake, gateway) = stand(&ROOM).await;
    is_served(&gateway, 4 * MIB).await;
    let mut first = reading(&gateway, 3 * MIB).await;
    for more in
        [format!("Content-Length: {}", 2 * MIB), format!("Content-Length: {}\r\nBoltgate-Statuses: precise", 2 * MIB)]
    {
        let mut second = Connection::open(gateway.address()).await;
        second.send(head(PATH, GOOD, &more).as_bytes()).await;
        // Not a byte of it has been sent.
        let answer = second.answer().await;
        is_refused(&answer, &error(&answer));
        assert_eq!(answer.header("Retry-After"), Some("1"), "{answer}");
    }
    is_served(&gateway, 200_000).await;
    first.send(of_size(3 * MIB).as_bytes()).await;
    let answer = first.answer().await;
    assert_eq!(answer.status, 202, "{answer}");
    is_served(&gateway, 4 * MIB).await;
}

#[tokio::test]
async fn counts_a_chunked_body_as_it_arrives() {
    let (_fake, gateway) = stand(&ROOM).await;
    let _first = reading(&gateway, 3 * MIB).await;
    let mut second = Connection::open(gateway.address()).await;
    second.send(head(PATH, GOOD, "Transfer-Encoding: chunked").as_bytes()).await;
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    for _ in 0..=16 {
        second.send(chunk.as_bytes()).await;
    }
    let answer = second.answer().await;
    is_refused(&answer, &error(&answer));
}

#[tokio::test]
async fn counts_lines_of_a_bulk_load() {
    let (_fake, gateway) = stand(&ROOM).await;
    let load = |size: usize| {
        let row = json!({ "x": "x".repeat(size) }).to_string();
        format!("{}\n{row}\n{}\n", json!({ "statement": "WRITE a 1", "transactionSize": 1 }), json!({ "x": "" }))
    };
    let send = async |text: String| {
        let headers = [("Content-Type", "application/jsonl"), ("Authorization", GOOD)];
        request(gateway.address(), "POST", &format!("{PATH}/batch"), &headers, text.as_bytes()).await
    };
    let answer = send(load(2 * MIB)).await;
    assert_eq!((answer.status, &body(&answer)["committed"]["rows"]), (202, &json!(2)), "{answer}");
    let first = reading(&gateway, 3 * MIB).await;
    let answer = send(load(2 * MIB)).await;
    is_refused(&answer, &error(&answer));
    drop(first);
}

#[tokio::test]
async fn releases_the_memory_when_a_client_disconnects() {
    let (_fake, gateway) = stand(&ROOM).await;
    is_served(&gateway, 100).await;
    for _ in 0..3 {
        drop(reading(&gateway, 3 * MIB).await);
        let mut attempts = 0;
        while post(gateway.address(), GOOD, &of_size(4 * MIB)).await.status != 202 {
            attempts += 1;
            assert!(attempts < 1000, "the room of a client that has gone never came back");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}
