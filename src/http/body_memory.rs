//! The memory of all request bodies together.
//!
//! Owns `limits.body_memory`. Whoever reads a body has its bytes counted here before they are read, and until nothing of
//! it is left; what does not fit is refused. The first MiB is for anybody, so a small body costs a few additions, whoever
//! sends it. What does not fit there is for callers whom the database has accepted: whoever is not known yet has to prove
//! the login before the body is read. So all strangers together have no more than that MiB, and cannot keep anybody out by
//! filling it.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

use crate::{
    auth::Identity,
    query::{Engine, Error, Kind},
};

/// For bodies of whoever asks, in bytes.
const ANYBODYS: usize = 1024 * 1024;
/// Bodies of up to so many bytes share that part whether or not their callers are known.
const SMALL: usize = 16 * 1024;

/// How much is taken, in bytes.
#[derive(Debug)]
pub(super) struct BodyMemory {
    limit: usize,
    /// Of the part that is for anybody.
    anybodys: AtomicUsize,
    /// Of the rest.
    proven: AtomicUsize,
}

/// What one body has taken; dropping it gives that back.
#[derive(Debug)]
pub(super) struct Hold {
    memory: Arc<BodyMemory>,
    bytes: usize,
    is_proven: bool,
}

/// Who wants to send a body.
#[derive(Clone, Copy)]
pub(super) struct Sender<'a> {
    pub(super) engine: &'a Engine,
    pub(super) caller: &'a Identity,
}

impl BodyMemory {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, anybodys: AtomicUsize::new(0), proven: AtomicUsize::new(0) }
    }

    fn take_anybodys(&self, bytes: usize) -> bool {
        let taken = self.anybodys.fetch_add(bytes, Relaxed) + bytes;
        let fits = taken <= ANYBODYS && taken + self.proven.load(Relaxed) <= self.limit;
        if !fits {
            self.anybodys.fetch_sub(bytes, Relaxed);
        }
        fits
    }

    fn take_proven(&self, bytes: usize) -> bool {
        let taken = self.proven.fetch_add(bytes, Relaxed) + bytes;
        let fits = taken + self.anybodys.load(Relaxed) <= self.limit;
        if !fits {
            self.proven.fetch_sub(bytes, Relaxed);
        }
        fits
    }
}

impl Hold {
    /// Nothing yet.
    pub(super) fn new(memory: &Arc<BodyMemory>) -> Self {
        Self { memory: Arc::clone(memory), bytes: 0, is_proven: false }
    }

    /// Has `bytes` counted in all. True when that could be done at once, as for nearly every body; otherwise
    /// [`Hold::cover`] has to find out.
    pub(super) fn covers(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let fits = more == 0
            || if self.is_proven { self.memory.take_proven(more) } else { bytes <= SMALL && self.memory.take_anybodys(more) };
        if fits {
            self.bytes += more;
        }
        fits
    }

    /// Has `bytes` counted in all, and the sender's login proved if that is more than strangers may have.
    ///
    /// # Errors
    /// When there is no room, or the database does not accept the sender.
    pub(super) async fn cover(&mut self, bytes: usize, sender: Sender<'_>) -> Result<(), Error> {
        if self.covers(bytes) {
            return Ok(());
        }
        if !self.is_proven {
            let more = bytes - self.bytes;
            if !sender.engine.knows(sender.caller) {
                if self.memory.take_anybodys(more) {
                    self.bytes = bytes;
                    return Ok(());
                }
                sender.engine.verify(sender.caller).await?;
            }
            if self.memory.take_proven(bytes) {
                self.memory.anybodys.fetch_sub(self.bytes, Relaxed);
                (self.bytes, self.is_proven) = (bytes, true);
                return Ok(());
            }
        }
        Err(Error::new(
            Kind::Unavailable,
            "Boltgate.TransientError.Limit.BodyMemory",
            format!(
                "The request bodies under way leave no room for the {bytes} bytes of this one: together they may have {} \
                 bytes (limits.body_memory). Nothing was done; try again later.",
                self.memory.limit
            ),
        ))
    }

    /// Gives back what is more than `bytes`.
    pub(super) fn shrink(&mut self, bytes: usize) {
        let less = self.bytes.saturating_sub(bytes);
        let part = if self.is_proven { &self.memory.proven } else { &self.memory.anybodys };
        part.fetch_sub(less, Relaxed);
        self.bytes -= less;
    }

    /// The same body, with this counted until it is over: its answer comes of a request that is held on to.
    pub(super) fn until_sent(self, body: Body) -> Body {
        if self.is_proven { Body::new(Held { body, _hold: self }) } else { body }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.shrink(0);
    }
}

struct Held {
    body: Body,
    _hold: Hold,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}
