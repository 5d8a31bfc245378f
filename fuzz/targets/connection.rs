//! Any bytes as a server: from the handshake to the response to a statement.
#![no_main]

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use boltgate::bolt::{
    AuthToken, Connection, Extra, Recognition, Reply, Summary,
    connection::{Limits, Transport},
    summary::columns,
};
use libfuzzer_sys::fuzz_target;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    runtime::{Builder, Runtime},
};

thread_local! {
    static RUNTIME: RefCell<Runtime> = RefCell::new(
        Builder::new_current_thread().enable_time().build().expect("a runtime for one thread"),
    );
}

const LIMITS: Limits = Limits { max_message: 1 << 16, silence: Duration::from_secs(60) };

/// Sends its bytes regardless of what it receives, in pieces of at most `piece` bytes, and closes.
struct Server {
    says: Vec<u8>,
    said: usize,
    piece: usize,
}

fuzz_target!(|data: &[u8]| {
    let Some((&piece, says)) = data.split_first() else {
        return;
    };
    let server = Server { says: says.to_vec(), said: 0, piece: usize::from(piece) + 1 };
    RUNTIME.with_borrow(|runtime| runtime.block_on(talk(server)));
});

/// The server always closes its end of the stream, so this loop ends.
async fn talk(server: Server) {
    let opened = Connection::open(Box::new(server), &AuthToken::none(), Recognition::default(), LIMITS).await;
    let Ok(mut connection) = opened else {
        return;
    };
    assert!(connection.version().is_spoken(), "speaks {}", connection.version());
    connection.run("RETURN 1", &[0xA0], &Extra::default());
    connection.pull(1000);
    assert!(!connection.is_clean(), "clean while a reply is outstanding");
    while let Ok(reply) = connection.reply().await {
        if reply == Reply::Success {
            let _ = columns(connection.payload());
            let _ = Summary::parse(connection.payload());
        }
        if connection.is_clean() {
            connection.run("RETURN 2", &[0xA0], &Extra::default());
        } else if matches!(reply, Reply::Failure(_)) {
            connection.reset();
        }
    }
    assert!(!connection.is_clean(), "clean after the stream broke");
}

impl AsyncRead for Server {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let left = self.says.get(self.said..).unwrap_or_default();
        let length = left.len().min(self.piece).min(buffer.remaining());
        buffer.put_slice(left.get(..length).unwrap_or_default());
        self.said += length;
        Poll::Ready(Ok(()))
    }
}

impl Transport for Server {}

impl AsyncWrite for Server {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
