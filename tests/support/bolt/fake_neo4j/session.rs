//! One connection: what the network thread does on arrival, and the state machine behind it.
//!
//! Owns: reading ahead, RESET's interrupt and count, the failed flag, which state takes which
//! message, what ends the connection.
//! Promises: messages are processed one at a time in order; only RESET, GOODBYE and the end of the
//! stream act on arrival.
//! May not know: what statements do.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::super::control::{Fault, Gauge};
use super::super::frame::{Frame, FrameReader, NOOP, frame};
use super::super::host::Wire;
use super::super::message::{self as msg, ignored, success};
use super::super::value::{DecodeError, Rules, Value};
use super::Server;
use super::execute::{Cursor, Tx};
use super::fields::{Bad, Request, empty};
use super::handshake::{Caps, negotiate};
use super::login::Login;
use super::reply::{Error, Filter, REQUEST_INVALID};

/// Payload bytes of one message until the login has been processed.
const LOGIN_BYTES: usize = 8192;
/// Entries of one list or map until then.
const LOGIN_WIDTH: usize = 64;
/// Containers within each other until then, the message included.
const LOGIN_DEPTH: usize = 4;

/// What the network side found.
enum Job {
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
    resets: AtomicUsize,
    arrived: Notify,
    logged_in: AtomicBool,
    /// Bytes written by the worker that the client has not read.
    unread: AtomicUsize,
}

impl Shared {
    pub fn interrupted(&self) -> bool {
        self.resets.load(Ordering::SeqCst) > 0
    }

    /// Resolves as soon as a RESET waits.
    async fn interrupt(&self) {
        loop {
            let arrived = self.arrived.notified();
            if self.interrupted() {
                return;
            }
            arrived.await;
        }
    }
}

/// States of a session; the failed flag is apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Negotiation,
    Authentication,
    Ready,
    AutoCommit,
    InTransaction,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Negotiation => "NEGOTIATION",
            State::Authentication => "AUTHENTICATION",
            State::Ready => "READY",
            State::AutoCommit => "AUTO_COMMIT",
            State::InTransaction => "IN_TRANSACTION",
        }
    }
}

/// Whether the connection goes on.
pub(super) enum Flow {
    Go,
    Close,
}

/// Why something that takes time was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Interrupted,
    TimedOut,
}

pub(super) struct Session {
    pub id: u64,
    pub server: Arc<Server>,
    pub shared: Arc<Shared>,
    pub caps: Caps,
    pub state: State,
    pub failed: bool,
    pub login: Login,
    /// From HELLO.
    pub filter: Filter,
    pub tx: Option<Tx>,
    pub cursors: BTreeMap<i64, Cursor>,
    pub last_qid: i64,
    out: mpsc::UnboundedSender<Vec<u8>>,
    /// A fault wants the processing but not the answer.
    mute: bool,
    holds_thread: bool,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.release_thread();
    }
}

/// Serves one connection to its end.
pub(super) async fn serve(mut wire: Wire, id: u64, server: Arc<Server>) {
    server.ledger.note(|counts| counts.accepted += 1);
    let _open = server.ledger.hold(Gauge::Open);
    let deadline = Instant::now() + server.options.login_within;
    let negotiated = tokio::time::timeout_at(deadline, negotiate(&mut wire, &server.options));
    let Ok(Ok(Some(caps))) = negotiated.await else {
        let _ = wire.shutdown().await;
        return;
    };

    let (read, write) = tokio::io::split(wire);
    let shared = Arc::new(Shared::default());
    let (jobs, queue) = mpsc::unbounded_channel();
    let (out, written) = mpsc::unbounded_channel();
    let session = Session {
        id,
        server: Arc::clone(&server),
        shared: Arc::clone(&shared),
        caps,
        state: State::Negotiation,
        failed: false,
        login: Login::default(),
        filter: Filter::default(),
        tx: None,
        cursors: BTreeMap::new(),
        last_qid: -1,
        out,
        mute: false,
        holds_thread: false,
    };
    let reader = read_ahead(read, jobs, id, &server, &shared);
    let writer = write_behind(write, written, &shared);
    let login_deadline = watch_login(deadline, server.options.login_within, &shared);
    tokio::pin!(reader, writer);
    tokio::select! {
        () = session.work(queue) => {}
        () = &mut reader => return,
        _ = &mut writer => return,
        () = login_deadline => return,
    }
    // The session ended the connection: what it wrote still goes out, if somebody reads it.
    tokio::select! {
        _ = writer => {}
        () = reader => {}
    }
}

