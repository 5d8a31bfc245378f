//! Errors of connections: refused logins, unreachable databases, lost connections.

use super::{
    Error, Kind,
    codes::{CALLER_WAITING, NO_BOLT, NO_TLS, OUTCOME_UNKNOWN, REQUEST_INVALID, UNAUTHORIZED, UNAVAILABLE, WAITING},
};
use crate::{
    auth::Identity,
    bolt::{self, Failure},
    pool::PoolError,
    telemetry::observer::RefusalReason,
};

impl Error {
    /// Returns the error for a login that the database refused.
    pub(in crate::query) fn from_login(failure: Failure, caller: &Identity) -> Self {
        let Failure { code, message, .. } = failure;
        if caller.is_service_account() {
            // The caller is not at fault and cannot fix it. The log has the reason since the login was refused.
            let message = "The database refused the gateway's service account. The gateway's log has the reason.";
            return Self::new(Kind::Unavailable, UNAVAILABLE, message);
        }
        match code.as_str() {
            UNAUTHORIZED | "Memgraph.ClientError.Security.Unauthenticated" => {
                let message = if caller.is_anonymous() {
                    "No authentication header supplied.".into()
                } else if message.starts_with("The client is unauthorized") || code != UNAUTHORIZED {
                    "Invalid credential.".into()
                } else {
                    message
                };
                Self::new(Kind::Unauthorized, UNAUTHORIZED, message)
            }
            "Neo.ClientError.Security.AuthenticationRateLimit" => Self::new(
                Kind::TooManyAttempts,
                code,
                "Too many failed authentication requests. Please wait 5 seconds and try again.",
            ),
            _ if code.contains(".Security.") => Self::new(Kind::Unauthorized, code, message),
            REQUEST_INVALID => Self::new(
                Kind::Unauthorized,
                UNAUTHORIZED,
                format!("The database did not accept the credentials, which may be too large: {message}"),
            ),
            _ => Self::new(Kind::Unavailable, code, message),
        }
    }

    /// Returns the error for a connection that was lost while a statement outside a transaction may have run.
    pub(in crate::query) fn from_lost_statement(error: &bolt::Error) -> Self {
        let message = format!("{error}; it is unknown whether the statement took effect");
        Self::new(Kind::OutcomeUnknown, OUTCOME_UNKNOWN, message)
    }

    /// Returns the error for a connection that was lost after COMMIT was sent.
    pub(in crate::query) fn from_lost_commit(error: &bolt::Error) -> Self {
        let message = format!("{error}; it is unknown whether the transaction was committed");
        Self::new(Kind::OutcomeUnknown, OUTCOME_UNKNOWN, message)
    }

    /// Returns the error for a connection that was lost while a transaction was open, before COMMIT was sent.
    pub(in crate::query) fn from_lost_transaction(error: &bolt::Error) -> Self {
        Self::new(Kind::Unavailable, UNAVAILABLE, format!("{error}; the transaction was rolled back"))
    }

    /// Returns the error for a connection to the database at `address` that could not be opened.
    pub(in crate::query) fn from_opening(error: &bolt::Error, address: &str) -> Self {
        use bolt::Error as E;
        let message = match error {
            // These errors include the address.
            E::Connect { .. } => format!("{error}; check that the database runs, and the setting database.uri"),
            E::Tls { .. } => error.to_string(),
            _ => format!("{error} ({address})"),
        };
        match error {
            // This also happens while the database starts or stops.
            E::Handshake(bolt::HandshakeError::Closed) => Self::new(Kind::Unavailable, UNAVAILABLE, message),
            // A retry cannot help before somebody has changed the configuration.
            E::Tls { .. } => Self::new(Kind::Gateway, NO_TLS, message),
            E::Handshake(_) | E::Protocol(_) | E::Decode(_) | E::MessageTooLong { .. } => {
                Self::new(Kind::Gateway, NO_BOLT, message)
            }
            _ => Self::new(Kind::Unavailable, UNAVAILABLE, message),
        }
    }

