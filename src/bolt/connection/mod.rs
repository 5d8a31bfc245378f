//! One connection: requests are queued, written together, and answered in order.
//!
//! The connection itself remembers which replies are outstanding and keeps half-read messages, so a caller may
//! stop at any point: what it leaves behind is known, and [`Connection::is_clean`] is false until somebody has
//! dealt with it.

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
    /// Makes the current runtime the one that wakes whoever waits for the stream. Streams that belong to no runtime have
    /// nothing to do.
    fn move_here(&mut self) {}
}

impl Transport for DuplexStream {}

/// The first read of an idle connection asks for this much, in bytes; busy ones grow to [`MAX_READ`].
const MIN_READ: usize = 4 * 1024;
const MAX_READ: usize = 64 * 1024;
/// What a connection may take for granted about its surroundings.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest message accepted, in bytes.
    pub max_message: usize,
    /// The longest silence while a reply is outstanding. The server's own hint goes first.
    pub silence: Duration,
}

/// Told how a login that was queued has ended. Dropped untold when the connection breaks first.
pub type OnLogin = Box<dyn FnOnce(Result<(), &Failure>) + Send>;

/// What the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A row; [`Connection::payload`] holds its list of fields.
    Record,
    /// A request was carried out; [`Connection::payload`] holds the metadata.
    Success,
    /// A request was passed over because an earlier one failed.
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

/// Where the session stands, as far as the replies tell.
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
    /// Nothing can be done with it but to close it.
    Defunct(Defect),
}

/// Why a connection is of no more use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// It was lost, or the server closes it after a failure.
    Lost,
    /// The server was silent for too long.
    Silent,
    /// The server broke the protocol.
    Protocol,
    /// The server refused a login.
    Login,
    /// A login that was queued was never sent, so it would serve another user than it should.
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
    /// What of `outbound` may be written before the login that is under way has succeeded.
    held_back_from: Option<usize>,
    /// `outbound` holds a credential.
    secret: bool,
    /// How many of the newest entries in `pending` are still in `outbound`.
    queued: usize,
    write_failed: Option<io::Error>,
    pending: VecDeque<Pending>,
    phase: Phase,
    stale: bool,
    version: Version,
    capabilities: Capabilities,
    dialect: &'static Dialect,
    recognition: Recognition,
    /// The server may still show itself to be a Memgraph.
    may_be_memgraph: bool,
    agent: String,
    /// Names this connection among all that the server has, for as long as it lives.
    tag: String,
    /// The user as whom the newest statement or transaction is carried out, where statements are ended by tag.
    acting_as: Option<String>,
    silence: Duration,
    opened: Instant,
    logged_in: Instant,
    /// Who wants to hear how the login that is under way ends.
    on_login: Option<OnLogin>,
}

impl Connection {
    /// The message's content behind its tag: a row's list of fields, or a map of metadata.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.inbound.message().get(2..).unwrap_or_default()
    }

    /// Nothing is half written or half read, nothing is owed, and the session is ready for anybody of the same
    /// identity.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.phase == Phase::Ready && !self.stale && self.is_quiet()
    }

    /// In a transaction in which no result is open and no reply outstanding.
    #[must_use]
    pub fn is_between_statements(&self) -> bool {
        self.phase == Phase::Transaction { open: false } && self.is_quiet()
    }

    fn is_quiet(&self) -> bool {
        self.pending.is_empty() && self.sent == self.outbound.len() && self.inbound.is_empty()
    }

    /// Whether it can still be recovered by talking to the server.
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

    /// Marks the connection as one that must not be used again, however it looks: a statement has changed its
    /// session, or it is in doubt which database or user it would serve.
    pub fn mark_stale(&mut self) {
        self.stale = true;
    }

    /// Whether it was marked as stale.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.stale
    }

    /// Why it is of no more use, once it is.
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

    /// What the negotiated version can do.
    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// How this server differs.
    #[must_use]
    pub fn dialect(&self) -> &'static Dialect {
        self.dialect
    }

    /// What the server calls itself; empty when it does not say.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// The tag under which the server knows the statement that is running, and the user that it is carried out as,
    /// where abandoned statements are ended by tag and one is running.
    #[must_use]
    pub fn running_tag(&self) -> Option<(&str, Option<&str>)> {
        // Behind a failure nothing runs: the rest is passed over.
        let runs = !self.pending.is_empty() && self.phase != Phase::Failed;
        (self.dialect.ends_by_tag && runs).then_some((self.tag.as_str(), self.acting_as.as_deref()))
    }

    /// When the server last accepted its login.
    #[must_use]
    pub fn logged_in(&self) -> Instant {
        self.logged_in
    }

    /// When it was opened.
    #[must_use]
    pub fn opened(&self) -> Instant {
        self.opened
    }

    /// Has whoever uses it be woken by the current runtime, without a detour by the one where it was used before.
    pub fn move_here(&mut self) {
        self.io.move_here();
    }

    /// Lets go of the last reply, and of the memory that a large answer has left behind.
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
