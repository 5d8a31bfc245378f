//! Whether the gateway is about to stop: SIGTERM begins that, and every room may ask.
//!
//! Promises that asking is as cheap as reading a flag, and that a drain that has begun never ends. Knows nothing of
//! what others do then.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// The flag, shared by clones.
#[derive(Debug, Clone, Default)]
pub struct Drain(Arc<AtomicBool>);

impl Drain {
    /// Begins to drain.
    pub fn begin(&self) {
        self.0.store(true, Relaxed);
    }

    /// Whether the gateway is about to stop.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.load(Relaxed)
    }
}
