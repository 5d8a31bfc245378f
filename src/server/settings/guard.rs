//! Settings of the guard: hosts, origins and proxies.

use std::net::IpAddr;

use crate::{config::Settings, http};

/// `listener` is the address that serves clients.
pub(super) fn settings(settings: &Settings, listener: IpAddr) -> http::GuardSettings {
    http::GuardSettings {
        loopback: listener.to_canonical().is_loopback(),
        allowed_hosts: settings.server.allowed_hosts.clone(),
        trusted_proxies: settings.server.trusted_proxies.iter().map(|network| network.get()).collect(),
        cors: http::CorsSettings {
            origins: settings.cors.allowed_origins.clone(),
            credentials: settings.cors.credentials,
            max_age: settings.cors.max_age.get(),
            id_token_header: settings.auth.id_token_header.as_str().to_owned(),
        },
    }
}