/// Ends when a login took too long, the one after a LOGOFF included.
async fn watch_login(first: Instant, within: Duration, shared: &Shared) {
    let mut deadline = first;
    loop {
        tokio::time::sleep_until(deadline).await;
        if !shared.logged_in.load(Ordering::SeqCst) {
            return;
        }
        while shared.logged_in.load(Ordering::SeqCst) {
            tokio::time::sleep(within).await;
        }
        deadline = Instant::now() + within;
    }
}

/// The network side: frames to jobs, without waiting for their processing.
async fn read_ahead(
    mut read: ReadHalf<Wire>,
    jobs: mpsc::UnboundedSender<Job>,
    id: u64,
    server: &Server,
    shared: &Shared,
) {
    let mut frames = FrameReader::default();
    let mut bytes = vec![0; 16 * 1024];
    let mut lost = false;
    loop {
        let n = match read.read(&mut bytes).await {
            Ok(0) | Err(_) => return,
            Ok(n) => n,
        };
        // Looked at once per read: what came in one piece with LOGON was sent before its answer.
        let limited = !shared.logged_in.load(Ordering::SeqCst);
        if lost {
            let _ = jobs.send(Job::TooLong(usize::from(u16::from_be_bytes([bytes[0], bytes[0]]))));
            continue;
        }
        frames.push(&bytes[..n]);
        while let Some(found) = frames.pop() {
            let Frame::Message { payload, .. } = found else { continue };
            if limited && payload.len() > LOGIN_BYTES {
                let _ = jobs.send(Job::TooLong(payload.len()));
                lost = true;
                break;
            }
            let job = decode(&payload, limited);
            if let Job::Message(message) = &job {
                server.ledger.arrived(id, message);
                match message {
                    Value::Struct { tag: msg::GOODBYE, .. } => return,
                    Value::Struct { tag: msg::RESET, .. } => {
                        shared.resets.fetch_add(1, Ordering::SeqCst);
                        shared.arrived.notify_waiters();
                    }
                    _ => {}
                }
            }
            if jobs.send(job).is_err() {
                return;
            }
        }
        if limited && !lost && frames.pending_len() > LOGIN_BYTES {
            let _ = jobs.send(Job::TooLong(frames.pending_len()));
            lost = true;
        }
    }
}

fn decode(payload: &[u8], limited: bool) -> Job {
    let rules = Rules { lossy_text: true, ..Rules::STRICT };
    match Value::decode_prefix(payload, rules) {
        Ok((message, _)) if limited && !small(&message, 1) => Job::Hostile,
        Ok((message, _)) => Job::Message(message),
        Err(DecodeError::Reserved(_)) => Job::Reserved,
        Err(_) => Job::Hostile,
    }
}

fn small(value: &Value, depth: usize) -> bool {
    let fits = |n: usize| n <= LOGIN_WIDTH && depth <= LOGIN_DEPTH;
    match value {
        Value::List(values) | Value::Struct { fields: values, .. } => {
            fits(values.len()) && values.iter().all(|value| small(value, depth + 1))
        }
        Value::Map(pairs) => {
            fits(pairs.len()) && pairs.iter().all(|(_, value)| small(value, depth + 1))
        }
        _ => true,
    }
}

