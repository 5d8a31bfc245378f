//! The rooms of the program, and which of them may know which.
//!
//! A room is a folder or a file of `src`. Whoever wants a new import adds it to the tables here, and by that says so
//! aloud; a permission that nobody uses any more has to go. The pages' links are looked after here, too.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

#[path = "architecture/links.rs"]
mod links;
#[path = "architecture/source.rs"]
mod source;

use std::collections::BTreeSet;

use source::{Source, read_all};

/// The rooms from top to bottom, and what each may import from those below: a whole room, or what is named of it.
const ROOMS: &[(&str, &[&str])] = &[
    ("lib", &[]),
    (
        "main",
        &[
            "cli",
            "shell",
            "server",
            "embedded",
            "http",
            "telemetry",
            "healthcheck",
            "config",
            "bolt::Endpoint",
            "bolt::zone",
            "service_manager",
        ],
    ),
    // A client of gateways. What it knows of databases is how to put a gateway in front of one.
    ("shell", &["cli", "server", "config", "bolt::Endpoint", "http_client", "tls"]),
    ("cli", &["healthcheck", "config"]),
    (
        "server",
        &["admin", "http", "named", "query", "pool", "auth", "telemetry", "config", "bolt", "tls", "live", "drain"],
    ),
    ("admin", &["query", "pool", "telemetry::logs", "telemetry::metrics", "config", "live"]),
    // One more Bolt server: it knows nothing of the gateway.
    ("embedded", &[]),
    // Of Bolt only what is still PackStream (columns, summaries), and how long a name in a message may be. Of the settings
    // only what is compared with the heads of requests.
    (
        "http",
        &[
            "idempotency",
            "named",
            "query",
            "auth",
            "telemetry::observer",
            "telemetry::record",
            "telemetry::request_id",
            "telemetry::spans",
            "telemetry::trace_context",
            "arrow",
            "json",
            "pack",
            "unpack",
            "websocket",
            "bolt::Columns",
            "bolt::Stats",
            "bolt::Summary",
            "bolt::packstream",
            "value_path",
            "config::AccessLog",
            "live",
            "config::AllowedHost",
            "config::AllowedOrigin",
            "config::InstanceName",
        ],
    ),
    (
        "named",
        &[
            "query",
            "auth::Identity",
            "auth::WhoRules",
            "json",
            "config::TimeSpan",
            "config::WhoRule",
            "bolt::packstream",
            "value_path",
        ],
    ),
    // It learns nothing of what it carries out: callers, and answers as values.
    ("idempotency", &["auth::ByIdentity", "auth::IdentityKey", "telemetry::observer"]),
    (
        "query",
        &[
            "pool",
            "auth",
            "telemetry::logs::LogControl",
            "telemetry::observer",
            "telemetry::record",
            "telemetry::spans",
            "config::InstanceName",
            "bolt",
            "drain",
            "live",
        ],
    ),
    ("pool", &["auth", "bolt", "telemetry::observer", "live"]),
    ("auth", &["bolt::AuthToken", "config::WhoRule", "http_client", "tls", "telemetry::observer"]),
    ("websocket", &["telemetry::observer"]),
    ("telemetry", &["config::AccessLog", "config::Log", "config::LogFormat", "http_client", "tls", "live"]),
    ("arrow", &["json", "bolt::packstream"]),
    ("json", &["bolt::packstream", "value_path", "bolt::zone"]),
    ("healthcheck", &["http_client", "tls"]),
    ("config", &[]),
    ("bolt", &["value_path"]),
    ("http_client", &[]),
    ("tls", &[]),
    ("pack", &["unpack"]),
    ("unpack", &[]),
    ("value_path", &[]),
    ("live", &[]),
    ("drain", &[]),
    ("service_manager", &[]),
];

