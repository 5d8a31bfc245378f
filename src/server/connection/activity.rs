//! What one connection is doing. Its socket, its requests and its timer each know a part of that and share it here.
//!
//! The state consists of plain counters and flags. On HTTP/1 everything happens in one task; on HTTP/2 each request has
//! its own.

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError,
    atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
};

use tokio::{
    io::AsyncRead,
    time::{Duration, Instant},
};

use super::unread_body::UnreadBody;
use crate::{
    drain::Drain,
    telemetry::observer::{ClientClose, HttpProtocol},
};

/// The half of a socket from which nothing more will be used.
pub(super) type UnreadHalf = Box<dyn AsyncRead + Send + Unpin>;

/// Stands for "no such moment".
const NEVER: u64 = u64::MAX;

/// The state of one connection.
pub(in crate::server) struct Activity {
    opened: Instant,
    /// When HTTP could begin, which is after the TLS handshake: in microseconds since `opened`.
    ready_since: AtomicU64,
    drain: Drain,
    /// Unknown before the first byte.
    protocol: OnceLock<HttpProtocol>,
    /// Unknown before the end is certain.
    close: OnceLock<ClientClose>,
    /// Requests whose answers are not complete.
    open: AtomicU32,
    /// Requests among those in `open` whose answers have not begun.
    unanswered: AtomicU32,
    /// When the last answer was complete, in microseconds since `opened`; [`NEVER`] before the first request.
    idle_since: AtomicU64,
    /// When the first byte of an incomplete head came, in microseconds since `opened`.
    head_since: AtomicU64,
    /// Bytes of an answer wait until the client takes others.
    writing: AtomicBool,
    /// The connection has reached its maximum age.
    old: AtomicBool,
    /// The client may still be sending, and nothing of it will be used.
    unread: AtomicBool,
    /// The rest of a request body that a handler has not read, on HTTP/1.
    unread_body: Mutex<Option<UnreadBody>>,
    /// Where unread bytes arrive once the socket is closed.
    unread_half: Mutex<Option<UnreadHalf>>,
}

/// What the timer measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// No byte of a request has come since the connection was opened.
    Fresh(Instant),
    /// A head has been arriving since then.
    Head(Instant),
    /// Requests are being answered.
    Busy,
    /// All requests were answered by then.
    Idle(Instant),
}

impl Activity {
    /// A connection that was just opened, in a gateway that may be about to stop.
    pub(in crate::server) fn new(drain: Drain) -> Self {
        Self {
            opened: Instant::now(),
            ready_since: AtomicU64::new(0),
            drain,
            protocol: OnceLock::new(),
            close: OnceLock::new(),
            open: AtomicU32::new(0),
            unanswered: AtomicU32::new(0),
            idle_since: AtomicU64::new(NEVER),
            head_since: AtomicU64::new(NEVER),
            writing: AtomicBool::new(false),
            old: AtomicBool::new(false),
            unread: AtomicBool::new(false),
            unread_body: Mutex::default(),
            unread_half: Mutex::default(),
        }
    }

    pub(super) fn opened(&self) -> Instant {
        self.opened
    }

    /// Notes that HTTP can begin. Returns when that is.
    pub(super) fn set_ready(&self) -> Instant {
        let now = self.now();
        self.ready_since.store(now, Relaxed);
        self.opened + Duration::from_micros(now)
    }

    pub(super) fn stage(&self) -> Stage {
        let moment = |micros: &AtomicU64| match micros.load(Relaxed) {
            NEVER => None,
            micros => Some(self.opened + Duration::from_micros(micros)),
        };
        if self.is_busy() || self.writing.load(Relaxed) {
            return Stage::Busy;
        }
        match (moment(&self.head_since), moment(&self.idle_since)) {
            (Some(since), _) => Stage::Head(since),
            (None, Some(since)) => Stage::Idle(since),
            (None, None) => Stage::Fresh(moment(&self.ready_since).unwrap_or(self.opened)),
        }
    }

    /// Whether requests are being answered.
    pub(super) fn is_busy(&self) -> bool {
        self.open.load(Relaxed) > 0
    }

