//! One connection: requests are queued, written together, and answered in order.
//!
//! The connection itself remembers which replies are outstanding and keeps half-read messages, so a caller may
//! stop at any point: what it leaves behind is known, and [`Connection::is_clean`] is false until somebody has
//! dealt with it.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, timeout},
};
use tokio_util::io::poll_read_buf;
use zeroize::Zeroize;

use super::{
    auth::AuthToken,
    chunk::Dechunker,
    dialect::Dialect,
    error::Error,
    failure::Failure,
    handshake::negotiate,
    message::{self, Extra, Session},
    packstream::{DecodeError, Reader, Token},
    summary,
    version::{Capabilities, Version},
};

/// A byte stream that Bolt can be spoken over.
pub trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

const SUCCESS: u8 = 0x70;
const RECORD: u8 = 0x71;
const IGNORED: u8 = 0x7E;
const FAILURE: u8 = 0x7F;

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
    Defunct,
}

/// One Bolt connection.
pub struct Connection {
    io: Box<dyn Transport>,
    inbound: Dechunker,
    read_size: usize,
    outbound: Vec<u8>,
    sent: usize,
    /// How many of the newest entries in `pending` are still in `outbound`.
    queued: usize,
    write_failed: Option<io::Error>,
    pending: VecDeque<Pending>,
    phase: Phase,
    retired: bool,
    version: Version,
    capabilities: Capabilities,
    dialect: &'static Dialect,
    agent: String,
    /// Names this connection among all that the server has, for as long as it lives.
    tag: String,
    silence: Duration,
    opened: Instant,
}

impl Connection {
    /// Shakes hands and logs in over `io`. `dialect` is what the operator set, if anything.
    ///
    /// # Errors
    /// [`Error::Handshake`], [`Error::Login`] with the server's words, or what broke the connection.
    pub async fn open(
        mut io: Box<dyn Transport>,
        auth: &AuthToken,
        dialect: Option<&'static Dialect>,
        limits: Limits,
    ) -> Result<Self, Error> {
        let agreement = negotiate(&mut io).await?;
        let mut connection = Self {
            io,
            inbound: Dechunker::new(limits.max_message),
            read_size: MIN_READ,
            outbound: agreement.choice.map(Vec::from).unwrap_or_default(),
            sent: 0,
            queued: 0,
            write_failed: None,
            pending: VecDeque::new(),
            phase: Phase::Unauthenticated,
            retired: false,
            version: agreement.version,
            capabilities: Capabilities::of(agreement.version),
            dialect: dialect.unwrap_or(&super::dialect::STRICT),
            agent: String::new(),
            tag: random_tag()?,
            silence: limits.silence,
            opened: Instant::now(),
        };
        connection.hello(auth, dialect.is_none()).await?;
        Ok(connection)
    }

    /// HELLO and, from 5.1, LOGON in the same write. Nothing more: servers limit what may come before the login
    /// is done, and close the connection when it fails.
    async fn hello(&mut self, auth: &AuthToken, detect: bool) -> Result<(), Error> {
        message::hello(&mut self.outbound, self.version, auth);
        self.owe(Pending::Hello);
        if self.capabilities.logon {
            self.queue_logon(auth);
        }
        self.expect_login().await?;
        let metadata = self.payload();
        let agent = summary::string_entry(metadata, "server").unwrap_or_default();
        let patched = summary::entry(metadata, "patch_bolt")
            .is_some_and(|patches| patches.windows(3).any(|window| window == b"utc"));
        let hint = receive_timeout(metadata);
        self.agent = agent;
        self.capabilities.utc |= patched;
        self.silence = hint.map_or(self.silence, Duration::from_secs);
        if detect {
            self.dialect = Dialect::of_agent(&self.agent);
        }
        if self.capabilities.logon {
            self.expect_login().await?;
        }
        self.phase = Phase::Ready;
        Ok(())
    }

    fn queue_logon(&mut self, auth: &AuthToken) {
        message::logon(&mut self.outbound, auth);
        self.owe(Pending::Logon);
    }

    async fn expect_login(&mut self) -> Result<(), Error> {
        let reply = self.reply().await;
        self.outbound.zeroize();
        match reply? {
            Reply::Success => Ok(()),
            Reply::Failure(failure) => Err(self.defunct(Error::Login(failure))),
            Reply::Record | Reply::Ignored => {
                Err(self.defunct(Error::Protocol("a login was neither accepted nor refused")))
            }
        }
    }

