//! The relay between a client's WebSocket and another byte stream.
//!
//! Each direction holds one chunk at a time: the next one is read when the other side has taken the last. Whatever ends
//! the relay, the client is told why before its socket is closed, and is given a moment to read that.

use std::{fmt::Display, io, pin::pin, time::Duration};

use bytes::{Buf as _, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf, split},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::frames::{self, Control, Decoder, Violation};
use crate::telemetry::observer::WebSocketClose;

/// The size of a chunk, in bytes.
const CHUNK: usize = 64 * 1024;
/// The most bytes of answers to pings that wait for the client before more is read of it.
const MAX_PONGS: usize = 64 * 1024;
/// How long a client may take to read why its socket is closed, and the other side to take the last bytes.
const FAREWELL: Duration = Duration::from_secs(2);

/// The time limits of a relay.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the beginning to the first byte of a message.
    pub first_byte: Duration,
    /// The longest time in which neither side sends a byte to the other.
    pub idle: Duration,
    /// The longest time in total.
    pub lifetime: Duration,
}

/// What came of a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relayed {
    /// Why it ended.
    pub close: WebSocketClose,
    /// The bytes that the client sent in messages.
    pub received: u64,
    /// The bytes that the client was sent in messages.
    pub sent: u64,
}

/// Why a relay ends.
#[derive(Debug)]
enum End {
    /// The client has said so.
    Closed(Option<CloseCode>),
    /// The client's connection ended without that.
    Gone,
    Violated(Violation),
    For(WebSocketClose),
}

/// Relays between `client`, whose WebSocket has just begun, and the stream that `dial` opens. That happens with the client's
/// first byte, so that a silent client costs nothing. `stopped` completes with the reason if the relay has to end
/// before the client does.
pub async fn relay<S, E>(
    client: impl AsyncRead + AsyncWrite + Unpin,
    dial: impl Future<Output = Result<S, E>>,
    stopped: impl Future<Output = WebSocketClose>,
    limits: Limits,
) -> Relayed
where
    S: AsyncRead + AsyncWrite + Unpin,
    E: Display,
{
    let mut socket = Socket::new(client);
    let end = tokio::select! {
        end = exchange(&mut socket, dial, limits) => end,
        reason = stopped => End::For(reason),
        () = sleep(limits.lifetime) => End::For(WebSocketClose::Age),
    };
    let mut close = end.reason();
    let (received, sent) = (socket.incoming.received, socket.sent);
    if let Some((code, reason)) = end.words() {
        frames::close(code, reason, &mut socket.outgoing.pending);
        let farewell = socket.take_leave(matches!(end, End::Closed(_)));
        // A database closes when its client has said goodbye, often before the client's own closing has arrived.
        if matches!(timeout(FAREWELL, farewell).await, Ok(Ok(true))) && close == WebSocketClose::Database {
            close = WebSocketClose::Done;
        }
    }
    Relayed { close, received, sent }
}

impl End {
    fn reason(&self) -> WebSocketClose {
        match self {
            Self::Closed(_) => WebSocketClose::Done,
            Self::Gone => WebSocketClose::Gone,
            Self::Violated(_) => WebSocketClose::Protocol,
            Self::For(reason) => *reason,
        }
    }

    /// What the client is told; `None` if it is gone.
    fn words(&self) -> Option<(Option<CloseCode>, &'static str)> {
        use WebSocketClose as Close;
        let (code, reason) = match self {
            Self::Gone => return None,
            // The same code is the answer.
            Self::Closed(code) => return Some((*code, "")),
            Self::Violated(violation) => (violation.code(), violation.words()),
            Self::For(reason) => match reason {
                Close::Database => (CloseCode::Normal, "The database has closed the connection."),
                Close::DatabaseFailed => {
                    (CloseCode::Error, "The connection to the database was lost, or cannot be opened.")
                }
                Close::Silent => (CloseCode::Away, "No byte came at the beginning."),
                Close::Idle => (CloseCode::Away, "No byte came for too long (websocket.idle_timeout)."),
                Close::Age => (CloseCode::Away, "The socket is too old (websocket.max_lifetime)."),
                Close::Off => (CloseCode::Away, "WebSockets were turned off (websocket.enabled)."),
                Close::Shutdown => (CloseCode::Away, "The gateway is stopping."),
                Close::Done | Close::Gone | Close::Protocol => (CloseCode::Normal, ""),
            },
        };
        Some((Some(code), reason))
    }
}

