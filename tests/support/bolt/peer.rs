//! A scripted Bolt peer: does exactly what a script says and holds the client to it.
//!
//! Owns: scripts, patterns, comparing what came with what was expected.
//! Promises: the first difference on any connection is what [`Peer::join`] reports, with the step,
//! what was expected and what came.
//! May not know: what a message means, states, the crate under test.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::frame::{Frame, FrameReader, MAX_CHUNK, NOOP, frame_in};
use super::host::{MEMORY_BUFFER, Wire};
use super::message::{self as msg, show, success};
use super::value::{Value, map, show_hex, v};

/// How long a step waits for the client.
pub const STEP_PATIENCE: Duration = Duration::from_secs(10);

/// What a message must look like.
pub enum Pattern {
    /// The payload, byte for byte.
    Bytes(Vec<u8>),
    /// This tag, any fields.
    Tag(u8),
    /// This message; the order of map keys does not matter.
    Message(Value),
    /// Anything for which the function is true.
    Check(String, Box<dyn Fn(&Value) -> bool + Send>),
    /// One of these.
    OneOf(Vec<Pattern>),
    Any,
}

impl Pattern {
    fn matches(&self, payload: &[u8]) -> bool {
        let decoded = || Value::decode(payload).ok();
        match self {
            Pattern::Any => true,
            Pattern::Bytes(bytes) => bytes == payload,
            Pattern::Tag(tag) => payload.get(1) == Some(tag),
            Pattern::Message(message) => decoded().is_some_and(|found| found.same(message)),
            Pattern::Check(_, check) => decoded().is_some_and(|found| check(&found)),
            Pattern::OneOf(patterns) => patterns.iter().any(|pattern| pattern.matches(payload)),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Any => write!(f, "any message"),
            Pattern::Bytes(bytes) => match Value::decode(bytes) {
                Ok(message) => write!(f, "{} = {}", show_hex(bytes, 64), show(&message)),
                Err(_) => write!(f, "{}", show_hex(bytes, 64)),
            },
            Pattern::Tag(tag) => write!(f, "any {}", msg::name(*tag)),
            Pattern::Message(message) => write!(f, "{}", show(message)),
            Pattern::Check(what, _) => write!(f, "{what}"),
            Pattern::OneOf(patterns) => {
                let all: Vec<String> = patterns.iter().map(Pattern::to_string).collect();
                write!(f, "one of: {}", all.join(" | "))
            }
        }
    }
}

/// How the peer answers the 20 bytes of the handshake.
#[derive(Debug, Clone)]
pub enum Handshake {
    Accept(u8, u8),
    Raw(Vec<u8>),
    /// The manifest with these entries (`00 RANGE MINOR MAJOR`), and the choice that must follow.
    Manifest {
        entries: Vec<[u8; 4]>,
        choice: (u8, u8),
    },
}

/// One thing that a script does or expects.
pub enum Step {
    Handshake(Handshake),
    /// The 20 bytes of the handshake, exactly; nothing is answered.
    ExpectOffer(Vec<u8>),
    Expect(Pattern),
    /// Any number of these, none included, before the next step's message.
    Allow(Pattern),
    Send(Value),
    SendRaw(Vec<u8>),
    /// Everything from here on is written in pieces of so many bytes, each flushed.
    SendSplit(usize),
    /// Messages from here on are cut into chunks of so many bytes.
    Chunks(usize),
    Noop,
    Sleep(Duration),
    /// The client must end the connection.
    ExpectEnd,
    Close,
    /// TCP RST; in memory the same as `Close`.
    ResetConnection,
    /// Nothing may come for this long.
    AssertNoMoreFor(Duration),
}

/// The steps of one connection.
#[derive(Default)]
pub struct Script {
    steps: VecDeque<Step>,
}

impl Script {
    pub fn new() -> Script {
        Script::default()
    }

    pub fn step(mut self, step: Step) -> Script {
        self.steps.push_back(step);
        self
    }

    /// Reads any offer and answers with this version.
    pub fn accept(self, major: u8, minor: u8) -> Script {
        self.step(Step::Handshake(Handshake::Accept(major, minor)))
    }

