//! Sends requests over keep-alive connections, one at a time on each, and prints the figures.
//!
//! Everything runs on one thread, so that two cores are enough for the bench. Checks the status of every response, the
//! length of every body, and the whole first body of each connection.

use std::{
    cell::RefCell,
    path::PathBuf,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use boltgate_compare::{
    figures::Tally,
    http::{Answer, Connection, request},
};
use clap::Parser;
use memchr::memmem;
use tokio::task::{JoinSet, LocalSet};

/// A load generator for one URL.
#[derive(Parser)]
struct Arguments {
    /// URL to request: http://HOST:PORT/PATH.
    url: String,
    /// File with the body of every request.
    #[arg(long)]
    body: PathBuf,
    /// Header to send, such as "Accept: application/jsonl".
    #[arg(long = "header")]
    headers: Vec<String>,
    /// Number of keep-alive connections.
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// Duration of the measured part in seconds.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Minimum number of requests that every connection sends in that time.
    #[arg(long, default_value_t = 1)]
    at_least: u64,
    /// Duration of the warm-up in seconds. It begins when every connection has received a response.
    #[arg(long, default_value_t = 0.5)]
    warm_up: f64,
    /// Expected status.
    #[arg(long, default_value_t = 202)]
    status: u16,
    /// Text that every correct response contains.
    #[arg(long)]
    expect: String,
    /// Open transactions at the URL as in the Query API. One request then consists of three: open, run, commit.
    #[arg(long)]
    transaction: bool,
    /// Write the body of one response to this file.
    #[arg(long)]
    save: Option<PathBuf>,
}

/// What all connections share.
struct Run {
    arguments: Arguments,
    address: String,
    path: String,
    body: Vec<u8>,
    tally: RefCell<Tally>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let rest = arguments.url.strip_prefix("http://").context("the URL begins with http://")?;
    let (address, path) = rest.split_once('/').context("the URL has a path")?;
    let run = Rc::new(Run {
        address: address.to_owned(),
        path: format!("/{path}"),
        body: std::fs::read(&arguments.body).with_context(|| arguments.body.display().to_string())?,
        tally: RefCell::new(Tally::new()?),
        arguments,
    });
    LocalSet::new().run_until(Rc::clone(&run).all()).await?;
    let tally = run.tally.borrow();
    tally.print()?;
    ensure!(!tally.has_failed(), "there were errors");
    Ok(())
}

impl Run {
    /// Opens all connections and, once each of them has received a response, sends requests over them.
    async fn all(self: Rc<Self>) -> Result<()> {
        let mut opening = JoinSet::new();
        for number in 0..self.arguments.connections {
            opening.spawn_local(Rc::clone(&self).open(number));
        }
        let mut connections = Vec::new();
        while let Some(opened) = opening.join_next().await {
            connections.push(opened??);
        }
        let start = Instant::now() + Duration::from_secs_f64(self.arguments.warm_up);
        let mut sending = JoinSet::new();
        for (connection, bytes) in connections {
            sending.spawn_local(Rc::clone(&self).send(connection, bytes, start));
        }
        while let Some(sent) = sending.join_next().await {
            if let Err(error) = sent? {
                self.tally.borrow_mut().failed(format!("{error:#}"));
            }
        }
        Ok(())
    }

    /// A connection that works, and the length of one response.
    async fn open(self: Rc<Self>, number: usize) -> Result<(Connection, u64)> {
        let mut connection = Connection::open(&self.address).await?;
        let answer = self.first(&mut connection, &self.request("POST", &self.path), number).await?;
        self.tally.borrow_mut().warm_up();
        Ok((connection, answer.bytes))
    }

    /// Sends requests until the time is up.
    async fn send(self: Rc<Self>, mut connection: Connection, bytes: u64, start: Instant) -> Result<()> {
        let whole = self.request("POST", &self.path);
        let end = start + Duration::from_secs_f64(self.arguments.seconds);
        let mut measured = 0;
        loop {
            let sent = Instant::now();
            if sent >= end && measured >= self.arguments.at_least {
                return Ok(());
            }
            let answer = self.unit(&mut connection, &whole, None).await?;
            ensure!(answer.bytes >= bytes / 10 * 9, "an answer had only {} bytes", answer.bytes);
            if sent < start {
                self.tally.borrow_mut().warm_up();
            } else {
                measured += 1;
                self.tally.borrow_mut().answered(sent, answer.first_byte, answer.whole, answer.bytes, 0);
            }
        }
    }

    /// Sends the first request of a connection and checks the whole response.
    async fn first(&self, connection: &mut Connection, whole: &[u8], number: usize) -> Result<Answer> {
        let mut body = Vec::new();
        let answer = self.unit(connection, whole, Some(&mut body)).await?;
        let text = || String::from_utf8_lossy(body.get(..body.len().min(300)).unwrap_or_default()).into_owned();
        ensure!(memmem::find(&body, self.arguments.expect.as_bytes()).is_some(), "not expected: {}", text());
        ensure!(memmem::find(&body, br#""errors":["#).is_none(), "an error: {}", text());
        if let Some(file) = self.arguments.save.as_ref().filter(|_| number == 0) {
            std::fs::write(file, &body)?;
        }
        Ok(answer)
    }

    async fn unit(&self, connection: &mut Connection, whole: &[u8], kept: Option<&mut Vec<u8>>) -> Result<Answer> {
        if self.arguments.transaction {
            return self.transaction(connection, whole, kept).await;
        }
        self.exchange(connection, whole, kept).await
    }

    /// Opens a transaction with one request, runs a statement in it with a second one, and commits it with a third.
    async fn transaction(
        &self,
        connection: &mut Connection,
        open: &[u8],
        kept: Option<&mut Vec<u8>>,
    ) -> Result<Answer> {
        let mut body = Vec::new();
        let opened = self.exchange(connection, open, Some(&mut body)).await?;
        let id = transaction_id(&body)?;
        let within = self.request("POST", &format!("{}/{id}", self.path));
        let ran = self.exchange(connection, &within, kept).await?;
        let commit = self.request("POST", &format!("{}/{id}/commit", self.path));
        let committed = self.exchange(connection, &commit, None).await?;
        Ok(Answer {
            status: committed.status,
            bytes: opened.bytes + ran.bytes + committed.bytes,
            first_byte: opened.first_byte,
            whole: opened.whole + ran.whole + committed.whole,
        })
    }

    async fn exchange(&self, connection: &mut Connection, bytes: &[u8], kept: Option<&mut Vec<u8>>) -> Result<Answer> {
        let mut kept = kept;
        let answer = connection.exchange(bytes, kept.as_deref_mut()).await?;
        if answer.status != self.arguments.status {
            let text = kept.map(|body| String::from_utf8_lossy(body).into_owned()).unwrap_or_default();
            bail!("status {} instead of {}: {text}", answer.status, self.arguments.status);
        }
        Ok(answer)
    }

    fn request(&self, method: &str, path: &str) -> Vec<u8> {
        request(method, &self.address, path, &self.arguments.headers, &self.body)
    }
}

/// Returns the `id` of the member `transaction`.
fn transaction_id(body: &[u8]) -> Result<String> {
    let answer: serde_json::Value = serde_json::from_slice(body)?;
    let id = answer.pointer("/transaction/id").and_then(serde_json::Value::as_str);
    id.map(str::to_owned).context("the answer names no transaction")
}
