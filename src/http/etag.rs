//! Entity tags: answers that a client has already are not sent again.

use axum::http::{HeaderMap, HeaderValue, header};

/// The tag of an answer's content.
pub(super) fn tag(content: &[u8]) -> HeaderValue {
    of(blake3::hash(content))
}

/// The tag of content with this hash. It is weak, since the same content also leaves compressed, or with other timings.
pub(super) fn of(hash: blake3::Hash) -> HeaderValue {
    let hash = hash.to_hex();
    let (digits, _) = hash.split_at(32);
    HeaderValue::try_from(format!("W/\"{digits}\"")).unwrap_or(HeaderValue::from_static("W/\"\""))
}

/// Whether a request says that its client has the content with this tag.
pub(super) fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut known = lists.flat_map(|tags| tags.as_bytes().split(|&byte| byte == b','));
    // Compared weakly (RFC 9110, section 13.1.2).
    let opaque = |tag: &'_ [u8]| tag.strip_prefix(b"W/").unwrap_or(tag).to_vec();
    let own = opaque(tag.as_bytes());
    known.any(|known| known.trim_ascii() == b"*" || opaque(known.trim_ascii()) == own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_weakly_and_in_lists() {
        let tag = tag(b"content");
        let text = tag.to_str().expect("is text");
        let strong = text.strip_prefix("W/").expect("is weak");
        let known = |value: &str| {
            let value = HeaderValue::from_str(value).expect("is a value");
            is_known(&HeaderMap::from_iter([(header::IF_NONE_MATCH, value)]), &tag)
        };
        for value in [text, strong, "*", &format!("\"x\", {text}"), &format!("{strong} ,\"y\"")] {
            assert!(known(value), "{value}");
        }
        for value in ["", "\"x\"", "W/\"\"", strong.trim_matches('"')] {
            assert!(!known(value), "{value}");
        }
        assert!(!is_known(&HeaderMap::new(), &tag));
        assert_ne!(tag, super::tag(b"other content"));
    }
}
