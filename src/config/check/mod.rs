//! Owns the rules between settings, where each value is fine alone.
//!
//! Promises that every refusal names both keys, their values and where these came from.

mod auth;

use std::time::Duration;

use self::auth::check_auth;
use super::{
    effective::Effective,
    error::ConfigError,
    values::{AllowedOrigin, DatabaseAlias, UriScheme},
};

/// Neo4j takes no deeper nesting than this, and closes the connection far beyond it.
const MAX_DEPTH: usize = 1000;
/// A body is read with positions of 32 bits, and its values may come to twice its size.
const MAX_BODY: usize = 1 << 30;
/// Whoever collided tries again at once otherwise, and collides again.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);

/// Refuses settings that contradict each other.
pub(super) fn check(effective: &Effective) -> Result<(), ConfigError> {
    let settings = &effective.settings;
    let describe = |key| effective.describe(key);
    let rules = [
        (
            settings.transactions.max < settings.database.max_connections,
            "transactions.max",
            "must be less than",
            "database.max_connections",
            "every open transaction holds a wire, and single statements need some as well",
        ),
        (
            settings.transactions.idle_timeout <= settings.transactions.max_lifetime,
            "transactions.idle_timeout",
            "must not exceed",
            "transactions.max_lifetime",
            "a transaction would end before it could be idle for so long",
        ),
        (
            settings.idempotency.max_answer <= settings.idempotency.capacity,
            "idempotency.max_answer",
            "must not exceed",
            "idempotency.capacity",
            "there would be no room for such an answer",
        ),
        (
            settings.limits.body <= settings.limits.body_memory,
            "limits.body_memory",
            "must be at least",
            "limits.body",
            "there would never be room for such a body",
        ),
        (
            settings.limits.line <= settings.limits.body_memory,
            "limits.body_memory",
            "must be at least",
            "limits.line",
            "there would never be room for such a line",
        ),
        (
            settings.database.ca_file.is_none() || settings.database.uri.scheme() == UriScheme::BoltS,
            "database.ca_file",
            "has no effect with",
            "database.uri",
            "only bolt+s:// verifies a certificate; change the scheme or remove ca_file",
        ),
        (
            settings.server.listen.get().port() == 0 || settings.admin.listen != Some(settings.server.listen),
            "admin.listen",
            "must differ from",
            "server.listen",
            "each listener needs a port of its own",
        ),
        (
            !settings.cors.credentials || !settings.cors.allowed_origins.contains(&AllowedOrigin::Any),
            "cors.credentials",
            "cannot be used with",
            "cors.allowed_origins",
            "every page of the web could act as the user of the browser; name the origins",
        ),
    ];
    for (holds, left, relation, right, because) in rules {
        if !holds {
            return Err(ConfigError::Conflict(format!("{} {relation} {}: {because}", describe(left), describe(right))));
        }
    }
    if settings.limits.depth.get() > MAX_DEPTH {
        return Err(ConfigError::Conflict(format!(
            "{} must not exceed {MAX_DEPTH}: deeper nesting could exhaust a thread's stack",
            describe("limits.depth")
        )));
    }
    if settings.retry.initial_delay.get() < SHORTEST_PAUSE {
        return Err(ConfigError::Conflict(format!(
            "{} must be at least 5ms: attempts that follow each other at once only add to the load",
            describe("retry.initial_delay")
        )));
    }
    for (size, key) in [(settings.limits.body, "limits.body"), (settings.limits.line, "limits.line")] {
        if size.get() > MAX_BODY {
            return Err(ConfigError::Conflict(format!(
                "{} must not exceed 1GiB: send more as a bulk load, which has no limit as a whole",
                describe(key)
            )));
        }
    }
    if let Some((one, other)) = DatabaseAlias::duplicate(&settings.database.aliases) {
        return Err(ConfigError::Conflict(format!(
            "{} has two meanings for one name, \"{one}\" and \"{other}\"; keep one of them",
            describe("database.aliases")
        )));
    }
    check_auth(effective)
}
