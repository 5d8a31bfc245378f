//! Owns addresses of services that speak HTTP.

use std::{fmt, str::FromStr};

use super::text::{ParseValueError, serde_as_text};

/// An address that begins with `http://` or `https://`, names a host, and holds no credentials. It has no slash at its
/// end. A `#` at its end says that nothing is added to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpUrl(String);

impl HttpUrl {
    /// The address as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of `path`, such as `/v1/traces`, below this one; this one itself if nothing is added to it.
    pub fn join(&self, path: &str) -> String {
        match self.0.strip_suffix('#') {
            Some(whole) => whole.to_owned(),
            None => format!("{}{path}", self.0),
        }
    }
}

impl FromStr for HttpUrl {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // First, so that no later message can print a password.
        if text.contains('@') {
            return Err(ParseValueError("must not hold a user name or password".to_owned()));
        }
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        let host = rest.map(|rest| rest.split(['/', ':', '#']).next().unwrap_or_default());
        let before_end = text.strip_suffix('#').unwrap_or(text);
        let is_plain = text.bytes().all(|b| b.is_ascii_graphic()) && !before_end.contains(['?', '#']);
        if host.is_none_or(str::is_empty) || !is_plain {
            return Err(ParseValueError(format!(
                "`{text}` is not an address; write one such as \"http://collector:4318\""
            )));
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

serde_as_text!(HttpUrl);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_a_scheme_and_a_host() {
        for (text, kept) in
            [("http://a:4318", "http://a:4318"), ("https://b/otel/", "https://b/otel"), ("http://c/x#", "http://c/x#")]
        {
            assert_eq!(text.parse::<HttpUrl>().expect(text).as_str(), kept);
        }
        for text in [
            "",
            "a:4318",
            "http://",
            "http://:1",
            "http:///x",
            "ftp://a",
            "http://a b",
            "http://a?x",
            "http://a#x",
            "http://#",
        ] {
            assert!(text.parse::<HttpUrl>().is_err(), "{text}");
        }
        for (text, traces) in [("http://a:1/b", "http://a:1/b/v1/traces"), ("http://a:1/b#", "http://a:1/b")] {
            assert_eq!(text.parse::<HttpUrl>().expect(text).join("/v1/traces"), traces);
        }
        let refusal = "http://u:hunter2@a".parse::<HttpUrl>().expect_err("credentials").to_string();
        assert!(!refusal.contains("hunter2"), "{refusal}");
    }
}
