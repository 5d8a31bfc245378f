//! Translation of errors and logins into events for the observer.

use super::error::PoolError;
use crate::{
    auth::Identity,
    bolt::{self, Failure},
    telemetry::observer::{AcquireFailure, AuthFailure, ConnectFailure, LoginRefused, Observer},
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
        PoolError::Waiting { .. } | PoolError::CallerWaiting { .. } => AcquireFailure::QueueFull,
        PoolError::TooManyUnverified { .. } => AcquireFailure::LoginLaneFull,
        PoolError::Connection(_) => AcquireFailure::Connection,
        PoolError::Expired => AcquireFailure::Expired,
        PoolError::Closed => AcquireFailure::Stopping,
    }
}

/// Reports that a caller is not authenticated, if that is why a request got no connection.
pub(super) fn credential_refused(observer: &dyn Observer, identity: &Identity, error: &PoolError) {
    match error {
        PoolError::Connection(bolt::Error::Login(failure)) => login_denied(observer, identity, failure),
        PoolError::Expired => observer.authentication_failed(AuthFailure::Expired),
        _ => {}
    }
}

/// Reports that a caller is not authenticated because the database refused its login. The gateway's own account is not
/// the caller's fault, and a limit on sessions says nothing about who it is.
pub(super) fn login_denied(observer: &dyn Observer, identity: &Identity, failure: &Failure) {
    if identity.is_service_account() || failure.is_session_limit() {
        return;
    }
    observer.authentication_failed(if failure.is_rate_limit() {
        AuthFailure::RateLimited
    } else {
        AuthFailure::Refused
    });
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