    /// The handshake, HELLO, LOGON (from 5.1) and their replies, as `server`.
    pub fn login(self, (major, minor): (u8, u8), server: &str) -> Script {
        let greeting = map([("server", v(server)), ("connection_id", v("bolt-1"))]);
        let script = self.accept(major, minor).expect_tag(msg::HELLO);
        if (major, minor) < (5, 1) {
            return script.send(success(greeting));
        }
        // The replies leave together: clients send both messages without waiting.
        script.expect_tag(msg::LOGON).send(success(greeting)).send(success(map([])))
    }

    pub fn expect(self, message: Value) -> Script {
        self.step(Step::Expect(Pattern::Message(message)))
    }

    /// The payload of one message, byte for byte.
    pub fn expect_bytes(self, payload: Vec<u8>) -> Script {
        self.step(Step::Expect(Pattern::Bytes(payload)))
    }

    pub fn expect_tag(self, tag: u8) -> Script {
        self.step(Step::Expect(Pattern::Tag(tag)))
    }

    pub fn expect_any(self) -> Script {
        self.step(Step::Expect(Pattern::Any))
    }

    pub fn expect_that(
        self,
        what: &str,
        check: impl Fn(&Value) -> bool + Send + 'static,
    ) -> Script {
        self.step(Step::Expect(Pattern::Check(what.to_owned(), Box::new(check))))
    }

    pub fn allow(self, message: Value) -> Script {
        self.step(Step::Allow(Pattern::Message(message)))
    }

    pub fn send(self, message: Value) -> Script {
        self.step(Step::Send(message))
    }

    pub fn send_raw(self, bytes: Vec<u8>) -> Script {
        self.step(Step::SendRaw(bytes))
    }

    pub fn close(self) -> Script {
        self.step(Step::Close)
    }
}

/// What goes wrong on one connection.
struct Mismatch(String);

/// A running peer. Dropping it ends its connections.
pub struct Peer {
    addr: Option<SocketAddr>,
    finish: watch::Sender<bool>,
    tasks: Arc<Mutex<Vec<JoinHandle<()>>>>,
    outcomes: mpsc::UnboundedReceiver<Result<(), String>>,
    scripts: usize,
}

