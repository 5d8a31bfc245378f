//! Bodies in gzip and zstd.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

use super::*;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(zstd_safe::compress_bound(text.len()));
    zstd_safe::compress(&mut out, text, 3).unwrap();
    out
}

type Pack = fn(&[u8]) -> Vec<u8>;
const CODINGS: [(&str, Pack); 2] = [("gzip", gzip), ("zstd", zstd)];

async fn send(gateway: &Gateway, path: &str, coding: &str, more: &[(&str, &str)], bytes: &[u8]) -> Response {
    let headers = [("Content-Type", "application/json"), ("Authorization", GOOD), ("Content-Encoding", coding)];
    request(gateway.address(), "POST", path, &[&headers, more].concat(), bytes).await
}

#[tokio::test]
async fn unpacks_a_body() {
    let (_fake, gateway) = stand(&[]).await;
    for (coding, pack) in CODINGS {
        for size in [100, 300_000] {
            let answer = send(&gateway, PATH, coding, &[], &pack(of_size(size).as_bytes())).await;
            assert_eq!(values(&answer)[0][0], "neo4j", "{coding} {size}: {answer}");
        }
    }
    let answer = send(&gateway, PATH, "identity", &[], of_size(100).as_bytes()).await;
    assert_eq!(values(&answer)[0][0], "neo4j", "{answer}");
    // Where there is no body, nothing is packed.
    let answer = send(&gateway, &format!("{PATH}/tx"), "gzip", &[], b"").await;
    assert_eq!(answer.status, 202, "{answer}");
}

#[tokio::test]
async fn rejects_other_codings_and_two_at_once() {
    let (_fake, gateway) = stand(&[]).await;
    let is_refused = |answer: &Response| {
        assert_eq!((answer.status, answer.header("Accept-Encoding")), (415, Some("gzip, zstd")), "{answer}");
        assert_eq!(error(answer)["code"], "Neo.ClientError.Request.Invalid");
    };
    for coding in ["br", "deflate", "gzip, zstd", "gzip, gzip"] {
        is_refused(&send(&gateway, PATH, coding, &[], &gzip(of_size(100).as_bytes())).await);
        let lines = [("Content-Type", "application/jsonl"), ("Authorization", GOOD), ("Content-Encoding", coding)];
        let answer = request(gateway.address(), "POST", &format!("{PATH}/batch"), &lines, b"{}").await;
        is_refused(&answer);
    }
    is_refused(&send(&gateway, PATH, "gzip", &[("Content-Encoding", "zstd")], &gzip(b"{}")).await);
}

#[tokio::test]
async fn rejects_a_body_that_is_corrupt_or_cut_off() {
    let (_fake, gateway) = stand(&[]).await;
    for (coding, pack) in CODINGS {
        let packed = pack(of_size(3000).as_bytes());
        let last = packed.len() - 1;
        for (bytes, why) in [
            (&packed[..last], "is cut off"),
            (&packed[..10], "is cut off"),
            (&of_size(100).into_bytes(), "is not valid"),
            (&[&packed, &b"more"[..]].concat(), "is not valid"),
        ] {
            let answer = send(&gateway, PATH, coding, &[], bytes).await;
            assert_eq!(answer.status, 400, "{coding}: {answer}");
            let message = error(&answer)["message"].as_str().unwrap().to_owned();
            assert!(message.starts_with("Bad Request: the request body cannot be unpacked: "), "{message}");
            assert!(message.contains(coding) && (message.contains(why) || message.contains("cut off")), "{message}");
        }
    }
}

