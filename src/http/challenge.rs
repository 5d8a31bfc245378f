//! `WWW-Authenticate`: which challenge an answer gets. The values are prepared when the settings are taken over.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

use crate::auth;

/// Why an answer with 401 gets another challenge than the usual one. Travels with the answer, as an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unusual {
    /// The token is at fault.
    TokenAtFault,
    /// The page prompts for a password itself; with a challenge, the browser would prompt before it could.
    PageAsks,
}

/// The URL at which the caller learns where to get a token. Travels with the answer, as an extension.
#[derive(Debug, Clone)]
pub(super) struct Metadata(pub(super) String);

/// The values of `WWW-Authenticate`; `None` where no credentials are accepted.
pub(super) struct Challenges {
    challenge: auth::Challenge,
    to_log_in: Option<HeaderValue>,
    to_renew_token: Option<HeaderValue>,
}

impl Challenges {
    pub(super) fn new(challenge: &auth::Challenge) -> Self {
        Self {
            to_log_in: value(challenge.to_log_in()),
            to_renew_token: value(challenge.to_renew_token()),
            challenge: challenge.clone(),
        }
    }

    /// Adds the challenge to an answer that needs one.
    pub(super) fn add(&self, answer: &mut Response) {
        if answer.status() != StatusCode::UNAUTHORIZED {
            return;
        }
        let unusual = answer.extensions().get::<Unusual>().copied();
        let metadata = answer.extensions().get::<Metadata>().map(|Metadata(url)| url.as_str());
        let challenge = match (unusual, metadata) {
            (Some(Unusual::PageAsks), _) => None,
            (None, None) => self.to_log_in.clone(),
            (Some(Unusual::TokenAtFault), None) => self.to_renew_token.clone(),
            (None, url) => value(self.challenge.to_log_in_at(url)),
            (Some(Unusual::TokenAtFault), url) => value(self.challenge.to_renew_token_at(url)),
        };
        if let Some(challenge) = challenge {
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
    }
}

/// Settings hold only realms that headers can have.
fn value(text: Option<String>) -> Option<HeaderValue> {
    text.and_then(|text| HeaderValue::try_from(text).ok())
}
