//! Who is asking, according to the headers, and as whom.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{gateway::Gateway, refusal::Refusal};
use crate::{
    auth::{CredentialHeaders, Identity},
    query::Error,
};

/// The user to act as, for requests that have no body to say it in.
const IMPERSONATED_USER: HeaderName = HeaderName::from_static("boltgate-impersonated-user");
/// How people are told of it.
const IMPERSONATED_USER_NAME: &str = "Boltgate-Impersonated-User";
const AUTH_SCHEME: HeaderName = HeaderName::from_static("boltgate-auth-scheme");
const REALM: HeaderName = HeaderName::from_static("realm");

/// The caller that the headers speak of.
pub(super) async fn caller(gateway: &Gateway, headers: &HeaderMap) -> Result<Identity, Refusal> {
    let once = |name: &HeaderName| match the_only(headers, name) {
        Ok(value) => Ok(value.map(HeaderValue::as_bytes)),
        // Two credentials are none: nobody can say which of them counts.
        Err(Twice) => Err(Refusal::bad_authorization()),
    };
    let authorization = once(&header::AUTHORIZATION)?;
    // Beside no credentials these say nothing.
    let beside = |name| authorization.and_then(|_| headers.get(name)).map(HeaderValue::as_bytes);
    let presented = CredentialHeaders {
        authorization,
        realm: beside(&REALM),
        id_token: once(&gateway.id_token_header)?,
        scheme: beside(&AUTH_SCHEME),
    };
    gateway.authenticator.identify(&presented).await.map_err(|error| Refusal::of_auth(&error))
}

/// The user as whom `caller` wants its request to be carried out: named in the body or in a header, or bound to it.
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

/// The user named in the header, without spaces around; none when it is blank.
pub(super) fn named_user(headers: &HeaderMap) -> Result<Option<&str>, Error> {
    let twice = |Twice| Error::bad_request(&format!("there are two headers {IMPERSONATED_USER_NAME}"));
    let Some(value) = the_only(headers, &IMPERSONATED_USER).map_err(twice)? else {
        return Ok(None);
    };
    let user = str::from_utf8(value.as_bytes())
        .map_err(|_| Error::bad_request(&format!("the header {IMPERSONATED_USER_NAME} is not UTF-8")))?;
    Ok(Some(user.trim()).filter(|user| !user.is_empty()))
}

struct Twice;

fn the_only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Twice> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { Err(Twice) } else { Ok(first) }
}
