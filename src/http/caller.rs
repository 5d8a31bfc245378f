//! The caller of a request, and the user to act as, according to the headers.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts},
};

use super::{admission::Ticket, gateway::Gateway, media::Format, refusal::Refusal, status::Statuses};
use crate::{
    auth::{CredentialHeaders, Identity},
    query::{Call, Error},
    telemetry::record::Record,
};

/// The user to act as, for requests that have no body to name it in.
const IMPERSONATED_USER: HeaderName = HeaderName::from_static("boltgate-impersonated-user");
/// The same header as it is written in messages.
const IMPERSONATED_USER_NAME: &str = "Boltgate-Impersonated-User";
const AUTH_SCHEME: HeaderName = HeaderName::from_static("boltgate-auth-scheme");
const REALM: HeaderName = HeaderName::from_static("realm");

/// The caller, according to the operator's policy and the verified token. The database has not checked the credentials
/// yet. An extractor.
pub(super) struct Caller {
    pub(super) call: Call,
    /// The statuses that the caller chooses for errors.
    pub(super) statuses: Statuses,
}

impl Caller {
    /// Reads the caller from the headers of the request of `record`, and counts the request in `ticket`. Every request is
    /// authenticated separately.
    ///
    /// # Errors
    /// When a header is repeated or malformed, the policy or the verifier rejects the credential, or the caller has too
    /// many requests in flight.
    pub(super) async fn of(
        gateway: &Gateway,
        headers: &HeaderMap,
        record: Arc<Record>,
        ticket: Option<&Ticket>,
    ) -> Result<Self, Refusal> {
        let statuses = match Statuses::wanted(headers, gateway.statuses) {
            Ok(statuses) => statuses,
            Err(error) => return Err(Refusal::of(error, Format::plain()).with(gateway.statuses)),
        };
        let began = Instant::now();
        let identified = identity(gateway, headers).await;
        record.add_auth(began.elapsed());
        let identity = identified.map_err(|refusal| refusal.with(statuses))?;
        Self::counted(gateway, Call::new(identity, record), statuses, ticket)
    }

    /// Anybody, on the gateway's own account: the request's credentials are ignored.
    ///
    /// # Errors
    /// When a header is malformed, or too many such requests are in flight.
    pub(super) fn anybody(gateway: &Gateway, parts: &mut Parts) -> Result<Self, Refusal> {
        let record = parts.extensions.get().map(Arc::clone).unwrap_or_default();
        let ticket = parts.extensions.remove::<Arc<Ticket>>();
        let statuses = Statuses::wanted(&parts.headers, gateway.statuses);
        let statuses = statuses.map_err(|error| Refusal::of(error, Format::plain()).with(gateway.statuses))?;
        let identity = gateway.authenticator.own_account();
        Self::counted(gateway, Call::new(identity, record), statuses, ticket.as_deref())
    }

    fn counted(gateway: &Gateway, call: Call, statuses: Statuses, ticket: Option<&Ticket>) -> Result<Self, Refusal> {
        if let Some(ticket) = ticket {
            let counted = ticket.of_caller(call.owner(), gateway.limits.caller_requests);
            counted.map_err(|error| Refusal::of(error, Format::plain()).with(statuses))?;
        }
        Ok(Self { call, statuses })
    }
}

impl FromRequestParts<Arc<Gateway>> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, gateway: &Arc<Gateway>) -> Result<Self, Refusal> {
        let record = parts.extensions.get().map(Arc::clone).unwrap_or_default();
        let ticket = parts.extensions.remove::<Arc<Ticket>>();
        Self::of(gateway, &parts.headers, record, ticket.as_deref()).await
    }
}

async fn identity(gateway: &Gateway, headers: &HeaderMap) -> Result<Identity, Refusal> {
    // With two credentials, it would be unclear which one counts.
    let single = |name: &HeaderName| match single(headers, name) {
        Ok(value) => Ok(value.map(HeaderValue::as_bytes)),
        Err(Repeated) => Err(Refusal::of_auth(&gateway.authenticator.malformed())),
    };
    let authorization = single(&header::AUTHORIZATION)?;
    // These headers qualify a credential and mean nothing without one.
    let qualifier = |name| authorization.and_then(|_| headers.get(name)).map(HeaderValue::as_bytes);
    let presented = CredentialHeaders {
        authorization,
        realm: qualifier(&REALM),
        id_token: single(&gateway.id_token_header)?,
        scheme: qualifier(&AUTH_SCHEME),
    };
    gateway.authenticator.identify(&presented).await.map_err(|error| Refusal::of_auth(&error))
}

/// Returns the user to act as: the one named in the body or in a header, or the one bound to the caller.
///
/// # Errors
/// When body and header name different users, or the caller may not act as the user.
pub(super) fn acting_as(
    gateway: &Gateway,
    caller: &Identity,
    headers: &HeaderMap,
    in_body: Option<&str>,
) -> Result<Option<String>, Error> {
    let in_header = named_user(headers)?;
    if in_body.is_some() && in_header.is_some() && in_body != in_header {
        return Err(Error::bad_request(&format!(
            "the header {IMPERSONATED_USER_NAME} and the member `impersonatedUser` name different users"
        )));
    }
    let user = gateway.authenticator.acting_as(caller, in_body.or(in_header));
    user.map_err(|refused| Error::forbidden(&refused.to_string()))
}

/// Returns the user named in the header, trimmed; `None` if the header is missing or blank.
///
/// # Errors
/// When the header is repeated or not UTF-8.
pub(super) fn named_user(headers: &HeaderMap) -> Result<Option<&str>, Error> {
    let repeated = |Repeated| Error::bad_request(&format!("there are two headers {IMPERSONATED_USER_NAME}"));
    let Some(value) = single(headers, &IMPERSONATED_USER).map_err(repeated)? else {
        return Ok(None);
    };
    let user = str::from_utf8(value.as_bytes())
        .map_err(|_| Error::bad_request(&format!("the header {IMPERSONATED_USER_NAME} is not UTF-8")))?;
    Ok(Some(user.trim()).filter(|user| !user.is_empty()))
}

/// The header is given more than once.
struct Repeated;

/// Returns the value of a header that may be given once.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Repeated> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { Err(Repeated) } else { Ok(first) }
}
