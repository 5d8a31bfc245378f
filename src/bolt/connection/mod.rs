//! One connection: requests are queued, written together, and answered in order.
//!
//! The connection remembers which replies are outstanding and keeps half-read messages, so a caller may stop at any
//! `await`: what it leaves behind is known, and [`Connection::is_clean`] returns false until that is dealt with.

mod exchange;
mod interpret;
mod login;
mod pre_login_limits;
mod requests;

use std::{collections::VecDeque, fmt, io, time::Duration};

use super::{
    chunk::Dechunker,
    dialect::Dialect,
    error::Error,
    failure::Failure,
    recognise::Recognition,
    version::{Capabilities, Version},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    time::Instant,
};

/// A byte stream that Bolt can be spoken over.
pub trait Transport: AsyncRead + AsyncWrite + Send + Unpin {
    /// Registers the stream with the current runtime, which then wakes the tasks that wait for it. Streams that belong
    /// to no runtime do nothing.
    fn move_here(&mut self) {}
}

impl Transport for DuplexStream {}

/// The size of the first read of an idle connection, in bytes. Busy connections read up to [`MAX_READ`].
const MIN_READ: usize = 4 * 1024;
const MAX_READ: usize = 64 * 1024;
/// The limits that a connection enforces.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest message that is accepted, in bytes.
    pub max_message: usize,
    /// The longest silence while a reply is outstanding. The server's own hint takes precedence.
    pub silence: Duration,
}

/// Called with the outcome of a queued login. Dropped without a call if the connection breaks first.
pub type OnLogin = Box<dyn FnOnce(Result<(), &Failure>) + Send>;

/// A reply of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A row; [`Connection::payload`] holds its list of fields.
    Record,
    /// A request was carried out; [`Connection::payload`] holds the metadata.
    Success,
    /// A request was ignored because an earlier one failed.
    Ignored,
    /// A request failed.
    Failure(Failure),
}

/// A request whose reply is outstanding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pending {
    Hello,
    Logon,
    Logoff,
    Run,
    Pull,
    Discard,
    Begin,
    Commit,
    Rollback,
    Reset,
}

/// The state of the session, as far as the replies tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Not logged in.
    Unauthenticated,
    /// Ready for a statement or a transaction.
    Ready,
    /// A result is open outside a transaction.
    Streaming,
    /// In a transaction; `open` when a result is open.
    Transaction { open: bool },
    /// A request failed; only RESET helps.
    Failed,
    /// The connection can only be closed.
    Defunct(Defect),
}

/// Why a connection cannot be used any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// The connection was lost, or the server closes it after a failure.
    Lost,
    /// The server was silent for too long.
    Silent,
    /// The server broke the protocol.
    Protocol,
    /// The server refused a login.
    Login,
    /// A queued login was never sent, so the connection would serve another user than it should.
    LoginUnsent,
}

impl From<&Error> for Defect {
    fn from(error: &Error) -> Self {
        match error {
            Error::Login(_) => Self::Login,
            Error::Silent(_) => Self::Silent,
            Error::Handshake(_) | Error::Protocol(_) | Error::Decode(_) | Error::MessageTooLong { .. } => {
                Self::Protocol
            }
            Error::Connect { .. } | Error::Tls { .. } | Error::Io(_) | Error::Closed => Self::Lost,
        }
    }
}

/// One Bolt connection.
pub struct Connection {
    io: Box<dyn Transport>,
    inbound: Dechunker,
    read_size: usize,
    outbound: Vec<u8>,
    sent: usize,
    /// The offset in `outbound` of the first message that has to wait until the pending login has succeeded.
    held_back_from: Option<usize>,
    /// Whether `outbound` contains a credential.
    secret: bool,
    /// The number of the newest entries of `pending` whose requests are still in `outbound`.
    queued: usize,
    write_failed: Option<io::Error>,
    pending: VecDeque<Pending>,
    phase: Phase,
    stale: bool,
    version: Version,
    capabilities: Capabilities,
    dialect: &'static Dialect,
    recognition: Recognition,
    /// The server may still turn out to be a Memgraph.
    may_be_memgraph: bool,
    agent: String,
    /// Identifies this connection among all connections of the server.
    tag: String,
    /// The user that the newest statement or transaction runs as, where statements are ended by tag.
    acting_as: Option<String>,
    silence: Duration,
    opened: Instant,
    logged_in: Instant,
    /// Receives the outcome of the pending login.
    on_login: Option<OnLogin>,
}

