//! The auth map of a login, as it is sent to the database.

use std::fmt;

use zeroize::Zeroizing;

use super::packstream::Writer;

/// The credentials that HELLO (up to Bolt 5.0) or LOGON carries. Absent entries are omitted, never sent as null.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthToken {
    scheme: String,
    principal: Option<String>,
    credentials: Option<Zeroizing<String>>,
    realm: Option<String>,
}

impl AuthToken {
    /// No credentials. They are sent as empty strings, because Memgraph logs two warnings if they are omitted; Neo4j
    /// ignores them.
    #[must_use]
    pub fn none() -> Self {
        let nothing = String::new();
        let credentials = Some(Zeroizing::new(String::new()));
        Self { scheme: "none".into(), principal: Some(nothing), credentials, realm: None }
    }

    /// User and password.
    #[must_use]
    pub fn basic(user: &str, password: &str) -> Self {
        Self {
            scheme: "basic".into(),
            principal: Some(user.into()),
            credentials: Some(Zeroizing::new(password.into())),
            realm: None,
        }
    }

    /// A bearer token, passed on unchanged.
    #[must_use]
    pub fn bearer(token: &str) -> Self {
        Self { scheme: "bearer".into(), principal: None, credentials: Some(Zeroizing::new(token.into())), realm: None }
    }

    /// Any other scheme, with credentials in the form that the database expects.
    #[must_use]
    pub fn custom(scheme: &str, credentials: &str) -> Self {
        Self { scheme: scheme.into(), ..Self::bearer(credentials) }
    }

    /// Sets the realm, unless it is empty.
    #[must_use]
    pub fn with_realm(self, realm: Option<&str>) -> Self {
        Self { realm: realm.filter(|realm| !realm.is_empty()).map(Into::into), ..self }
    }

    /// The name of the scheme.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The user, if the token names one.
    #[must_use]
    pub fn principal(&self) -> Option<&str> {
        self.principal.as_deref().filter(|name| !name.is_empty())
    }

    /// The entries that are present, in a fixed order.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("scheme", Some(self.scheme.as_str())),
            ("principal", self.principal.as_deref()),
            ("credentials", self.credentials.as_ref().map(|secret| secret.as_str())),
            ("realm", self.realm.as_deref()),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
    }

    /// Appends the pairs, without the map's head.
    pub(super) fn write_pairs(&self, writer: &mut Writer<'_>) {
        for (key, value) in self.entries() {
            writer.string(key);
            writer.string(value);
        }
    }
}

impl fmt::Debug for AuthToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthToken").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let token = AuthToken::basic("alice", "correct horse").with_realm(Some("native"));
        let shown = format!("{token:?}");
        assert!(!shown.contains("correct horse") && !shown.contains("alice"), "{shown}");
    }

    #[test]
    fn absent_entries_are_omitted() {
        let keys = |token: AuthToken| token.entries().map(|(key, _)| key).collect::<Vec<_>>();
        assert_eq!(keys(AuthToken::none()), ["scheme", "principal", "credentials"]);
        assert_eq!(keys(AuthToken::bearer("t")), ["scheme", "credentials"]);
        assert_eq!(keys(AuthToken::custom("oidc-custom", "access_token=t")), ["scheme", "credentials"]);
        assert_eq!(
            keys(AuthToken::basic("u", "p").with_realm(Some("native"))),
            ["scheme", "principal", "credentials", "realm"]
        );
    }
}
