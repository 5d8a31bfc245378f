//! The socket of one connection, as hyper sees it. It watches the client where hyper does not.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{activity::Activity, half_close::HalfClosed, prefix::Prefix};
use crate::{server::listener::Transport, telemetry::observer::HttpProtocol};

/// The first byte of every answer of HTTP/1.
const FIRST: u8 = b'H';

/// A client's socket.
pub(super) struct Socket<T: Transport> {
    /// `None` once its end was seen.
    read: Option<T::ReadHalf>,
    write: T::WriteHalf,
    prefix: Prefix,
    /// hyper waits for bytes and sees the end by itself.
    awaited: bool,
    /// The first byte of the next answer was sent before the answer was there.
    begun: bool,
    half_closed: Option<Box<HalfClosed>>,
    half_close_timeout: Duration,
    activity: Arc<Activity>,
    /// What the connection counts against.
    _slot: Arc<dyn Send + Sync>,
}

impl<T: Transport> Socket<T> {
    /// Wraps the stream of a new connection. A client that has closed its sending half and could not be sent a byte for
    /// `half_close` counts as gone.
    pub(super) fn new(stream: T, half_close: Duration, activity: &Arc<Activity>, slot: Arc<dyn Send + Sync>) -> Self {
        let (read, write) = stream.into_split();
        Self {
            read: Some(read),
            write,
            prefix: Prefix::default(),
            awaited: false,
            begun: false,
            half_closed: None,
            half_close_timeout: half_close,
            activity: Arc::clone(activity),
            _slot: slot,
        }
    }

    /// Reads the first bytes, and returns the protocol that they belong to; `None` if the client closes before it has
    /// sent any. hyper gets them later.
    pub(super) async fn protocol(&mut self) -> io::Result<Option<HttpProtocol>> {
        let Some(read) = &mut self.read else { return Ok(None) };
        let is_http2 = self.prefix.read_preface(read).await?;
        Ok(match is_http2 {
            true => Some(HttpProtocol::Http2),
            false => (!self.prefix.is_empty()).then_some(HttpProtocol::Http1),
        })
    }

    /// Watches a client whose request is being answered, while hyper does not read.
    fn watch(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if !self.awaited
            && self.prefix.is_empty()
            && let Some(read) = &mut self.read
            // What comes is the next request. It waits until this one is answered, and so does an end behind it.
            && let Poll::Ready(length) = self.prefix.poll_fill(Pin::new(read), cx)
            && length? == 0
        {
            self.half_closed(cx)?;
        }
        match self.half_closed.as_mut().map(|client| client.poll_gone(cx)) {
            Some(Poll::Ready(how)) => Err(io::Error::new(io::ErrorKind::ConnectionAborted, how)),
            _ => Ok(()),
        }
    }

    /// The client has closed its sending half, or the whole connection. The first byte of the answer finds out which.
    /// No byte of an earlier answer is pending, because hyper writes all it has before it flushes.
    fn half_closed(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.activity.is_unanswered()
            && let Poll::Ready(sent) = Pin::new(&mut self.write).poll_write(cx, &[FIRST])
        {
            self.begun = sent? > 0;
        }
        let timeout = self.half_close_timeout;
        self.half_closed = self.read.take().map(|read| Box::new(HalfClosed::new(T::reset(read), timeout)));
        Ok(())
    }

    /// Notes the result of a write.
    fn wrote(&mut self, written: &Poll<io::Result<usize>>) {
        if let (Poll::Ready(Ok(1..)), Some(client)) = (written, &mut self.half_closed) {
            client.sent();
        }
    }
}

impl<T: Transport> AsyncRead for Socket<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let start = buf.filled().len();
        this.prefix.replay(buf);
        let replayed = buf.filled().len() > start;
        let read = match &mut this.read {
            Some(read) if buf.remaining() > 0 => Pin::new(read).poll_read(cx, buf),
            _ => Poll::Ready(Ok(())),
        };
        this.awaited = read.is_pending() && !replayed;
        if !replayed {
            ready!(read)?;
        }
        // An end or an error behind replayed bytes shows again at the next read.
        this.activity.received(buf.filled().get(start..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<T: Transport> AsyncWrite for Socket<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let (sent, rest) = if this.begun { buf.split_at_checked(1).unwrap_or((&[], buf)) } else { (&[][..], buf) };
        let written = if rest.is_empty() { Poll::Ready(Ok(0)) } else { Pin::new(&mut this.write).poll_write(cx, rest) };
        this.wrote(&written);
        let written = ready!(written)?;
        if !sent.is_empty() {
            this.begun = false;
        }
        Poll::Ready(Ok(sent.len() + written))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.begun {
            let first = bufs.iter().find(|buf| !buf.is_empty()).map(|buf| &**buf).unwrap_or_default();
            return self.poll_write(cx, first);
        }
        let this = self.get_mut();
        let written = Pin::new(&mut this.write).poll_write_vectored(cx, bufs);
        this.wrote(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.write.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // hyper flushes at each step of a connection, also when there is nothing to write.
        if this.activity.is_busy() && !this.activity.is_http2() {
            this.watch(cx)?;
        }
        Pin::new(&mut this.write).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().write).poll_shutdown(cx)
    }
}

impl<T: Transport> Drop for Socket<T> {
    /// Closes the write half. The read half is kept if the client may still be sending.
    fn drop(&mut self) {
        if self.activity.has_unread()
            && let Some(read) = self.read.take()
        {
            self.activity.put_unread_half(Box::new(read));
        }
    }
}
