//! The memory of all request bodies together.
//!
//! Owns `limits.body_memory`. The bytes of a body are counted here before they are read, and until nothing of the body
//! is left; a body that does not fit is refused. The first MiB is open to any caller, so a small body costs a few
//! additions. Beyond it, only callers that the database has accepted get memory: a caller that is not known yet is
//! verified before its body is read. So all unverified callers together have no more than that MiB, and cannot
//! keep others out by filling it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use axum::body::Body;

use super::admission::held_by;
use crate::{
    query::{Error, Kind},
    telemetry::observer::RefusalReason,
};

/// The memory that any caller may use, in bytes.
const UNVERIFIED: usize = 1024 * 1024;
/// Bodies of up to this many bytes are counted there, whether their callers are known or not.
const SMALL: usize = 16 * 1024;

/// The memory taken by all request bodies, in bytes.
#[derive(Debug)]
pub(super) struct BodyMemory {
    limit: AtomicUsize,
    /// Taken from the part that any caller may use.
    unverified: AtomicUsize,
    /// Taken from the rest.
    verified: AtomicUsize,
}

/// The memory that one body has taken. Dropping it gives the memory back.
#[derive(Debug)]
pub(super) struct Hold {
    memory: Arc<BodyMemory>,
    bytes: usize,
    is_verified: bool,
}

/// The caller that sends a body.
pub(super) trait Sender: Sync {
    /// Whether the database has accepted this caller recently.
    fn is_known(&self) -> bool;

    /// Asks the database whether it accepts this caller.
    fn verify(&self) -> impl Future<Output = Result<(), Error>> + Send;
}

impl BodyMemory {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit: AtomicUsize::new(limit), unverified: AtomicUsize::new(0), verified: AtomicUsize::new(0) }
    }

    /// Changes the limit. What is taken already stays taken.
    pub(super) fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Relaxed);
    }

    fn limit(&self) -> usize {
        self.limit.load(Relaxed)
    }

    fn take_unverified(&self, bytes: usize) -> bool {
        let taken = self.unverified.fetch_add(bytes, Relaxed) + bytes;
        let fits = taken <= UNVERIFIED && taken + self.verified.load(Relaxed) <= self.limit();
        if !fits {
            self.unverified.fetch_sub(bytes, Relaxed);
        }
        fits
    }

    fn take_verified(&self, bytes: usize) -> bool {
        let taken = self.verified.fetch_add(bytes, Relaxed) + bytes;
        let fits = taken + self.unverified.load(Relaxed) <= self.limit();
        if !fits {
            self.verified.fetch_sub(bytes, Relaxed);
        }
        fits
    }
}

impl Hold {
    /// A hold on nothing yet.
    pub(super) fn new(memory: &Arc<BodyMemory>) -> Self {
        Self { memory: Arc::clone(memory), bytes: 0, is_verified: false }
    }

    /// Raises the hold to `bytes` in all, if that can be done at once, as it can for nearly every body. Returns `false`
    /// if it takes [`Hold::reserve`].
    pub(super) fn try_reserve(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let fits = more == 0
            || if self.is_verified {
                self.memory.take_verified(more)
            } else {
                bytes <= SMALL && self.memory.take_unverified(more)
            };
        if fits {
            self.bytes += more;
        }
        fits
    }

    /// Raises the hold to `bytes` in all, and verifies the sender first if that is more than unverified callers may
    /// have.
    ///
    /// # Errors
    /// When no memory is left, or the database does not accept the sender.
    pub(super) async fn reserve(&mut self, bytes: usize, sender: &impl Sender) -> Result<(), Error> {
        if self.try_reserve(bytes) {
            return Ok(());
        }
        if !self.is_verified {
            let more = bytes - self.bytes;
            if !sender.is_known() {
                if self.memory.take_unverified(more) {
                    self.bytes = bytes;
                    return Ok(());
                }
                sender.verify().await?;
            }
            if self.memory.take_verified(bytes) {
                self.memory.unverified.fetch_sub(self.bytes, Relaxed);
                (self.bytes, self.is_verified) = (bytes, true);
                return Ok(());
            }
        }
        Err(Error::new(
            Kind::Unavailable,
            "Boltgate.TransientError.Limit.BodyMemory",
            format!(
                "Other request bodies leave no room for the {bytes} bytes of this one: together they may take {} bytes \
                 (limits.body_memory). Nothing was done; try again later.",
                self.memory.limit()
            ),
        )
        .by_limit(RefusalReason::BodyMemory))
    }

    /// Moves the hold to the reader of the body.
    pub(super) fn take(&mut self) -> Self {
        let empty = Self::new(&self.memory);
        std::mem::replace(self, empty)
    }

    /// Gives back everything beyond `bytes`.
    pub(super) fn shrink(&mut self, bytes: usize) {
        let less = self.bytes.saturating_sub(bytes);
        if less == 0 {
            return;
        }
        let part = if self.is_verified { &self.memory.verified } else { &self.memory.unverified };
        part.fetch_sub(less, Relaxed);
        self.bytes -= less;
    }

