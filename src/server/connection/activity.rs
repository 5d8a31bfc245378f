//! What one connection is doing. Its socket, its requests and its clock each know a part of that, and meet here.
//!
//! All of it is plain counters and flags: on HTTP/1 everything happens in one task, on HTTP/2 each request has its own.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
};

use tokio::{
    net::tcp::OwnedReadHalf,
    time::{Duration, Instant},
};

use super::request_body::Rest;

/// Stands for "no such moment".
const NEVER: u64 = u64::MAX;

/// The state of one connection.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    http2: AtomicBool,
    /// Requests whose answers are not complete.
    open: AtomicU32,
    /// Of these, requests whose answers have not begun.
    unanswered: AtomicU32,
    /// When the last answer was complete; [`NEVER`] before the first request.
    idle_since: AtomicU64,
    /// When the first byte of a head came that is not complete yet.
    head_since: AtomicU64,
    /// Bytes of an answer wait for the client to take others.
    writing: AtomicBool,
    /// The connection has reached its greatest age.
    old: AtomicBool,
    /// The client may still be sending what nobody will read.
    unread: AtomicBool,
    /// What a handler has left of a request body, on HTTP/1.
    rest: Mutex<Option<Rest>>,
    /// Where that arrives, once the connection is over.
    unread_from: Mutex<Option<OwnedReadHalf>>,
}

/// What the clock has to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// No request has come, and no byte of one.
    Fresh(Instant),
    /// A head is arriving since then.
    Head(Instant),
    /// Requests are being answered.
    Busy,
    /// All requests have been answered since then.
    Idle(Instant),
}

impl Default for Activity {
    fn default() -> Self {
        Self {
            opened: Instant::now(),
            http2: AtomicBool::new(false),
            open: AtomicU32::new(0),
            unanswered: AtomicU32::new(0),
            idle_since: AtomicU64::new(NEVER),
            head_since: AtomicU64::new(NEVER),
            writing: AtomicBool::new(false),
            old: AtomicBool::new(false),
            unread: AtomicBool::new(false),
            rest: Mutex::default(),
            unread_from: Mutex::default(),
        }
    }
}

impl Activity {
    pub(super) fn opened(&self) -> Instant {
        self.opened
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
            (None, None) => Stage::Fresh(self.opened),
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

    pub(super) fn is_http2(&self) -> bool {
        self.http2.load(Relaxed)
    }

    pub(super) fn speaks_http2(&self) {
        self.http2.store(true, Relaxed);
    }

    /// Bytes came. Between two requests of HTTP/1 they begin a head, but for empty lines, which mean nothing there.
    pub(super) fn received(&self, bytes: &[u8]) {
        if self.is_busy() || self.is_http2() || self.head_since.load(Relaxed) != NEVER {
            return;
        }
        if bytes.iter().any(|byte| !matches!(byte, b'\r' | b'\n')) {
            self.head_since.store(self.now(), Relaxed);
        }
    }

    /// Whether bytes of an answer wait for the client to take others.
    pub(super) fn set_writing(&self, writing: bool) {
        if self.writing.load(Relaxed) == writing {
            return;
        }
        self.writing.store(writing, Relaxed);
        if !writing && !self.is_busy() {
            self.idle_since.store(self.now(), Relaxed);
        }
    }

    pub(super) fn is_old(&self) -> bool {
        self.old.load(Relaxed)
    }

    pub(super) fn grow_old(&self) {
        self.old.store(true, Relaxed);
    }

    pub(super) fn has_unread(&self) -> bool {
        self.unread.load(Relaxed)
    }

    /// The rest of a request, or what follows a head that makes no sense, is not going to be read.
    pub(super) fn leave_unread(&self) {
        self.unread.store(true, Relaxed);
    }

    /// Keeps what a handler has left of a request body.
    pub(super) fn put_rest(&self, rest: Rest) {
        *self.rest.lock().unwrap_or_else(PoisonError::into_inner) = Some(rest);
    }

    pub(super) fn take_rest(&self) -> Option<Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Keeps the half of a socket from which nobody will read any more.
    pub(super) fn put_unread(&self, from: OwnedReadHalf) {
        *self.unread_from.lock().unwrap_or_else(PoisonError::into_inner) = Some(from);
    }

    pub(super) fn take_unread(&self) -> Option<OwnedReadHalf> {
        self.unread_from.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(NEVER - 1)
    }
}

/// A request, from its head to the last byte of its answer.
#[derive(Debug)]
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

    /// The head of the answer is there.
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
