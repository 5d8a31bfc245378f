//! What every request has to pass before anything else of it is looked at.
//!
//! Owns which names the gateway is asked by, which pages may ask, which proxies are believed, and CORS. Promises that no route and no credential was
//! looked at before, and to judge by the head alone. Knows nothing of routes, bodies and callers.

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

use super::refusal::Refusal;
use crate::{
    config::AllowedHost,
    query::{Error, Kind},
};

/// What the operator decides about who may ask.
#[derive(Debug, Clone)]
pub struct GuardSettings {
    /// Whether only this machine can reach the listener.
    pub loopback: bool,
    /// Names of the gateway. None: what fits the listener.
    pub allowed_hosts: Vec<AllowedHost>,
    /// Proxies that are believed when they say how a client has addressed them.
    pub trusted_proxies: Vec<IpNet>,
    /// Of pages of other origins.
    pub cors: CorsSettings,
}

/// What is known of a request that has passed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admitted {
    /// It is sent by a page that asks for a password itself, so the browser must not.
    pub(super) prompts_itself: bool,
}

/// The rules that hold for every request.
#[derive(Debug)]
pub(super) struct Guard {
    hosts: Hosts,
    trusted_proxies: Vec<IpNet>,
    cors: Cors,
}

impl Guard {
    pub(super) fn new(settings: GuardSettings) -> Self {
        Self {
            hosts: Hosts::new(settings.allowed_hosts, settings.loopback),
            trusted_proxies: settings.trusted_proxies,
            cors: Cors::new(settings.cors),
        }
    }

    /// Whether `peer` is a proxy whose `X-Forwarded-*` headers are believed.
    pub(super) fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.trusted_proxies.iter().any(|network| network.contains(&peer))
    }

    /// Lets a request pass, or says why not.
    pub(super) fn admit(&self, request: &Request) -> Result<Admitted, Refusal> {
        let head = Head::of(request.headers());
        let authority = Authority::named(request.version(), request.uri(), &head).map_err(Refusal::bad_header)?;
        if let Some(authority) = &authority
            && !self.hosts.allow(authority)
        {
            return Err(host_not_allowed(authority));
        }
        // These change nothing, and no page can read the answer without a grant.
        let harmless = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        if !harmless && origin::is_foreign(&head, authority.as_ref()) && self.grant(request.headers()).is_none() {
            return Err(cross_origin());
        }
        Ok(Admitted { prompts_itself: head.prompts_itself })
    }

    /// The answer to a preflight of a page that may ask.
    pub(super) fn preflight(&self, request: &Request) -> Option<Response> {
        self.cors.preflight(request.method(), request.headers())
    }

    /// What marks the answer, if a page of another origin may read it.
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
}

fn cross_origin() -> Refusal {
    refused(
        StatusCode::FORBIDDEN,
        "Boltgate.ClientError.Request.CrossOrigin",
        "Forbidden: a page of another origin sent this request; if it should, add its origin to the setting \
         cors.allowed_origins.",
    )
}

fn refused(status: StatusCode, code: &str, message: &str) -> Refusal {
    Refusal::stated(status, Error::new(Kind::BadRequest, code, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AllowedOrigin;

    #[test]
    fn a_proxy_is_known_by_its_address_over_either_protocol() {
        let guard = Guard::new(GuardSettings {
            loopback: true,
            allowed_hosts: Vec::new(),
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
