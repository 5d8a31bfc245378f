//! Ten million rows through a gateway process: its memory does not grow with the result, whether the reader hurries
//! or pauses, and the database is kept waiting for the reader.
//!
//! `cargo test --test streaming_memory -- --ignored --nocapture` (Linux only: reads `/proc`). `BOLTGATE_TEST_PROGRAM` is the
//! gateway's program, for one that was built as users build it.
#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use boltgate::bolt::{
    chunk::{Dechunker, frame},
    packstream::{Reader, Writer},
};

const ROWS: u64 = 10_000_000;
const EARLY: u64 = 1_000_000;
const MIDDLE: u64 = 5_000_000;
const NAME: &str = "Ada Lovelace";
const KIB_PER_MIB: u64 = 1024;

#[test]
#[ignore = "ten million rows; meant for an optimised program"]
fn keeps_memory_flat_for_a_steady_reader() {
    stream_to_a_reader(None);
}

#[test]
#[ignore = "ten million rows; meant for an optimised program"]
fn keeps_memory_flat_for_a_reader_that_pauses() {
    stream_to_a_reader(Some(Duration::from_secs(1)));
}

fn stream_to_a_reader(pause: Option<Duration>) {
    let database = Database::start();
    let gateway = Gateway::start(database.address);
    // What is made once, at the first request, is not the result's.
    read_rows(&gateway, 1000, |_| {});
    let idle = gateway.memory();
    report("idle", 0, &idle);

    database.sent.store(0, Ordering::SeqCst);
    let mut early = None;
    let bytes = read_rows(&gateway, ROWS, |row| {
        if [EARLY, MIDDLE].contains(&row) {
            let memory = gateway.memory();
            report("on the way", row, &memory);
            early.get_or_insert(memory);
        }
        if row == MIDDLE
            && let Some(pause) = pause
        {
            thread::sleep(pause);
            let ahead = database.sent.load(Ordering::SeqCst) - row;
            report("after the pause", row, &gateway.memory());
            println!("{ahead:>10} rows were ahead of the reader");
            assert!(ahead < 1_000_000, "the database was asked for {ahead} rows that the reader had no room for");
        }
    });
    let end = gateway.memory();
    report("at the end", ROWS, &end);
    println!("{bytes:>10} bytes of JSON");

    let early = early.expect("there are more than a million rows");
    // The kernel's figures lag a little, so a later peak can be the lower one.
    let peak = end.peak.max(early.peak);
    let over_idle = peak.saturating_sub(idle.resident);
    let growth = peak - early.peak;
    println!("{over_idle:>10} KiB of peak over idle, {growth} KiB of it after row {EARLY}");
    assert!(over_idle < 16 * KIB_PER_MIB, "{over_idle} KiB of peak over idle");
    assert!(growth <= 2 * KIB_PER_MIB, "the peak grew by {growth} KiB after row {EARLY}");
}

// ---- the reader ----------------------------------------------------------------------------------------------------

