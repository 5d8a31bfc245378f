//! How many requests are in flight, in total and of each caller.
//!
//! Owns `limits.requests` and `limits.caller_requests`. A request under `/db/` is in flight from its head until the
//! last byte of its answer was handed over, or its client has left: its [`Ticket`] travels with the answer's body. A
//! request that arrives when there are too many is refused at once, before anything else of it is examined; a caller's
//! own limit is checked as soon as it is known who calls. Callers without a request in flight are not remembered.

use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use axum::{
    body::Body,
    http::{Method, Uri},
    response::Response,
};
use http_body_util::BodyExt as _;

use super::path::{DB, is_mcp};
use crate::{
    auth::{ByIdentity, IdentityKey},
    query::{Error, Kind},
    telemetry::observer::RefusalReason,
};

/// The requests in flight.
#[derive(Default)]
pub(super) struct Admission {
    requests: AtomicUsize,
    callers: Mutex<ByIdentity<usize>>,
}

/// A request in flight, until this is dropped.
pub(super) struct Ticket {
    admission: Arc<Admission>,
    /// Whose request it is, once that is known.
    caller: OnceLock<IdentityKey>,
}

/// Whether a request counts: one that may use a database.
pub(super) fn counts(method: &Method, uri: &Uri) -> bool {
    // Of what HEAD can ask for, only named queries run statements.
    let asks_nothing = *method == Method::OPTIONS || *method == Method::HEAD && !uri.path().contains("/named/");
    (uri.path().starts_with(DB) || is_mcp(uri.path())) && !asks_nothing
}

impl Admission {
    /// Admits a request, unless `limit` requests are in flight.
    ///
    /// # Errors
    /// The refusal.
    pub(super) fn admit(self: &Arc<Self>, limit: usize) -> Result<Ticket, Error> {
        let admitted =
            self.requests.fetch_update(Relaxed, Relaxed, |requests| (requests < limit).then_some(requests + 1));
        match admitted {
            Ok(_) => Ok(Ticket { admission: Arc::clone(self), caller: OnceLock::new() }),
            Err(_) => Err(Error::new(
                Kind::Unavailable,
                "Boltgate.TransientError.Limit.Requests",
                format!(
                    "The gateway serves {limit} requests already, as many as it may (limits.requests = {limit}). Nothing \
                     was done; try again later."
                ),
            )
            .by_limit(RefusalReason::Requests)),
        }
    }

    fn callers(&self) -> MutexGuard<'_, ByIdentity<usize>> {
        // The map is consistent after every statement, so a panic of another thread does no harm.
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Counts the request as one of `caller`, unless the caller has `limit` in flight.
    ///
    /// # Errors
    /// The refusal.
    pub(super) fn of_caller(&self, caller: IdentityKey, limit: usize) -> Result<(), Error> {
        let mut callers = self.admission.callers();
        let requests = callers.get(&caller).copied().unwrap_or(0);
        if requests >= limit {
            return Err(Error::new(
                Kind::CallerLimit,
                "Boltgate.TransientError.Limit.CallerRequests",
                format!(
                    "{limit} requests of this caller are in flight already, as many as one caller may have \
                     (limits.caller_requests = {limit}). Nothing was done; send fewer at a time."
                ),
            )
            .by_limit(RefusalReason::CallerRequests));
        }
        // A request is authenticated once.
        if self.caller.set(caller).is_ok() {
            callers.insert(caller, requests + 1);
        }
        Ok(())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.admission.requests.fetch_sub(1, Relaxed);
        let Some(caller) = self.caller.get() else { return };
        let mut callers = self.admission.callers();
        match callers.get_mut(caller) {
            Some(requests) if *requests > 1 => *requests -= 1,
            _ => drop(callers.remove(caller)),
        }
    }
}

/// Keeps `held` until the body of `response` has been sent, or its client has left.
pub(super) fn until_sent<T: Send + 'static>(response: Response, held: T) -> Response {
    response.map(|body| held_by(body, held))
}

/// Ties `held` to a body.
pub(super) fn held_by<T: Send + 'static>(body: Body, held: T) -> Body {
    // The closure lives as long as the body, and what it has captured with it.
    Body::new(body.map_err(move |error| {
        let _held = &held;
        error
    }))
}

#[cfg(test)]
mod tests {
    use axum::body::HttpBody as _;

    use super::*;

    fn in_flight(admission: &Admission) -> (usize, usize) {
        (admission.requests.load(Relaxed), admission.callers().values().sum())
    }

    fn code<T>(refused: Result<T, Error>) -> Option<(Kind, String)> {
        refused.err().map(|error| (error.kind, error.code))
    }

    #[test]
    fn requests_are_limited_in_total_and_per_caller() {
        let (admission, caller) = (Arc::new(Admission::default()), IdentityKey::numbered(1));
        let tickets: Vec<_> = (0..3).map(|_| admission.admit(3).unwrap()).collect();
        let refused = admission.admit(3).map(drop);
        assert!(refused.as_ref().unwrap_err().message.contains("limits.requests = 3"), "{refused:?}");
        assert_eq!(code(refused).unwrap().0, Kind::Unavailable);
        tickets[0].of_caller(caller, 2).unwrap();
        tickets[1].of_caller(caller, 2).unwrap();
        let refused = tickets[2].of_caller(caller, 2);
        assert!(refused.as_ref().unwrap_err().message.contains("limits.caller_requests = 2"), "{refused:?}");
        assert_eq!(code(refused).unwrap().0, Kind::CallerLimit);
        assert_eq!(in_flight(&admission), (3, 2));
        tickets[2].of_caller(IdentityKey::numbered(2), 2).unwrap();
        drop(tickets);
        assert_eq!(in_flight(&admission), (0, 0));
        assert!(admission.callers().is_empty(), "no caller is remembered");
    }

    #[test]
    fn lowered_limits_hold_for_new_requests() {
        let admission = Arc::new(Admission::default());
        let mut tickets: Vec<_> = (0..5).map(|_| admission.admit(5).unwrap()).collect();
        assert!(admission.admit(2).is_err());
        tickets.truncate(2);
        assert!(admission.admit(2).is_err());
        tickets.truncate(1);
        assert!(admission.admit(2).is_ok());
    }

    #[test]
    fn a_request_is_in_flight_until_its_answer_was_sent() {
        let admission = Arc::new(Admission::default());
        let ticket = admission.admit(1).unwrap();
        ticket.of_caller(IdentityKey::numbered(1), 1).unwrap();
        let answer = until_sent(Response::new(Body::from("x")), ticket);
        assert_eq!((in_flight(&admission), answer.body().size_hint().exact()), ((1, 1), Some(1)));
        drop(answer);
        assert_eq!(in_flight(&admission), (0, 0));
    }

    #[test]
    fn only_what_may_use_a_database_counts() {
        for (method, uri, expected) in [
            (Method::POST, "/db/neo4j/query/v2", true),
            (Method::DELETE, "/db/neo4j/query/v2/tx/1", true),
            (Method::GET, "/db/neo4j/query/v2/running", true),
            (Method::HEAD, "/db/neo4j/query/v2/running", false),
            (Method::OPTIONS, "/db/neo4j/query/v2", false),
            (Method::GET, "/", false),
            (Method::GET, "/openapi.json", false),
        ] {
            assert_eq!(counts(&method, &uri.parse().unwrap()), expected, "{method} {uri}");
        }
    }
}
