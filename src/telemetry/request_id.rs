//! Owns request ids: the label that ties a response, its log lines and the caller's own records.
//!
//! Promises an id that is safe in a header and a log line. May not know HTTP.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};

/// The label of one request: 1 to 128 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// Longest id taken from a caller, in bytes.
    pub const MAX_LEN: usize = 128;

    /// The caller's id (the value of `X-Request-Id`) if it is fit for use, else a new one.
    pub fn accept_or_new(incoming: Option<&[u8]>) -> Self {
        incoming.and_then(Self::accept).unwrap_or_else(Self::random)
    }

    /// The caller's id, unless it is empty, too long or not visible ASCII throughout.
    fn accept(incoming: &[u8]) -> Option<Self> {
        let fits = (1..=Self::MAX_LEN).contains(&incoming.len());
        let text = std::str::from_utf8(incoming).ok()?;
        (fits && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| Self(text.to_owned()))
    }

    /// A new id of 16 hexadecimal digits.
    fn random() -> Self {
        // Randomly seeded and never failing; enough for a label, which need not be a secret.
        Self(format!("{:016x}", RandomState::new().build_hasher().finish()))
    }

    /// The id as it goes into headers and log lines.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn is_new(id: &RequestId) -> bool {
        let digits = id.as_str().bytes();
        id.as_str().len() == 16 && digits.into_iter().all(|b| b"0123456789abcdef".contains(&b))
    }

    #[test]
    fn a_fit_id_is_kept() {
        let longest = "x".repeat(RequestId::MAX_LEN);
        for id in ["a", "7b1e-42", "!~", &longest] {
            assert_eq!(RequestId::accept_or_new(Some(id.as_bytes())).as_str(), id);
        }
    }

    #[test]
    fn an_unfit_or_missing_id_is_replaced() {
        let too_long = "x".repeat(RequestId::MAX_LEN + 1);
        for id in ["", "a b", "a\tb", "a\nb", "a\x7f", "ä", &too_long] {
            assert!(is_new(&RequestId::accept_or_new(Some(id.as_bytes()))), "{id:?}");
        }
        assert!(is_new(&RequestId::accept_or_new(Some(b"\xff"))));
        assert!(is_new(&RequestId::accept_or_new(None)));
    }

    #[test]
    fn new_ids_differ() {
        let ids: HashSet<String> = (0..1000).map(|_| RequestId::accept_or_new(None).to_string()).collect();
        assert_eq!(ids.len(), 1000);
    }
}
