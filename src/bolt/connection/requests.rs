//! Queueing requests: what is queued travels with the next write.

use std::{future::poll_fn, time::Duration};

use tokio::time::timeout;
use zeroize::Zeroize;

use super::{
    super::message::{self, Extra, Session},
    Connection, Defect, Pending, Phase,
};

/// A buffer of requests that has grown beyond this is given back as soon as they are written, in bytes. A transaction can be
/// idle for long after its largest statement.
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

    /// Queues a request for all rows, however many. Only where something has to travel behind it: the server is not told
    /// to wait.
    pub fn pull_all(&mut self) {
        message::pull(&mut self.outbound, -1);
        self.owe(Pending::Pull);
    }

    /// Queues a request to carry the statement out to its end without its rows.
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

    /// Queues the transaction's commit. Every result must have been read to its end.
    pub fn commit(&mut self) {
        message::commit(&mut self.outbound);
        self.owe(Pending::Commit);
    }

    /// Queues the transaction's roll-back.
    pub fn rollback(&mut self) {
        message::rollback(&mut self.outbound);
        self.owe(Pending::Rollback);
    }

    /// How much is queued and not written yet, in bytes.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.outbound.len() - self.sent
    }

    /// Queues a RESET. Never behind a request that is still wanted: some servers carry it out on arrival.
    pub fn reset(&mut self) {
        message::reset(&mut self.outbound);
        self.owe(Pending::Reset);
    }

    /// Says good-bye and closes, as far as that needs no waiting.
    pub async fn goodbye(mut self) {
        if self.is_clean() {
            message::goodbye(&mut self.outbound);
            // Courtesy only: a peer that does not take it gets the end of the stream.
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

    /// Takes back what was queued and never written, so that nothing is carried out for a caller who has left.
    pub(in super::super) fn forget_unsent(&mut self) {
        if self.sent == 0 && !self.outbound.is_empty() {
            if self.owes_login() {
                // Whom the connection should have served and whom it does serve are no longer the same.
                self.phase = Phase::Defunct(Defect::LoginUnsent);
                self.on_login = None;
            }
            self.pending.truncate(self.pending.len().saturating_sub(self.queued));
            self.clear_outbound();
        }
    }

    /// What was queued is written, or not wanted any more.
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
            // For HELLO, BEGIN, RUN and PULL, before they come.
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
        assert!(connection.outbound.capacity() <= MAX_KEPT, "while the transaction goes on");
        drop(connection);
        assert!(server.await.unwrap() > statement.len());
    }
}
