//! Owns the rules between settings whose values are valid each on its own.
//!
//! Promises that every error names the keys, their values, and where these were set.

mod auth;

use std::time::Duration;

use self::auth::check_auth;
use super::{
    effective::Effective,
    error::ConfigError,
    settings::ClientAuth,
    values::{AllowedOrigin, DatabaseAlias, UriScheme},
};

/// Neo4j accepts no deeper nesting, and closes the connection far beyond it.
const MAX_DEPTH: usize = 1000;
/// Positions in a body have 32 bits, and its values may take twice its size.
const MAX_BODY: usize = 1 << 30;
/// Shorter pauses let transactions that conflicted conflict again.
const MIN_DELAY: Duration = Duration::from_millis(5);

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
            "every open transaction holds a connection, and other statements need some too",
        ),
        (
            settings.transactions.idle_timeout <= settings.transactions.max_lifetime,
            "transactions.idle_timeout",
            "must not exceed",
            "transactions.max_lifetime",
            "a transaction would reach its maximum lifetime first",
        ),
        (
            settings.idempotency.max_answer <= settings.idempotency.capacity,
            "idempotency.max_answer",
            "must not exceed",
            "idempotency.capacity",
            "the largest answer would never fit",
        ),
        (
            settings.limits.body <= settings.limits.body_memory,
            "limits.body_memory",
            "must be at least",
            "limits.body",
            "the largest body would never fit",
        ),
        (
            settings.limits.line <= settings.limits.body_memory,
            "limits.body_memory",
            "must be at least",
            "limits.line",
            "the longest line would never fit",
        ),
        (
            settings.database.ca_file.is_none() || settings.database.uri.scheme() == UriScheme::BoltS,
            "database.ca_file",
            "has no effect with",
            "database.uri",
            "only bolt+s:// verifies a certificate; change the scheme or remove ca_file",
        ),
        (
            settings.server.listen.is_any_port() || settings.admin.listen.as_ref() != Some(&settings.server.listen),
            "admin.listen",
            "must differ from",
            "server.listen",
            "each listener needs an address of its own",
        ),
        (
            settings.server.tls.certificate.is_none() || settings.server.tls.key.is_some(),
            "server.tls.certificate",
            "needs",
            "server.tls.key",
            "clients are shown the certificate, and the key proves that it is the gateway's",
        ),
        (
            settings.server.tls.key.is_none() || settings.server.tls.certificate.is_some(),
            "server.tls.key",
            "needs",
            "server.tls.certificate",
            "the key alone turns nothing on",
        ),
        (
            settings.server.tls.client_ca.is_none() || settings.server.tls.certificate.is_some(),
            "server.tls.client_ca",
            "needs",
            "server.tls.certificate",
            "clients show certificates only within TLS",
        ),
        (
            !settings.cors.credentials || !settings.cors.allowed_origins.contains(&AllowedOrigin::Any),
            "cors.credentials",
            "cannot be used with",
            "cors.allowed_origins",
            "any web page could act as the user of the browser; list the origins",
        ),
    ];
    check_tls(effective)?;
    for (holds, left, relation, right, because) in rules {
        if !holds {
            return Err(ConfigError::Conflict(format!("{} {relation} {}: {because}", describe(left), describe(right))));
        }
    }
    if !settings.admin.token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ConfigError::Conflict(format!(
            "{} must consist of visible ASCII characters, because it is sent in a header",
            describe("admin.token")
        )));
    }
    if settings.limits.depth.get() > MAX_DEPTH {
        return Err(ConfigError::Conflict(format!(
            "{} must not exceed {MAX_DEPTH}: deeper nesting could exhaust a thread's stack",
            describe("limits.depth")
        )));
    }
    if settings.retry.initial_delay.get() < MIN_DELAY {
        return Err(ConfigError::Conflict(format!(
            "{} must be at least 5ms: attempts without a pause only add to the load",
            describe("retry.initial_delay")
        )));
    }
    for (size, key) in [(settings.limits.body, "limits.body"), (settings.limits.line, "limits.line")] {
        if size.get() > MAX_BODY {
            return Err(ConfigError::Conflict(format!(
                "{} must not exceed 1GiB: send more data as a bulk load, which has no limit in total",
                describe(key)
            )));
        }
    }
    if let Some((one, other)) = DatabaseAlias::duplicate(&settings.database.aliases) {
        return Err(ConfigError::Conflict(format!(
            "{} gives one name two meanings, \"{one}\" and \"{other}\"; remove one of them",
            describe("database.aliases")
        )));
    }
    check_auth(effective)
}

/// Refuses settings of `[server.tls]` of which one has no effect without the other.
fn check_tls(effective: &Effective) -> Result<(), ConfigError> {
    let tls = &effective.settings.server.tls;
    let (certificate, key) = ("server.tls.certificate", "server.tls.key");
    let (client_ca, client_auth) = ("server.tls.client_ca", "server.tls.client_auth");
    let missing = match (&tls.certificate, &tls.key, &tls.client_ca, tls.client_auth) {
        (Some(_), None, _, _) => Some((certificate, key)),
        (None, Some(_), _, _) => Some((key, certificate)),
        (None, None, Some(_), _) => Some((client_ca, certificate)),
        (_, _, None, ClientAuth::Request) => Some((client_auth, client_ca)),
        _ => None,
    };
    match missing {
        Some((set, missing)) => Err(ConfigError::Conflict(format!(
            "{} has no effect without {missing}; set both or neither",
            effective.describe(set)
        ))),
        None => Ok(()),
    }
}
