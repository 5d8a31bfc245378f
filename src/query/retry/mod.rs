//! Retries: which failures may be retried, after which pause, and when to give up.

mod attempts;

pub(super) use self::attempts::Attempts;
pub use self::attempts::{Attempted, Retry};
