//! Sockets in memory, for tests.

use std::{
    future::pending,
    io,
    net::{IpAddr, Ipv4Addr},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    sync::{Mutex, mpsc},
};

use super::listener::{Listener, Transport};

/// The result of an accept: an error, or a connection that can be opened or not.
pub(super) type Accepted = io::Result<io::Result<Memory>>;

/// A listener that accepts what it was sent.
pub(super) struct MemoryListener(Mutex<mpsc::UnboundedReceiver<Accepted>>);

/// A stream whose client never resets it.
pub(super) struct Memory {
    read: DuplexStream,
    write: DuplexStream,
}

/// The client of a [`Memory`].
pub(super) struct Client {
    pub(super) write: DuplexStream,
    pub(super) read: DuplexStream,
}

pub(super) fn listener() -> (MemoryListener, mpsc::UnboundedSender<Accepted>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (MemoryListener(Mutex::new(receiver)), sender)
}

pub(super) fn stream() -> (Memory, Client) {
    let (from_client, read) = duplex(4096);
    let (write, to_client) = duplex(4096);
    (Memory { read, write }, Client { write: from_client, read: to_client })
}

impl Listener for MemoryListener {
    type Accepted = io::Result<Memory>;
    type Stream = Memory;

    async fn accept(&self) -> io::Result<(io::Result<Memory>, Option<IpAddr>)> {
        match self.0.lock().await.recv().await {
            Some(accepted) => Ok((accepted?, Some(Ipv4Addr::LOCALHOST.into()))),
            None => pending().await,
        }
    }

    async fn open(accepted: io::Result<Memory>) -> io::Result<Memory> {
        accepted
    }
}

impl Transport for Memory {
    type ReadHalf = DuplexStream;
    type WriteHalf = DuplexStream;

    fn into_split(self) -> (DuplexStream, DuplexStream) {
        (self.read, self.write)
    }

    async fn reset(_: DuplexStream) {
        pending().await
    }
}

impl Client {
    pub(super) async fn send(&mut self, text: &str) {
        self.write.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads up to the end of a head.
    pub(super) async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.read.read_u8().await.unwrap());
        }
        String::from_utf8(head).unwrap()
    }
}
