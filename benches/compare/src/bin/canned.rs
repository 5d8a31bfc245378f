//! A Bolt server that knows a few statements and has prepared responses to them.
//!
//! It behaves like Neo4j on Bolt 5.4 to 5.0 and 4.4 to 4.1, accepts any login and computes nothing. A client measured
//! against it is therefore measured without a database.

use std::{collections::HashMap, io, rc::Rc};

use anyhow::Context;
use boltgate_compare::{
    answers::{self, Answer},
    bolt::{MAGIC, first_message, reply, request},
    packstream::{self, integer_of_map, take_string},
};
use clap::Parser;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::LocalSet,
};

/// The bytes that are collected before they are written.
const BATCH: usize = 64 * 1024;

/// A Bolt server with prepared responses.
#[derive(Parser)]
struct Arguments {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
}

/// The responses to known statements, for Bolt 4 and 5.
type Known = HashMap<Vec<u8>, Rc<Answer>>;

/// The state of one connection.
struct Session {
    socket: TcpStream,
    outbound: Vec<u8>,
    element_ids: bool,
    known: Known,
    within_transaction: bool,
    failed: bool,
    /// The result that is being pulled, and the number of rows that were sent.
    result: Option<(Rc<Answer>, u64)>,
    success: Vec<u8>,
    committed: Vec<u8>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let listener = TcpListener::bind(&arguments.listen).await.with_context(|| arguments.listen.clone())?;
    println!("listening on {}", listener.local_addr()?);
    LocalSet::new()
        .run_until(async {
            loop {
                let (socket, _) = listener.accept().await?;
                tokio::task::spawn_local(async move {
                    // A client that disconnects halfway is not an error.
                    let _ = serve(socket).await;
                });
            }
        })
        .await
}

async fn serve(mut socket: TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut offer = [0; 20];
    socket.read_exact(&mut offer).await?;
    let version = choose(&offer);
    socket.write_all(&version).await?;
    if version == [0; 4] {
        return Ok(());
    }
    let mut session = Session::new(socket, version[3] >= 5);
    let mut inbound = Vec::with_capacity(BATCH);
    loop {
        if session.socket.read_buf(&mut inbound).await? == 0 {
            return Ok(());
        }
        let mut at = 0;
        while let Some((message, used)) = first_message(inbound.get(at..).unwrap_or_default()) {
            if !session.handle(message).await? {
                return Ok(());
            }
            at += used;
        }
        inbound.drain(..at);
        session.flush().await?;
    }
}

/// Returns the best of 5.4 to 5.0 and 4.4 to 4.1 in the first slot that includes one of them.
fn choose(offer: &[u8; 20]) -> [u8; 4] {
    let Some((magic, slots)) = offer.split_first_chunk::<4>().filter(|(magic, _)| **magic == MAGIC) else {
        return [0; 4];
    };
    debug_assert_eq!(*magic, MAGIC);
    for slot in slots.chunks_exact(4) {
        let &[_, range, minor, major] = slot else { continue };
        let lowest = minor.saturating_sub(range);
        let ours = if major == 4 { 1..=4 } else { 0..=4 };
        if (major == 4 || major == 5) && lowest <= *ours.end() && minor >= *ours.start() {
            return [0, 0, minor.min(*ours.end()), major];
        }
    }
    [0; 4]
}

impl Session {
    fn new(socket: TcpStream, element_ids: bool) -> Self {
        Self {
            socket,
            outbound: Vec::with_capacity(2 * BATCH),
            element_ids,
            known: Known::new(),
            within_transaction: false,
            failed: false,
            result: None,
            success: answers::success(&[0xA0]),
            committed: answers::committed(),
        }
    }

