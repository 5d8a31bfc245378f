//! Several gateways behind one address: telling clients and load balancers which one has a transaction.
//!
//! Promises that a request for another gateway's transaction is refused before its credentials are checked, and that
//! what it says about the other gateway is a valid name. Knows nothing of the other gateways but what handles say.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{path::Path, refusal::Refusal, status::Statuses};
use crate::{
    config::InstanceName,
    query::{Error, Kind, instance_of, instance_of_decimal},
};

/// The header by which Neo4j's clusters keep the requests of a transaction together.
const HEADER: HeaderName = HeaderName::from_static("neo4j-cluster-affinity");
/// The cookie for clients that keep cookies and know nothing of the header.
const COOKIE: &str = "boltgate-affinity";

/// This gateway among several.
pub(super) struct Affinity {
    instance: InstanceName,
    /// The instance, as a header.
    header: HeaderValue,
    /// The instance, as a cookie.
    cookie: HeaderValue,
    /// The same for clients that speak TLS.
    secure_cookie: HeaderValue,
}

impl Affinity {
    pub(super) fn new(instance: InstanceName) -> Self {
        let cookie = format!("{COOKIE}={instance}; Path=/db/; HttpOnly; SameSite=Lax");
        Self {
            header: value(instance.as_str()),
            cookie: value(&cookie),
            secure_cookie: value(&format!("{cookie}; Secure")),
            instance,
        }
    }

    /// Marks the answer that opens a transaction with who has it. `https` is how the client sees the gateway.
    pub(super) fn mark(&self, headers: &mut HeaderMap, https: bool) {
        headers.insert(HEADER, self.header.clone());
        // Other cookies, if there are any, stay.
        headers.append(header::SET_COOKIE, if https { &self.secure_cookie } else { &self.cookie }.clone());
    }

    /// This gateway's name.
    pub(super) fn instance(&self) -> &InstanceName {
        &self.instance
    }

    /// The refusal of a request for a transaction that another instance has opened.
    pub(super) fn elsewhere(&self, path: &str, statuses: Statuses) -> Option<Response> {
        let (Path::Transaction { id, .. } | Path::Commit { id, .. }) = Path::parse(path)? else { return None };
        let owner = instance_of(&id).filter(|owner| *owner != self.instance)?;
        let refusal = Refusal::stated(StatusCode::MISDIRECTED_REQUEST, self.misdirected(&owner)).with(statuses);
        Some(naming(&owner, refusal.into_response()))
    }

    /// The same for the transaction with the decimal handle `id`. `answer` reports the error, with status 421.
    pub(super) fn decimal_elsewhere(&self, id: &str, answer: impl FnOnce(&Error) -> Response) -> Option<Response> {
        let owner = instance_of_decimal(id, &self.instance).filter(|owner| *owner != self.instance)?;
        Some(naming(&owner, answer(&self.misdirected(&owner))))
    }

    fn misdirected(&self, owner: &InstanceName) -> Error {
        let message = format!(
            "Misdirected Request: the gateway {owner} has this transaction, and this is the gateway {}. Send the \
             request again with the header {HEADER}: {owner} or the cookie {COOKIE}={owner}, by which a load balancer \
             finds it; if it arrives here again, {owner} cannot be reached, or the load balancer looks at neither.",
            self.instance
        );
        Error::new(Kind::TransactionNotFound, "Boltgate.ClientError.Transaction.OtherInstance", message)
    }
}

/// The response with the name of the gateway to go to.
fn naming(owner: &InstanceName, mut response: Response) -> Response {
    response.headers_mut().insert(HEADER, value(owner.as_str()));
    response
}

/// A name of an instance, or a cookie with one, as a header's value.
fn value(text: &str) -> HeaderValue {
    // Names consist of letters, digits, `.` and `-`.
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