/// The client's socket.
struct Socket<C> {
    incoming: Incoming<ReadHalf<C>>,
    outgoing: Outbox<WriteHalf<C>>,
    /// The bytes in messages to the client.
    sent: u64,
}

impl<C: AsyncRead + AsyncWrite> Socket<C> {
    fn new(client: C) -> Self {
        let (read, write) = split(client);
        let incoming = Incoming {
            read,
            chunk: vec![0; CHUNK].into(),
            decoder: Decoder::default(),
            data: BytesMut::new(),
            pongs: BytesMut::new(),
            received: 0,
        };
        Self { incoming, outgoing: Outbox::new(write), sent: 0 }
    }

    /// Sends what is pending and, unless the client has closed, reads until it does: a socket that is closed with unread bytes is
    /// reset, and what was just sent may be lost. Returns whether the client had closed before it was told to.
    async fn take_leave(&mut self, has_closed: bool) -> io::Result<bool> {
        self.outgoing.drive().await?;
        self.outgoing.io.shutdown().await?;
        if has_closed {
            return Ok(true);
        }
        loop {
            match self.incoming.receive().await {
                // An answer repeats the code that it was sent.
                Err(End::Closed(code)) => return Ok(code.is_none()),
                Err(End::Gone) => return Ok(false),
                _ => {
                    self.incoming.data.clear();
                    self.incoming.pongs.clear();
                }
            }
        }
    }
}

/// The half of the client's socket that is read.
struct Incoming<R> {
    read: R,
    chunk: Box<[u8]>,
    decoder: Decoder,
    /// The content of messages, to be passed on.
    data: BytesMut,
    /// The answers to pings, as frames.
    pongs: BytesMut,
    /// The bytes in messages so far.
    received: u64,
}

impl<R: AsyncRead + Unpin> Incoming<R> {
    /// Reads once. Nothing is lost if this is dropped.
    async fn receive(&mut self) -> Result<(), End> {
        let length = self.read.read(&mut self.chunk).await.unwrap_or(0);
        if length == 0 {
            return Err(End::Gone);
        }
        let mut arrived = self.chunk.get(..length).unwrap_or_default();
        let known = self.data.len();
        let decoded = loop {
            match self.decoder.decode(&mut arrived, &mut self.data) {
                Ok(None) => break Ok(()),
                Ok(Some(Control::Ping(payload))) => frames::pong(&payload, &mut self.pongs),
                Ok(Some(Control::Pong)) => {}
                Ok(Some(Control::Close(code))) => break Err(End::Closed(code)),
                Err(violation) => break Err(End::Violated(violation)),
            }
        };
        self.received += self.data.len().saturating_sub(known) as u64;
        decoded
    }
}

/// Bytes on their way into a stream.
struct Outbox<W> {
    io: W,
    pending: BytesMut,
    is_flushed: bool,
}

impl<W: AsyncWrite + Unpin> Outbox<W> {
    fn new(io: W) -> Self {
        Self { io, pending: BytesMut::new(), is_flushed: true }
    }

    fn push(&mut self, bytes: &mut BytesMut) {
        if self.pending.is_empty() {
            std::mem::swap(&mut self.pending, bytes);
        } else {
            self.pending.extend_from_slice(bytes);
        }
        bytes.clear();
    }

    /// Whether the other side has taken everything, as far as that is known here.
    fn is_done(&self) -> bool {
        self.pending.is_empty() && self.is_flushed
    }

