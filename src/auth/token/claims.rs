//! The claims of a token, by name or path, and its expiry.

use std::time::{Duration, SystemTime};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

/// The location of a claim: its name, or a JSON pointer (RFC 6901) if it begins with `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPath(String);

impl ClaimPath {
    /// Returns the location `path`.
    #[must_use]
    pub fn new(path: &str) -> Self {
        Self(path.to_owned())
    }

    /// The path as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The claim.
    #[must_use]
    pub fn find<'a>(&self, claims: &'a Value) -> Option<&'a Value> {
        if self.0.starts_with('/') { claims.pointer(&self.0) } else { claims.get(&self.0) }
    }

    /// The text of the claim, unless it is empty.
    pub(super) fn text<'a>(&self, claims: &'a Value) -> Option<&'a str> {
        self.find(claims)?.as_str().filter(|text| !text.is_empty())
    }
}

/// The claims in a token. Until it is verified, use them only to find out which issuer to check with.
pub(in crate::auth) fn claims_in(token: &str) -> Option<Value> {
    if token.split('.').count() == 3 { part(token, 1) } else { None }
}

/// The JSON object in one part of a token.
pub(super) fn part(token: &str, index: usize) -> Option<Value> {
    let part = URL_SAFE_NO_PAD.decode(token.split('.').nth(index)?).ok()?;
    serde_json::from_slice(&part).ok().filter(Value::is_object)
}

/// The end of the year 9999. Later times are reduced to it, so that sums do not overflow.
const LAST_SECOND: u64 = 253_402_300_799;

/// The time in `exp`, which must be a number of seconds.
pub(super) fn expiry(claims: &Value) -> Option<SystemTime> {
    let exp = claims.get("exp")?;
    let seconds = match (exp.as_u64(), exp.as_f64()) {
        (Some(seconds), _) => Duration::from_secs(seconds.min(LAST_SECOND)),
        (None, Some(seconds)) if seconds >= 0.0 => {
            Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).min(Duration::from_secs(LAST_SECOND))
        }
        // Before 1970.
        (None, Some(_)) => Duration::ZERO,
        (None, None) => return None,
    };
    SystemTime::UNIX_EPOCH.checked_add(seconds)
}

/// The expiry that an unverified token claims. Use it only to end the token earlier. Returns `None` if it is not a JWT
/// or has no expiry.
#[must_use]
pub fn unverified_expiry(token: &str) -> Option<SystemTime> {
    expiry(&claims_in(token)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(seconds: u64) -> Option<SystemTime> {
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
    }

    #[test]
    fn claims_are_found_by_name_and_by_path() {
        let claims =
            json!({ "sub": "s", "https://x/user": "u", "realm": { "user": "alice", "ids": ["a"] }, "n": 1, "e": "" });
        let text = |path: &str| ClaimPath::new(path).text(&claims).map(str::to_owned);
        assert_eq!(text("sub").as_deref(), Some("s"));
        assert_eq!(text("https://x/user").as_deref(), Some("u"));
        assert_eq!(text("/realm/user").as_deref(), Some("alice"));
        assert_eq!(text("/realm/ids/0").as_deref(), Some("a"));
        for nothing in ["user", "realm", "realm/user", "/realm", "/realm/no", "n", "e", ""] {
            assert_eq!(text(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn the_expiry_must_be_a_number() {
        for (exp, end) in [
            (json!(1000), at(1000)),
            (json!(1000.0), at(1000)),
            (json!(-5), at(0)),
            (json!(u64::MAX), at(LAST_SECOND)),
            (json!(1e300), at(LAST_SECOND)),
            (json!("1000"), None),
            (json!(null), None),
        ] {
            assert_eq!(expiry(&json!({ "exp": exp })), end, "{exp}");
        }
        assert_eq!(expiry(&json!({})), None);
    }

    #[test]
    fn the_expiry_of_an_unverified_token_is_read() {
        let token = |claims: &str| format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims));
        assert_eq!(unverified_expiry(&token("{\"exp\":7}")), at(7));
        for no_token in
            ["", "a", "a.b", "a.b.c", "..", &token("[]"), &token("7"), &format!("{}.x", token("{\"exp\":7}"))]
        {
            assert_eq!(unverified_expiry(no_token), None, "{no_token}");
        }
    }
}
