//! Translation of errors and logins into events for the observer.

use super::error::PoolError;
use crate::{
    auth::Identity,
    bolt::{self, Failure},
    telemetry::observer::{AcquireFailure, ConnectFailure, LoginRefused, Observer},
};

/// What failed when no connection could be opened.
pub(super) fn connect_failure(error: &bolt::Error) -> ConnectFailure {
    use bolt::Error as E;
    match error {
        E::Connect { .. } | E::Io(_) | E::Closed => ConnectFailure::Unreachable,
        E::Tls { .. } => ConnectFailure::Tls,
        E::Silent(_) => ConnectFailure::Timeout,
        E::Login(_) => ConnectFailure::Login,
        E::Handshake(_) | E::Protocol(_) | E::Decode(_) | E::MessageTooLong { .. } => ConnectFailure::Handshake,
    }
}

/// Why a request received no connection.
pub(super) fn acquire_failure(error: &PoolError) -> AcquireFailure {
    match error {
        PoolError::Exhausted { .. } => AcquireFailure::Exhausted,
        PoolError::TooManyUnverified { .. } => AcquireFailure::LoginLaneFull,
        PoolError::Connection(_) => AcquireFailure::Connection,
        PoolError::Expired => AcquireFailure::Expired,
        PoolError::Closed => AcquireFailure::Stopping,
    }
}

/// Reports how a login as `identity` ended.
pub(super) fn login_ended(observer: &dyn Observer, identity: &Identity, outcome: Result<(), &Failure>) {
    match outcome {
        Ok(()) => observer.login_accepted(),
        Err(failure) => observer.login_refused(&LoginRefused {
            code: &failure.code,
            message: &failure.message,
            service_account: identity.is_service_account(),
            session_limit: failure.is_session_limit(),
        }),
    }
}
