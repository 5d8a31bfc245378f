//! Settings of the HTTP interface.

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{auth, guard, named, query as queries};
use crate::{
    config::{self, Edition},
    http::{
        BodyLimits, ConsoleIssuer, ConsoleSettings, CsvFormulas, IdempotencySettings, McpSettings, Settings, Statuses,
        WebSocketSettings,
    },
    named::Queries,
    query::Denied,
    telemetry::spans::Tracer,
};

/// `work` tracks what runs on without its client, and `at_once` ends it. `tracer` makes spans.
pub(in crate::server) fn settings(
    settings: &config::Settings,
    bolt_port: Option<u16>,
    queries: Queries,
    work: TaskTracker,
    at_once: CancellationToken,
    tracer: Option<Tracer>,
) -> Settings {
    let limits = &settings.limits;
    Settings {
        guard: guard::settings(settings),
        requests: limits.requests.get(),
        caller_requests: limits.caller_requests.get(),
        body: limits.body.get(),
        decompressed_body: limits.decompressed_body.get(),
        body_memory: limits.body_memory.get(),
        body_timeout: settings.server.body_timeout.get(),
        line: limits.line.get(),
        content: BodyLimits {
            statement: limits.statement.get(),
            depth: limits.depth.get(),
            packed: 2 * limits.body.max(limits.line).max(limits.decompressed_body).get(),
        },
        graph: limits.graph.get(),
        graph_elements: limits.graph_elements.get(),
        id_token_header: auth::id_token_header(&settings.auth),
        statuses: match settings.http.statuses {
            config::Statuses::QueryApi => Statuses::QueryApi,
            config::Statuses::Precise => Statuses::Precise,
        },
        server_timing: settings.http.server_timing,
        compression: settings.http.compression,
        csv_formulas: match settings.formats.csv_formulas {
            config::CsvFormulas::Keep => CsvFormulas::Keep,
            config::CsvFormulas::Escape => CsvFormulas::Escape,
        },
        cypher: named::cypher(settings),
        named: queries,
        named_statements: settings.named.show_statements,
        transactional: settings.http.transactional,
        older_database: settings.http.older_paths.then(|| settings.http.older_database.as_str().to_owned()),
        mcp: settings.mcp.enabled.then(|| mcp(&settings.mcp)),
        retry: queries::retry(&settings.retry),
        idempotency: IdempotencySettings {
            keep: settings.idempotency.keep.get(),
            max_answer: settings.idempotency.max_answer.get(),
            capacity: settings.idempotency.capacity.get(),
        },
        work,
        at_once,
        websocket: websocket(&settings.websocket),
        neo4j_version: settings.discovery.neo4j_version.as_str().to_owned(),
        neo4j_edition: match settings.discovery.neo4j_edition {
            Edition::Community => "community",
            Edition::Enterprise => "enterprise",
        },
        bolt_port,
        console: settings.console.enabled.then(|| console(settings)),
        instance: settings.server.instance.clone(),
        tracer,
    }
}

fn mcp(settings: &config::Mcp) -> McpSettings {
    McpSettings {
        write: settings.write,
        max_rows: u32::try_from(settings.max_rows.get()).unwrap_or(u32::MAX),
        max_bytes: settings.max_bytes.get(),
        denied: Denied::new(&settings.deny),
    }
}

fn websocket(settings: &config::WebSocket) -> Option<WebSocketSettings> {
    settings.enabled.then(|| WebSocketSettings {
        max_connections: settings.max_connections.get(),
        idle_timeout: settings.idle_timeout.get(),
        max_lifetime: settings.max_lifetime.get(),
    })
}

/// The settings of the console, with the issuer that they name.
fn console(settings: &config::Settings) -> ConsoleSettings {
    let config::Console { oidc_issuer, oidc_client_id, oidc_scopes, .. } = &settings.console;
    let oidc = settings.auth.issuers.get(oidc_issuer).map(|issuer| ConsoleIssuer {
        issuer: issuer.issuer.clone(),
        client_id: oidc_client_id.clone(),
        scopes: oidc_scopes.clone(),
    });
    ConsoleSettings { oidc }
}
