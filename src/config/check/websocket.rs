//! Owns the rules that keep Bolt over WebSocket from bypassing other settings.
//!
//! Promises that each of these settings is named. May not know what is sent over a WebSocket.

use crate::config::{
    effective::Effective,
    error::ConfigError,
    settings::{Impersonation, Inbound, Settings},
    values::WhoRule,
};

const ENABLED: &str = "websocket.enabled";

/// Says which settings would be bypassed, as far as their values are not `in_doubt`.
pub(super) fn check_websocket(effective: &Effective, in_doubt: &dyn Fn(&str) -> bool) -> Vec<ConfigError> {
    let settings = &effective.settings;
    if !settings.websocket.enabled || in_doubt(ENABLED) {
        return Vec::new();
    }
    let mut broken: Vec<(String, &str)> = Vec::new();
    for (holds, key, remedy) in rules(settings) {
        if !holds && !in_doubt(key) {
            broken.push((effective.describe(key), remedy));
        }
    }
    broken.extend(settings.auth.issuers.keys().map(|name| (format!("auth.issuers.{name}"), "remove it")));
    let conflict = |(setting, remedy): (String, &str)| {
        ConfigError::Conflict(format!(
            "{} cannot be used with {setting}: over a WebSocket, the database alone decides who logs in and what they may \
             do; {remedy}, or turn the WebSocket off",
            effective.describe(ENABLED)
        ))
    };
    broken.into_iter().map(conflict).collect()
}

/// What has to hold, the key, and what to do if it does not.
fn rules(settings: &Settings) -> [(bool, &'static str, &'static str); 5] {
    let auth = &settings.auth;
    let forward = "set it to \"forward\"";
    [
        (auth.anonymous == Inbound::Forward, "auth.anonymous", forward),
        (auth.basic == Inbound::Forward, "auth.basic", forward),
        (auth.bearer == Inbound::Forward, "auth.bearer", forward),
        (
            matches!(auth.impersonation, Impersonation::Database | Impersonation::Any),
            "auth.impersonation",
            "set it to \"database\"",
        ),
        (settings.cypher.allow.contains(&WhoRule::Anybody), "cypher.allow", "set it to [\"*\"]"),
    ]
}
