//! Settings from files, the environment and flags, as the program sees them.

use serde_json::json;

use super::{config, printed, refused};
use crate::support::{
    http::request,
    process::{Process, boltgate, run},
    query::body,
};

/// The file that explains every setting.
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/boltgate.toml");

/// What `check-config` says to a file and an environment.
fn check(text: &str, environment: &[(&str, &str)]) -> std::process::Output {
    let (_folder, file) = config(text);
    let mut command = boltgate(&["check-config", "--config", file.to_str().expect("UTF-8")]);
    command.envs(environment.iter().copied()).output().expect("the program starts")
}

#[test]
fn accepts_valid_settings() {
    for text in ["", "[server]\nlisten = \"0.0.0.0:80\"\n[transactions]\nmax = 3"] {
        assert!(printed(&check(text, &[])).starts_with("The configuration is valid: "));
    }
    assert!(printed(&run(&["check-config"])).starts_with("The configuration is valid: "));
    assert!(
        printed(&check("", &[("BOLTGATE_SERVER__LISTEN", "127.0.0.1:1")])).starts_with("The configuration is valid: ")
    );
}

/// A gateway that sends no traces must not look as if it did.
#[cfg(not(feature = "otlp"))]
#[test]
fn refuses_a_collector_that_it_cannot_send_traces_to() {
    let reason = refused(&check("[telemetry.otlp]\nendpoint = \"http://127.0.0.1:4318\"", &[]));
    assert!(reason.contains("telemetry.otlp.endpoint") && reason.contains("cargo feature `otlp`"), "{reason}");
}

#[cfg(feature = "otlp")]
#[test]
fn checks_the_headers_for_the_collector() {
    let settings = "[telemetry.otlp]\nendpoint = \"http://127.0.0.1:4318\"\nheaders = [\"a=b\", \"s3cret\"]";
    let reason = refused(&check(settings, &[]));
    assert!(reason.contains("telemetry.otlp.headers: number 2") && !reason.contains("s3cret"), "{reason}");
}

#[test]
fn holds_the_defaults_in_the_commented_file() {
    assert!(printed(&run(&["check-config", "--config", EXAMPLE])).starts_with("The configuration is valid: "));
    let values = |output| -> toml::Table { printed(&output).parse().expect("it is TOML") };
    assert_eq!(values(run(&["print-config", "--config", EXAMPLE])), values(run(&["print-config"])));
}

#[test]
fn names_invalid_settings_with_their_source() {
    for (text, environment, hints) in [
        ("[server]\n\nlisen = \"127.0.0.1:1\"", &[][..], &["b.toml:3", "`server.lisen`", "`server.listen`"][..]),
        ("[sever]\nlisten = \"127.0.0.1:1\"", &[], &["b.toml:1", "`sever`", "`server`"]),
        ("[limits]\nbody = \"1 MB\"", &[], &["b.toml:2", "limits.body", "MiB"]),
        ("x = = 1", &[], &["b.toml:1", "TOML"]),
        ("", &[("BOLTGATE_SERVER__LISTEM", "x")], &["BOLTGATE_SERVER__LISTEM", "BOLTGATE_SERVER__LISTEN"]),
        ("", &[("BOLTGATE_TRANSACTIONS__MAX", "0")], &["BOLTGATE_TRANSACTIONS__MAX", "transactions.max"]),
        ("", &[("BOLTGATE_LOG__FILTER", "inof")], &["log.filter", "`inof`"]),
        ("", &[("BOLTGATE_DATABASE__URI", "http://db")], &["BOLTGATE_DATABASE__URI", "bolt://"]),
        (
            "[transactions]\nmax = 100\n[database]\nmax_connections = 100",
            &[],
            &["b.toml:2", "transactions.max", "database.max_connections"],
        ),
    ] {
        let reason = refused(&check(text, environment));
        for hint in hints {
            assert!(reason.contains(hint), "{hint} is missing: {reason}");
        }
    }
    let reason = refused(&run(&["check-config", "--config", "/nowhere/b.toml"]));
    assert!(reason.contains("/nowhere/b.toml"), "{reason}");
}

#[test]
fn rejects_a_missing_certificate_authority_before_serving() {
    let text = "[database]\nuri = \"bolt+s://db\"\nca_file = \"/nowhere/ca.pem\"";
    let reason = refused(&check(text, &[]));
    assert!(reason.contains("/nowhere/ca.pem"), "{reason}");
}

#[test]
fn reads_the_keys_of_issuers_before_serving() {
    let issuer = "[auth.issuers.shop]\nissuer = 'shop'\naudience = ['graph']\n";
    let missing = check(&format!("{issuer}key_file = '/nowhere/keys.pem'"), &[]);
    let reason = refused(&missing);
    assert!(reason.contains("auth.issuers.shop.key_file: cannot read /nowhere/keys.pem"), "{reason}");
    // A settings file is none.
    let reason = refused(&check(&format!("{issuer}key_file = '{EXAMPLE}'"), &[]));
    assert!(reason.contains("contains no public key (PEM or JWKS)"), "{reason}");
}

#[test]
fn shows_the_source_of_each_value() {
    let (_folder, file) = config("[transactions]\nmax = 3\n[server]\nbody_timeout = \"7s\"");
    let mut command = boltgate(&["print-config", "--config", file.to_str().expect("UTF-8")]);
    command.env("BOLTGATE_SERVER__BODY_TIMEOUT", "8s").env("BOLTGATE_LOG__FILTER", "debug");
    let text = printed(&command.output().expect("the program starts"));
    let values: toml::Table = text.parse().expect("it is TOML");
    assert_eq!(values["transactions"]["max"].as_integer(), Some(3));
    assert_eq!(values["server"]["body_timeout"].as_str(), Some("8s"));
    let line = |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap_or_else(|| panic!("{key}: {text}"));
    for (key, origin) in [
        ("max = 3", "b.toml:2"),
        ("body_timeout", "env BOLTGATE_SERVER__BODY_TIMEOUT"),
        ("filter", "env BOLTGATE_LOG__FILTER"),
        ("header_timeout", "default"),
    ] {
        let line = line(key);
        let (_, comment) = line.split_once('#').unwrap_or_else(|| panic!("no origin: {line}"));
        assert!(comment.contains(origin), "{line}");
    }
}

#[tokio::test]
async fn prefers_flags_to_the_environment_to_the_file() {
    let (_folder, file) = config("[discovery]\nneo4j_version = \"5.1.0\"\nneo4j_edition = \"enterprise\"");
    let mut command = boltgate(&["serve", "--embedded"]);
    // Named by the environment, as in a container; its own address gives way to the flag.
    command.env("BOLTGATE_CONFIG", &file).env("BOLTGATE_DISCOVERY__NEO4J_VERSION", "5.2.0");
    command.env("BOLTGATE_SERVER__LISTEN", "192.0.2.1:1");
    let process = Process::serve(command);
    let document = body(&request(&process.address(), "GET", "/", &[], b"").await);
    assert_eq!((&document["neo4j_version"], &document["neo4j_edition"]), (&json!("5.2.0"), &json!("enterprise")));
}

#[test]
fn reads_a_value_from_its_own_file() {
    let (_folder, file) = config("bolt://db.example:1234\n");
    let mut command = boltgate(&["print-config"]);
    command.env("BOLTGATE_DATABASE__URI_FILE", &file);
    let text = printed(&command.output().expect("the program starts"));
    assert!(text.contains("\"bolt://db.example:1234\""), "{text}");
}
