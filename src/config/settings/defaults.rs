//! Owns the defaults of all sections except `[auth]`.
//!
//! Promises that the defaults satisfy every rule.

use std::time::Duration;

use super::*;

/// What statements of agents may not use: anything that reaches other hosts or files, that runs further statements,
/// which have not been inspected, or that administers the server.
const DENIED: [&str; 13] = [
    "LOAD CSV",
    "apoc.load.*",
    "apoc.import.*",
    "apoc.export.*",
    "apoc.cypher.*",
    "apoc.periodic.*",
    "apoc.trigger.*",
    "dbms.*",
    "mg.load*",
    "apoc.when",
    "apoc.case",
    "apoc.graph.fromCypher",
    "apoc.bolt.*",
];

impl Default for Settings {
    fn default() -> Self {
        let seconds = |s| TimeSpan::constant(Duration::from_secs(s));
        Self {
            server: Server {
                listen: ListenAddr::loopback(7474),
                socket_mode: SocketMode::constant(0o660),
                allowed_hosts: Vec::new(),
                trusted_proxies: Vec::new(),
                max_connections: Count::constant(10_000),
                header_timeout: seconds(30),
                idle_timeout: seconds(75),
                max_connection_age: Age::constant(Duration::from_secs(60 * 60)),
                body_timeout: seconds(30),
                write_stall_timeout: seconds(30),
                half_close_timeout: seconds(30),
                drain_delay: Age::constant(Duration::ZERO),
                shutdown_timeout: seconds(30),
                instance: None,
                tls: ServerTls {
                    certificate: None,
                    key: None,
                    client_ca: None,
                    client_auth: ClientAuth::Require,
                    handshake_timeout: seconds(10),
                    reload: Age::constant(Duration::from_secs(10)),
                },
            },
            admin: Admin { listen: None, socket_mode: SocketMode::constant(0o600), token: Secret::default() },
            http: Http {
                statuses: Statuses::QueryApi,
                server_timing: false,
                compression: true,
                transactional: true,
                older_paths: false,
                older_database: DatabaseName::constant("neo4j"),
            },
            formats: Formats { csv_formulas: CsvFormulas::Keep },
            console: Console {
                enabled: true,
                oidc_issuer: String::new(),
                oidc_client_id: String::new(),
                oidc_scopes: vec!["openid".to_owned()],
            },
            cors: Cors { allowed_origins: Vec::new(), credentials: false, max_age: seconds(10 * 60) },
            database: Database {
                uri: DatabaseUri::loopback(),
                dialect: Dialect::Auto,
                ca_file: None,
                aliases: Vec::new(),
                connect_timeout: seconds(5),
                max_connections: Count::constant(100),
                caller_share: Percent::constant(80),
                acquire_timeout: seconds(10),
                max_lifetime: seconds(10 * 60),
                login_age: Age::constant(Duration::from_secs(30)),
                liveness_after: seconds(30),
                max_execution_time: seconds(10 * 60),
                termination_grace: seconds(10),
            },
            auth: Auth::default(),
            cypher: Cypher { allow: vec![WhoRule::Anybody] },
            named: Named { directory: None, check: NamedCheck::Warn, show_statements: false },
            transactions: Transactions {
                max: Count::constant(50),
                caller_share: Percent::constant(80),
                idle_timeout: seconds(60),
                max_lifetime: seconds(10 * 60),
            },
            retry: Retry {
                max_time: Age::constant(Duration::from_secs(30)),
                initial_delay: TimeSpan::constant(Duration::from_millis(50)),
                multiplier: Factor::constant(2000),
                jitter: Fraction::constant(200),
            },
            idempotency: Idempotency {
                keep: seconds(60 * 60),
                max_answer: ByteSize::constant(1 << 20),
                capacity: ByteSize::constant(64 << 20),
            },
            limits: Limits {
                body: ByteSize::constant(64 << 20),
                body_memory: ByteSize::constant(512 << 20),
                line: ByteSize::constant(1 << 20),
                statement: ByteSize::constant(64 << 20),
                record: ByteSize::constant(64 << 20),
                depth: Count::constant(1000),
                decompressed_body: ByteSize::constant(64 << 20),
                requests: Count::constant(5000),
                caller_requests: Count::constant(1000),
                waiting: Count::constant(1000),
                caller_waiting: Count::constant(500),
                result_rows: CountLimit::NONE,
                result_bytes: SizeLimit::NONE,
                graph: ByteSize::constant(64 << 20),
                graph_elements: Count::constant(50_000),
            },
            mcp: Mcp {
                enabled: false,
                write: false,
                max_rows: Count::constant(1000),
                max_bytes: ByteSize::constant(256 << 10),
                deny: DENIED.map(str::to_owned).to_vec(),
            },
            websocket: WebSocket {
                enabled: false,
                max_connections: Count::constant(100),
                idle_timeout: seconds(10 * 60),
                max_lifetime: seconds(12 * 60 * 60),
            },
            discovery: Discovery {
                neo4j_version: Neo4jVersion::constant("2026.09.0"),
                neo4j_edition: Edition::Community,
            },
            log: Log {
                format: LogFormat::Pretty,
                filter: "info".to_owned(),
                access: AccessLog::Failures,
                slow_query: Age::constant(Duration::ZERO),
            },
            telemetry: Telemetry {
                otlp: Otlp {
                    endpoint: None,
                    headers: Vec::new(),
                    sample: Fraction::constant(1000),
                    statements: false,
                    timeout: seconds(10),
                    service_name: "boltgate".to_owned(),
                },
            },
        }
    }
}