/// Crates that are the business of some rooms only.
const CRATES: &[(&str, &[&str])] = &[
    ("anyhow", &["main"]),
    ("arc_swap", &["live"]),
    ("arrow_array", &["arrow"]),
    ("arrow_buffer", &["arrow"]),
    ("arrow_ipc", &["arrow"]),
    ("arrow_schema", &["arrow"]),
    ("async_trait", &["embedded", "telemetry"]),
    ("axum", &["server", "admin", "http"]),
    ("blake3", &["auth", "http", "idempotency", "server"]),
    ("boltr", &["embedded"]),
    ("chrono", &["embedded"]),
    ("clap", &["main", "cli", "shell"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("flate2", &["http", "pack", "unpack"]),
    ("graphdblite", &["embedded"]),
    ("http_body_util", &["http", "http_client", "shell"]),
    ("hyper", &["server", "http", "auth", "healthcheck", "http_client", "shell"]),
    ("hyper_util", &["server", "http", "http_client"]),
    ("ipnet", &["config", "http"]),
    ("jsonwebtoken", &["auth"]),
    ("libc", &["server"]),
    ("opentelemetry", &["telemetry"]),
    ("opentelemetry_http", &["telemetry"]),
    ("opentelemetry_otlp", &["telemetry"]),
    ("opentelemetry_sdk", &["telemetry"]),
    ("percent_encoding", &["config", "http", "named", "shell"]),
    ("prometheus_client", &["telemetry"]),
    ("quick_cache", &["auth"]),
    ("rmcp", &["http"]),
    ("rusqlite", &["embedded"]),
    ("rustix", &["embedded", "server", "shell"]),
    ("rustls", &["auth", "telemetry", "bolt", "http_client", "server", "shell", "tls"]),
    ("rustls_platform_verifier", &["tls"]),
    ("sd_notify", &["service_manager"]),
    ("simple_asn1", &["server"]),
    ("socket2", &["bolt"]),
    ("strsim", &["config"]),
    ("tokio_rustls", &["bolt", "http_client", "server"]),
    ("tempfile", &["embedded", "shell"]),
    ("tokio_tungstenite", &["http", "websocket"]),
    ("toml", &["config", "named"]),
    ("tracing_subscriber", &["telemetry"]),
    ("unicode_width", &["shell"]),
    ("zstd_safe", &["pack", "unpack"]),
];

/// Where anybody from outside can be let in.
const LISTENERS: (&[&str], &str) = (&["TcpListener", "UnixListener", "UdpSocket"], "server");

/// Whether `permission` covers `import`: both are paths without `crate::`.
fn covers(permission: &str, import: &str) -> bool {
    import.strip_prefix(permission).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Every import of `sources` that the tables do not allow, each as one line.
fn offenders(sources: &[Source]) -> Vec<String> {
    let mut offenders = Vec::new();
    for source in sources {
        let room = source.room.as_str();
        let Some((_, permissions)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            offenders.push(format!("{}: the room `{room}` is in no table", source.file));
            continue;
        };
        for import in &source.imports {
            let own = covers(room, import);
            if !own && !permissions.iter().any(|permission| covers(permission, import)) {
                offenders.push(format!("{}: `{room}` may not import `{import}`", source.file));
            }
        }
        for (name, rooms) in CRATES.iter().copied() {
            if source.crates.contains(name) && !rooms.contains(&room) {
                offenders.push(format!("{}: `{room}` may not use the crate `{name}`", source.file));
            }
        }
        for word in LISTENERS.0 {
            if source.words.contains(*word) && room != LISTENERS.1 {
                offenders.push(format!("{}: only `{}` may listen, and here is a `{word}`", source.file, LISTENERS.1));
            }
        }
        if !source.explained {
            offenders.push(format!("{}: does not begin with `//!`", source.file));
        }
    }
    offenders
}

#[test]
fn allows_each_room_only_its_imports() {
    let sources = read_all();
    assert!(sources.len() > 50, "all files are found: {}", sources.len());
    let offenders = offenders(&sources);
    assert!(offenders.is_empty(), "see the tables in tests/architecture.rs:\n{}", offenders.join("\n"));
}

#[test]
fn links_its_pages_to_what_exists() {
    let (broken, count) = links::broken();
    assert!(count > 100, "all links are found: {count}");
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn lists_rooms_from_top_to_bottom() {
    let height = |room: &str| ROOMS.iter().position(|(name, _)| *name == room);
    for (room, permissions) in ROOMS.iter().copied() {
        for permission in permissions {
            let below = permission.split("::").next().expect("a path has a beginning");
            assert!(height(below) > height(room), "`{room}` imports `{permission}`, which is not below it");
        }
    }
}

#[test]
fn contains_no_unused_permission() {
    let sources = read_all();
    let of = |room: &str| sources.iter().filter(move |source| source.room == room).collect::<Vec<_>>();
    let mut unused = BTreeSet::new();
    for (room, permissions) in ROOMS.iter().copied() {
        assert!(!of(room).is_empty(), "there is no room `{room}`");
        for permission in permissions {
            if !of(room).iter().any(|source| source.imports.iter().any(|import| covers(permission, import))) {
                unused.insert(format!("`{room}` does not import `{permission}`"));
            }
        }
    }
    for (name, rooms) in CRATES.iter().copied() {
        for room in rooms {
            if !of(room).iter().any(|source| source.crates.contains(name)) {
                unused.insert(format!("`{room}` does not use the crate `{name}`"));
            }
        }
    }
    assert!(unused.is_empty(), "take these out of the tables in tests/architecture.rs: {unused:#?}");
}

#[test]
fn finds_forbidden_imports() {
    let found = |file: &str, text: &str| offenders(&[Source::of(file, text)]);
    for (file, text) in [
        ("query/x.rs", "//! x\nuse crate::http::router;"),
        ("query/x.rs", "//! x\nuse crate::{auth::Identity, json::{self, output}};"),
        ("query/mod.rs", "//! x\nfn f() -> crate::json::View { loop {} }"),
        ("query/x.rs", "//! x\nuse super::super::server;"),
        ("query/mod.rs", "//! x\nuse super::server;"),
        ("query/x.rs", "//! x\nuse axum::Router;"),
        ("http/x.rs", "//! x\nuse crate::bolt::Connection;"),
        ("http/x.rs", "//! x\nuse crate::bolt::*;"),
        ("http/x.rs", "//! x\nuse crate::bolt::{Columns, Failure};"),
        ("http/body/x.rs", "//! x\nuse crate::bolt;"),
        ("bolt/x.rs", "//! x\nuse crate::config::Settings;"),
        ("config/x.rs", "//! x\nmacro_rules! m { () => { $crate::telemetry::logs } }"),
        ("embedded/x.rs", "//! x\nuse crate::bolt::Endpoint;"),
        ("embedded/x.rs", "//! x\nuse tokio::net::TcpListener;"),
        ("main.rs", "//! x\nuse boltgate::query::Engine;"),
        ("cellar/x.rs", "//! x\n"),
        ("bolt/x.rs", "use std::io;\n//! x"),
    ] {
        assert!(!found(file, text).is_empty(), "{file}: {text}");
    }
    for (file, text) in [
        ("query/x.rs", "//! use crate::http::router;\n/* use crate::http; */ const X: &str = \"crate::http::x\";"),
        ("query/x.rs", "//! x\nuse super::error::Error;\nuse crate::{auth, bolt::{self, Reply}, pool as p};"),
        ("query/x.rs", "//! x\n#[cfg(test)]\nmod tests { use crate::json::View; fn f() { '}'; \"}\"; } }"),
        ("query/x.rs", "//! x\n#[cfg(test)]\nuse crate::json::View;\nfn f<'a>(_: &'a u8) {}"),
        ("config/text.rs", "//! x\nmod optional { use super::super::value; }"),
        ("http/x.rs", "//! x\nuse crate::{bolt::{Columns, packstream::Reader}, value_path::shortened};"),
    ] {
        assert_eq!(found(file, text), Vec::<String>::new(), "{file}: {text}");
    }
}
