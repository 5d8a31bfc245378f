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

/// The values of `WWW-Authenticate`; `None` where no credentials are accepted.
pub(super) struct Challenges {
    to_log_in: Option<HeaderValue>,
    to_renew_token: Option<HeaderValue>,
}

impl Challenges {
    pub(super) fn new(challenge: &auth::Challenge) -> Self {
        // Settings hold only realms that headers can have.
        let value = |text: Option<String>| text.and_then(|text| HeaderValue::try_from(text).ok());
        Self { to_log_in: value(challenge.to_log_in()), to_renew_token: value(challenge.to_renew_token()) }
    }

    /// Adds the challenge to an answer that needs one.
    pub(super) fn add(&self, answer: &mut Response) {
        if answer.status() != StatusCode::UNAUTHORIZED {
            return;
        }
        let value = match answer.extensions().get() {
            None => &self.to_log_in,
            Some(Unusual::TokenAtFault) => &self.to_renew_token,
            Some(Unusual::PageAsks) => &None,
        };
        if let Some(value) = value {
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, value.clone());
        }
    }
}
