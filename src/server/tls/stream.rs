//! An encrypted byte stream as the server sees it: its halves are used and dropped apart, as those of a socket are.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::server::TlsStream;

use crate::server::listener::Transport;

/// Both halves of a transport as one stream, which is what TLS needs.
pub(in crate::server) struct Joined<T: Transport> {
    /// `None` once it is watched for a reset.
    read: Option<T::ReadHalf>,
    /// `None` once it was closed.
    write: Option<T::WriteHalf>,
    /// A byte that was read and put back.
    unread: Option<u8>,
}

impl<T: Transport> Joined<T> {
    pub(super) fn new(stream: T) -> Self {
        let (read, write) = stream.into_split();
        Self { read: Some(read), write: Some(write), unread: None }
    }

    /// Puts a byte back that was read.
    pub(super) fn unread(&mut self, byte: u8) {
        self.unread = Some(byte);
    }
}

impl<T: Transport> AsyncRead for Joined<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if buf.remaining() > 0
            && let Some(byte) = this.unread.take()
        {
            buf.put_slice(&[byte]);
            return Poll::Ready(Ok(()));
        }
        match &mut this.read {
            Some(read) => Pin::new(read).poll_read(cx, buf),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl<T: Transport> AsyncWrite for Joined<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().write {
            Some(write) => Pin::new(write).poll_write(cx, buf),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().write {
            Some(write) => Pin::new(write).poll_write_vectored(cx, bufs),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.write.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().write {
            Some(write) => Pin::new(write).poll_flush(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().write {
            Some(write) => Pin::new(write).poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}

/// A connection after its handshake.
pub(in crate::server) struct Encrypted<T: Transport>(TlsStream<Joined<T>>);

impl<T: Transport> Encrypted<T> {
    pub(super) fn new(stream: TlsStream<Joined<T>>) -> Self {
        Self(stream)
    }
}

/// The stream that its halves share. They belong to one task, so the lock is never waited for.
struct Shared<T: Transport>(Arc<Mutex<TlsStream<Joined<T>>>>);

impl<T: Transport> Shared<T> {
    fn stream(&self) -> MutexGuard<'_, TlsStream<Joined<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The half that reads.
pub(in crate::server) struct ReadHalf<T: Transport>(Shared<T>);

/// The half that writes.
pub(in crate::server) struct WriteHalf<T: Transport>(Shared<T>);

impl<T: Transport> Transport for Encrypted<T> {
    type ReadHalf = ReadHalf<T>;
    type WriteHalf = WriteHalf<T>;

    fn into_split(self) -> (ReadHalf<T>, WriteHalf<T>) {
        let stream = Arc::new(Mutex::new(self.0));
        (ReadHalf(Shared(Arc::clone(&stream))), WriteHalf(Shared(stream)))
    }

    async fn reset(read: ReadHalf<T>) {
        let half = read.0.stream().get_mut().0.read.take();
        drop(read);
        if let Some(half) = half {
            T::reset(half).await;
        }
    }
}

impl<T: Transport> AsyncRead for ReadHalf<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut *self.0.stream()).poll_read(cx, buf) {
            // Many clients close without saying so first. HTTP tells by itself whether something is missing.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
            read => read,
        }
    }
}

impl<T: Transport> AsyncWrite for WriteHalf<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0.stream()).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0.stream()).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.stream().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.stream()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.stream()).poll_shutdown(cx)
    }
}

impl<T: Transport> Drop for WriteHalf<T> {
    /// Tells the client that nothing follows: by TLS as far as the socket takes it at once, and by the socket.
    fn drop(&mut self) {
        let mut stream = self.0.stream();
        let _ = Pin::new(&mut *stream).poll_shutdown(&mut Context::from_waker(Waker::noop()));
        stream.get_mut().0.write = None;
    }
}