impl Peer {
    /// Listens on a free port of 127.0.0.1; the k-th connection follows the k-th script.
    pub async fn listen(scripts: impl IntoIterator<Item = Script>) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
        let addr = listener.local_addr().expect("the address of a bound listener");
        let scripts: Vec<Script> = scripts.into_iter().collect();
        let (peer, outcome) = Peer::new(Some(addr), scripts.len());
        let finish = peer.finish.subscribe();
        let tasks = Arc::clone(&peer.tasks);
        let accepting = tokio::spawn(async move {
            for (k, script) in scripts.into_iter().enumerate() {
                let mut over = finish.clone();
                let accepted = tokio::select! {
                    biased;
                    accepted = listener.accept() => accepted,
                    // Whoever connects does so before `join`; a late one gets a moment.
                    () = given_up(&mut over) => {
                        let never = format!("connection {k} was never opened");
                        let _ = outcome.send(Err(never));
                        continue;
                    }
                };
                let Ok((stream, _)) = accepted else { return };
                let _ = stream.set_nodelay(true);
                let play = play(k, Wire::Tcp(stream), script, finish.clone(), outcome.clone());
                tasks.lock().unwrap().push(tokio::spawn(play));
            }
            // More connections than scripts are refused as long as the peer lives.
            while let Ok((stream, _)) = listener.accept().await {
                let _ = outcome.send(Err("a connection more than there are scripts".to_owned()));
                drop(stream);
            }
        });
        peer.tasks.lock().unwrap().push(accepting);
        peer
    }

    /// One in-memory connection for the client.
    pub fn in_memory(script: Script) -> (DuplexStream, Peer) {
        let (mut streams, peer) = Peer::in_memory_each([script]);
        (streams.remove(0), peer)
    }

    /// One in-memory connection per script.
    pub fn in_memory_each(
        scripts: impl IntoIterator<Item = Script>,
    ) -> (Vec<DuplexStream>, Peer) {
        let scripts: Vec<Script> = scripts.into_iter().collect();
        let (peer, outcome) = Peer::new(None, scripts.len());
        let mut clients = Vec::new();
        for (k, script) in scripts.into_iter().enumerate() {
            let (ours, theirs) = tokio::io::duplex(MEMORY_BUFFER);
            let finish = peer.finish.subscribe();
            let play = play(k, Wire::Memory(theirs), script, finish, outcome.clone());
            peer.tasks.lock().unwrap().push(tokio::spawn(play));
            clients.push(ours);
        }
        (clients, peer)
    }

    fn new(
        addr: Option<SocketAddr>,
        scripts: usize,
    ) -> (Peer, mpsc::UnboundedSender<Result<(), String>>) {
        let (outcome, outcomes) = mpsc::unbounded_channel();
        let finish = watch::Sender::new(false);
        (Peer { addr, finish, tasks: Arc::default(), outcomes, scripts }, outcome)
    }

    /// # Panics
    /// For an in-memory peer.
    pub fn addr(&self) -> SocketAddr {
        self.addr.expect("an in-memory peer has no address")
    }

    pub fn uri(&self) -> String {
        format!("bolt://{}", self.addr())
    }

    /// Waits until every script has ended.
    ///
    /// # Errors
    /// The first step of any connection that did not go as written, or a connection too many or
    /// too few.
    pub async fn try_join(mut self) -> Result<(), String> {
        self.finish.send_replace(true);
        for _ in 0..self.scripts {
            self.outcomes.recv().await.unwrap_or_else(|| Err("the peer was lost".to_owned()))?;
        }
        // Something beyond the scripts may have been noticed too.
        self.outcomes.try_recv().unwrap_or(Ok(()))
    }

    /// [`Peer::try_join`].
    ///
    /// # Panics
    /// With its error.
    pub async fn join(self) {
        if let Err(what) = self.try_join().await {
            panic!("{what}");
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.tasks.lock().unwrap().iter().for_each(JoinHandle::abort);
    }
}

/// Resolves a moment after `join` was called.
async fn given_up(finish: &mut watch::Receiver<bool>) {
    // An error means that the peer is gone, which ends the waiting just as well.
    let _ = finish.wait_for(|over| *over).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
}

async fn play(
    k: usize,
    wire: Wire,
    script: Script,
    mut finish: watch::Receiver<bool>,
    outcome: mpsc::UnboundedSender<Result<(), String>>,
) {
    let mut line = Line {
        wire: Some(wire),
        frames: FrameReader::default(),
        put_back: None,
        split: usize::MAX,
        chunk: MAX_CHUNK,
    };
    let mut steps = script.steps;
    let mut number = 0;
    let mut result = Ok(());
    while let Some(step) = steps.pop_front() {
        number += 1;
        if let Err(Mismatch(what)) = line.perform(step).await {
            result = Err(format!("connection {k}, step {number}: {what}"));
            break;
        }
    }
    if result.is_ok() {
        // The connection stays open until `join`; only GOODBYE may come without being written.
        let _ = finish.wait_for(|over| *over).await;
        if let Err(Mismatch(what)) = line.nothing_left().await {
            result = Err(format!("connection {k}, after the script: {what}"));
        }
    }
    let _ = outcome.send(result);
}

/// One connection while its script runs.
struct Line {
    wire: Option<Wire>,
    frames: FrameReader,
    put_back: Option<Vec<u8>>,
    split: usize,
    chunk: usize,
}

impl Line {
    fn wire(&mut self) -> Result<&mut Wire, Mismatch> {
        self.wire.as_mut().ok_or_else(|| Mismatch("the script has closed already".to_owned()))
    }

