//! Retries: which failures may be retried, after which pause, and when to give up.

mod attempts;
mod policy;

pub(super) use self::attempts::Attempts;
pub use self::{attempts::Attempted, policy::Retry};