/// The server keeps what the client does not read; it does not slow down for it.
async fn write_behind(
    mut write: WriteHalf<Wire>,
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

impl Session {
    async fn work(mut self, mut queue: mpsc::UnboundedReceiver<Job>) {
        while let Some(job) = queue.recv().await {
            if !self.take_thread() {
                let code = "Neo.TransientError.Request.NoThreadsAvailable";
                let what = "There are no available threads to serve this request at the moment. \
                            You can retry at a later time or consider increasing max thread pool \
                            size for bolt connectors.";
                self.send_failure(&Error::new(code, what));
                return;
            }
            if let Flow::Close = self.process(job).await {
                return;
            }
            if self.tx.is_none() && queue.is_empty() {
                self.release_thread();
            }
        }
    }

    fn take_thread(&mut self) -> bool {
        if self.holds_thread {
            return true;
        }
        let limit = self.server.options.threads;
        let more = |used: usize| (used < limit).then_some(used + 1);
        let used = &self.server.threads_used;
        let taken = used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more);
        self.holds_thread = taken.is_ok();
        self.holds_thread
    }

    fn release_thread(&mut self) {
        if std::mem::take(&mut self.holds_thread) {
            self.server.threads_used.fetch_sub(1, Ordering::SeqCst);
        }
    }

    async fn process(&mut self, job: Job) -> Flow {
        let message = match job {
            Job::Message(message) => message,
            Job::Hostile => return Flow::Close,
            Job::Reserved => {
                let what = "Illegal value for field \"params\": Unexpected type: Expected MAP \
                            but got RESERVED";
                return self.fail(Error::new(REQUEST_INVALID, what));
            }
            Job::TooLong(size) => {
                let what = format!("Value of size {size} exceeded limit of {LOGIN_BYTES}");
                let description = "error: data exception - protocol message length limit \
                                   overflow. Protocol message length limit exceeded (limit: 8192).";
                return self.fail(Error::new(REQUEST_INVALID, what).gql("22N56", description));
            }
        };
        let Value::Struct { tag, .. } = &message else { return Flow::Close };
        let ignoring = *tag != msg::RESET && (self.failed || self.shared.interrupted());
        let fault = match ignoring {
            true => None,
            false => self.server.knobs.fault_for(msg::name(*tag)),
        };
        match fault {
            None => self.handle(&message).await,
            Some(Fault::CloseBefore) => Flow::Close,
            Some(Fault::CloseAfter) => {
                self.mute = true;
                self.handle(&message).await;
                Flow::Close
            }
            Some(Fault::Delay(time)) => {
                tokio::time::sleep(time).await;
                self.handle(&message).await
            }
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Fail { code, message }) => {
                self.settle_reset(*tag);
                let error = Error::new(&code, message);
                match *tag {
                    msg::HELLO | msg::LOGON => self.fail_and_close(&error),
                    _ => self.fail(error),
                }
            }
        }
    }

    /// A RESET that is answered by an ordered FAILURE no longer interrupts.
    fn settle_reset(&self, tag: u8) {
        if tag == msg::RESET {
            self.shared.resets.fetch_sub(1, Ordering::SeqCst);
        }
    }

    async fn handle(&mut self, message: &Value) -> Flow {
        let request = match Request::read(message, self.caps) {
            Ok(request) => request,
            Err(bad) => return self.malformed(bad),
        };
        if let Request::Reset = request {
            return self.reset();
        }
        if self.failed || self.shared.interrupted() {
            if request.ignorable() {
                self.send(&ignored());
                return Flow::Go;
            }
            // The real text shows every field of the message here.
            return self.fail_and_close(&Error::new(
                REQUEST_INVALID,
                format!(
                    "Message '{}{{}}' cannot be handled by session in the {} state",
                    request.class(),
                    self.state.name()
                ),
            ));
        }
        match (self.state, request) {
            (State::Negotiation, Request::Hello(extra)) => self.hello(&extra),
            (State::Authentication, Request::Logon(auth)) => self.logon(&auth),
            (State::Ready, Request::Logoff) => {
                self.shared.logged_in.store(false, Ordering::SeqCst);
                self.login = Login::default();
                self.state = State::Authentication;
                self.send(&success(empty()));
                Flow::Go
            }
            (State::Ready, Request::Telemetry(_)) => {
                self.send(&success(empty()));
                Flow::Go
            }
            (State::Ready, Request::Route { routing, db }) => self.route(&routing, db),
            (State::Ready, Request::Begin(extra)) => self.begin(&extra).await,
            (
                State::Ready | State::InTransaction,
                Request::Run { statement, parameters, extra },
            ) => self.run(&statement, &parameters, &extra).await,
            (State::AutoCommit | State::InTransaction, Request::Fetch { n, qid, discard }) => {
                self.fetch(n, qid, discard).await
            }
            (State::InTransaction, Request::Commit) => self.commit(),
            (State::InTransaction, Request::Rollback) => self.rollback(),
            (state, request) => self.fail_and_close(&Error::new(
                REQUEST_INVALID,
                format!(
                    "Message of type {} cannot be handled by a session in the {} state.",
                    request.class(),
                    state.name()
                ),
            )),
        }
    }

    fn malformed(&mut self, bad: Bad) -> Flow {
        let error = match bad {
            Bad::Close => return Flow::Close,
            Bad::Field(what) => Error::new(REQUEST_INVALID, what),
            Bad::Format(what) => Error::new("Neo.ClientError.Request.InvalidFormat", what),
            Bad::Unknown(what) => Error::new("Neo.DatabaseError.General.UnknownError", what),
        };
        self.send_failure(&error);
        self.failed |= self.server.options.malformed_fails_session;
        Flow::Go
    }

    fn reset(&mut self) -> Flow {
        if matches!(self.state, State::Negotiation | State::Authentication) {
            let what = "Message of type ResetMessage cannot be handled by a session in the";
            let what = format!("{what} {} state.", self.state.name());
            return self.fail_and_close(&Error::new(REQUEST_INVALID, what));
        }
        let before = self.shared.resets.fetch_sub(1, Ordering::SeqCst);
        if before > 1 {
            self.send(&ignored());
            return Flow::Go;
        }
        self.abandon();
        self.failed = false;
        self.state = State::Ready;
        self.server.ledger.note(|counts| counts.resets += 1);
        self.send(&success(empty()));
        Flow::Go
    }

    fn hello(&mut self, extra: &Value) -> Flow {
        let patches = extra.get("patch_bolt").and_then(Value::as_list).unwrap_or_default();
        let patchable = self.caps.at_least(4, 3) && !self.caps.at_least(5, 0);
        self.caps.utc_patch = patchable && patches.iter().any(|p| p.as_str() == Some("utc"));
        self.filter = Filter::default().overridden(extra, self.caps);
        let mut meta = self.server.greeting(self.id, self.caps);
        if self.caps.has_logon() {
            self.state = State::Authentication;
        } else {
            match self.server.login(extra) {
                Ok(login) => self.let_in(login, &mut meta),
                Err(error) => return self.fail_and_close(&error),
            }
        }
        self.send(&success(meta));
        Flow::Go
    }

    fn logon(&mut self, auth: &Value) -> Flow {
        let mut meta = empty();
        if self.caps.at_least(5, 8) {
            meta.put("advertised_address", "localhost:7687");
        }
        match self.server.login(auth) {
            Ok(login) => self.let_in(login, &mut meta),
            Err(error) => return self.fail_and_close(&error),
        }
        self.send(&success(meta));
        Flow::Go
    }

    fn let_in(&mut self, login: Login, meta: &mut Value) {
        if login.credentials_expired {
            meta.put("credentials_expired", true);
        }
        self.login = login;
        self.state = State::Ready;
        self.shared.logged_in.store(true, Ordering::SeqCst);
    }

    /// Rolls back and forgets every result.
    pub fn abandon(&mut self) {
        self.cursors.clear();
        if self.tx.take().is_some() {
            self.server.ledger.note(|counts| counts.rollbacks += 1);
        }
    }

    /// Waits for `work`, sending NOOPs, until it is done, a RESET arrives or `deadline` passes.
    pub async fn busy<T>(
        &self,
        work: impl Future<Output = T>,
        deadline: Option<Instant>,
    ) -> Result<T, Stop> {
        let period = self.server.options.keep_alive;
        let mut keep_alive = tokio::time::interval_at(Instant::now() + period, period);
        let timed_out = async {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(work, timed_out);
        loop {
            tokio::select! {
                biased;
                () = self.shared.interrupt() => return Err(Stop::Interrupted),
                done = &mut work => return Ok(done),
                () = &mut timed_out => return Err(Stop::TimedOut),
                _ = keep_alive.tick() => self.send_raw(NOOP.to_vec()),
            }
        }
    }

    pub fn send(&self, message: &Value) {
        self.send_raw(frame(&message.encode()));
    }

    fn send_raw(&self, bytes: Vec<u8>) {
        if self.mute {
            return;
        }
        let before = self.shared.unread.fetch_add(bytes.len(), Ordering::SeqCst);
        let unread = before + bytes.len();
        self.server.ledger.note(|counts| counts.peak_unread = counts.peak_unread.max(unread));
        // The writer is gone only when the connection is.
        let _ = self.out.send(bytes);
    }

    fn send_failure(&self, error: &Error) {
        self.send(&error.failure(self.caps, self.server.options.gql_errors));
    }

    /// FAILURE, and everything until RESET is ignored.
    pub fn fail(&mut self, error: Error) -> Flow {
        self.send_failure(&error);
        self.failed = true;
        Flow::Go
    }

    /// FAILURE, then the end of the connection.
    pub fn fail_and_close(&mut self, error: &Error) -> Flow {
        self.send_failure(error);
        Flow::Close
    }
}
