//! The `Authorization` header, as Neo4j's Query API reads it.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::bolt::AuthToken;

/// Padding is optional: some clients leave it out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A header that is neither `Basic …` nor `Bearer …`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("Invalid authentication header.")]
pub struct InvalidAuthorization;

/// What the headers say of the caller: nothing, user and password, or a token that is passed on as it is.
///
/// # Errors
/// [`InvalidAuthorization`].
pub fn credentials(authorization: Option<&[u8]>, realm: Option<&[u8]>) -> Result<AuthToken, InvalidAuthorization> {
    let Some(header) = authorization else {
        return Ok(AuthToken::none());
    };
    let at = header.iter().position(|&byte| byte == b' ').ok_or(InvalidAuthorization)?;
    let (scheme, rest) = header.split_at(at);
    let credentials = rest.trim_ascii();
    if credentials.is_empty() {
        return Err(InvalidAuthorization);
    }
    let token = if scheme.eq_ignore_ascii_case(b"basic") {
        basic(credentials)?
    } else if scheme.eq_ignore_ascii_case(b"bearer") {
        AuthToken::bearer(str::from_utf8(credentials).map_err(|_| InvalidAuthorization)?)
    } else {
        return Err(InvalidAuthorization);
    };
    Ok(token.with_realm(realm.and_then(|realm| str::from_utf8(realm).ok())))
}

fn basic(credentials: &[u8]) -> Result<AuthToken, InvalidAuthorization> {
    let decoded = Zeroizing::new(BASE64.decode(credentials).map_err(|_| InvalidAuthorization)?);
    // What is not UTF-8 is nobody's password: it is passed on with replacement characters, and refused.
    let decoded = Zeroizing::new(String::from_utf8_lossy(&decoded).into_owned());
    let (user, password) = decoded.split_once(':').ok_or(InvalidAuthorization)?;
    Ok(AuthToken::basic(user, password))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(header: &str) -> Option<Vec<(&'static str, String)>> {
        let token = credentials(Some(header.as_bytes()), None).ok()?;
        Some(token.entries().map(|(key, value)| (key, value.to_owned())).collect())
    }

    fn basic_of(user: &str, password: &str) -> Option<Vec<(&'static str, String)>> {
        Some(vec![("scheme", "basic".into()), ("principal", user.into()), ("credentials", password.into())])
    }

    #[test]
    fn basic_in_all_its_spellings() {
        for header in ["Basic bmVvNGo6cHc=", "basic bmVvNGo6cHc=", "BASIC   bmVvNGo6cHc", "Basic bmVvNGo6cHc= "] {
            assert_eq!(entries(header), basic_of("neo4j", "pw"), "{header}");
        }
        assert_eq!(entries("Basic Og=="), basic_of("", ""));
        assert_eq!(entries("Basic YTpiOmM="), basic_of("a", "b:c"));
        assert_eq!(entries("Basic w7w6w6Q="), basic_of("ü", "ä"));
    }

    #[test]
    fn a_bearer_token_is_taken_as_it_is() {
        let expected = Some(vec![("scheme", "bearer".into()), ("credentials", "a.b.c".into())]);
        assert_eq!(entries("Bearer a.b.c"), expected);
    }

    #[test]
    fn what_is_neither_is_refused() {
        for header in [
            "",
            "Basic",
            "Basic ",
            "Basic\tbmVvNGo6cHc=",
            "Basic !!!",
            "Basic bmVvNGo=",
            "Digest x",
            "Just let me in. Thanks!",
        ] {
            assert_eq!(entries(header), None, "{header}");
        }
    }

    #[test]
    fn no_header_is_no_credentials() {
        assert_eq!(credentials(None, None).unwrap(), AuthToken::none());
    }
}
