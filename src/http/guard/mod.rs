//! Checks that every request passes before routing and authentication.
//!
//! Owns the allowed hosts, the refusal of other sites' pages, CORS, and the trusted proxies. Promises to judge by the
//! request's head alone. Knows nothing of routes, bodies and callers.

mod authority;
mod cors;
mod head;
mod hosts;
mod origin;

use std::net::IpAddr;

use axum::{
    extract::Request,
    http::{HeaderMap, Method, StatusCode},
    response::Response,
};
use ipnet::IpNet;

pub(super) use authority::Authority;
use cors::Cors;
pub use cors::CorsSettings;
pub(super) use cors::Grant;
use head::Head;
use hosts::Hosts;

use super::{path::is_mcp, refusal::Refusal};
use crate::{
    config::AllowedHost,
    query::{Error, Kind},
    telemetry::observer::RefusalReason,
};

/// Settings of the guard.
#[derive(Debug, Clone)]
pub struct GuardSettings {
    /// Whether only this machine can reach the listener.
    pub loopback: bool,
    /// Hosts that the gateway answers to. If empty, those that fit the listener.
    pub allowed_hosts: Vec<AllowedHost>,
    /// Proxies whose `X-Forwarded-*` headers are trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether a request may upgrade its connection. Only pages of known origins may then ask for that.
    pub upgrades: bool,
    /// Settings for pages of other origins.
    pub cors: CorsSettings,
}

/// What the guard found out about a request that it admits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admitted {
    /// The page prompts for a password itself, so the browser must not.
    pub(super) prompts_itself: bool,
}

/// The rules for every request.
#[derive(Debug)]
pub(super) struct Guard {
    hosts: Hosts,
    trusted_proxies: Vec<IpNet>,
    upgrades: bool,
    cors: Cors,
}

impl Guard {
    pub(super) fn new(settings: GuardSettings) -> Self {
        Self {
            hosts: Hosts::new(settings.allowed_hosts, settings.loopback),
            trusted_proxies: settings.trusted_proxies,
            upgrades: settings.upgrades,
            cors: Cors::new(settings.cors),
        }
    }

    /// Whether `peer` is a proxy whose `X-Forwarded-*` headers are trusted.
    pub(super) fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.trusted_proxies.iter().any(|network| network.contains(&peer))
    }

    /// Admits a request.
    ///
    /// # Errors
    /// A refusal if the host is missing, malformed or not allowed, or if a page of another origin may not send the request.
    pub(super) fn admit(&self, request: &Request) -> Result<Admitted, Refusal> {
        let head = Head::of(request.headers());
        let authority = Authority::of_head(request.version(), request.uri(), &head).map_err(Refusal::bad_header)?;
        if let Some(authority) = &authority
            && !self.hosts.allow(authority)
        {
            return Err(host_not_allowed(authority));
        }
        // These methods change nothing, and no page can read the answer without a grant.
        let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        // Pages of other origins may not use an agent's tools. Over an upgraded connection, a page reads whatever it is
        // sent.
        let must_be_known = is_mcp(request.uri().path()) || self.upgrades && head.upgrades;
        let is_foreign = !is_safe && origin::is_foreign(&head, authority.as_ref())
            || must_be_known && origin::is_unknown(&head, authority.as_ref());
        if is_foreign && self.grant(request.headers()).is_none() {
            return Err(cross_origin());
        }
        Ok(Admitted { prompts_itself: head.prompts_itself })
    }

    /// Answers a preflight from an allowed origin; `None` for every other request.
    pub(super) fn preflight(&self, request: &Request) -> Option<Response> {
        self.cors.preflight(request.method(), request.headers())
    }

    /// Grants the answer to a page of another origin, if that origin is allowed.
    pub(super) fn grant(&self, headers: &HeaderMap) -> Option<Grant> {
        self.cors.grant(headers)
    }
}

fn host_not_allowed(authority: &Authority<'_>) -> Refusal {
    let message = format!(
        "Misdirected Request: the gateway does not answer to the name \"{}\"; if clients should use it, add it to the \
         setting server.allowed_hosts.",
        authority.text()
    );
    refused(StatusCode::MISDIRECTED_REQUEST, "Boltgate.ClientError.Request.HostNotAllowed", &message)
        .by_limit(RefusalReason::Host)
}

fn cross_origin() -> Refusal {
    refused(
        StatusCode::FORBIDDEN,
        "Boltgate.ClientError.Request.CrossOrigin",
        "Forbidden: a page of another origin sent this request; to allow it, add its origin to the setting \
         cors.allowed_origins.",
    )
    .by_limit(RefusalReason::Origin)
}

fn refused(status: StatusCode, code: &str, message: &str) -> Refusal {
    Refusal::stated(status, Error::new(Kind::BadRequest, code, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AllowedOrigin;

    #[test]
    fn a_proxy_is_recognised_over_ipv4_and_ipv6() {
        let guard = Guard::new(GuardSettings {
            loopback: true,
            allowed_hosts: Vec::new(),
            upgrades: false,
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
            cors: CorsSettings {
                origins: vec![AllowedOrigin::Any],
                credentials: false,
                max_age: std::time::Duration::from_secs(1),
                id_token_header: "X".to_owned(),
            },
        });
        for (peer, trusted) in
            [("10.1.2.3", true), ("::ffff:10.1.2.3", true), ("fd00::7", true), ("11.0.0.1", false), ("::1", false)]
        {
            assert_eq!(guard.trusts(peer.parse().unwrap()), trusted, "{peer}");
        }
    }
}
