//! The network side of a connection: reads ahead of the session and writes behind it.
//!
//! Owns: what happens on arrival: the interrupt of RESET, GOODBYE, the limits before the login.
//! Promises: never waits for the session, in either direction. Where the real server's limits are a race, between LOGON
//! and its answer, they always hold here.
//! May not know: states, statements.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::super::frame::{Frame, FrameReader};
use super::super::host::Transport;
use super::super::message as msg;
use super::super::value::{DecodeError, Rules, Value};
use super::Server;

/// Payload bytes of one message until the login has been processed.
pub(super) const LOGIN_BYTES: usize = 8192;

/// Entries of one list or map until then.
const LOGIN_WIDTH: usize = 64;

/// Containers within each other until then, the message included.
const LOGIN_DEPTH: usize = 4;

const TOO_BIG_BEHIND_LOGON: &str = "a message too big to stand behind a LOGON that is not answered yet";

/// What the network side found.
pub(super) enum Job {
    Message(Value),
    /// A message (or what was taken for one) of this size came before the login.
    TooLong(usize),
    /// A marker without meaning inside a message.
    Reserved,
    /// Bytes that no reader gets over.
    Hostile,
}

/// What both sides of a connection see.
#[derive(Default)]
pub(super) struct Shared {
    /// RESETs that have arrived and have not been processed.
    pub resets: AtomicUsize,
    pub arrived: Notify,
    /// Logins that succeeded.
    pub logins: AtomicUsize,
    /// LOGOFFs that have arrived.
    pub logoffs: AtomicUsize,
    /// Bytes written by the worker that the client has not read.
    pub unread: AtomicUsize,
}

impl Shared {
    pub fn interrupted(&self) -> bool {
        self.resets.load(Ordering::SeqCst) > 0
    }

    /// A LOGOFF ends this when it arrives, a LOGON begins it when it has been processed.
    pub fn logged_in(&self) -> bool {
        self.logins.load(Ordering::SeqCst) > self.logoffs.load(Ordering::SeqCst)
    }

    /// Resolves as soon as a RESET waits.
    pub async fn interrupt(&self) {
        loop {
            let arrived = self.arrived.notified();
            if self.interrupted() {
                return;
            }
            arrived.await;
        }
    }
}

/// Ends when a login took too long, the one after a LOGOFF included.
pub(super) async fn watch_login(first: Instant, within: Duration, shared: &Shared) {
    let mut deadline = first;
    loop {
        let before = shared.logins.load(Ordering::SeqCst);
        tokio::time::sleep_until(deadline).await;
        // Whoever is just logging in once more has logged in since.
        if shared.logins.load(Ordering::SeqCst) == before {
            return;
        }
        while shared.logged_in() {
            tokio::time::sleep(within).await;
        }
        deadline = Instant::now() + within;
    }
}

/// The network side: frames to jobs, without waiting for their processing.
pub(super) async fn read_ahead(
    mut read: ReadHalf<Transport>,
    jobs: mpsc::UnboundedSender<Job>,
    id: u64,
    server: &Server,
    shared: &Shared,
) {
    let mut frames = FrameReader::default();
    let mut bytes = vec![0; 16 * 1024];
    let mut lost = false;
    let mut limits = Limits::BeforeLogon;
    loop {
        let n = match read.read(&mut bytes).await {
            Ok(0) | Err(_) => return,
            Ok(n) => n,
        };
        if lost {
            let _ = jobs.send(Job::TooLong(usize::from(u16::from_be_bytes([bytes[0], bytes[0]]))));
            continue;
        }
        // A message that had begun before the login was processed is limited to its end.
        if frames.is_empty() && shared.logged_in() {
            limits = Limits::None;
        }
        frames.push(&bytes[..n]);
        while let Some(found) = frames.pop() {
            let Frame::Message { payload, .. } = found else {
                continue;
            };
            if limits == Limits::BeforeLogon && payload.len() > LOGIN_BYTES {
                let _ = jobs.send(Job::TooLong(payload.len()));
                lost = true;
                break;
            }
            let job = limits.decode(&payload);
            match &job {
                Job::Message(message) => {
                    server.ledger.arrived(id, message);
                    match message {
                        Value::Struct { tag: msg::GOODBYE, .. } => return,
                        Value::Struct { tag: msg::RESET, .. } => {
                            shared.resets.fetch_add(1, Ordering::SeqCst);
                            shared.arrived.notify_waiters();
                        }
                        Value::Struct { tag: msg::LOGOFF, .. } => {
                            shared.logoffs.fetch_add(1, Ordering::SeqCst);
                            limits = Limits::BeforeLogon;
                        }
                        Value::Struct { tag: msg::LOGON, .. } => limits = Limits::BehindLogon,
                        _ => {}
                    }
                }
                Job::Hostile if limits == Limits::BehindLogon => server.knobs.violation(TOO_BIG_BEHIND_LOGON),
                _ => {}
            }
            if jobs.send(job).is_err() {
                return;
            }
        }
        if limits != Limits::None && !lost && frames.pending_len() > LOGIN_BYTES {
            lost = true;
            let _ = jobs.send(match limits {
                Limits::BehindLogon => {
                    server.knobs.violation(TOO_BIG_BEHIND_LOGON);
                    Job::Hostile
                }
                _ => Job::TooLong(frames.pending_len()),
            });
        }
    }
}

/// How big a message may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limits {
    None,
    /// LOGON has not arrived.
    BeforeLogon,
    /// LOGON has arrived, and when the bytes were read it had not been processed.
    BehindLogon,
}

impl Limits {
    fn decode(self, payload: &[u8]) -> Job {
        let limited = self != Limits::None;
        let rules = Rules { lossy_text: true, ..Rules::STRICT };
        match Value::decode_prefix(payload, rules) {
            _ if limited && payload.len() > LOGIN_BYTES => Job::Hostile,
            Ok((message, _)) if limited && !small(&message, 1) => Job::Hostile,
            Ok((message, _)) => Job::Message(message),
            Err(DecodeError::Reserved(_)) => Job::Reserved,
            Err(_) => Job::Hostile,
        }
    }
}

fn small(value: &Value, depth: usize) -> bool {
    let fits = |n: usize| n <= LOGIN_WIDTH && depth <= LOGIN_DEPTH;
    match value {
        Value::List(values) | Value::Struct { fields: values, .. } => {
            fits(values.len()) && values.iter().all(|value| small(value, depth + 1))
        }
        Value::Map(pairs) => fits(pairs.len()) && pairs.iter().all(|(_, value)| small(value, depth + 1)),
        _ => true,
    }
}

/// The server keeps what the client does not read; it does not slow down for it.
pub(super) async fn write_behind(
    mut write: WriteHalf<Transport>,
    mut written: mpsc::UnboundedReceiver<Vec<u8>>,
    shared: &Shared,
) -> io::Result<()> {
    while let Some(bytes) = written.recv().await {
        write.write_all(&bytes).await?;
        write.flush().await?;
        shared.unread.fetch_sub(bytes.len(), Ordering::SeqCst);
    }
    write.shutdown().await
}
