//! Queueing requests. They are sent with the next write.

use std::{future::poll_fn, time::Duration};

use tokio::time::timeout;
use zeroize::Zeroize;

use super::{
    super::message::{self, Extra, Session},
    Connection, Defect, Pending, Phase,
};

/// A request buffer that has grown beyond this size, in bytes, is released once its requests are written: a transaction
/// can be idle for a long time after its largest statement.
const MAX_KEPT: usize = 256 * 1024;

impl Connection {
    /// Queues a statement outside a transaction.
    pub fn run(&mut self, statement: &str, parameters: &[u8], extra: &Extra<'_>) {
        self.note_user(extra);
        let start = self.outbound.len();
        let session = Session { capabilities: &self.capabilities, dialect: self.dialect, tag: &self.tag };
        message::run(&mut self.outbound, statement, parameters, Some((extra, session)));
        self.hold_back_until_login(start);
        self.owe(Pending::Run);
    }

    /// Queues a statement inside the open transaction.
    pub fn run_in_transaction(&mut self, statement: &str, parameters: &[u8]) {
        let start = self.outbound.len();
        message::run(&mut self.outbound, statement, parameters, None);
        self.hold_back_until_login(start);
        self.owe(Pending::Run);
    }

    /// Queues a request for at most `rows` rows; `rows` is at least 1.
    pub fn pull(&mut self, rows: u32) {
        message::pull(&mut self.outbound, i64::from(rows.clamp(1, i32::MAX.unsigned_abs())));
        self.owe(Pending::Pull);
    }

    /// Queues a request for all rows. Use it only if another request has to follow at once: the server does not pause
    /// between rows.
    pub fn pull_all(&mut self) {
        message::pull(&mut self.outbound, -1);
        self.owe(Pending::Pull);
    }

    /// Queues a request to complete the statement and discard its rows.
    pub fn discard(&mut self) {
        message::discard(&mut self.outbound);
        self.owe(Pending::Discard);
    }

    /// Queues the start of a transaction.
    pub fn begin(&mut self, extra: &Extra<'_>) {
        self.note_user(extra);
        let start = self.outbound.len();
        let session = Session { capabilities: &self.capabilities, dialect: self.dialect, tag: &self.tag };
        message::begin(&mut self.outbound, extra, session);
        self.hold_back_until_login(start);
        self.owe(Pending::Begin);
    }

    /// Queues the commit of the transaction. Every result must have been read to its end.
    pub fn commit(&mut self) {
        message::commit(&mut self.outbound);
        self.owe(Pending::Commit);
    }

    /// Queues the rollback of the transaction.
    pub fn rollback(&mut self) {
        message::rollback(&mut self.outbound);
        self.owe(Pending::Rollback);
    }

    /// The number of bytes that are queued and not written yet.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.outbound.len() - self.sent
    }

    /// Queues a RESET. No earlier request may still be needed: some servers execute a RESET on arrival.
    pub fn reset(&mut self) {
        message::reset(&mut self.outbound);
        self.owe(Pending::Reset);
    }

    /// Sends GOODBYE if that is possible without much waiting, and closes the connection.
    pub async fn goodbye(mut self) {
        if self.is_clean() {
            message::goodbye(&mut self.outbound);
            // A courtesy: a server that does not read it sees the end of the stream.
            let _ = timeout(Duration::from_millis(100), poll_fn(|cx| self.poll_write(cx))).await;
        }
    }

    fn note_user(&mut self, extra: &Extra<'_>) {
        if self.dialect.ends_by_tag {
            self.acting_as = extra.impersonated_user.map(str::to_owned);
        }
    }

    pub(super) fn owe(&mut self, request: Pending) {
        self.pending.push_back(request);
        self.queued += 1;
    }

    /// Discards requests that were queued and never written, so that nothing is executed for a caller that has gone.
    pub(in super::super) fn forget_unsent(&mut self) {
        if self.sent == 0 && !self.outbound.is_empty() {
            if self.owes_login() {
                // The connection is not logged in as the identity that its pool takes it for.
                self.phase = Phase::Defunct(Defect::LoginUnsent);
                self.on_login = None;
            }
            self.pending.truncate(self.pending.len().saturating_sub(self.queued));
            self.clear_outbound();
        }
    }

    /// Empties the buffer once it is written or no longer needed.
    pub(super) fn clear_outbound(&mut self) {
        if std::mem::take(&mut self.secret) {
            self.outbound.zeroize();
        }
        self.outbound.clear();
        if self.outbound.capacity() > MAX_KEPT {
            self.outbound = Vec::new();
        }
        self.sent = 0;
        self.queued = 0;
        self.held_back_from = None;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::{
        super::{super::auth::AuthToken, Limits},
        *,
    };
    use crate::bolt::Recognition;

    #[tokio::test]
    async fn a_large_request_leaves_no_large_buffer_behind() {
        const SUCCESS: [u8; 7] = [0, 3, 0xB1, 0x70, 0xA0, 0, 0];
        let (ours, mut theirs) = duplex(64 * 1024);
        let server = tokio::spawn(async move {
            let (mut offer, mut rest) = ([0; 20], Vec::new());
            theirs.read_exact(&mut offer).await.unwrap();
            theirs.write_all(&[0, 0, 4, 4]).await.unwrap();
            // Replies to HELLO, BEGIN, RUN and PULL, ahead of the requests.
            theirs.write_all(&SUCCESS.repeat(4)).await.unwrap();
            theirs.read_to_end(&mut rest).await.unwrap();
            rest.len()
        });
        let limits = Limits { max_message: 1000, silence: Duration::from_secs(60) };
        let mut connection =
            Connection::open(Box::new(ours), &AuthToken::none(), Recognition::default(), limits).await.unwrap();
        connection.begin(&Extra::default());
        let statement = "x".repeat(2 * MAX_KEPT);
        connection.run_in_transaction(&statement, &[0xA0]);
        connection.pull(1);
        while connection.unsent() > 0 {
            poll_fn(|cx| connection.poll_write(cx)).await.unwrap();
        }
        assert!(connection.outbound.capacity() <= MAX_KEPT, "while the transaction is open");
        drop(connection);
        assert!(server.await.unwrap() > statement.len());
    }
}