    /// Whether an answer has yet to begin.
    pub(super) fn is_unanswered(&self) -> bool {
        self.unanswered.load(Relaxed) > 0
    }

    pub(in crate::server) fn protocol(&self) -> Option<HttpProtocol> {
        self.protocol.get().copied()
    }

    pub(super) fn set_protocol(&self, protocol: HttpProtocol) {
        let _ = self.protocol.set(protocol);
    }

    pub(super) fn is_http2(&self) -> bool {
        self.protocol() == Some(HttpProtocol::Http2)
    }

    /// Why the connection ends. Without a recorded reason, something went wrong.
    pub(in crate::server) fn close(&self) -> ClientClose {
        self.close.get().copied().unwrap_or(ClientClose::Error)
    }

    /// Whether the connection ends because its client takes nothing.
    pub(super) fn is_stalled(&self) -> bool {
        self.close.get() == Some(&ClientClose::WriteStall)
    }

    /// Notes why the connection ends. The first one who knows is right: all others see the consequences.
    pub(in crate::server) fn set_close(&self, reason: ClientClose) {
        let _ = self.close.set(reason);
    }

    /// Notes bytes of the client. Between two requests of HTTP/1 they begin a head, except for empty lines.
    pub(super) fn received(&self, bytes: &[u8]) {
        if self.is_busy() || self.is_http2() || self.head_since.load(Relaxed) != NEVER {
            return;
        }
        if bytes.iter().any(|byte| !matches!(byte, b'\r' | b'\n')) {
            self.head_since.store(self.now(), Relaxed);
        }
    }

    /// Notes whether bytes of an answer wait until the client takes others.
    pub(super) fn set_writing(&self, writing: bool) {
        if self.writing.load(Relaxed) == writing {
            return;
        }
        self.writing.store(writing, Relaxed);
        if !writing && !self.is_busy() {
            self.idle_since.store(self.now(), Relaxed);
        }
    }

    /// Why the next answer has to be the last one, if it has to be.
    pub(super) fn ends_with_answer(&self) -> Option<ClientClose> {
        if self.drain.has_begun() {
            return Some(ClientClose::Drain);
        }
        self.old.load(Relaxed).then_some(ClientClose::Age)
    }

    /// Notes that the connection has reached its maximum age.
    pub(super) fn set_old(&self) {
        self.old.store(true, Relaxed);
    }

    /// Whether [`Self::leave_unread`] was called.
    pub(super) fn has_unread(&self) -> bool {
        self.unread.load(Relaxed)
    }

    /// Notes that the rest of a request, or what follows a malformed head, will not be read.
    pub(super) fn leave_unread(&self) {
        self.unread.store(true, Relaxed);
    }

    /// Keeps the rest of a request body that a handler has dropped.
    pub(super) fn put_unread_body(&self, body: UnreadBody) {
        *self.unread_body.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
    }

    pub(super) fn take_unread_body(&self) -> Option<UnreadBody> {
        self.unread_body.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Keeps the half of a closed socket on which the client may still be sending.
    pub(super) fn put_unread_half(&self, half: UnreadHalf) {
        *self.unread_half.lock().unwrap_or_else(PoisonError::into_inner) = Some(half);
    }

    pub(super) fn take_unread_half(&self) -> Option<UnreadHalf> {
        self.unread_half.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(NEVER - 1)
    }
}

/// A request, from its head to the last byte of its answer.
pub(super) struct Open {
    activity: Arc<Activity>,
    unanswered: bool,
}

impl Open {
    pub(super) fn new(activity: &Arc<Activity>) -> Self {
        activity.head_since.store(NEVER, Relaxed);
        activity.open.fetch_add(1, Relaxed);
        activity.unanswered.fetch_add(1, Relaxed);
        Self { activity: Arc::clone(activity), unanswered: true }
    }

    pub(super) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// Notes that the head of the answer is there.
    pub(super) fn answered(&mut self) {
        if std::mem::take(&mut self.unanswered) {
            self.activity.unanswered.fetch_sub(1, Relaxed);
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.answered();
        self.activity.idle_since.store(self.activity.now(), Relaxed);
        self.activity.open.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
impl Default for Activity {
    fn default() -> Self {
        Self::new(Drain::default())
    }
}