    /// Writes everything. Nothing is lost if this is dropped.
    async fn drive(&mut self) -> io::Result<()> {
        while self.pending.has_remaining() {
            self.is_flushed = false;
            if self.io.write_buf(&mut self.pending).await? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        self.io.flush().await?;
        self.is_flushed = true;
        Ok(())
    }
}

/// Waits for the client's first bytes, opens the stream, and relays until something ends it.
async fn exchange<C, S, E>(socket: &mut Socket<C>, dial: impl Future<Output = Result<S, E>>, limits: Limits) -> End
where
    C: AsyncRead + AsyncWrite,
    S: AsyncRead + AsyncWrite + Unpin,
    E: Display,
{
    match timeout(limits.first_byte, first_bytes(socket)).await {
        Err(_) => return End::For(WebSocketClose::Silent),
        Ok(Err(end)) => return end,
        Ok(Ok(())) => {}
    }
    match dial.await {
        Ok(stream) => pass(socket, stream, limits.idle).await,
        Err(error) => {
            tracing::debug!(%error, "no connection to the database for a WebSocket");
            End::For(WebSocketClose::DatabaseFailed)
        }
    }
}

/// Waits until a message has begun to arrive.
async fn first_bytes<C: AsyncRead + AsyncWrite>(socket: &mut Socket<C>) -> Result<(), End> {
    let Socket { incoming, outgoing, .. } = socket;
    while incoming.data.is_empty() {
        tokio::select! {
            received = incoming.receive(), if outgoing.pending.len() < MAX_PONGS => {
                received?;
                outgoing.push(&mut incoming.pongs);
            }
            driven = outgoing.drive(), if !outgoing.is_done() => driven.map_err(|_| End::Gone)?,
        }
    }
    Ok(())
}

/// Relays until something ends it. Bytes of the client's first messages are there already.
async fn pass<C, S>(socket: &mut Socket<C>, stream: S, idle: Duration) -> End
where
    C: AsyncRead + AsyncWrite,
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut from_stream, to_stream) = split(stream);
    let mut to_stream = Outbox::new(to_stream);
    let Socket { incoming, outgoing, sent } = socket;
    to_stream.push(&mut incoming.data);
    let mut chunk = vec![0; CHUNK];
    // What the stream's other side has sent is passed on although it takes nothing more.
    let mut takes = true;
    let mut last_byte = Instant::now();
    let mut silence = pin!(sleep_until(last_byte + idle));
    let end = loop {
        tokio::select! {
            received = incoming.receive(), if takes && to_stream.is_done() && outgoing.pending.len() < MAX_PONGS => {
                if !incoming.data.is_empty() {
                    last_byte = Instant::now();
                }
                to_stream.push(&mut incoming.data);
                outgoing.push(&mut incoming.pongs);
                if let Err(end) = received {
                    break end;
                }
            }
            driven = to_stream.drive(), if takes && !to_stream.is_done() => takes = driven.is_ok(),
            read = from_stream.read(&mut chunk), if outgoing.is_done() => match read {
                Ok(0) => break End::For(WebSocketClose::Database),
                Ok(length) => {
                    last_byte = Instant::now();
                    *sent += length as u64;
                    frames::binary(chunk.get(..length).unwrap_or_default(), &mut outgoing.pending);
                }
                // TLS that ends without saying so.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break End::For(WebSocketClose::Database),
                Err(_) => break End::For(WebSocketClose::DatabaseFailed),
            },
            driven = outgoing.drive(), if !outgoing.is_done() => if driven.is_err() {
                break End::Gone;
            },
            () = &mut silence => {
                if last_byte + idle <= Instant::now() {
                    break End::For(WebSocketClose::Idle);
                }
                silence.as_mut().reset(last_byte + idle);
            }
        }
    };
    if matches!(end, End::Closed(_) | End::Gone) && takes {
        // What the client has said before it left counts.
        let last_words = async {
            to_stream.drive().await?;
            to_stream.io.shutdown().await
        };
        let _ = timeout(FAREWELL, last_words).await;
    }
    end
}

#[cfg(test)]
mod tests;
