//! A Bolt client on one socket that receives responses without decoding them: the least that any client must do.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{MAGIC, Scan, frame, request};
use crate::packstream;

/// The number of bytes per read.
const BUFFER: usize = 256 * 1024;

/// User name and password. Without them the login has the scheme `none`.
#[derive(Debug, Clone, Default)]
pub struct Login {
    /// The user name.
    pub user: Option<String>,
    /// The password.
    pub password: String,
}

/// RUN and a PULL of all rows, prepared for one write.
pub struct Statement(Vec<u8>);

/// The figures of one statement.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// The number of rows.
    pub rows: u64,
    /// The number of bytes, including chunk headers.
    pub bytes: u64,
    /// The time from the write to the first byte.
    pub first_byte: Duration,
    /// The time from the write to the last byte.
    pub whole: Duration,
}

/// A connection that has logged in.
pub struct Client {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Statement {
    /// Takes a statement, its parameters (an object), and an object with `mode`, `db` and the like.
    #[must_use]
    pub fn new(text: &str, parameters: &Value, extra: &Value) -> Self {
        let mut run = Vec::new();
        packstream::structure(&mut run, 3, request::RUN);
        packstream::string(&mut run, text);
        packstream::json(&mut run, parameters);
        packstream::json(&mut run, extra);
        let mut out = Vec::new();
        frame(&mut out, &run);
        frame(&mut out, &message(request::PULL, &json!({"n": -1})));
        Self(out)
    }
}

impl Client {
    /// Connects to `host:port` with Bolt 5.4 and logs in.
    ///
    /// # Errors
    /// Returns an error if the server cannot be reached, does not speak Bolt 5.4 or refuses the login.
    pub async fn connect(address: &str, login: &Login) -> Result<Self> {
        let socket = TcpStream::connect(address).await.with_context(|| format!("cannot reach {address}"))?;
        socket.set_nodelay(true)?;
        let mut client = Self { socket, buffer: vec![0; BUFFER] };
        client.handshake().await?;
        let mut greeting = Vec::new();
        let agent = "boltgate-compare/1";
        let hello = json!({"user_agent": agent, "bolt_agent": {"product": agent}});
        frame(&mut greeting, &message(request::HELLO, &hello));
        let auth = match &login.user {
            Some(user) => json!({"scheme": "basic", "principal": user, "credentials": login.password}),
            None => json!({"scheme": "none"}),
        };
        frame(&mut greeting, &message(request::LOGON, &auth));
        client.exchange(&greeting, 2).await.context("the login was refused")?;
        Ok(client)
    }

    async fn handshake(&mut self) -> Result<()> {
        let mut offer = MAGIC.to_vec();
        offer.extend([0, 0, 4, 5]);
        offer.extend([0; 12]);
        self.socket.write_all(&offer).await?;
        let mut version = [0; 4];
        self.socket.read_exact(&mut version).await?;
        ensure!(version == [0, 0, 4, 5], "the server does not speak Bolt 5.4: {version:?}");
        Ok(())
    }

    /// Runs a statement in an auto-commit transaction and receives the response.
    ///
    /// # Errors
    /// Returns an error if the connection breaks or the server responds with a FAILURE.
    pub async fn run(&mut self, statement: &Statement) -> Result<Answer> {
        self.exchange(&statement.0, 2).await
    }

    async fn exchange(&mut self, request: &[u8], summaries: u64) -> Result<Answer> {
        let start = Instant::now();
        self.socket.write_all(request).await?;
        let (mut scan, mut bytes, mut first_byte) = (Scan::default(), 0, None);
        while scan.summaries < summaries {
            let size = self.socket.read(&mut self.buffer).await?;
            ensure!(size > 0, "the server closed the connection");
            first_byte.get_or_insert_with(|| start.elapsed());
            bytes += size as u64;
            scan.feed(self.buffer.get(..size).unwrap_or_default());
        }
        if let Some(failure) = scan.failure {
            bail!("the server answered with a failure: {}", String::from_utf8_lossy(&failure).escape_debug());
        }
        Ok(Answer { rows: scan.records, bytes, first_byte: first_byte.unwrap_or_default(), whole: start.elapsed() })
    }
}

fn message(tag: u8, field: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    packstream::structure(&mut out, 1, tag);
    packstream::json(&mut out, field);
    out
}