    /// Ties the hold to the body of an answer, for an answer that needs its request until it has been sent.
    pub(super) fn until_sent(self, body: Body) -> Body {
        if !self.is_verified {
            return body;
        }
        held_by(body, self)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.shrink(0);
    }
}

/// A caller that the database does not accept.
#[cfg(test)]
pub(super) struct Unverified;

#[cfg(test)]
impl Sender for Unverified {
    fn is_known(&self) -> bool {
        false
    }

    async fn verify(&self) -> Result<(), Error> {
        Err(Error::new(Kind::Unauthorized, "", "not known"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use axum::body::HttpBody as _;

    use super::*;

    const MIB: usize = 1024 * 1024;

    /// A caller with valid credentials, which the database knows or not.
    struct Honest {
        known: AtomicBool,
    }

    impl Sender for Honest {
        fn is_known(&self) -> bool {
            self.known.load(Relaxed)
        }

        async fn verify(&self) -> Result<(), Error> {
            self.known.store(true, Relaxed);
            Ok(())
        }
    }

    fn honest(known: bool) -> Honest {
        Honest { known: AtomicBool::new(known) }
    }

    fn taken(memory: &BodyMemory) -> (usize, usize) {
        (memory.unverified.load(Relaxed), memory.verified.load(Relaxed))
    }

    async fn held(memory: &Arc<BodyMemory>, bytes: usize, sender: &impl Sender) -> Result<Hold, Error> {
        let mut hold = Hold::new(memory);
        hold.reserve(bytes, sender).await.map(|()| hold)
    }

    #[tokio::test]
    async fn unverified_callers_share_a_mib_and_keep_nobody_out() {
        let memory = Arc::new(BodyMemory::new(64 * MIB));
        let refused = held(&memory, MIB + 1, &Unverified).await.unwrap_err();
        assert_eq!(refused.kind, Kind::Unauthorized);
        let mut holds = Vec::new();
        while let Ok(hold) = held(&memory, 10_000, &Unverified).await {
            holds.push(hold);
        }
        assert_eq!((holds.len(), taken(&memory)), (MIB / 10_000, (MIB / 10_000 * 10_000, 0)));
        // Small bodies of known and of unknown callers, and large ones of both.
        for known in [true, false] {
            for bytes in [9000, 20 * MIB] {
                let someone = honest(known);
                let _hold = held(&memory, bytes, &someone).await.unwrap();
                assert_eq!(taken(&memory).1, bytes, "{known} {bytes}");
                assert!(someone.is_known());
            }
        }
        drop(holds);
        assert_eq!(taken(&memory), (0, 0));
    }

    #[tokio::test]
    async fn all_bodies_together_stay_within_the_limit() {
        let memory = Arc::new(BodyMemory::new(10 * MIB));
        let first = held(&memory, 6 * MIB, &honest(true)).await.unwrap();
        let refused = held(&memory, 6 * MIB, &honest(true)).await.unwrap_err();
        assert_eq!((refused.kind, &*refused.code), (Kind::Unavailable, "Boltgate.TransientError.Limit.BodyMemory"));
        assert!(refused.message.contains("10485760 bytes (limits.body_memory)"), "{refused}");
        let second = held(&memory, 4 * MIB, &honest(true)).await.unwrap();
        assert!(held(&memory, 1, &honest(true)).await.is_err(), "the part open to any caller counts as well");
        drop((first, second));
        assert!(held(&memory, 10 * MIB, &honest(true)).await.is_ok());
        assert_eq!(taken(&memory), (0, 0), "a refused body takes nothing");
    }

    #[tokio::test]
    async fn a_body_that_grows_moves_to_the_large_part() {
        let memory = Arc::new(BodyMemory::new(10 * MIB));
        let someone = honest(false);
        let mut hold = Hold::new(&memory);
        for bytes in [100, SMALL, SMALL + 1] {
            hold.reserve(bytes, &someone).await.unwrap();
            assert_eq!(taken(&memory), (bytes, 0));
        }
        hold.reserve(2 * MIB, &someone).await.unwrap();
        assert_eq!(taken(&memory), (0, 2 * MIB));
        hold.reserve(3 * MIB, &someone).await.unwrap();
        hold.shrink(MIB);
        assert_eq!(taken(&memory), (0, MIB));
        let moved = hold.take();
        drop(hold);
        assert_eq!(taken(&memory), (0, MIB));
        drop(moved);
        assert_eq!(taken(&memory), (0, 0));
    }

    #[tokio::test]
    async fn a_body_is_counted_until_its_answer_is_sent() {
        let memory = Arc::new(BodyMemory::new(10 * MIB));
        let answer = held(&memory, 2 * MIB, &honest(true)).await.unwrap().until_sent(Body::from("x"));
        assert_eq!((taken(&memory), answer.size_hint().exact()), ((0, 2 * MIB), Some(1)));
        drop(answer);
        assert_eq!(taken(&memory), (0, 0));
    }
}
