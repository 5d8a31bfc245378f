//! One connection: strictly one message after the other, and nothing read while one is processed.
//!
//! Owns: login, the Idle/Result/Error machine, what closes and how.
//! Promises: a connection that the real server closes for a protocol error leaves a violation.
//! May not know: what statements do.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::OwnedSemaphorePermit;

use super::super::control::{Fault, Gauge};
use super::super::frame::{Frame, FrameReader};
use super::super::host::Transport;
use super::super::message::{self as msg, failure, ignored, show, success};
use super::super::value::{DecodeError, Rules, Value, map, strings, v};
use super::Server;
use super::configure::Identity;
use super::execute::Cursor;
use super::handshake::negotiate;
use super::output::Output;
use super::parameters::{Unreadable, accept};
use super::session_limits::{self, OpenSession};
use super::transactions::Tx;

/// A FAILURE after which the connection stays.
#[derive(Debug, Clone)]
pub(super) struct Error {
    pub code: String,
    pub message: String,
}

impl Error {
    fn new(class: &str, message: &str) -> Error {
        let code = format!("Memgraph.{class}.MemgraphError.MemgraphError");
        Error { code, message: message.to_owned() }
    }

    pub fn client(message: &str) -> Error {
        Error::new("ClientError", message)
    }

    pub fn transient(message: &str) -> Error {
        Error::new("TransientError", message)
    }
}

/// Orders a fault for a message of `SHOW TRANSACTIONS` or `TERMINATE TRANSACTIONS`.
const TRANSACTIONS: &str = "TRANSACTIONS";

const EXCEPTION: &str = "Memgraph.ExecutionException";
const EXCEPTION_TEXT: &str = "Something went wrong while executing the query! Check the server \
                              logs for more details.";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Init,
    Idle,
    Result,
    Error,
}

/// What becomes of the connection after a message.
pub(super) enum Flow {
    Go,
    /// FAILURE `Memgraph.ExecutionException`, then the end.
    Exception(String),
    /// The end, without a word, for something the client did wrong.
    Silent(String),
    /// The end, as asked for or already explained.
    Done,
}

pub(super) struct Session {
    pub id: u64,
    pub server: Arc<Server>,
    transport: Transport,
    out: Output,
    pub version: (u8, u8),
    pub state: State,
    greeted: bool,
    pub identity: Identity,
    counted: Option<OpenSession>,
    pub tx: Option<Tx>,
    /// BEGIN was sent, and neither COMMIT, ROLLBACK nor RESET.
    pub explicit: bool,
    pub cursor: Option<Cursor>,
    pub next_qid: i64,
    /// Set by `SET SESSION …`; outlives everything but the connection.
    pub settings: Vec<String>,
    mute: bool,
    /// What the message at hand is executed by, until its answer is written.
    pub worker: Option<OwnedSemaphorePermit>,
}

/// Serves one connection to its end.
pub(super) async fn serve(mut transport: Transport, id: u64, server: Arc<Server>) {
    server.ledger.note(|counts| counts.accepted += 1);
    let _open = server.ledger.hold(Gauge::Open);
    let version = match negotiate(&mut transport, &server).await {
        Ok(Some(version)) => version,
        Ok(None) => {
            let reply = failure(EXCEPTION, EXCEPTION_TEXT).encode();
            let _ = transport.write_all(&super::super::frame::frame(&reply)).await;
            let _ = transport.shutdown().await;
            return;
        }
        Err(_) => return,
    };
    let mut session = Session {
        id,
        server,
        transport,
        out: Output::default(),
        version,
        state: State::Init,
        greeted: false,
        identity: Identity::anonymous(),
        counted: None,
        tx: None,
        explicit: false,
        cursor: None,
        next_qid: 0,
        settings: Vec::new(),
        mute: false,
        worker: None,
    };
    if session.work().await.is_ok() {
        let _ = session.transport.shutdown().await;
    }
}

impl Session {
    async fn work(&mut self) -> io::Result<()> {
        let mut frames = FrameReader::default();
        let mut bytes = vec![0; 64 * 1024];
        let mut next = None;
        loop {
            let Some(found) = next.take().or_else(|| frames.pop()) else {
                match self.transport.read(&mut bytes).await? {
                    0 => return Ok(()),
                    n => frames.push(&bytes[..n]),
                }
                continue;
            };
            let flow = self.take(found).await?;
            next = frames.pop();
            match flow {
                Flow::Go if self.server.options.deferred_acks && next.is_some() => self.worker = None,
                Flow::Go => {
                    self.flush().await?;
                    self.worker = None;
                }
                Flow::Done => return self.flush().await,
                Flow::Silent(why) => {
                    self.server.knobs.violation(format!("closed without FAILURE: {why}"));
                    return self.flush().await;
                }
                Flow::Exception(why) => {
                    self.server.knobs.violation(format!("closed: {why}"));
                    self.send(&failure(EXCEPTION, EXCEPTION_TEXT));
                    return self.flush().await;
                }
            }
        }
    }

