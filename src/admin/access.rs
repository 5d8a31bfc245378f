//! Who may look, and who may change something.
//!
//! With `admin.token`, only callers that have it. Without one, anyone who reaches the listener may look, but only those
//! who reach it over a Unix socket may change something: the mode of its file says who they are.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::Response,
};

use super::{Admin, answer::Refusal};

/// Lets a request pass, or refuses it.
pub(super) async fn check(State(admin): State<Admin>, request: Request, next: Next) -> Result<Response, Refusal> {
    let settings = admin.parts.settings.snapshot();
    let token = &settings.settings.admin.token;
    if token.is_empty() {
        let only_looks = matches!(*request.method(), Method::GET | Method::HEAD);
        if !only_looks && !admin.parts.on_unix_socket {
            return Err(Refusal::forbidden(
                "Over TCP nothing can be changed without a token. Set admin.token, or listen on a Unix socket \
                 (admin.listen = \"unix:PATH\").",
            ));
        }
    } else if !bearer(request.headers()).is_some_and(|given| is_equal(given, token.expose().as_bytes())) {
        return Err(Refusal::unauthorized());
    }
    Ok(next.run(request).await)
}

/// The bearer token of a request.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.as_bytes().split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

/// Compares two texts in a time that does not reveal where they differ.
fn is_equal(one: &[u8], other: &[u8]) -> bool {
    let difference = one.iter().zip(other).fold(0, |difference, (one, other)| difference | (one ^ other));
    one.len() == other.len() && std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn reads_bearer_tokens_only() {
        for (value, token) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("Bearer", None),
            ("Basic abc", None),
            ("Bearerabc", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(value))]);
            assert_eq!(bearer(&headers), token.map(str::as_bytes), "{value}");
        }
        assert_eq!(bearer(&HeaderMap::new()), None);
    }

    #[test]
    fn only_the_whole_token_is_equal() {
        for (one, other, equal) in [("abc", "abc", true), ("abc", "abd", false), ("ab", "abc", false), ("", "a", false)]
        {
            assert_eq!(is_equal(one.as_bytes(), other.as_bytes()), equal, "{one} {other}");
        }
    }
}
