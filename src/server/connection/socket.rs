//! The socket of one connection, as hyper sees it: what is seen of the client here is what hyper does not look at.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use super::{activity::Activity, half_close::HalfClosed, stall::StallGuard};

/// How every answer of HTTP/1 begins.
const FIRST: u8 = b'H';

/// How HTTP/2 begins, as no method of HTTP/1 does.
const PREFACE: [u8; 3] = *b"PRI";

/// A client's socket.
pub(super) struct Socket {
    /// Until its end was seen.
    read: Option<OwnedReadHalf>,
    write: StallGuard<OwnedWriteHalf>,
    ahead: Ahead,
    /// hyper waits for bytes, and will see by itself when there are none.
    awaited: bool,
    /// The first byte of the next answer has left before the answer was there.
    begun: bool,
    departure: Option<Box<HalfClosed>>,
    half_close: Duration,
    activity: Arc<Activity>,
}

/// Bytes that were read before hyper asked for them.
#[derive(Debug, Default)]
struct Ahead {
    bytes: [u8; PREFACE.len()],
    length: usize,
}

impl Ahead {
    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Hands over as much as there is room for.
    fn hand_over(&mut self, buf: &mut ReadBuf<'_>) {
        let taken = self.length.min(buf.remaining());
        buf.put_slice(self.bytes().get(..taken).unwrap_or_default());
        self.bytes.rotate_left(taken);
        self.length -= taken;
    }
}

impl Socket {
    /// A client that takes no byte for `write_stall`, or has closed its sending half and cannot be sent one for
    /// `half_close`, is given up.
    pub(super) fn new(
        stream: TcpStream,
        write_stall: Duration,
        half_close: Duration,
        activity: &Arc<Activity>,
    ) -> Self {
        let (read, write) = stream.into_split();
        Self {
            read: Some(read),
            write: StallGuard::new(write, write_stall),
            ahead: Ahead::default(),
            awaited: false,
            begun: false,
            departure: None,
            half_close,
            activity: Arc::clone(activity),
        }
    }

    /// Whether the client begins as HTTP/2 does. What is read for that is kept: hyper's own look would double the buffer
    /// that each connection has.
    pub(super) async fn speaks_http2(&mut self) -> io::Result<bool> {
        let Self { read: Some(read), ahead, .. } = self else { return Ok(false) };
        while PREFACE.starts_with(ahead.bytes()) {
            let room = ahead.bytes.get_mut(ahead.length..).unwrap_or_default();
            if room.is_empty() {
                return Ok(true);
            }
            match read.read(room).await? {
                0 => break,
                length => ahead.length += length,
            }
        }
        Ok(false)
    }

    /// Looks after a client whose request is being answered, while hyper does not read.
    fn watch(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if !self.awaited
            && self.ahead.length == 0
            && let Some(read) = &mut self.read
        {
            let mut buf = ReadBuf::new(&mut self.ahead.bytes);
            if let Poll::Ready(end) = Pin::new(read).poll_read(cx, &mut buf) {
                end?;
                // The next request waits until this one is answered, and so does what stands behind it.
                self.ahead.length = buf.filled().len();
                if self.ahead.length == 0 {
                    self.doubt()?;
                }
            }
        }
        match self.departure.as_mut().map(|departure| departure.poll_gone(cx)) {
            Some(Poll::Ready(how)) => Err(io::Error::new(io::ErrorKind::ConnectionAborted, how)),
            _ => Ok(()),
        }
    }

    /// The client has closed its sending half, or all of the connection. The first byte of the answer will tell. None of
    /// an earlier answer is on its way, since hyper writes all it has before it flushes.
    fn doubt(&mut self) -> io::Result<()> {
        if self.activity.is_unanswered() {
            match self.write.get_ref().try_write(&[FIRST]) {
                Ok(sent) => self.begun = sent > 0,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        self.departure = self.read.take().map(|read| Box::new(HalfClosed::new(read, self.half_close)));
        Ok(())
    }

    /// Notes what came of a write.
    fn wrote(&mut self, written: &Poll<io::Result<usize>>) {
        self.activity.set_writing(self.write.is_waiting());
        if let (Poll::Ready(Ok(1..)), Some(departure)) = (written, &mut self.departure) {
            departure.put_off();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let start = buf.filled().len();
        self.ahead.hand_over(buf);
        let handed_over = buf.filled().len() > start;
        let read = match &mut self.read {
            Some(read) if buf.remaining() > 0 => Pin::new(read).poll_read(cx, buf),
            _ => Poll::Ready(Ok(())),
        };
        self.awaited = read.is_pending() && !handed_over;
        if !handed_over {
            ready!(read)?;
        }
        // An end or an error behind bytes shows again when those are taken.
        self.activity.received(buf.filled().get(start..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
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
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.begun {
            let first = bufs.iter().find(|buf| !buf.is_empty()).map(|buf| &**buf).unwrap_or_default();
            return self.poll_write(cx, first);
        }
        let written = Pin::new(&mut self.write).poll_write_vectored(cx, bufs);
        self.wrote(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.write.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // With each step of a connection that has nothing to write, hyper comes by here.
        if self.activity.is_busy() && !self.activity.is_http2() {
            self.watch(cx)?;
        }
        Pin::new(&mut self.write).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_shutdown(cx)
    }
}

impl Drop for Socket {
    /// Our half closes with the socket. The other one is kept if the client may still be sending.
    fn drop(&mut self) {
        if self.activity.has_unread()
            && let Some(read) = self.read.take()
        {
            self.activity.put_unread(read);
        }
    }
}
