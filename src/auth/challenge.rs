//! The challenge that tells a caller which credentials are accepted (RFC 9110, section 11.6.1).

use super::authenticator::{Inbound, Policy};

/// The kinds of credentials that the operator accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// No credentials at all.
    pub anonymous: bool,
    /// Users with passwords.
    pub basic: bool,
    /// Tokens.
    pub bearer: bool,
}

/// The schemes that the operator accepts, and the realm that they are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    accepted: Accepted,
    /// A quoted string of RFC 9110, with its quotes.
    realm: String,
}

impl Challenge {
    /// `realm` is printable ASCII.
    pub(super) fn new(policy: &Policy, realm: &str) -> Self {
        let accepted = |inbound| inbound != Inbound::Refuse;
        let accepted = Accepted {
            anonymous: accepted(policy.anonymous),
            basic: accepted(policy.basic),
            bearer: accepted(policy.bearer),
        };
        Self { accepted, realm: quoted(realm) }
    }

    /// The kinds of credentials that are accepted.
    #[must_use]
    pub fn accepted(&self) -> Accepted {
        self.accepted
    }

    /// The value of `WWW-Authenticate` for a caller that has to log in; `None` if no credentials are accepted.
    #[must_use]
    pub fn to_log_in(&self) -> Option<String> {
        self.to_log_in_at(None)
    }

    /// The same for a caller whose token is at fault (RFC 6750, section 3.1).
    #[must_use]
    pub fn to_renew_token(&self) -> Option<String> {
        self.to_renew_token_at(None)
    }

    /// The challenge that also says where the metadata of the protected resource is (RFC 9728, section 5.1), for callers
    /// with tokens. `metadata` is a URL.
    #[must_use]
    pub fn to_log_in_at(&self, metadata: Option<&str>) -> Option<String> {
        let Accepted { basic, bearer, .. } = self.accepted;
        let accepted = [(basic, "Basic"), (bearer, "Bearer")].into_iter().filter(|(accepted, _)| *accepted);
        let challenges: Vec<_> = accepted
            .map(|(_, scheme)| match metadata.filter(|_| scheme == "Bearer") {
                Some(url) => format!("{scheme} resource_metadata={}, realm={}", quoted(url), self.realm),
                None => format!("{scheme} realm={}", self.realm),
            })
            .collect();
        (!challenges.is_empty()).then(|| challenges.join(", "))
    }

    /// The same for a caller whose token is at fault.
    #[must_use]
    pub fn to_renew_token_at(&self, metadata: Option<&str>) -> Option<String> {
        let text = self.to_log_in_at(metadata)?;
        Some(if self.accepted.bearer { format!("{text}, error=\"invalid_token\"") } else { text })
    }
}

/// Writes a text as a quoted string of RFC 9110.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(basic: bool, bearer: bool, realm: &str) -> [Option<String>; 2] {
        let challenge = Challenge { accepted: Accepted { anonymous: true, basic, bearer }, realm: quoted(realm) };
        [challenge.to_log_in(), challenge.to_renew_token()]
    }

    #[test]
    fn only_what_is_accepted_is_offered() {
        let some = |text: &str| Some(text.to_owned());
        let both = r#"Basic realm="x", Bearer realm="x""#;
        assert_eq!(challenge(true, true, "x"), [some(both), some(&format!(r#"{both}, error="invalid_token""#))]);
        assert_eq!(challenge(true, false, "x"), [some(r#"Basic realm="x""#), some(r#"Basic realm="x""#)]);
        let bearer = r#"Bearer realm="x""#;
        assert_eq!(challenge(false, true, "x"), [some(bearer), some(&format!(r#"{bearer}, error="invalid_token""#))]);
        assert_eq!(challenge(false, false, "x"), [None, None]);
    }

    #[test]
    fn callers_with_tokens_learn_where_the_metadata_is() {
        let challenge =
            Challenge { accepted: Accepted { anonymous: true, basic: true, bearer: true }, realm: quoted("x") };
        let expected = r#"Basic realm="x", Bearer resource_metadata="https://h/m", realm="x", error="invalid_token""#;
        assert_eq!(challenge.to_renew_token_at(Some("https://h/m")).as_deref(), Some(expected));
        let challenge = Challenge { accepted: Accepted { anonymous: true, basic: true, bearer: false }, ..challenge };
        assert_eq!(challenge.to_log_in_at(Some("https://h/m")).as_deref(), Some(r#"Basic realm="x""#));
    }

    #[test]
    fn a_realm_cannot_end_its_own_quotes() {
        let [challenge, _] = challenge(true, false, r#"a" \, Digest realm="b"#);
        assert_eq!(challenge.as_deref(), Some(r#"Basic realm="a\" \\, Digest realm=\"b""#));
    }
}
