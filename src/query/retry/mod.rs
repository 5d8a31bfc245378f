//! Retries: which failures may be retried, after which pause, and when to give up. Boltgate retries only what is safe
//! to retry.

mod attempts;
mod policy;

pub(super) use self::attempts::Attempts;
pub use self::{attempts::Attempted, policy::Retry};