    /// Logs in as somebody else on the same connection (Bolt 5.1 and later), in one round trip.
    ///
    /// # Errors
    /// [`Error::Login`] with the server's words, or what broke the connection, which is then closed.
    pub async fn log_in_again(&mut self, auth: &AuthToken) -> Result<(), Error> {
        message::logoff(&mut self.outbound);
        self.owe(Pending::Logoff);
        self.queue_logon(auth);
        self.expect_login().await?;
        self.expect_login().await?;
        self.phase = Phase::Ready;
        Ok(())
    }

    /// Queues a statement outside a transaction.
    pub fn run(&mut self, statement: &str, parameters: &[u8], extra: &Extra<'_>) {
        let session = Session { capabilities: &self.capabilities, dialect: self.dialect, tag: &self.tag };
        message::run(&mut self.outbound, statement, parameters, Some((extra, session)));
        self.owe(Pending::Run);
    }

    /// Queues a statement inside the open transaction.
    pub fn run_in_transaction(&mut self, statement: &str, parameters: &[u8]) {
        message::run(&mut self.outbound, statement, parameters, None);
        self.owe(Pending::Run);
    }

    /// Queues a request for at most `rows` rows; `rows` is at least 1.
    pub fn pull(&mut self, rows: u32) {
        message::pull(&mut self.outbound, i64::from(rows.clamp(1, i32::MAX.unsigned_abs())));
        self.owe(Pending::Pull);
    }

    /// Queues a request to carry the statement out to its end without its rows.
    pub fn discard(&mut self) {
        message::discard(&mut self.outbound);
        self.owe(Pending::Discard);
    }

    /// Queues the start of a transaction.
    pub fn begin(&mut self, extra: &Extra<'_>) {
        let session = Session { capabilities: &self.capabilities, dialect: self.dialect, tag: &self.tag };
        message::begin(&mut self.outbound, extra, session);
        self.owe(Pending::Begin);
    }

    /// Queues the transaction's commit. Every result must have been read to its end.
    pub fn commit(&mut self) {
        message::commit(&mut self.outbound);
        self.owe(Pending::Commit);
    }

    /// Queues the transaction's roll-back.
    pub fn rollback(&mut self) {
        message::rollback(&mut self.outbound);
        self.owe(Pending::Rollback);
    }

    /// Queues a RESET. Never behind a request that is still wanted: some servers carry it out on arrival.
    pub fn reset(&mut self) {
        message::reset(&mut self.outbound);
        self.owe(Pending::Reset);
    }

    /// Says good-bye and closes, as far as that needs no waiting.
    pub async fn goodbye(mut self) {
        if self.is_clean() {
            message::goodbye(&mut self.outbound);
            // Courtesy only: a peer that does not take it gets the end of the stream.
            let _ = timeout(Duration::from_millis(100), poll_fn(|cx| self.poll_write(cx))).await;
        }
    }

    fn owe(&mut self, request: Pending) {
        self.pending.push_back(request);
        self.queued += 1;
    }

    /// Takes back what was queued and never written, so that nothing is carried out for a caller who has left.
    pub(super) fn forget_unsent(&mut self) {
        if self.sent == 0 && !self.outbound.is_empty() {
            self.outbound.clear();
            self.pending.truncate(self.pending.len().saturating_sub(self.queued));
            self.queued = 0;
        }
    }

    /// Writes what is queued and waits for the next reply.
    ///
    /// Cancel-safe for the connection: a caller that stops waiting loses nothing but its place.
    ///
    /// # Errors
    /// What broke the connection, which is then of no more use.
    pub async fn reply(&mut self) -> Result<Reply, Error> {
        loop {
            if let Some(reply) = self.buffered_reply()? {
                return Ok(reply);
            }
            self.fill().await?;
        }
    }

    /// The next reply, if all of it has arrived.
    ///
    /// # Errors
    /// As [`Connection::reply`].
    pub fn buffered_reply(&mut self) -> Result<Option<Reply>, Error> {
        let reply = match self.inbound.advance() {
            Ok(false) => return Ok(None),
            Ok(true) => self.interpret(),
            Err(error) => Err(error),
        };
        reply.map(Some).map_err(|error| self.defunct(error))
    }