#[tokio::test]
async fn rejects_a_body_that_unpacks_to_more_than_allowed() {
    let limits = [("limits.body", "64KiB"), ("limits.decompressed_body", "1MiB"), ("limits.body_memory", "16MiB")];
    let (_fake, gateway) = stand(&limits).await;
    is_served(&gateway, 100).await;
    for (coding, pack) in CODINGS {
        // Exactly the limit, which is more than the limit of what is sent.
        let answer = send(&gateway, PATH, coding, &[], &pack(of_size(MIB).as_bytes())).await;
        assert_eq!(values(&answer)[0][0], "neo4j", "{coding}: {answer}");
        for size in [MIB + 1, 8 * MIB] {
            let answer = send(&gateway, PATH, coding, &[], &pack(of_size(size).as_bytes())).await;
            assert_eq!(answer.status, 413, "{coding} {size}: {answer}");
            assert!(answer.text().contains("1048576 bytes (limits.decompressed_body)"), "{answer}");
        }
        // What is sent has a limit of its own, however little it unpacks to.
        let many = pack(b" ").repeat(64 * 1024 / pack(b" ").len() + 1);
        let answer = send(&gateway, PATH, coding, &[], &many).await;
        assert_eq!(answer.status, 413, "{coding}: {answer}");
        assert!(answer.text().contains("65536 bytes (limits.body)"), "{answer}");
    }
    // Everything was given back.
    let _all = reading(&gateway, 64 * 1024).await;
}

#[tokio::test]
async fn counts_what_a_body_unpacks_to() {
    let limits = [("limits.body", "4MiB"), ("limits.line", "4MiB"), ("limits.body_memory", "4MiB")];
    let (_fake, gateway) = stand(&limits).await;
    is_served(&gateway, 100).await;
    let first = reading(&gateway, 2 * MIB).await;
    for (coding, pack) in CODINGS {
        let packed = pack(of_size(3 * MIB).as_bytes());
        assert!(packed.len() < 10_000);
        let answer = send(&gateway, PATH, coding, &[], &packed).await;
        assert_eq!((answer.status, answer.header("Retry-After")), (503, Some("1")), "{answer}");
        assert_eq!(error(&answer)["code"], "Boltgate.TransientError.Limit.BodyMemory", "{answer}");
    }
    drop(first);
    let served = async {
        while send(&gateway, PATH, "gzip", &[], &gzip(of_size(3 * MIB).as_bytes())).await.status != 202 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), served).await.expect("the memory comes back");
}

#[tokio::test]
async fn unpacks_a_bulk_load_line_by_line() {
    let limits = [("limits.decompressed_body", "1KiB"), ("limits.line", "1KiB"), ("limits.body_memory", "64MiB")];
    let (_fake, gateway) = stand(&limits).await;
    let load = async |coding: &str, bytes: &[u8]| {
        let headers = [("Content-Type", "application/jsonl"), ("Authorization", GOOD), ("Content-Encoding", coding)];
        request(gateway.address(), "POST", &format!("{PATH}/batch"), &headers, bytes).await
    };
    let head = json!({ "statement": "WRITE a 1", "transactionSize": 100 });
    let lines = format!("{head}\n{}", format!("{}\n", json!({ "x": "x".repeat(900) })).repeat(300));
    for (coding, pack) in CODINGS {
        let answer = load(coding, &pack(lines.as_bytes())).await;
        assert_eq!((answer.status, &body(&answer)["committed"]["rows"]), (202, &json!(300)), "{coding}: {answer}");
        let long = format!("{lines}{}\n", json!({ "x": "x".repeat(2000) }));
        let answer = load(coding, &pack(long.as_bytes())).await;
        assert_eq!((answer.status, &body(&answer)["committed"]["rows"]), (400, &json!(300)), "{coding}: {answer}");
        assert!(answer.text().contains("(limits.line)"), "{answer}");
        let packed = pack(lines.as_bytes());
        let answer = load(coding, &packed[..packed.len() - 1]).await;
        assert_eq!(answer.status, 400, "{coding}: {answer}");
        assert!(answer.text().contains("is cut off"), "{answer}");
    }
}

#[tokio::test]
async fn recognises_a_request_by_what_its_body_unpacks_to() {
    let (fake, gateway) = stand(&[]).await;
    let text = json!({ "statement": "ADD k" }).to_string();
    let key = [("Idempotency-Key", "once")];
    for (coding, bytes) in
        [("identity", text.clone().into_bytes()), ("gzip", gzip(text.as_bytes())), ("zstd", zstd(text.as_bytes()))]
    {
        let answer = send(&gateway, PATH, coding, &key, &bytes).await;
        assert_eq!(answer.status, 202, "{coding}: {answer}");
    }
    assert_eq!(fake.control.count("RUN"), 1);
}
