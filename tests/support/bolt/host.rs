//! Where a fake lives: a TCP listener on a free loopback port, and in-memory connections.
//!
//! Owns: accepting, one task per connection, ending them.
//! Promises: dropping the host ends every connection it carries.
//! May not know: Bolt.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinHandle};

/// Bytes an in-memory connection holds in each direction before its writer waits.
pub const MEMORY_BUFFER: usize = 64 * 1024;

/// One accepted connection, of either kind.
pub enum Transport {
    Tcp(TcpStream),
    Memory(DuplexStream),
}

impl Transport {
    /// Ends the connection with a TCP RST. In memory there is none: the other side sees the end.
    pub fn reset(self) {
        if let Transport::Tcp(stream) = self {
            // A socket that is gone already cannot be reset and need not be.
            let _ = stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Transport::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Transport::Memory(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Transport::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Transport::Memory(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Transport::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Transport::Memory(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Transport::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Transport::Memory(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

pub type Session = Pin<Box<dyn Future<Output = ()> + Send>>;
type Serve = dyn Fn(Transport, u64) -> Session + Send + Sync;

/// The open connections of a host; shared with whoever may end them.
pub struct Connections {
    serve: Box<Serve>,
    tasks: Mutex<HashMap<u64, AbortHandle>>,
    next: AtomicU64,
    refuse: AtomicBool,
}

impl Connections {
    fn open(self: &Arc<Self>, transport: Transport) {
        if self.refuse.load(Ordering::SeqCst) {
            transport.reset();
            return;
        }
        let id = self.next.fetch_add(1, Ordering::SeqCst);
        let session = (self.serve)(transport, id);
        let all = Arc::clone(self);
        // Held while spawning, so that the task cannot leave the table before it is in it.
        let mut tasks = self.tasks.lock().unwrap();
        let task = tokio::spawn(async move {
            session.await;
            all.tasks.lock().unwrap().remove(&id);
        });
        tasks.insert(id, task.abort_handle());
    }

    /// Ends every open connection at once, in whatever state it is.
    pub fn close_all(&self) {
        self.tasks.lock().unwrap().drain().for_each(|(_, task)| task.abort());
    }

    /// While true, a new connection is reset as soon as it is accepted.
    pub fn refuse_new(&self, refuse: bool) {
        self.refuse.store(refuse, Ordering::SeqCst);
    }
}

/// A listener and its connections.
pub struct Host {
    addr: SocketAddr,
    connections: Arc<Connections>,
    accepting: JoinHandle<()>,
}

impl Host {
    /// Listens on a free port of 127.0.0.1 and serves each connection, numbered from 0.
    ///
    /// # Panics
    /// If no port can be had.
    pub async fn start(serve: impl Fn(Transport, u64) -> Session + Send + Sync + 'static) -> Host {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
        let addr = listener.local_addr().expect("the address of a bound listener");
        let connections = Arc::new(Connections {
            serve: Box::new(serve),
            tasks: Mutex::default(),
            next: AtomicU64::new(0),
            refuse: AtomicBool::new(false),
        });
        let all = Arc::clone(&connections);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                all.open(Transport::Tcp(stream));
            }
        });
        Host { addr, connections, accepting }
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// A connection without a socket.
    pub fn connect(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(MEMORY_BUFFER);
        self.connections.open(Transport::Memory(theirs));
        ours
    }

    pub fn connections(&self) -> &Arc<Connections> {
        &self.connections
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.accepting.abort();
        self.connections.refuse_new(true);
        self.connections.close_all();
    }
}
