//! The beginning of a connection: handshake, HELLO and LOGON, and a later login as somebody else.

use std::{collections::VecDeque, io, time::Duration};

use tokio::time::Instant;
use zeroize::Zeroize;

use super::{
    super::{
        auth::AuthToken,
        chunk::Dechunker,
        dialect::{Dialect, STRICT},
        error::Error,
        handshake::negotiate,
        message,
        packstream::{Reader, Token},
        summary,
        version::Capabilities,
    },
    Connection, Limits, MIN_READ, Pending, Phase, Reply, Transport,
};

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
            dialect: dialect.unwrap_or(&STRICT),
            dialect_is_set: dialect.is_some(),
            agent: String::new(),
            tag: random_tag()?,
            silence: limits.silence,
            opened: Instant::now(),
        };
        connection.hello(auth).await?;
        Ok(connection)
    }

    /// HELLO and, from 5.1, LOGON in the same write. Nothing more: servers limit what may come before the login
    /// is done, and close the connection when it fails.
    async fn hello(&mut self, auth: &AuthToken) -> Result<(), Error> {
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
        if !self.dialect_is_set {
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

/// 16 hexadecimal digits.
fn random_tag() -> Result<String, Error> {
    let random = getrandom::u64().map_err(|error| Error::Io(io::Error::other(error)))?;
    Ok(format!("{random:016x}"))
}
