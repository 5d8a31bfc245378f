//! Owns request ids, which connect a response, its log lines and the caller's own records.
//!
//! Promises that an id is safe in headers and log lines. Does not know HTTP.

use std::{
    fmt,
    hash::{BuildHasher, Hasher, RandomState},
};

use smallvec::SmallVec;

/// The id of one request: 1 to 128 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId {
    // Most ids, UUIDs among them, take no allocation.
    text: SmallVec<[u8; 40]>,
    is_callers: bool,
}

impl RequestId {
    /// The length of the longest id accepted from a caller, in bytes.
    pub const MAX_LEN: usize = 128;

    /// Returns the caller's id (the value of `X-Request-Id`) if it is valid, else a new one.
    pub fn accept_or_new(incoming: Option<&[u8]>) -> Self {
        incoming.and_then(Self::accept).unwrap_or_else(Self::random)
    }

    /// Returns the caller's id unless it is empty, too long, or contains anything but visible ASCII characters.
    fn accept(incoming: &[u8]) -> Option<Self> {
        let fits = (1..=Self::MAX_LEN).contains(&incoming.len());
        let is_visible = incoming.iter().all(u8::is_ascii_graphic);
        (fits && is_visible).then(|| Self { text: SmallVec::from_slice(incoming), is_callers: true })
    }

    /// Returns a new id of 16 hexadecimal digits.
    fn random() -> Self {
        // Randomly seeded and infallible. Good enough for a label, which does not have to be secret.
        let number = RandomState::new().build_hasher().finish();
        let digit = |place: u32| char::from_digit((number >> (4 * place) & 0xf) as u32, 16).map_or(b'0', |it| it as u8);
        Self { text: (0..16).rev().map(digit).collect(), is_callers: false }
    }

    /// The id as it appears in headers and log lines.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.text).unwrap_or_default()
    }

    /// The same as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// Whether the caller chose the id.
    pub fn is_callers(&self) -> bool {
        self.is_callers
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn is_new(id: &RequestId) -> bool {
        let digits = id.as_str().bytes();
        !id.is_callers() && id.as_str().len() == 16 && digits.into_iter().all(|b| b"0123456789abcdef".contains(&b))
    }

    #[test]
    fn a_valid_id_is_kept() {
        let longest = "x".repeat(RequestId::MAX_LEN);
        for id in ["a", "7b1e-42", "!~", &longest] {
            let accepted = RequestId::accept_or_new(Some(id.as_bytes()));
            assert_eq!((accepted.as_str(), accepted.is_callers()), (id, true));
        }
    }

    #[test]
    fn an_invalid_or_missing_id_is_replaced() {
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