impl Connection {
    /// The content of the last message: a row's list of fields, or a map of metadata.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.inbound.message().get(2..).unwrap_or_default()
    }

    /// Whether the connection can be reused by the same identity: nothing is half written or half read, no reply is
    /// outstanding, and the session is ready.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.phase == Phase::Ready && !self.stale && self.is_quiet()
    }

    /// Whether it is in a transaction without an open result or an outstanding reply.
    #[must_use]
    pub fn is_between_statements(&self) -> bool {
        self.phase == Phase::Transaction { open: false } && self.is_quiet()
    }

    fn is_quiet(&self) -> bool {
        self.pending.is_empty() && self.sent == self.outbound.len() && self.inbound.is_empty()
    }

    /// Whether a RESET can still make it clean.
    #[must_use]
    pub(super) fn is_recoverable(&self) -> bool {
        let partly_written = self.sent > 0 && self.sent < self.outbound.len();
        !matches!(self.phase, Phase::Defunct(_) | Phase::Unauthenticated)
            && !self.stale
            && !partly_written
            && self.write_failed.is_none()
    }

    pub(super) fn owes_begin(&self) -> bool {
        self.pending.contains(&Pending::Begin)
    }

    pub(super) fn owes_reset(&self) -> bool {
        self.pending.contains(&Pending::Reset)
    }

    /// Marks the connection as stale: it must not be reused even if it is otherwise clean, because a statement changed
    /// its session, or because it is not certain which database or user it would serve.
    pub fn mark_stale(&mut self) {
        self.stale = true;
    }

    /// Whether it was [marked as stale](Connection::mark_stale).
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.stale
    }

    /// Why it cannot be used any longer; `None` while it can.
    #[must_use]
    pub fn defect(&self) -> Option<Defect> {
        match self.phase {
            Phase::Defunct(defect) => Some(defect),
            _ => None,
        }
    }

    /// The negotiated version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The capabilities of the negotiated version.
    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// The dialect of the server.
    #[must_use]
    pub fn dialect(&self) -> &'static Dialect {
        self.dialect
    }

    /// The name and version that the server announced; empty if it announced none.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// The tag of the running statement and the impersonated user that it runs as, if a statement is running and the
    /// dialect ends abandoned statements by tag.
    #[must_use]
    pub fn running_tag(&self) -> Option<(&str, Option<&str>)> {
        // After a failure nothing runs: the server ignores the rest.
        let runs = !self.pending.is_empty() && self.phase != Phase::Failed;
        (self.dialect.ends_by_tag && runs).then_some((self.tag.as_str(), self.acting_as.as_deref()))
    }

    /// When the server last accepted a login on it.
    #[must_use]
    pub fn logged_in(&self) -> Instant {
        self.logged_in
    }

    /// When opening it began.
    #[must_use]
    pub fn opened(&self) -> Instant {
        self.opened
    }

    /// Says that opening it began with dialing, before there was anything to speak Bolt over.
    pub(in crate::bolt) fn dialed_since(&mut self, since: Instant) {
        self.opened = since;
    }

    /// Registers the connection with the current runtime, so that its replies wake this thread without a detour through
    /// another one.
    pub fn move_here(&mut self) {
        self.io.move_here();
    }

    /// Releases the last reply, and the memory that a large one has left behind.
    pub fn shrink(&mut self) {
        self.outbound.shrink_to(MIN_READ);
        if self.inbound.shrink(MIN_READ) {
            self.read_size = MIN_READ;
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("version", &self.version)
            .field("dialect", &self.dialect.name)
            .field("phase", &self.phase)
            .field("pending", &self.pending)
            .finish_non_exhaustive()
    }
}
