//! Owns Bolt schemes, names of headers, and rules of impersonation.

use std::{fmt, str::FromStr};

use super::text::{ParseValueError, serde_as_text};

/// The name of a Bolt login scheme for tokens: `bearer`, `oidc-entra-id`, `saml-okta`, …
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme(String);

impl Scheme {
    /// Makes a default. A test checks defaults against the parser.
    pub(in crate::config) fn constant(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name that the database is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Scheme {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_name = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b));
        if !is_name {
            return Err(ParseValueError(format!(
                "`{text}` is not a login scheme; write up to 64 of a-z, 0-9, - and _, such as \"oidc-custom\""
            )));
        }
        if ["none", "basic"].contains(&text) {
            return Err(ParseValueError(format!(
                "`{text}` is not a scheme for tokens; write its own, such as \"bearer\" or \"oidc-custom\""
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of an HTTP header that is free for use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderName(String);

impl HeaderName {
    /// Longer ones are refused by servers and proxies, if not by HTTP.
    const LONGEST: usize = 64;
    /// Headers that mean something else already, to HTTP, to proxies or to the gateway.
    const TAKEN: [&str; 37] = [
        "accept",
        "accept-charset",
        "accept-encoding",
        "accept-language",
        "access-control-request-headers",
        "access-control-request-method",
        "authorization",
        "boltgate-auth-scheme",
        "boltgate-impersonated-user",
        "boltgate-statuses",
        "cache-control",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "date",
        "expect",
        "forwarded",
        "host",
        "idempotency-key",
        "keep-alive",
        "origin",
        "proxy-authorization",
        "realm",
        "referer",
        "sec-fetch-site",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-ajax-browser-auth",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-request-id",
    ];

    /// Makes a default. A test checks defaults against the parser.
    pub(in crate::config) fn constant(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HeaderName {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if !(1..=Self::LONGEST).contains(&text.len()) || !text.bytes().all(is_token) {
            return Err(ParseValueError(format!(
                "`{text}` is not the name of a header; write up to 64 letters, digits and -, such as \"X-Id-Token\""
            )));
        }
        if Self::TAKEN.contains(&text.to_ascii_lowercase().as_str()) {
            return Err(ParseValueError(format!("the header `{text}` has a meaning of its own; write another name")));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A rule of impersonation: `support -> alice`; `*` on either side stands for anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImpersonationRule {
    /// The caller; `None` for anybody.
    pub who: Option<String>,
    /// The user that it may impersonate; `None` for anybody.
    pub whom: Option<String>,
}

impl FromStr for ImpersonationRule {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let side = |name: &str| (name != "*").then(|| name.to_owned());
        match text.split_once("->").map(|(who, whom)| (who.trim(), whom.trim())) {
            Some((who, whom)) if !who.is_empty() && !whom.is_empty() => Ok(Self { who: side(who), whom: side(whom) }),
            _ => Err(ParseValueError(format!(
                "`{text}` is not a rule; write \"who -> whom\", such as \"support -> alice\" or \"* -> reader\""
            ))),
        }
    }
}

impl fmt::Display for ImpersonationRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |name: &'_ Option<String>| name.clone().unwrap_or_else(|| "*".to_owned());
        write!(f, "{} -> {}", side(&self.who), side(&self.whom))
    }
}

serde_as_text!(Scheme, HeaderName, ImpersonationRule);
