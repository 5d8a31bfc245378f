//! Placeholder bookmarks for databases without bookmarks.
//!
//! Clients of the Query API expect exactly one bookmark after each commit, and expect it to change. Where the database
//! sends none, the gateway makes a placeholder, and recognises it when a client sends it back.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// `FB:` and the base64 form of `boltgate:`, which fills whole groups of four characters.
const PREFIX: &str = "FB:Ym9sdGdhdGU6";

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Returns a new placeholder.
pub(super) fn placeholder() -> String {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("FB:{}", STANDARD.encode(format!("boltgate:{number:015}")))
}

/// Whether a bookmark came from `placeholder`, so that it must not be sent to the database.
#[must_use]
pub fn is_placeholder(bookmark: &str) -> bool {
    bookmark.starts_with(PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_differ_and_are_recognised() {
        let (one, other) = (placeholder(), placeholder());
        assert_ne!(one, other);
        assert!(is_placeholder(&one) && is_placeholder(&other));
        assert!(!is_placeholder("FB:kcwQBVIHCttfSU+aqI6QhB8ViQOQ"));
    }
}