    /// Answers one message. Returns `false` to end the connection.
    async fn handle(&mut self, message: &[u8]) -> io::Result<bool> {
        // A message without bytes is a keep-alive.
        let Some((&[_, tag], fields)) = message.split_first_chunk::<2>() else { return Ok(true) };
        if tag == request::GOODBYE {
            return Ok(false);
        }
        if self.failed && tag != request::RESET {
            self.outbound.extend([0, 2, 0xB0, reply::IGNORED, 0, 0]);
            return Ok(true);
        }
        match tag {
            request::HELLO => self.outbound.extend(greeting()),
            request::RUN => self.run(fields),
            request::PULL => self.pull(fields).await?,
            request::DISCARD => self.discard(),
            request::COMMIT => {
                self.within_transaction = false;
                self.outbound.extend(&self.committed);
            }
            _ => {
                self.within_transaction = tag == request::BEGIN;
                self.failed = false;
                self.result = None;
                self.outbound.extend(&self.success);
            }
        }
        Ok(true)
    }

    fn run(&mut self, mut fields: &[u8]) {
        let statement = take_string(&mut fields).unwrap_or_default();
        let answer = match self.known.get(statement) {
            Some(answer) => Some(Rc::clone(answer)),
            None => self.prepare(statement),
        };
        match answer {
            Some(answer) => {
                self.outbound.extend(&answer.head);
                self.result = Some((answer, 0));
            }
            None => self.refuse("Neo.ClientError.Statement.SyntaxError", "the canned peer has no answer to this"),
        }
    }

    fn prepare(&mut self, statement: &[u8]) -> Option<Rc<Answer>> {
        let answer = Rc::new(Answer::to(std::str::from_utf8(statement).ok()?, self.element_ids)?);
        self.known.insert(statement.to_vec(), Rc::clone(&answer));
        Some(answer)
    }

    async fn pull(&mut self, fields: &[u8]) -> io::Result<()> {
        let Some((answer, mut gone)) = self.result.take() else {
            self.refuse("Neo.ClientError.Request.Invalid", "PULL without a result");
            return Ok(());
        };
        let mut wanted = integer_of_map(fields, "n").and_then(|n| u64::try_from(n).ok()).unwrap_or(u64::MAX);
        loop {
            let (count, bytes) = answer.rows.piece(gone, wanted);
            if count == 0 {
                break;
            }
            gone += count;
            wanted -= count;
            self.send(bytes).await?;
        }
        if gone < answer.rows.total {
            self.outbound.extend(has_more());
            self.result = Some((answer, gone));
        } else {
            self.end(&answer);
        }
        Ok(())
    }

    fn discard(&mut self) {
        match self.result.take() {
            Some((answer, _)) => self.end(&answer),
            None => self.refuse("Neo.ClientError.Request.Invalid", "DISCARD without a result"),
        }
    }

    fn end(&mut self, answer: &Answer) {
        self.outbound.extend(if self.within_transaction { &answer.summary_within } else { &answer.summary });
    }

    fn refuse(&mut self, code: &str, message: &str) {
        self.failed = true;
        self.outbound.extend(answers::failure(code, message));
    }

    /// Small pieces are collected, large ones are sent directly.
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() < BATCH {
            self.outbound.extend(bytes);
            if self.outbound.len() < BATCH {
                return Ok(());
            }
            return self.flush().await;
        }
        self.flush().await?;
        self.socket.write_all(bytes).await
    }

    async fn flush(&mut self) -> io::Result<()> {
        if !self.outbound.is_empty() {
            self.socket.write_all(&self.outbound).await?;
            self.outbound.clear();
        }
        Ok(())
    }
}

fn has_more() -> [u8; 17] {
    *b"\x00\x0D\xB1\x70\xA1\x88has_more\xC3\x00\x00"
}

fn greeting() -> Vec<u8> {
    let mut metadata = Vec::new();
    packstream::json(
        &mut metadata,
        &serde_json::json!({
            "server": "Neo4j/5.26.0",
            "connection_id": "bolt-1",
            "hints": {"connection.recv_timeout_seconds": 120}
        }),
    );
    answers::success(&metadata)
}
