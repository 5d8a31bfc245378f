//! Owns the rules between settings whose values are valid each on its own.
//!
//! Promises to find all contradictions, and that each one names the keys, their values, and where these were set.

mod auth;
mod websocket;

use std::time::Duration;

use self::{auth::check_auth, websocket::check_websocket};
use super::{
    effective::Effective,
    error::ConfigError,
    settings::{ClientAuth, Console, ServerTls, Settings},
    values::{AllowedOrigin, DatabaseAlias, UriScheme, WhoRule},
};

/// Neo4j accepts no deeper nesting, and closes the connection far beyond it.
const MAX_DEPTH: usize = 1000;
/// Positions in a body have 32 bits, and its values may take twice its size.
const MAX_BODY: usize = 1 << 30;
/// One for a transaction, one for everything else.
const MIN_CONNECTIONS: usize = 2;
/// Shorter pauses let transactions that conflicted conflict again.
const MIN_DELAY: Duration = Duration::from_millis(5);

/// Says which settings contradict each other, as far as their values are not `in_doubt`.
pub(super) fn check(effective: &Effective, in_doubt: &dyn Fn(&str) -> bool) -> Vec<ConfigError> {
    let settings = &effective.settings;
    let describe = |key| effective.describe(key);
    let rules = [
        (
            settings.transactions.max < settings.database.max_connections
                || settings.database.max_connections.get() < MIN_CONNECTIONS,
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
            settings.websocket.idle_timeout <= settings.websocket.max_lifetime,
            "websocket.idle_timeout",
            "must not exceed",
            "websocket.max_lifetime",
            "a socket would reach its maximum lifetime first",
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
            !settings.cors.credentials || !settings.cors.allowed_origins.contains(&AllowedOrigin::Any),
            "cors.credentials",
            "cannot be used with",
            "cors.allowed_origins",
            "any web page could act as the user of the browser; list the origins",
        ),
    ];
    let mut contradictions = Vec::new();
    let mut add = |keys: &[&str], text: String| {
        if !keys.iter().any(|key| in_doubt(key)) {
            contradictions.push(ConfigError::Conflict(text));
        }
    };
    if let Some((set, missing)) = incomplete_tls(&settings.server.tls) {
        add(&[set, missing], format!("{} has no effect without {missing}; set both or neither", describe(set)));
    }
    for (holds, left, relation, right, because) in rules {
        if !holds {
            add(&[left, right], format!("{} {relation} {}: {because}", describe(left), describe(right)));
        }
    }
    for (holds, key, advice) in bounds(settings) {
        if !holds {
            add(&[key], format!("{} {advice}", describe(key)));
        }
    }
    if let Some((one, other)) = DatabaseAlias::duplicate(&settings.database.aliases) {
        let advice = format!("gives one name two meanings, \"{one}\" and \"{other}\"; remove one of them");
        add(&["database.aliases"], format!("{} {advice}", describe("database.aliases")));
    }
    if let Some((keys, advice)) = incomplete_sign_in(settings) {
        let [key, _] = keys;
        add(&keys, format!("{} {advice}", describe(key)));
    }
    contradictions.extend(check_auth(effective, in_doubt));
    contradictions.extend(check_websocket(effective, in_doubt));
    contradictions
}

/// What is missing for the console's sign-in, and which keys are about it.
fn incomplete_sign_in(settings: &Settings) -> Option<([&'static str; 2], String)> {
    let (issuer, client) = ("console.oidc_issuer", "console.oidc_client_id");
    let Console { oidc_issuer, oidc_client_id, .. } = &settings.console;
    match (oidc_issuer.is_empty(), oidc_client_id.is_empty()) {
        (true, true) => None,
        (true, false) => Some(([client, issuer], format!("has no effect without {issuer}; set both or neither"))),
        (false, true) => Some(([issuer, client], format!("needs {client}, the console's name at that issuer"))),
        (false, false) if settings.auth.issuers.contains_key(oidc_issuer) => None,
        (false, false) => {
            let known = settings.auth.issuers.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let known = if known.is_empty() { "there is none".to_owned() } else { format!("there is {known}") };
            let advice = format!("must be the NAME of a section [auth.issuers.NAME], and {known}");
            Some(([issuer, client], advice))
        }
    }
}

type Rule = (bool, &'static str, &'static str);

/// The rules about single values that their types do not hold.
fn bounds(settings: &Settings) -> [Rule; 7] {
    let Settings { admin, auth, cypher, database, limits, retry, .. } = settings;
    let reads_claims = cypher.allow.iter().any(|rule| matches!(rule, WhoRule::Claim { .. }));
    let too_large = "must not exceed 1GiB: send more data as a bulk load, which has no limit in total";
    [
        (
            database.max_connections.get() >= MIN_CONNECTIONS,
            "database.max_connections",
            "must be at least 2: every open transaction holds a connection, and other statements need one too",
        ),
        (
            admin.token.expose().bytes().all(|byte| byte.is_ascii_graphic()),
            "admin.token",
            "must consist of visible ASCII characters, because it is sent in a header",
        ),
        (
            limits.depth.get() <= MAX_DEPTH,
            "limits.depth",
            "must not exceed 1000: deeper nesting could exhaust a thread's stack",
        ),
        (
            retry.initial_delay.get() >= MIN_DELAY,
            "retry.initial_delay",
            "must be at least 5ms: attempts without a pause only add to the load",
        ),
        (
            !reads_claims || !auth.issuers.is_empty(),
            "cypher.allow",
            "names a claim, but no token is verified; add the issuer of the tokens in [auth.issuers.NAME]",
        ),
        (limits.body.get() <= MAX_BODY, "limits.body", too_large),
        (limits.line.get() <= MAX_BODY, "limits.line", too_large),
    ]
}

/// A setting of `[server.tls]` that has no effect without another one, and that one.
fn incomplete_tls(tls: &ServerTls) -> Option<(&'static str, &'static str)> {
    let (certificate, key) = ("server.tls.certificate", "server.tls.key");
    let (client_ca, client_auth) = ("server.tls.client_ca", "server.tls.client_auth");
    match (&tls.certificate, &tls.key, &tls.client_ca, tls.client_auth) {
        (Some(_), None, _, _) => Some((certificate, key)),
        (None, Some(_), _, _) => Some((key, certificate)),
        (None, None, Some(_), _) => Some((client_ca, certificate)),
        (_, _, None, ClientAuth::Request) => Some((client_auth, client_ca)),
        _ => None,
    }
}