/// Asks for `rows` rows, compares every byte of the answer, and gives the length of its body.
fn read_rows(gateway: &Gateway, rows: u64, mut at: impl FnMut(u64)) -> u64 {
    let mut stream = TcpStream::connect(gateway.address).unwrap();
    let body = format!(r#"{{"statement":"ROWS {rows}"}}"#);
    write!(
        stream,
        "POST /db/neo4j/query/v2 HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        gateway.address,
        body.len()
    )
    .unwrap();
    let mut body = BufReader::with_capacity(64 * 1024, Body::after_head(stream));
    expect(&mut body, br#"{"data":{"fields":["n","name"],"values":["#);
    let mut row = Vec::new();
    for n in 1..=rows {
        row.clear();
        let comma = if n > 1 { "," } else { "" };
        write!(row, r#"{comma}[{n},"{NAME}"]"#).unwrap();
        expect(&mut body, &row);
        at(n);
    }
    let mut end = String::new();
    body.read_to_string(&mut end).unwrap();
    assert!(end.starts_with(r#"]},"queryType":"r","resultAvailableAfter":"#), "{end}");
    assert!(end.ends_with(r#","bookmarks":["FB:rows"]}"#), "{end}");
    body.into_inner().bytes
}

fn expect(body: &mut impl Read, expected: &[u8]) {
    let mut found = [0; 128];
    let found = &mut found[..expected.len()];
    body.read_exact(found).unwrap();
    assert_eq!(found, expected, "{} instead of {}", String::from_utf8_lossy(found), String::from_utf8_lossy(expected));
}

/// The body of an HTTP answer, free of chunk framing where there is any.
struct Body {
    stream: BufReader<TcpStream>,
    chunked: bool,
    /// Of the current chunk, or of the whole body.
    left: u64,
    bytes: u64,
}

impl Body {
    fn after_head(stream: TcpStream) -> Self {
        let mut body = Self { stream: BufReader::new(stream), chunked: false, left: 0, bytes: 0 };
        let status = body.line();
        assert!(status.starts_with("HTTP/1.1 202 "), "{status}");
        loop {
            let line = body.line().to_ascii_lowercase();
            match line.split_once(": ") {
                Some(("transfer-encoding", "chunked")) => body.chunked = true,
                Some(("content-length", length)) => body.left = length.parse().unwrap(),
                Some(_) => {}
                None => return body,
            }
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 && self.chunked {
            let size = self.line();
            self.left = u64::from_str_radix(&size, 16).unwrap_or_else(|_| panic!("a chunk of {size:?} bytes"));
            self.chunked = self.left > 0;
        }
        let wanted = buffer.len().min(usize::try_from(self.left).unwrap());
        let read = self.stream.read(&mut buffer[..wanted])?;
        self.left -= read as u64;
        self.bytes += read as u64;
        if self.chunked && self.left == 0 {
            assert_eq!(self.line(), "", "no line end behind a chunk");
        }
        Ok(read)
    }
}

// ---- the gateway ---------------------------------------------------------------------------------------------------

struct Gateway {
    process: Child,
    address: SocketAddr,
}

/// In KiB.
struct Memory {
    resident: u64,
    peak: u64,
}

fn report(when: &str, row: u64, memory: &Memory) {
    println!("{row:>10} rows: {:>6} KiB resident, {:>6} KiB at the peak ({when})", memory.resident, memory.peak);
}

impl Gateway {
    fn start(database: SocketAddr) -> Self {
        let program = std::env::var("BOLTGATE_TEST_PROGRAM").unwrap_or(env!("CARGO_BIN_EXE_boltgate").to_owned());
        let mut process = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--database-uri", &format!("bolt://{database}")])
            .env_clear()
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = log
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, rest) = line.split_once("serving http://")?;
                rest.split_whitespace().next()?.parse().ok()
            })
            .expect("the gateway says where it serves");
        // A full pipe would stop it.
        thread::spawn(move || log.for_each(drop));
        Self { process, address }
    }

    fn memory(&self) -> Memory {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let figure = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
        };
        Memory { resident: figure("VmRSS:"), peak: figure("VmHWM:") }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

// ---- the database --------------------------------------------------------------------------------------------------

/// A Bolt 5.4 server that knows one statement: `ROWS n`.
struct Database {
    address: SocketAddr,
    /// Rows handed out, over all connections.
    sent: Arc<AtomicU64>,
}

impl Database {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let sent = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&sent);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let counter = Arc::clone(&counter);
                // The gateway is killed at the end, and its connections with it.
                thread::spawn(move || serve(stream, &counter));
            }
        });
        Self { address, sent }
    }
}

fn serve(mut stream: TcpStream, sent: &AtomicU64) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.read_exact(&mut [0; 20])?;
    stream.write_all(&[0, 0, 4, 5])?;
    let mut requests = Dechunker::new(1 << 20);
    let (mut next, mut last) = (1, 0);
    let mut out = Vec::new();
    loop {
        while !requests.advance().unwrap() {
            let mut bytes = [0; 4096];
            let read = stream.read(&mut bytes)?;
            if read == 0 {
                return Ok(());
            }
            requests.buffer().extend_from_slice(&bytes[..read]);
        }
        match requests.message() {
            [_, 0x01, ..] => success(&mut out, &[("server", "Neo4j/5.26.0")]),
            [_, 0x10, run @ ..] => {
                let statement = Reader::new(run).expect_string().unwrap();
                (next, last) = (1, statement.strip_prefix("ROWS ").unwrap().parse().unwrap());
                columns(&mut out);
            }
            [_, 0x3F, pull @ ..] => {
                let end = last.min(next + wanted(pull) - 1);
                for n in next..=end {
                    row(&mut out, n);
                    if out.len() >= 64 * 1024 {
                        stream.write_all(&out)?;
                        out.clear();
                    }
                }
                sent.fetch_add(end + 1 - next, Ordering::SeqCst);
                next = end + 1;
                if end < last {
                    has_more(&mut out);
                } else {
                    success(&mut out, &[("type", "r"), ("bookmark", "FB:rows")]);
                }
            }
            [_, 0x02] => return Ok(()),
            _ => success(&mut out, &[]),
        }
        stream.write_all(&out)?;
        out.clear();
    }
}

/// `n` of a PULL.
fn wanted(pull: &[u8]) -> u64 {
    let mut reader = Reader::new(pull);
    for _ in 0..reader.expect_map().unwrap() {
        if reader.expect_string() == Ok("n") {
            return reader.expect_integer().unwrap().try_into().unwrap();
        }
        reader.skip().unwrap();
    }
    panic!("a PULL without n: {pull:x?}");
}

fn row(out: &mut Vec<u8>, n: u64) {
    frame(out, |out| {
        let mut writer = Writer::new(out);
        writer.structure(0x71, 1);
        writer.list(2);
        writer.integer(n.try_into().unwrap());
        writer.string(NAME);
    });
}

fn success(out: &mut Vec<u8>, metadata: &[(&str, &str)]) {
    frame(out, |out| {
        let mut writer = Writer::new(out);
        writer.structure(0x70, 1);
        writer.map(metadata.len());
        for (key, value) in metadata {
            writer.string(key);
            writer.string(value);
        }
    });
}

fn columns(out: &mut Vec<u8>) {
    frame(out, |out| {
        let mut writer = Writer::new(out);
        writer.structure(0x70, 1);
        writer.map(1);
        writer.string("fields");
        writer.list(2);
        writer.string("n");
        writer.string("name");
    });
}

fn has_more(out: &mut Vec<u8>) {
    frame(out, |out| {
        let mut writer = Writer::new(out);
        writer.structure(0x70, 1);
        writer.map(1);
        writer.string("has_more");
        writer.boolean(true);
    });
}
