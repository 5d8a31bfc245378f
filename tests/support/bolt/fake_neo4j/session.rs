//! One connection: the state machine behind the network.
//!
//! Owns: the failed flag, which state takes which message, what ends the connection.
//! Promises: messages are processed one at a time in order.
//! May not know: what statements do, how messages arrive.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::super::control::{Fault, Gauge};
use super::super::frame::{NOOP, frame};
use super::super::host::Transport;
use super::super::message::{self as msg, ignored, success};
use super::super::value::Value;
use super::Server;
use super::execute::Cursor;
use super::fields::{Bad, Request, empty};
use super::handshake::{Caps, negotiate};
use super::login::Login;
use super::network::{Job, LOGIN_BYTES, Shared, read_ahead, watch_login, write_behind};
use super::reply::{Error, Filter, REQUEST_INVALID};
use super::transactions::Tx;

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

/// Whether the connection continues.
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
pub(super) async fn serve(mut transport: Transport, id: u64, server: Arc<Server>) {
    server.ledger.note(|counts| counts.accepted += 1);
    let _open = server.ledger.hold(Gauge::Open);
    let deadline = Instant::now() + server.options.login_within;
    let negotiated = tokio::time::timeout_at(deadline, negotiate(&mut transport, &server.options));
    let Ok(Ok(Some(caps))) = negotiated.await else {
        let _ = transport.shutdown().await;
        return;
    };

    let (read, write) = tokio::io::split(transport);
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
        let Value::Struct { tag, .. } = &message else {
            return Flow::Close;
        };
        let ignoring = *tag != msg::RESET && (self.failed || self.shared.interrupted());
        let _logging_in = (*tag == msg::LOGON).then(|| self.server.ledger.hold(Gauge::LoggingIn));
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
                self.settle(*tag);
                let error = Error::new(&code, message);
                match *tag {
                    msg::HELLO | msg::LOGON => self.fail_and_close(&error),
                    _ => self.fail(error),
                }
            }
        }
    }

    /// A RESET that is answered by an ordered FAILURE no longer interrupts; a LOGOFF takes nobody's login.
    fn settle(&self, tag: u8) {
        match tag {
            msg::RESET => self.shared.resets.fetch_sub(1, Ordering::SeqCst),
            msg::LOGOFF => self.shared.logoffs.fetch_sub(1, Ordering::SeqCst),
            _ => return,
        };
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
            (State::Ready | State::InTransaction, Request::Run { statement, parameters, extra }) => {
                self.run(&statement, &parameters, &extra).await
            }
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
            Bad::Format(what) => {
                let description = "error: connection exception - request error. The request is \
                                   invalid and could not be processed by the server. See cause \
                                   for further details.";
                Error::new("Neo.ClientError.Request.InvalidFormat", what).gql("08N11", description)
            }
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
        self.shared.logins.fetch_add(1, Ordering::SeqCst);
    }

    /// Rolls back and forgets every result.
    pub fn abandon(&mut self) {
        self.cursors.clear();
        if self.tx.take().is_some() {
            self.server.ledger.note(|counts| counts.rollbacks += 1);
        }
    }

    /// Waits for `work`, sending NOOPs, until it is done, a RESET arrives or `deadline` passes.
    pub async fn busy<T>(&self, work: impl Future<Output = T>, deadline: Option<Instant>) -> Result<T, Stop> {
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
