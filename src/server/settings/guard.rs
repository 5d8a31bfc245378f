//! Settings of the guard: hosts, origins and proxies.

use crate::{config::Settings, http};

pub(super) fn settings(settings: &Settings) -> http::GuardSettings {
    http::GuardSettings {
        loopback: settings.server.listen.is_local(),
        allowed_hosts: settings.server.allowed_hosts.clone(),
        trusted_proxies: settings.server.trusted_proxies.iter().map(|network| network.get()).collect(),
        upgrades: settings.websocket.enabled,
        cors: http::CorsSettings {
            origins: settings.cors.allowed_origins.clone(),
            credentials: settings.cors.credentials,
            max_age: settings.cors.max_age.get(),
            id_token_header: settings.auth.id_token_header.as_str().to_owned(),
        },
    }
}
