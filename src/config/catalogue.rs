//! Owns the table of keys: what each one holds, and whether SIGHUP applies a new value.
//!
//! Promises an entry for every key, in the order of the file. May not know values, defaults or descriptions.

use super::keys::ANY;

/// A key of the settings.
pub(super) struct Key {
    /// Its path. Sections that the operator names are [`ANY`].
    pub(super) name: &'static str,
    /// Whether SIGHUP takes a new value over; otherwise it takes effect at the next start.
    pub(super) reload: bool,
    pub(super) kind: Kind,
}

/// What a key holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// A text that matches this regular expression, which JavaScript supports too; or an empty one, if that is allowed.
    Form { form: &'static str, or_empty: bool },
    /// A text that is never shown.
    Secret,
    /// `true` or `false`.
    Switch,
    /// A time span; zero, if so said.
    Span { or_zero: bool },
    /// A size in bytes; zero, if so said.
    Size { or_zero: bool },
    /// A whole number.
    Whole { least: u32, most: u32 },
    /// A decimal number.
    Decimal { least: f64, most: f64 },
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list.
    List(&'static Self),
}

use Kind::{Decimal, Form, List, OneOf, Secret, Size, Span, Switch, Text, Whole};

impl Kind {
    /// Whether values are never shown.
    pub(super) fn is_secret(self) -> bool {
        matches!(self, Secret | List(Secret))
    }
}

const SPAN: Kind = Span { or_zero: false };
const SPAN_OR_ZERO: Kind = Span { or_zero: true };
const SIZE: Kind = Size { or_zero: false };
const COUNT: Kind = Whole { least: 1, most: u32::MAX };
const PERCENT: Kind = Whole { least: 1, most: 100 };
const LISTENER: Kind = Form { form: "^(unix:/.+|.+:[0-9]+)$", or_empty: false };
const MODE: Kind = Form { form: "^0?[0-7]{3}$", or_empty: false };
const SCHEME: &str = "^[a-z0-9_-]{1,64}$";
const INBOUND: Kind = OneOf(&["forward", "service", "refuse"]);
const WHO: Kind = form("^(\\*|user:.+|claim:[^=]+=.+)$");
const ALGORITHMS: Kind = OneOf(&[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "HS256", "HS384", "HS512",
]);

const fn form(form: &'static str) -> Kind {
    Form { form, or_empty: false }
}

const fn form_or_empty(form: &'static str) -> Kind {
    Form { form, or_empty: true }
}

/// A key whose new value SIGHUP takes over.
const fn live(name: &'static str, kind: Kind) -> Key {
    Key { name, reload: true, kind }
}

/// A key whose new value takes effect at the next start.
const fn start(name: &'static str, kind: Kind) -> Key {
    Key { name, reload: false, kind }
}

/// Every key.
pub(super) const KEYS: &[Key] = &[
    start("server.listen", LISTENER),
    start("server.socket_mode", MODE),
    live("server.allowed_hosts", List(&Text)),
    start("server.trusted_proxies", List(&form("^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$"))),
    start("server.max_connections", COUNT),
    live("server.header_timeout", SPAN),
    live("server.idle_timeout", SPAN),
    live("server.max_connection_age", SPAN_OR_ZERO),
    live("server.body_timeout", SPAN),
    live("server.write_stall_timeout", SPAN),
    live("server.half_close_timeout", SPAN),
    live("server.drain_delay", SPAN_OR_ZERO),
    live("server.shutdown_timeout", SPAN),
    start("server.instance", form_or_empty("^[A-Za-z0-9.-]{1,32}$")),
    live("server.tls.certificate", Text),
    live("server.tls.key", Text),
    live("server.tls.client_ca", Text),
    live("server.tls.client_auth", OneOf(&["require", "request"])),
    live("server.tls.handshake_timeout", SPAN),
    live("server.tls.reload", SPAN_OR_ZERO),
    start("admin.listen", Form { form: "^(unix:/.+|.+:[0-9]+)$", or_empty: true }),
    start("admin.socket_mode", MODE),
    live("admin.token", Secret),
    live("http.statuses", OneOf(&["query-api", "precise"])),
    live("http.server_timing", Switch),
    live("http.compression", Switch),
    live("http.transactional", Switch),
    live("http.older_paths", Switch),
    live("http.older_database", form("^[^/]+$")),
    live("formats.csv_formulas", OneOf(&["keep", "escape"])),
    live("console.enabled", Switch),
    live("console.oidc_issuer", Text),
    live("console.oidc_client_id", Text),
    live("console.oidc_scopes", List(&Text)),
    live("cors.allowed_origins", List(&form("^(\\*|[A-Za-z][A-Za-z0-9+.-]*://[^/]+)$"))),
    live("cors.credentials", Switch),
    live("cors.max_age", SPAN),
    start("database.uri", form("^bolt(\\+s|\\+ssc)?://.+$")),
    start("database.dialect", OneOf(&["auto", "neo4j", "memgraph", "strict"])),
    start("database.ca_file", Text),
    start("database.aliases", List(&form("^.+->.*$"))),
    live("database.connect_timeout", SPAN),
    start("database.max_connections", Whole { least: 2, most: u32::MAX }),
    start("database.caller_share", PERCENT),
    live("database.acquire_timeout", SPAN),
    live("database.max_lifetime", SPAN),
    live("database.login_age", SPAN_OR_ZERO),
    live("database.liveness_after", SPAN),
    live("database.max_execution_time", SPAN),
    live("database.termination_grace", SPAN),
    live("auth.anonymous", INBOUND),
    live("auth.basic", INBOUND),
    live("auth.bearer", INBOUND),
    live("auth.realm", form("^[ -~]{1,64}$")),
    live("auth.bearer_scheme", form(SCHEME)),
    live("auth.bearer_credentials", OneOf(&["auto", "token", "pairs"])),
    live("auth.request_schemes", List(&form(SCHEME))),
    live("auth.id_token_header", form("^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$")),
    live("auth.leeway", SPAN_OR_ZERO),
    live("auth.stale_keys", SPAN),
    live("auth.impersonation", OneOf(&["off", "own", "list", "database", "any"])),
    live("auth.impersonation_list", List(&form("^.*[^ ].*->.*[^ ].*$"))),
    live("auth.service_account.user", Text),
    live("auth.service_account.password", Secret),
    live("auth.service_account.read_only", Switch),
    live("auth.issuers.*.issuer", Text),
    live("auth.issuers.*.audience", List(&Text)),
    live("auth.issuers.*.algorithms", List(&ALGORITHMS)),
    live("auth.issuers.*.jwks_url", Text),
    live("auth.issuers.*.key_file", Text),
    live("auth.issuers.*.secret", Secret),
    live("auth.issuers.*.ca_file", Text),
    live("auth.issuers.*.allow_http", Switch),
    live("auth.issuers.*.scheme", form_or_empty(SCHEME)),
    live("auth.issuers.*.user_claim", Text),
    live("cypher.allow", List(&WHO)),
    live("named.directory", Text),
    start("named.check", OneOf(&["off", "warn", "fail"])),
    live("named.show_statements", Switch),
    live("transactions.max", COUNT),
    live("transactions.caller_share", PERCENT),
    live("transactions.idle_timeout", SPAN),
    live("transactions.max_lifetime", SPAN),
    live("retry.max_time", SPAN_OR_ZERO),
    live("retry.initial_delay", SPAN),
    live("retry.multiplier", Decimal { least: 1.0, most: 100.0 }),
    live("retry.jitter", Decimal { least: 0.0, most: 1.0 }),
    start("idempotency.keep", SPAN),
    start("idempotency.max_answer", SIZE),
    start("idempotency.capacity", SIZE),
    live("limits.body", SIZE),
    live("limits.body_memory", SIZE),
    live("limits.line", SIZE),
    live("limits.statement", SIZE),
    live("limits.record", SIZE),
    live("limits.depth", Whole { least: 1, most: 1000 }),
    live("limits.decompressed_body", SIZE),
    live("limits.requests", COUNT),
    live("limits.caller_requests", COUNT),
    live("limits.waiting", COUNT),
    live("limits.caller_waiting", COUNT),
    live("limits.result_rows", Whole { least: 0, most: u32::MAX }),
    live("limits.result_bytes", Size { or_zero: true }),
    live("limits.graph", SIZE),
    live("limits.graph_elements", COUNT),
    live("mcp.enabled", Switch),
    live("mcp.write", Switch),
    live("mcp.max_rows", COUNT),
    live("mcp.max_bytes", SIZE),
    live("mcp.deny", List(&Text)),
    live("websocket.enabled", Switch),
    live("websocket.max_connections", COUNT),
    live("websocket.idle_timeout", SPAN),
    live("websocket.max_lifetime", SPAN),
    start("discovery.neo4j_version", form("^[0-9]+(\\.[0-9]+)+$")),
    start("discovery.neo4j_edition", OneOf(&["community", "enterprise"])),
    live("log.format", OneOf(&["pretty", "json"])),
    live("log.filter", Text),
    live("log.access", OneOf(&["failures", "all", "off"])),
    live("log.slow_query", SPAN_OR_ZERO),
    start("telemetry.otlp.endpoint", form_or_empty("^https?://[^/:?#@]+[^?@]*$")),
    start("telemetry.otlp.headers", List(&Secret)),
    live("telemetry.otlp.sample", Decimal { least: 0.0, most: 1.0 }),
    live("telemetry.otlp.statements", Switch),
    start("telemetry.otlp.timeout", SPAN),
    start("telemetry.otlp.service_name", Text),
];

/// Returns the entry of `key`, in which the operator may have named a section.
pub(super) fn find(key: &str) -> Option<&'static Key> {
    KEYS.iter().find(|entry| is_named(entry.name, key))
}

fn is_named(name: &str, key: &str) -> bool {
    let (mut names, mut parts) = (name.split('.'), key.split('.'));
    loop {
        match (names.next(), parts.next()) {
            (None, None) => return true,
            (Some(name), Some(part)) if name == part || name == ANY => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Settings, keys::leaves};

    #[test]
    fn every_key_has_an_entry_in_the_order_of_the_file() {
        let known = Settings::known();
        let known: Vec<String> = leaves(&known).into_iter().map(|(key, _)| key).collect();
        assert_eq!(KEYS.iter().map(|key| key.name).collect::<Vec<_>>(), known);
    }

    #[test]
    fn an_entry_counts_for_every_section_of_its_name() {
        for (key, name) in [
            ("server.tls.key", Some("server.tls.key")),
            ("auth.issuers.entra.secret", Some("auth.issuers.*.secret")),
            ("auth.issuers.entra", None),
            ("auth.issuers.entra.secret.x", None),
            ("nothing", None),
        ] {
            assert_eq!(find(key).map(|entry| entry.name), name, "{key}");
        }
    }
}
