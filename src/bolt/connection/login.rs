//! Logins: the handshake, HELLO and LOGON of a new connection, and later logins as another user.

use std::{collections::VecDeque, io, time::Duration};

use tokio::time::Instant;

use super::{
    super::{
        auth::AuthToken,
        chunk::Dechunker,
        dialect::STRICT,
        error::Error,
        handshake::negotiate,
        message,
        packstream::{Reader, Token},
        recognise::Recognition,
        summary,
        version::Capabilities,
    },
    Connection, Limits, MIN_READ, OnLogin, Pending, Phase, Reply, Transport,
    exchange::Step,
    pre_login_limits::is_allowed_before_login,
};

impl Connection {
    /// Performs the handshake and logs in over `io`.
    ///
    /// # Errors
    /// [`Error::Handshake`], [`Error::Login`] with the server's failure, or what broke the connection.
    pub async fn open(
        mut io: Box<dyn Transport>,
        auth: &AuthToken,
        recognition: Recognition,
        limits: Limits,
    ) -> Result<Self, Error> {
        let agreement = negotiate(&mut io).await?;
        let mut connection = Self {
            io,
            inbound: Dechunker::new(limits.max_message),
            read_size: MIN_READ,
            outbound: agreement.choice.map(Vec::from).unwrap_or_default(),
            sent: 0,
            held_back_from: None,
            secret: true,
            queued: 0,
            write_failed: None,
            pending: VecDeque::new(),
            phase: Phase::Unauthenticated,
            stale: false,
            version: agreement.version,
            capabilities: Capabilities::of(agreement.version),
            dialect: &STRICT,
            recognition,
            may_be_memgraph: false,
            agent: String::new(),
            tag: random_tag()?,
            acting_as: None,
            silence: limits.silence,
            opened: Instant::now(),
            logged_in: Instant::now(),
            on_login: None,
        };
        connection.hello(auth).await?;
        Ok(connection)
    }

    /// Sends HELLO and, from 5.1, LOGON in the same write. Nothing else goes with them: servers limit what may precede
    /// the end of the login, and close the connection if it fails.
    async fn hello(&mut self, auth: &AuthToken) -> Result<(), Error> {
        message::hello(&mut self.outbound, self.version, auth);
        self.owe(Pending::Hello);
        if self.capabilities.logon {
            self.queue_logon(auth);
        }
        match self.reply().await? {
            Reply::Success => {}
            Reply::Failure(failure) => return Err(self.defunct(Error::Login(failure))),
            Reply::Record | Reply::Ignored => return Err(self.defunct(UNDECIDED)),
        }
        let metadata = self.payload();
        let agent = summary::string_entry(metadata, "server").unwrap_or_default();
        let patched = summary::entry(metadata, "patch_bolt")
            .is_some_and(|patches| patches.windows(3).any(|window| window == b"utc"));
        let hint = receive_timeout(metadata);
        let (dialect, may_be_memgraph) = self.recognition.greeted(&agent, metadata);
        self.dialect = dialect;
        self.may_be_memgraph = may_be_memgraph;
        self.agent = agent;
        self.capabilities.utc |= patched;
        self.silence = hint.map_or(self.silence, Duration::from_secs);
        self.settle_login().await?;
        self.phase = Phase::Ready;
        self.logged_in = Instant::now();
        Ok(())
    }

    fn queue_logon(&mut self, auth: &AuthToken) {
        message::logon(&mut self.outbound, auth);
        self.secret = true;
        self.owe(Pending::Logon);
    }

    /// Whether [`Connection::queue_login`] may be used.
    #[must_use]
    pub fn can_log_in_again(&self) -> bool {
        self.capabilities.logon && self.dialect.logs_in_again
    }

    /// Queues a login as any user, which is sent together with the next requests. The connection must be clean and
    /// [able](Connection::can_log_in_again) to log in again. A refusal is returned to the caller that waits for the
    /// next reply, and closes the connection.
    pub fn queue_login(&mut self, auth: &AuthToken, on_login: OnLogin) {
        message::logoff(&mut self.outbound);
        self.owe(Pending::Logoff);
        self.queue_logon(auth);
        self.on_login = Some(on_login);
    }

    /// Waits until the pending login has succeeded.
    ///
    /// # Errors
    /// [`Error::Login`] with the server's failure, or what broke the connection, which is then defunct.
    pub async fn settle_login(&mut self) -> Result<(), Error> {
        while self.owes_login() {
            match self.step()? {
                Step::Waiting => self.fill().await?,
                Step::Login => {}
                Step::Reply(_) => return Err(self.defunct(UNDECIDED)),
            }
        }
        Ok(())
    }

    pub(in super::super) fn owes_login(&self) -> bool {
        self.pending.iter().any(|request| matches!(request, Pending::Logoff | Pending::Logon))
    }

    pub(super) fn login_answered(&mut self, request: Pending, reply: Reply) -> Result<(), Error> {
        match (request, reply) {
            (Pending::Logon, Reply::Success) => {
                self.held_back_from = None;
                self.logged_in = Instant::now();
                if let Some(on_login) = self.on_login.take() {
                    on_login(Ok(()));
                }
                Ok(())
            }
            (_, Reply::Success) => Ok(()),
            (_, Reply::Failure(failure)) => {
                if let Some(on_login) = self.on_login.take() {
                    on_login(Err(&failure));
                }
                Err(Error::Login(failure))
            }
            (_, Reply::Record | Reply::Ignored) => Err(UNDECIDED),
        }
    }

    /// Holds the message that starts at `start` back until the pending login has succeeded, if it exceeds the pre-login
    /// limits.
    pub(super) fn hold_back_until_login(&mut self, start: usize) {
        if self.held_back_from.is_none()
            && self.owes_login()
            && !self.outbound.get(start..).is_some_and(is_allowed_before_login)
        {
            self.held_back_from = Some(start);
        }
    }
}

const UNDECIDED: Error = Error::Protocol("a login was neither accepted nor refused");

/// The server's hint: after how many seconds of silence it is to be considered dead.
fn receive_timeout(metadata: &[u8]) -> Option<u64> {
    let hints = summary::entry(metadata, "hints")?;
    let hint = summary::entry(hints, "connection.recv_timeout_seconds")?;
    match Reader::new(hint).token().ok()? {
        Token::Integer(seconds) => u64::try_from(seconds).ok().filter(|&seconds| seconds > 0),
        _ => None,
    }
}

/// 16 hexadecimal digits.
fn random_tag() -> Result<String, Error> {
    let random = getrandom::u64().map_err(|error| Error::Io(io::Error::other(error)))?;
    Ok(format!("{random:016x}"))
}
