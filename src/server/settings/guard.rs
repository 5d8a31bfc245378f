//! Settings of the guard: hosts, origins and proxies.

use std::net::IpAddr;

use crate::{
    config::{self, Settings},
    http,
};

/// `listener` is the address that serves clients.
pub(super) fn settings(settings: &Settings, listener: IpAddr) -> http::GuardSettings {
    let host = |host: &config::AllowedHost| match host {
        config::AllowedHost::Any => http::AllowedHost::Any,
        config::AllowedHost::Address(address) => http::AllowedHost::Address(*address),
        config::AllowedHost::Name(name) => http::AllowedHost::Name(name.clone()),
        config::AllowedHost::Below(name) => http::AllowedHost::Below(name.clone()),
    };
    http::GuardSettings {
        loopback: listener.to_canonical().is_loopback(),
        allowed_hosts: settings.server.allowed_hosts.iter().map(host).collect(),
        trusted_proxies: settings.server.trusted_proxies.iter().map(|network| network.get()).collect(),
        cors: http::CorsSettings {
            origins: origins(&settings.cors.allowed_origins),
            credentials: settings.cors.credentials,
            max_age: settings.cors.max_age.get(),
            id_token_header: settings.auth.id_token_header.as_str().to_owned(),
        },
    }
}

fn origins(allowed: &[config::AllowedOrigin]) -> http::AllowedOrigins {
    let listed = allowed.iter().map(|origin| match origin {
        config::AllowedOrigin::Any => None,
        config::AllowedOrigin::Exactly(origin) => Some(origin.clone()),
    });
    listed.collect::<Option<_>>().map_or(http::AllowedOrigins::Any, http::AllowedOrigins::Listed)
}