    /// Returns the error for a connection that `caller` could not get from the pool.
    pub(in crate::query) fn from_pool(error: PoolError, caller: &Identity, address: &str) -> Self {
        match error {
            PoolError::Connection(bolt::Error::Login(failure)) => Self::from_login(failure, caller),
            PoolError::Connection(error) => Self::from_opening(&error, address),
            PoolError::Expired => Self::token_expired_before(),
            PoolError::Exhausted { .. } => {
                Self::new(Kind::Unavailable, UNAVAILABLE, error.to_string()).by_limit(RefusalReason::AcquireTimeout)
            }
            PoolError::Waiting { .. } => {
                Self::new(Kind::Unavailable, WAITING, error.to_string()).by_limit(RefusalReason::Waiting)
            }
            PoolError::CallerWaiting { .. } => {
                Self::new(Kind::CallerLimit, CALLER_WAITING, error.to_string()).by_limit(RefusalReason::CallerWaiting)
            }
            PoolError::TooManyUnverified { .. } | PoolError::Closed => {
                Self::new(Kind::Unavailable, UNAVAILABLE, error.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bolt::AuthToken;

    fn failure(code: &str, message: &str, classification: Option<&str>) -> Failure {
        Failure { code: code.into(), message: message.into(), classification: classification.map(Into::into) }
    }

    #[test]
    fn refused_logins_get_the_query_apis_messages() {
        let somebody = Identity::sample(AuthToken::basic("alice", "pw"), false);
        let nobody = Identity::sample(AuthToken::none(), false);
        let neo4j = "The client is unauthorized due to authentication failure.";
        let code = "Neo.ClientError.Security.Unauthorized";
        assert_eq!(Error::from_login(failure(code, neo4j, None), &somebody).message, "Invalid credential.");
        let bearer = "Unsupported authentication token, scheme 'bearer' is not supported.";
        assert_eq!(Error::from_login(failure(code, bearer, None), &somebody).message, bearer);
        assert_eq!(Error::from_login(failure(code, "x", None), &nobody).message, "No authentication header supplied.");
        let memgraph = failure("Memgraph.ClientError.Security.Unauthenticated", "Authentication failure", None);
        let error = Error::from_login(memgraph, &somebody);
        assert_eq!(
            (error.kind, error.code.as_str(), error.message.as_str()),
            (Kind::Unauthorized, code, "Invalid credential.")
        );
    }

    #[test]
    fn a_refused_service_account_is_not_the_callers_fault() {
        let service = Identity::sample(AuthToken::basic("gateway", "pw"), true);
        let error = Error::from_login(failure(UNAUTHORIZED, "no", None), &service);
        assert_eq!((error.kind, error.code.as_str()), (Kind::Unavailable, UNAVAILABLE));
    }

    #[test]
    fn a_connection_lost_during_a_statement_leaves_its_outcome_unknown() {
        let error = Error::from_lost_statement(&bolt::Error::Closed);
        assert_eq!(error.kind, Kind::OutcomeUnknown);
        assert!(error.message.contains("unknown"));
        assert!(!error.kind.is_retryable());
        assert!(Error::from_lost_transaction(&bolt::Error::Closed).kind.is_retryable());
    }

    #[test]
    fn every_connection_error_names_the_address_once() {
        let address = "bolt://db.example:7687";
        let io = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let handshake = bolt::Error::Handshake;
        for (error, kind, class) in [
            (bolt::Error::Connect { address: address.into(), source: io() }, Kind::Unavailable, "TransientError"),
            (bolt::Error::Silent(std::time::Duration::from_secs(5)), Kind::Unavailable, "TransientError"),
            (bolt::Error::Closed, Kind::Unavailable, "TransientError"),
            (bolt::Error::Io(io()), Kind::Unavailable, "TransientError"),
            (handshake(bolt::HandshakeError::Closed), Kind::Unavailable, "TransientError"),
            (handshake(bolt::HandshakeError::Http), Kind::Gateway, "DatabaseError"),
            (handshake(bolt::HandshakeError::NotBolt(*b"SSH-")), Kind::Gateway, "DatabaseError"),
            (handshake(bolt::HandshakeError::NoCommonVersion), Kind::Gateway, "DatabaseError"),
            (bolt::Error::Tls { address: address.into(), source: io() }, Kind::Gateway, "DatabaseError"),
            (bolt::Error::Protocol("x"), Kind::Gateway, "DatabaseError"),
        ] {
            let told = Error::from_opening(&error, address);
            assert_eq!((told.kind, told.code.split('.').nth(1)), (kind, Some(class)), "{told}");
            assert_eq!(told.message.matches(address).count(), 1, "{told}");
            assert_eq!(told.kind.is_retryable(), class == "TransientError", "{told}: clients rely on either");
        }
    }
}
