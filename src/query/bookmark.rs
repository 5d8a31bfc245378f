//! Bookmarks for databases that have none.
//!
//! Clients of the Query API want exactly one bookmark after each commit, and expect it to change. Where the database
//! gives none, the gateway makes one that means nothing, and recognises it when it comes back.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Base64 of `boltgate:`, which fills whole groups of four characters.
const PREFIX: &str = "FB:Ym9sdGdhdGU6";

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A bookmark that stands for nothing.
pub(super) fn placeholder() -> String {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("FB:{}", STANDARD.encode(format!("boltgate:{number:015}")))
}

/// Whether it came from [`placeholder`], so that no database can know it.
pub(super) fn is_placeholder(bookmark: &str) -> bool {
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
