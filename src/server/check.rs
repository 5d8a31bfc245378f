//! What is wrong with settings that can be read, found without starting anything.

use std::sync::Arc;

use super::{settings, start::network_endpoint, start_error::StartError, tls};
use crate::{
    auth::Authenticator,
    config::{self, Effective, Settings},
    named::Queries,
    telemetry::{event_log::EventLog, logs::parse_filter, otlp},
};

/// Reads everything that the settings name (certificates, keys of issuers) as [`start`](super::start()) does, and starts nothing. Returns
/// what is wrong with it: a text for each mistake, with the origin of the setting.
#[must_use]
pub fn check(effective: &Effective) -> Vec<String> {
    let settings = &effective.settings;
    let mut mistakes = Vec::new();
    let mut add = |key: &str, error: StartError| mistakes.push(format!("{}: {error}", effective.origin(key)));
    if let Err(error) = parse_filter(&settings.log.filter) {
        add("log.filter", error.into());
    }
    if let Err(error) = network_endpoint(&settings.database) {
        add("database.ca_file", error);
    }
    for error in settings::tls::settings(&settings.server.tls).iter().flat_map(tls::check) {
        add(error.setting(), error.into());
    }
    for (name, issuer) in &settings.auth.issuers {
        if issuer.issuer.is_empty() {
            // `Effective::read` has said so.
            continue;
        }
        // One at a time, so that all mistakes are found.
        let issuers = [(name.clone(), issuer.clone())].into();
        let only = Settings { auth: config::Auth { issuers, ..settings.auth.clone() }, ..settings.clone() };
        if let Err(error) = Authenticator::new(settings::auth::settings(&only, &Queries::default()), Arc::new(EventLog))
        {
            let key = format!("auth.issuers.{name}.{}", error.setting());
            add(&key, error.into());
        }
    }
    #[cfg(not(feature = "mcp"))]
    if settings.mcp.enabled {
        add("mcp.enabled", StartError::NoAgents);
    }
    let traces = settings::traces::settings(settings);
    if let Err(error) = traces.and_then(|traces| traces.map_or(Ok(()), otlp::check)) {
        add("telemetry.otlp.endpoint", error.into());
    }
    mistakes
}

/// Reads the files of the named queries, and starts nothing. Returns what is wrong with them: a text for each mistake.
#[must_use]
pub fn check_named(effective: &Effective) -> Vec<String> {
    let mistakes = settings::named::load(&effective.settings).err().unwrap_or_default();
    mistakes.iter().map(ToString::to_string).collect()
}
