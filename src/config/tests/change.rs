//! What SIGHUP takes over, and how settings are listed.

use serde_json::json;

use super::auth::{ISSUER, SECRET};
use super::{DOCUMENTED, env, file};
use crate::config::*;

fn loaded(text: &str) -> Effective {
    Effective::load(&file(text)).expect("loads")
}

fn keys<const N: usize>(keys: [&str; N]) -> Vec<String> {
    keys.map(str::to_owned).into()
}

#[test]
fn new_values_are_taken_over_unless_they_need_a_start() {
    let old = loaded("[server]\nlisten = '127.0.0.1:1'\nidle_timeout = '60s'\n[log]\nfilter = 'warn'");
    let new = loaded("[server]\nlisten = '127.0.0.1:2'\nidle_timeout = '1m'\n\n[limits]\nrequests = 7");
    let Change { settings, changed, pending } = old.take_over(new).expect("is good");
    assert_eq!((changed, pending), (keys(["limits.requests", "log.filter"]), keys(["server.listen"])));
    assert_eq!(settings.settings.server.listen.to_string(), "127.0.0.1:1");
    assert_eq!(settings.settings.limits.requests.get(), 7);
    assert_eq!(settings.settings.log.filter, "info");
    let origins = ["server.listen", "limits.requests", "log.filter"].map(|key| settings.origin(key).to_string());
    assert_eq!(origins, ["file b.toml:2", "file b.toml:6", "default"]);
    // What is pending stays so until the start.
    let again = settings.take_over(loaded("[server]\nlisten = '127.0.0.1:2'")).expect("is good");
    assert_eq!(
        (again.changed, again.pending),
        (keys(["limits.requests", "server.idle_timeout"]).into_iter().rev().collect(), keys(["server.listen"]))
    );
}

#[test]
fn the_same_settings_written_otherwise_are_no_change() {
    let change = loaded("[server]\nidle_timeout = '75000ms'\n[limits]\nline = 1024")
        .take_over(loaded("[limits]\nline = '1KiB'"));
    let Change { changed, pending, .. } = change.expect("is good");
    assert_eq!((changed, pending), (keys([]), keys([])));
}

#[test]
fn a_changed_secret_is_noticed_and_not_shown() {
    let one = loaded(&format!("{ISSUER}secret = '{SECRET}'"));
    let Change { settings, changed, pending } = one
        .take_over(loaded(&format!("{ISSUER}secret = '{SECRET}2'\n[telemetry.otlp]\nheaders = ['a=b']")))
        .expect("is good");
    assert_eq!((changed, pending), (keys(["auth.issuers.entra.secret"]), keys(["telemetry.otlp.headers"])));
    assert_eq!(settings.settings.auth.issuers["entra"].secret.expose(), format!("{SECRET}2"));
    let gone = settings.take_over(loaded("")).expect("is good");
    assert!(gone.changed.contains(&"auth.issuers.entra.issuer".to_owned()), "{:?}", gone.changed);
    assert!(gone.settings.settings.auth.issuers.is_empty());
}

#[test]
fn new_values_must_fit_the_old_ones_that_stay() {
    let refused = loaded("").take_over(loaded("[database]\nmax_connections = 200\n[transactions]\nmax = 150"));
    assert_eq!(
        refused.expect_err("100 connections are too few").to_string(),
        "transactions.max = 150 (file b.toml:4) must be less than database.max_connections = 100 (default): every open \
         transaction holds a connection, and other statements need some too; until the next start, the old values of \
         database.max_connections stay in force"
    );
}

#[test]
fn what_suits_a_value_that_waits_for_the_start_waits_as_well() {
    let few = |number: &str| loaded(&format!("[database]\nmax_connections = {number}"));
    // 50 transactions are too many for the 20 connections that stay.
    let Change { settings, changed, pending } = few("20").take_over(few("200")).expect("is good");
    assert_eq!((changed, pending), (keys([]), keys(["database.max_connections"])));
    assert_eq!(settings.settings.transactions.max.get(), 10);
    let Change { settings, changed, .. } = few("200").take_over(few("20")).expect("is good");
    assert_eq!(changed, keys([]));
    assert_eq!(settings.settings.transactions.max.get(), 50);
}

#[test]
fn settings_are_listed_in_the_order_of_the_file_without_secrets() {
    let mut sources = env([("BOLTGATE_ADMIN__TOKEN", SECRET), ("BOLTGATE_TELEMETRY__OTLP__HEADERS", SECRET)]);
    sources.file = file("[limits]\nresult_rows = 5\n[cors]\nallowed_origins = ['https://a.example']").file;
    let entries = Effective::load(&sources).expect("loads").entries();
    let entry = |key: &str| entries.iter().find(|entry| entry.key == key).expect(key);
    for (key, value, origin, reload) in [
        ("server.listen", json!("127.0.0.1:7474"), "default", false),
        ("limits.result_rows", json!(5), "file b.toml:2", true),
        ("retry.jitter", json!(0.2), "default", true),
        ("cors.allowed_origins", json!(["https://a.example"]), "file b.toml:4", true),
        ("cors.credentials", json!(false), "default", true),
        ("admin.token", json!("***"), "env BOLTGATE_ADMIN__TOKEN", true),
        ("auth.service_account.password", json!(""), "default", true),
        ("telemetry.otlp.headers", json!("***"), "env BOLTGATE_TELEMETRY__OTLP__HEADERS", false),
    ] {
        let expected = Entry { key: key.to_owned(), value, origin: origin.to_owned(), reload };
        assert_eq!(*entry(key), expected);
    }
    let documented = DOCUMENTED.lines().filter(|line| !line.starts_with('#') && line.contains(" = ")).count();
    assert_eq!(entries.len(), documented);
}