    async fn take(&mut self, found: Frame) -> io::Result<Flow> {
        let Frame::Message { payload, .. } = found else {
            return Ok(Flow::Exception("a NOOP".to_owned()));
        };
        let rules = Rules { lossy_text: true, ..Rules::STRICT };
        let message = match Value::decode_prefix(&payload, rules) {
            Ok((message, used)) if used == payload.len() => message,
            Ok((message, _)) => {
                let why = format!("bytes behind the fields of {}", show(&message));
                return Ok(Flow::Exception(why));
            }
            Err(DecodeError::TooDeep) => {
                self.server.crash("parameters nested without limit");
                return Ok(Flow::Done);
            }
            Err(why) => return Ok(Flow::Exception(why.to_string())),
        };
        self.server.ledger.arrived(self.id, &message);
        self.out.begin_request();
        let Value::Struct { tag, fields } = &message else {
            return Ok(Flow::Exception("a message that is no structure".to_owned()));
        };
        let fault = match self.state == State::Error && *tag != msg::RESET {
            true => None,
            false => self.server.knobs.fault_for(self.fault_name(*tag, fields)),
        };
        match fault {
            None => self.handle(*tag, fields).await,
            Some(Fault::CloseBefore) => Ok(Flow::Done),
            Some(Fault::CloseAfter) => {
                self.mute = true;
                self.handle(*tag, fields).await?;
                Ok(Flow::Done)
            }
            Some(Fault::Delay(time)) => {
                tokio::time::sleep(time).await;
                self.handle(*tag, fields).await
            }
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Fail { code, message }) => {
                self.fail(&Error { code, message });
                Ok(if self.greeted && *tag != msg::LOGON { Flow::Go } else { Flow::Done })
            }
        }
    }

    /// What a fault for this message is ordered as. Whoever has lost a connection looks after its transaction on another
    /// one, at a time of its own: a fault that is meant for a test's own statement must not meet that.
    fn fault_name(&self, tag: u8, fields: &[Value]) -> &'static str {
        let looks_after = match (tag, fields) {
            (msg::RUN, [Value::Str(text), ..]) => {
                text.starts_with("SHOW TRANSACTIONS") || text.starts_with("TERMINATE TRANSACTION")
            }
            (msg::PULL | msg::DISCARD, _) => self.cursor.as_ref().is_some_and(Cursor::looks_after_transactions),
            _ => false,
        };
        if looks_after { TRANSACTIONS } else { msg::name(tag) }
    }

    async fn handle(&mut self, tag: u8, fields: &[Value]) -> io::Result<Flow> {
        let v5 = self.version.0 >= 5;
        let illegal = || {
            let message = Value::Struct { tag, fields: fields.to_vec() };
            Ok(Flow::Exception(format!("{} in this state", show(&message))))
        };
        match (self.state, tag, fields) {
            (State::Error, msg::RESET, []) => Ok(self.reset()),
            (State::Error, ..) => {
                // Ignored messages are decoded like all others.
                if let (msg::RUN, [_, parameters, _]) = (tag, fields)
                    && let Err(unreadable) = accept(parameters, v5)
                {
                    return Ok(self.unreadable(unreadable));
                }
                self.send(&ignored());
                Ok(Flow::Go)
            }
            (State::Init, msg::HELLO, [extra @ Value::Map(_)]) => Ok(self.hello(extra).await),
            (State::Init, msg::LOGON, [auth @ Value::Map(_)]) if v5 => Ok(self.logon(auth).await),
            (State::Init, ..) => illegal(),
            (_, msg::RESET, []) => Ok(self.reset()),
            (_, msg::GOODBYE, _) => Ok(Flow::Done),
            (_, msg::LOGOFF, _) if v5 => {
                self.abort();
                self.identity.log_out();
                self.counted = None;
                self.state = State::Init;
                self.send(&success(map([])));
                Ok(Flow::Go)
            }
            (_, msg::ROUTE, [Value::Map(_), Value::List(_), third]) if self.version >= (4, 3) => Ok(self.route(third)),
            (State::Idle, msg::RUN, [Value::Str(statement), parameters @ Value::Map(_), extra @ Value::Map(_)]) => {
                match accept(parameters, v5) {
                    Ok(parameters) => self.run(statement, &parameters, extra).await,
                    Err(unreadable) => Ok(self.unreadable(unreadable)),
                }
            }
            (State::Idle, msg::BEGIN, [extra @ Value::Map(_)]) => Ok(self.begin(extra)),
            (State::Idle, msg::COMMIT, []) => Ok(self.commit()),
            (State::Idle, msg::ROLLBACK, []) => Ok(self.rollback()),
            (State::Result, msg::PULL | msg::DISCARD, [meta @ Value::Map(_)]) => {
                self.fetch(meta, tag == msg::DISCARD).await
            }
            (State::Result, msg::PULL | msg::DISCARD, [_]) => {
                Ok(Flow::Silent("PULL or DISCARD with a field that is no map".to_owned()))
            }
            _ => illegal(),
        }
    }

    fn unreadable(&mut self, unreadable: Unreadable) -> Flow {
        let why = "a parameter that the decoder does not read".to_owned();
        match unreadable {
            Unreadable::Exception => Flow::Exception(why),
            Unreadable::Silent => Flow::Silent(why),
            Unreadable::Unsupported => {
                let what = "Unsupported conversion from Value to ExternalPropertyValue";
                self.fail(&Error::transient(what));
                Flow::Go
            }
        }
    }

    fn greeting(&self) -> Value {
        let mut meta = map([("connection_id", v("bolt-1"))]);
        let name = self.server.name.lock().unwrap();
        if !name.is_empty() {
            meta.put("server", &**name);
        }
        success(meta)
    }

    async fn hello(&mut self, extra: &Value) -> Flow {
        if !matches!(extra.get("user_agent"), Some(Value::Str(_))) {
            return Flow::Exception("HELLO without user_agent".to_owned());
        }
        self.greeted = true;
        if self.version.0 < 5 {
            return self.logon(extra).await;
        }
        self.send(&self.greeting());
        Flow::Go
    }

    async fn logon(&mut self, auth: &Value) -> Flow {
        let logging_in = self.server.ledger.hold(Gauge::LoggingIn);
        let turn = self.server.auth.lock().await;
        tokio::time::sleep(self.server.options.login_delay).await;
        let outcome = self.server.authenticate(auth, self.version.0 < 5);
        drop((turn, logging_in));
        self.server.ledger.login(auth, matches!(outcome, Ok(Some(_))));
        let granted = match outcome {
            Ok(Some(granted)) => granted,
            Ok(None) => {
                let code = "Memgraph.ClientError.Security.Unauthenticated";
                self.send(&failure(code, "Authentication failure"));
                return Flow::Done;
            }
            Err(flow) => return flow,
        };
        let Some(counted) = self.server.session_limits.enter(&granted.principal) else {
            self.send(&failure(session_limits::CODE, session_limits::TEXT));
            return Flow::Done;
        };
        self.counted = Some(counted);
        self.identity.log_in(granted, &self.server);
        self.state = State::Idle;
        self.send(&self.greeting());
        if self.greeted {
            return Flow::Go;
        }
        self.server.knobs.violation("closed: LOGON without any HELLO");
        Flow::Done
    }

    fn reset(&mut self) -> Flow {
        self.abort();
        self.state = State::Idle;
        self.server.ledger.note(|counts| counts.resets += 1);
        self.send(&success(map([])));
        Flow::Go
    }

    /// Rolls back and forgets the open result.
    pub fn abort(&mut self) {
        self.cursor = None;
        self.explicit = false;
        if self.tx.take().is_some() {
            self.server.ledger.note(|counts| counts.rollbacks += 1);
        }
    }

    fn route(&mut self, third: &Value) -> Flow {
        self.cursor = None;
        let Some(routing) = self.server.options.routing.clone() else {
            self.fail(&Error::client(
                "You cannot fetch routing table from an instance which is not part of a cluster.",
            ));
            return Flow::Go;
        };
        let db = if self.version == (4, 3) { third.as_str() } else { third.get("db").and_then(Value::as_str) };
        let server = |role: &str| {
            let of_role = routing.iter().filter(|(r, _)| r == role);
            let addresses: Vec<&str> = of_role.map(|(_, address)| &**address).collect();
            let entry = map([("addresses", strings(&addresses)), ("role", v(role))]);
            (!addresses.is_empty()).then_some(entry)
        };
        let servers: Vec<Value> = ["WRITE", "READ", "ROUTE"].into_iter().filter_map(server).collect();
        let table = map([("db", v(db)), ("servers", v(servers)), ("ttl", v(300))]);
        self.state = State::Idle;
        self.send(&success(map([("rt", table)])));
        Flow::Go
    }

    /// Puts a message into the output buffer. Maps leave sorted, as from a `std::map`.
    pub fn send(&mut self, message: &Value) {
        let mut message = message.clone();
        message.sort_keys();
        if !self.mute {
            self.out.message(&message.encode());
        }
    }

    pub fn send_row(&mut self, row: Vec<Value>) {
        self.send(&Value::Struct { tag: msg::RECORD, fields: vec![Value::List(row)] });
    }

    /// FAILURE; what was not written yet is dropped.
    pub fn fail(&mut self, error: &Error) {
        self.out.fail(self.server.options.glued_failure);
        self.send(&failure(&error.code, &error.message));
        self.state = State::Error;
    }

    /// Writes what the full buffer pushed out; waits for the client if it does not read.
    pub async fn spill(&mut self) -> io::Result<()> {
        let ready = self.out.take_ready();
        if ready.is_empty() {
            return Ok(());
        }
        self.transport.write_all(&ready).await
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.out.flush();
        self.spill().await?;
        self.transport.flush().await
    }
}