    /// Writes what is queued and reads what there is, at least a byte.
    ///
    /// # Errors
    /// As [`Connection::reply`].
    pub async fn fill(&mut self) -> Result<(), Error> {
        let silence = self.silence;
        match timeout(silence, poll_fn(|cx| self.poll_exchange(cx))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.defunct(error)),
            Err(_) => Err(self.defunct(Error::Silent(silence))),
        }
    }

    /// The message's content behind its tag: a row's list of fields, or a map of metadata.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.inbound.message().get(2..).unwrap_or_default()
    }

    /// Nothing is half written or half read, nothing is owed, and the session is ready for anybody of the same
    /// identity.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.phase == Phase::Ready && !self.retired && self.is_quiet()
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
        !matches!(self.phase, Phase::Defunct | Phase::Unauthenticated)
            && !self.retired
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
    pub fn retire(&mut self) {
        self.retired = true;
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

    /// The tag under which the server knows the statement that is running, where abandoned statements are ended
    /// by tag and one is running.
    #[must_use]
    pub fn running_tag(&self) -> Option<&str> {
        (self.dialect.ends_by_tag && !self.pending.is_empty()).then_some(self.tag.as_str())
    }

    /// When it was opened.
    #[must_use]
    pub fn opened(&self) -> Instant {
        self.opened
    }

    /// Gives back the memory that a large answer has left behind.
    pub fn shrink(&mut self) {
        self.outbound.shrink_to(MIN_READ);
        if self.inbound.is_empty() && self.inbound.buffer().capacity() > MIN_READ {
            // Frees the buffer, not its content: there is none.
            self.inbound.forget_buffer();
            self.read_size = MIN_READ;
        }
    }

    /// Whether the server has closed the connection or said something unasked. Does not wait.
    #[must_use]
    pub fn is_stale(&mut self) -> bool {
        let mut context = Context::from_waker(std::task::Waker::noop());
        match self.poll_read(&mut context) {
            Poll::Pending => false,
            // A keep-alive is no reason to close, anything else is.
            Poll::Ready(Ok(())) => !matches!(self.inbound.advance(), Ok(false)) || !self.inbound.is_empty(),
            Poll::Ready(Err(_)) => true,
        }
    }

    /// Takes the next message apart and moves the session on.
    fn interpret(&mut self) -> Result<Reply, Error> {
        let reply = self.parse()?;
        if reply == Reply::Record {
            return match self.pending.front() {
                Some(Pending::Pull) => Ok(reply),
                _ => Err(Error::Protocol("a row that nobody asked for")),
            };
        }
        let request = self.pending.pop_front().ok_or(Error::Protocol("a reply that nobody asked for"))?;
        match &reply {
            Reply::Success => self.succeeded(request),
            Reply::Failure(failure) => {
                if let Some(dialect) = Dialect::of_code(&failure.code)
                    && *self.dialect == super::dialect::STRICT
                {
                    self.dialect = dialect;
                }
                let beyond_repair = failure.is_fatal() || request == Pending::Reset;
                self.phase = if beyond_repair { Phase::Defunct } else { Phase::Failed };
            }
            Reply::Ignored if request == Pending::Reset && !self.pending.contains(&Pending::Reset) => {
                return Err(Error::Protocol("a RESET was ignored"));
            }
            Reply::Ignored | Reply::Record => {}
        }
        Ok(reply)
    }

    fn succeeded(&mut self, request: Pending) {
        let in_transaction = matches!(self.phase, Phase::Transaction { .. });
        self.phase = match request {
            Pending::Hello | Pending::Logon | Pending::Logoff => self.phase,
            Pending::Run if in_transaction => Phase::Transaction { open: true },
            Pending::Run => Phase::Streaming,
            Pending::Pull | Pending::Discard if self.has_more() => self.phase,
            Pending::Pull | Pending::Discard if in_transaction => Phase::Transaction { open: false },
            Pending::Begin => Phase::Transaction { open: false },
            Pending::Pull | Pending::Discard | Pending::Commit | Pending::Rollback | Pending::Reset => Phase::Ready,
        };
    }

    fn has_more(&self) -> bool {
        summary::entry(self.payload(), "has_more") == Some(&[0xC3])
    }

    fn parse(&self) -> Result<Reply, Error> {
        let message = self.inbound.message();
        match message {
            [0xB1, RECORD, ..] => Ok(self.glued_failure().map_or(Reply::Record, Reply::Failure)),
            [0xB1, SUCCESS, metadata @ ..] => {
                whole_map(metadata)?;
                Ok(Reply::Success)
            }
            [0xB1, FAILURE, metadata @ ..] => {
                whole_map(metadata)?;
                Ok(Reply::Failure(Failure::parse(metadata)?))
            }
            [0xB0, IGNORED] | [0xB1, IGNORED, ..] => Ok(Reply::Ignored),
            _ => Err(Error::Protocol("a message of unknown kind")),
        }
    }

    /// Memgraph 3.1 to 3.12 cut a row off and put the failure behind it, in the same message but in chunks of
    /// its own.
    fn glued_failure(&self) -> Option<Failure> {
        if !self.dialect.glued_failures {
            return None;
        }
        self.inbound.tails().find_map(|tail| {
            let metadata = tail.strip_prefix(b"\xB1\x7F".as_slice())?;
            metadata.starts_with(b"\xA2\x84code").then_some(())?;
            whole_map(metadata).ok()?;
            Failure::parse(metadata).ok()
        })
    }

    fn defunct(&mut self, error: Error) -> Error {
        self.phase = Phase::Defunct;
        error
    }

    /// Writes and reads at the same time, since either side may have to wait for the other; ready when something
    /// has been read.
    fn poll_exchange(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        // A server that refuses a login may close while it is still being written to. What it said counts more.
        if let Poll::Ready(Err(error)) = self.poll_write(cx) {
            self.write_failed = Some(error);
            self.outbound.clear();
            self.sent = 0;
            self.queued = 0;
        }
        self.poll_read(cx).map_err(|error| match self.write_failed.take() {
            Some(error) if is_closed(&error) => Error::Closed,
            Some(error) => Error::Io(error),
            None => error,
        })
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.outbound.is_empty() {
            return Poll::Ready(Ok(()));
        }
        while let Some(unsent @ [_, ..]) = self.outbound.get(self.sent..) {
            match ready!(Pin::new(&mut self.io).poll_write(cx, unsent))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.sent += written,
            }
        }
        ready!(Pin::new(&mut self.io).poll_flush(cx))?;
        self.outbound.clear();
        self.sent = 0;
        self.queued = 0;
        Poll::Ready(Ok(()))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let buffer = self.inbound.buffer();
        buffer.reserve(self.read_size);
        match ready!(poll_read_buf(Pin::new(&mut self.io), cx, buffer)) {
            Ok(0) => Poll::Ready(Err(Error::Closed)),
            Ok(read) => {
                if read >= self.read_size {
                    self.read_size = (self.read_size * 2).min(MAX_READ);
                }
                Poll::Ready(Ok(()))
            }
            Err(error) if is_closed(&error) => Poll::Ready(Err(Error::Closed)),
            Err(error) => Poll::Ready(Err(Error::Io(error))),
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

/// The end of the stream, however the system or TLS words it.
fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof)
}

/// 16 hexadecimal digits.
fn random_tag() -> Result<String, Error> {
    let random = getrandom::u64().map_err(|error| Error::Io(io::Error::other(error)))?;
    Ok(format!("{random:016x}"))
}

/// The hint after how many seconds of silence a server is to be taken for dead.
fn receive_timeout(metadata: &[u8]) -> Option<u64> {
    let hints = summary::entry(metadata, "hints")?;
    let hint = summary::entry(hints, "connection.recv_timeout_seconds")?;
    match Reader::new(hint).token().ok()? {
        Token::Integer(seconds) => u64::try_from(seconds).ok().filter(|&seconds| seconds > 0),
        _ => None,
    }
}

/// Metadata is one map and nothing behind it.
fn whole_map(metadata: &[u8]) -> Result<(), DecodeError> {
    let mut reader = Reader::new(metadata);
    if !matches!(reader.clone().token()?, Token::Map(_)) {
        return Err(DecodeError::Framing("metadata that is no map"));
    }
    reader.skip()?;
    if reader.rest().is_empty() { Ok(()) } else { Err(DecodeError::Framing("bytes behind the end of a message")) }
}
