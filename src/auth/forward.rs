//! The scheme and the form in which a token is forwarded to the database.

use thiserror::Error;
use zeroize::Zeroizing;

use crate::bolt::AuthToken;

/// The form of a token in the credentials of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Chosen by the scheme: pairs if it begins with `oidc-`, otherwise the token alone.
    Auto,
    /// The token, unchanged.
    Token,
    /// `access_token=…;id_token=…`, or `access_token=…` alone. Memgraph's OIDC modules split this at each `;` and `=`.
    Pairs,
}

/// A token that cannot be forwarded to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the {0} contains characters that are not allowed in tokens")]
pub struct Unsendable(&'static str);

impl Form {
    /// Whether the form for `scheme` includes an ID token.
    pub(super) fn is_pairs(self, scheme: &str) -> bool {
        match self {
            Self::Auto => scheme.starts_with("oidc-"),
            Self::Token => false,
            Self::Pairs => true,
        }
    }

    /// Returns the login with `token` under `scheme`. Only Neo4j has realms, and only for its scheme `bearer`.
    ///
    /// # Errors
    /// Returns [`Unsendable`] if the token contains characters that could break out of the form.
    pub(super) fn login(
        self,
        scheme: &str,
        token: &str,
        id_token: Option<&str>,
        realm: Option<&str>,
    ) -> Result<AuthToken, Unsendable> {
        if !self.is_pairs(scheme) {
            return Ok(AuthToken::custom(scheme, token).with_realm(realm.filter(|_| scheme == "bearer")));
        }
        checked("access token", token)?;
        let pairs = match id_token {
            None => format!("access_token={token}"),
            Some(id_token) => {
                checked("ID token", id_token)?;
                format!("access_token={token};id_token={id_token}")
            }
        };
        Ok(AuthToken::custom(scheme, &Zeroizing::new(pairs)))
    }
}

fn checked(name: &'static str, token: &str) -> Result<(), Unsendable> {
    let is_token = !token.is_empty() && token.bytes().all(is_token_character);
    if is_token { Ok(()) } else { Err(Unsendable(name)) }
}

/// The characters of RFC 6750's `b64token`, except for the `=` at its end.
fn is_token_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(login: Result<AuthToken, Unsendable>) -> Option<String> {
        let login = login.ok()?;
        login.entries().find(|(key, _)| *key == "credentials").map(|(_, value)| value.to_owned())
    }

    #[test]
    fn pairs_for_memgraph() {
        let keys = |login: AuthToken| login.entries().map(|(key, _)| key).collect::<Vec<_>>();
        let both = Form::Auto.login("oidc-entra-id", "a.b.c", Some("d.e.f"), Some("realm")).unwrap();
        assert_eq!(credentials(Ok(both.clone())).unwrap(), "access_token=a.b.c;id_token=d.e.f");
        assert_eq!((both.scheme(), keys(both.clone())), ("oidc-entra-id", vec!["scheme", "credentials"]));
        let alone = Form::Pairs.login("my-scheme", "a.b.c", None, None);
        assert_eq!(credentials(alone).unwrap(), "access_token=a.b.c");
    }

    #[test]
    fn bare_tokens() {
        let bearer = Form::Auto.login("bearer", "a=b;c", Some("ignored"), None).unwrap();
        assert_eq!(bearer, AuthToken::bearer("a=b;c"));
        let saml = Form::Auto.login("saml-okta", "PHNhbWw+PT0=", None, None);
        assert_eq!(credentials(saml).unwrap(), "PHNhbWw+PT0=");
        let with_realm = Form::Auto.login("bearer", "a", None, Some("r")).unwrap();
        assert_eq!(with_realm, AuthToken::bearer("a").with_realm(Some("r")));
        let without = Form::Auto.login("saml-okta", "a", None, Some("r")).unwrap();
        assert_eq!(without, AuthToken::custom("saml-okta", "a"));
    }

    #[test]
    fn nothing_breaks_out_of_the_pairs() {
        for bad in ["", "a;id_token=x", "a=b", "a b", "a,b", "a\u{0}", "a\"", "ä", "a\n"] {
            assert!(Form::Auto.login("oidc-x", bad, None, None).is_err(), "{bad:?}");
            assert!(Form::Auto.login("oidc-x", "a", Some(bad), None).is_err(), "{bad:?}");
        }
    }
}