    async fn perform(&mut self, step: Step) -> Result<(), Mismatch> {
        match step {
            Step::Handshake(reply) => self.shake(reply).await,
            Step::ExpectOffer(offer) => {
                let found = self.exactly(offer.len()).await?;
                same_bytes(&offer, &found)
            }
            Step::Expect(pattern) => {
                let payload = self.message(&pattern.to_string()).await?;
                match pattern.matches(&payload) {
                    true => Ok(()),
                    false => Err(unexpected(&pattern.to_string(), &payload)),
                }
            }
            Step::Allow(pattern) => {
                let payload = self.message(&format!("{pattern}, or what follows")).await?;
                match pattern.matches(&payload) {
                    true => Box::pin(self.perform(Step::Allow(pattern))).await,
                    false => {
                        self.put_back = Some(payload);
                        Ok(())
                    }
                }
            }
            Step::Send(message) => {
                let bytes = frame_in(&message.encode(), self.chunk);
                self.write(&bytes).await
            }
            Step::SendRaw(bytes) => self.write(&bytes).await,
            Step::SendSplit(n) => {
                self.split = n.max(1);
                Ok(())
            }
            Step::Chunks(n) => {
                self.chunk = n;
                Ok(())
            }
            Step::Noop => self.write(&NOOP).await,
            Step::Sleep(time) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
            Step::ExpectEnd => self.expect_end().await,
            Step::Close => {
                if let Some(mut wire) = self.wire.take() {
                    let _ = wire.shutdown().await;
                }
                Ok(())
            }
            Step::ResetConnection => {
                if let Some(wire) = self.wire.take() {
                    wire.reset();
                }
                Ok(())
            }
            Step::AssertNoMoreFor(time) => self.assert_silence(time).await,
        }
    }

    async fn shake(&mut self, reply: Handshake) -> Result<(), Mismatch> {
        let offer = self.exactly(20).await?;
        same_bytes(&[0x60, 0x60, 0xB0, 0x17], &offer[..4])?;
        match reply {
            Handshake::Accept(major, minor) => self.write(&[0, 0, minor, major]).await,
            Handshake::Raw(bytes) => self.write(&bytes).await,
            Handshake::Manifest { entries, choice: (major, minor) } => {
                let mut bytes = vec![0, 0, 1, 0xFF, entries.len() as u8];
                entries.iter().for_each(|entry| bytes.extend_from_slice(entry));
                bytes.push(0);
                self.write(&bytes).await?;
                let chosen = self.exactly(5).await?;
                same_bytes(&[0, 0, minor, major, 0], &chosen)
            }
        }
    }

    /// Reads `n` bytes that are in no frame.
    async fn exactly(&mut self, n: usize) -> Result<Vec<u8>, Mismatch> {
        let mut bytes = vec![0; n];
        let mut have = 0;
        while have < n {
            let read = self.wire()?.read(&mut bytes[have..]);
            let got = match tokio::time::timeout(STEP_PATIENCE, read).await {
                Ok(Ok(got)) => got,
                Ok(Err(error)) => return Err(Mismatch(format!("reading failed: {error}"))),
                Err(_) => 0,
            };
            if got == 0 {
                let came = show_hex(&bytes[..have], 64);
                return Err(Mismatch(format!("expected {n} bytes, came: {came}, then no more")));
            }
            have += got;
        }
        Ok(bytes)
    }

