//! Writing queued requests, and reading replies.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{io::AsyncWrite, time::timeout};
use tokio_util::io::poll_read_buf;

use super::{super::error::Error, Connection, Defect, MAX_READ, Phase, Reply};

impl Connection {
    /// Writes what is queued and waits for the next reply.
    ///
    /// Cancel-safe: no part of a reply is lost if the future is dropped.
    ///
    /// # Errors
    /// What broke the connection, which is then [defunct](Connection::defect).
    pub async fn reply(&mut self) -> Result<Reply, Error> {
        loop {
            if let Some(reply) = self.buffered_reply()? {
                return Ok(reply);
            }
            self.fill().await?;
        }
    }

    /// Returns the next reply, if all of it has arrived.
    ///
    /// # Errors
    /// As [`Connection::reply`].
    pub fn buffered_reply(&mut self) -> Result<Option<Reply>, Error> {
        loop {
            match self.step()? {
                Step::Waiting => return Ok(None),
                Step::Login => {} // which callers do not see
                Step::Reply(reply) => return Ok(Some(reply)),
            }
        }
    }

    /// Processes the next message, if all of it has arrived.
    ///
    /// # Errors
    /// As [`Connection::reply`].
    pub(super) fn step(&mut self) -> Result<Step, Error> {
        let step = match self.inbound.advance() {
            Ok(false) => Ok(Step::Waiting),
            Ok(true) => self.interpret(),
            Err(error) => Err(error),
        };
        step.map_err(|error| self.defunct(error))
    }

    /// Writes what is queued, and reads at least a byte.
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

    /// Whether the server has closed the idle connection, or has sent something unasked. Does not wait.
    #[must_use]
    pub fn is_closed(&mut self) -> bool {
        let mut context = Context::from_waker(std::task::Waker::noop());
        match self.poll_read(&mut context) {
            Poll::Pending => false,
            // Only a keep-alive is harmless.
            Poll::Ready(Ok(())) => !matches!(self.inbound.advance(), Ok(false)) || !self.inbound.is_empty(),
            Poll::Ready(Err(_)) => true,
        }
    }

    pub(super) fn defunct(&mut self, error: Error) -> Error {
        self.phase = Phase::Defunct(Defect::from(&error));
        self.on_login = None;
        error
    }

    /// Writes and reads at the same time, since either side may have to wait for the other. Ready when something was
    /// read.
    fn poll_exchange(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        // A server that refuses a login may close the connection during the write; its reply says more than the error.
        if let Poll::Ready(Err(error)) = self.poll_write(cx) {
            self.write_failed = Some(error);
            self.clear_outbound();
        }
        self.poll_read(cx).map_err(|error| match self.write_failed.take() {
            Some(error) if is_closed(&error) => Error::Closed,
            Some(error) => Error::Io(error),
            None => error,
        })
    }

    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.outbound.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let end = self.held_back_from.unwrap_or(self.outbound.len());
        while let Some(unsent @ [_, ..]) = self.outbound.get(self.sent..end) {
            match ready!(Pin::new(&mut self.io).poll_write(cx, unsent))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.sent += written,
            }
        }
        ready!(Pin::new(&mut self.io).poll_flush(cx))?;
        if self.held_back_from.is_none() {
            self.clear_outbound();
        }
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

/// The kind of the next message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// None: it has not arrived yet.
    Waiting,
    /// A step of a login succeeded.
    Login,
    /// A reply to a caller's request.
    Reply(Reply),
}

/// Whether the error is the end of the stream, in whichever way the system or TLS expresses it.
fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof)
}
