//! The headers of its request that an answer depends on.

use axum::http::{HeaderMap, HeaderValue, header::VARY};

/// Adds the request's header `name` to what an answer depends on.
pub(super) fn by(answer: &mut HeaderMap, name: &'static str) {
    let so_far = answer.get(VARY).and_then(|so_far| so_far.to_str().ok());
    if so_far.is_some_and(|so_far| so_far.split(',').any(|known| known.trim().eq_ignore_ascii_case(name))) {
        return;
    }
    let all = so_far.and_then(|so_far| HeaderValue::try_from(format!("{so_far}, {name}")).ok());
    answer.insert(VARY, all.unwrap_or(HeaderValue::from_static(name)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_header_is_named_once() {
        let mut answer = HeaderMap::new();
        for (name, expected) in [
            ("Accept", "Accept"),
            ("Accept-Encoding", "Accept, Accept-Encoding"),
            ("Accept", "Accept, Accept-Encoding"),
        ] {
            by(&mut answer, name);
            assert_eq!(answer[VARY], expected);
        }
    }
}