    /// The next message; NOOPs are skipped.
    async fn message(&mut self, expected: &str) -> Result<Vec<u8>, Mismatch> {
        if let Some(payload) = self.put_back.take() {
            return Ok(payload);
        }
        loop {
            let Some(wire) = &mut self.wire else {
                return Err(Mismatch("the script has closed already".to_owned()));
            };
            let next = self.frames.next(wire);
            match tokio::time::timeout(STEP_PATIENCE, next).await {
                Ok(Ok(Some(Frame::Message { payload, .. }))) => return Ok(payload),
                Ok(Ok(Some(Frame::Noop))) => {}
                Ok(Ok(None)) => {
                    let what = format!("expected {expected}, came: the end of the connection");
                    return Err(Mismatch(what));
                }
                Ok(Err(error)) => {
                    return Err(Mismatch(format!("expected {expected}, came: {error}")));
                }
                Err(_) => {
                    let rest = show_hex(self.frames.rest(), 64);
                    let what = format!("expected {expected}, nothing came (unfinished: {rest})");
                    return Err(Mismatch(what));
                }
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Mismatch> {
        let split = self.split;
        let wire = self.wire()?;
        let written: io::Result<()> = async {
            for piece in bytes.chunks(split) {
                wire.write_all(piece).await?;
                wire.flush().await?;
                if split != usize::MAX {
                    // Lets the other side see each piece on its own.
                    tokio::task::yield_now().await;
                }
            }
            Ok(())
        }
        .await;
        written.map_err(|error| Mismatch(format!("sending failed: {error}")))
    }

    async fn expect_end(&mut self) -> Result<(), Mismatch> {
        loop {
            let mut bytes = [0; 4096];
            let read = self.wire()?.read(&mut bytes);
            match tokio::time::timeout(STEP_PATIENCE, read).await {
                // A reset is an end too.
                Ok(Ok(0) | Err(_)) => break,
                Ok(Ok(n)) => self.frames.push(&bytes[..n]),
                Err(_) => return Err(Mismatch("expected the end, the client stays".to_owned())),
            }
        }
        self.only_goodbye()
    }

    /// What has been read but belongs to no step may only be GOODBYE.
    fn only_goodbye(&mut self) -> Result<(), Mismatch> {
        let put_back = self.put_back.take();
        let goodbye = |payload: &Vec<u8>| *payload == msg::goodbye().encode();
        if let Some(payload) = put_back.filter(|payload| !goodbye(payload)) {
            return Err(unexpected("the end", &payload));
        }
        while let Some(frame) = self.frames.pop() {
            if let Frame::Message { payload, .. } = frame
                && !goodbye(&payload)
            {
                return Err(unexpected("the end", &payload));
            }
        }
        match self.frames.is_empty() {
            true => Ok(()),
            false => Err(Mismatch(format!("half a message: {}", show_hex(self.frames.rest(), 64)))),
        }
    }

    async fn assert_silence(&mut self, time: Duration) -> Result<(), Mismatch> {
        let quiet = self.put_back.is_none() && self.frames.is_empty();
        let mut bytes = [0; 4096];
        let got = if quiet {
            match tokio::time::timeout(time, self.wire()?.read(&mut bytes)).await {
                Err(_) => return Ok(()),
                Ok(Ok(n)) => n,
                Ok(Err(error)) => {
                    return Err(Mismatch(format!("expected silence, came: {error}")));
                }
            }
        } else {
            0
        };
        self.frames.push(&bytes[..got]);
        let payload = self.put_back.take().or_else(|| match self.frames.pop() {
            Some(Frame::Message { payload, .. }) => Some(payload),
            _ => None,
        });
        Err(match payload {
            Some(payload) => unexpected("silence", &payload),
            None if got == 0 => Mismatch("expected silence, came: the end".to_owned()),
            None => Mismatch(format!("expected silence, came: {}", show_hex(&bytes[..got], 64))),
        })
    }

    /// What the client has sent beyond the script and is here already.
    async fn nothing_left(&mut self) -> Result<(), Mismatch> {
        let mut bytes = [0; 4096];
        while let Some(wire) = &mut self.wire {
            match tokio::time::timeout(Duration::from_millis(1), wire.read(&mut bytes)).await {
                Err(_) | Ok(Ok(0) | Err(_)) => break,
                Ok(Ok(n)) => self.frames.push(&bytes[..n]),
            }
        }
        self.only_goodbye()
    }
}

fn unexpected(expected: &str, payload: &[u8]) -> Mismatch {
    let came = match Value::decode(payload) {
        Ok(message) => show(&message),
        Err(error) => format!("{error}:"),
    };
    let bytes = show_hex(payload, 64);
    Mismatch(format!("expected {expected}, came: {came} = {bytes}"))
}

fn same_bytes(expected: &[u8], found: &[u8]) -> Result<(), Mismatch> {
    if expected == found {
        return Ok(());
    }
    let (expected, found) = (show_hex(expected, 64), show_hex(found, 64));
    Err(Mismatch(format!("expected {expected}, came: {found}")))
}
