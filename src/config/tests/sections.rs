//! The settings of `[http]`, `[retry]` and `[idempotency]`, and other names for databases.

use std::time::Duration;

use super::auth::load;
use super::{env, file, refusal};
use crate::config::*;

fn from_env<const N: usize>(variables: [(&str, &str); N]) -> Settings {
    Settings::load(&env(variables)).expect("loads")
}

#[test]
fn statuses_are_those_of_the_query_api_or_precise() {
    for (text, statuses) in [("query-api", Statuses::QueryApi), ("precise", Statuses::Precise)] {
        assert_eq!(load(&format!("[http]\nstatuses = '{text}'")).http.statuses, statuses);
        assert_eq!(from_env([("BOLTGATE_HTTP__STATUSES", text)]).http.statuses, statuses);
    }
    assert_eq!(
        refusal(&file("[http]\nstatuses = 'exact'")),
        "file b.toml:2: http.statuses: `exact` is not one of its values; write `query-api` or `precise`"
    );
}

#[test]
fn retries_have_the_defaults_that_are_promised() {
    let Settings { retry, idempotency, .. } = Settings::default();
    assert_eq!([retry.max_time.get(), retry.initial_delay.get()], [Duration::from_secs(30), Duration::from_millis(50)]);
    assert_eq!([retry.multiplier.get(), retry.jitter.get()], [2.0, 0.2]);
    assert_eq!(idempotency.keep.get(), Duration::from_secs(3600));
    assert!(load("[retry]\nmax_time = '0s'").retry.max_time.get().is_zero());
}

#[test]
fn factors_may_be_whole_numbers_and_are_printed_with_decimals() {
    for (text, multiplier) in [("3", "3.0"), ("3.0", "3.0"), ("1.125", "1.125"), ("100", "100.0"), ("1e1", "10.0")] {
        let mut sources = env([("BOLTGATE_RETRY__JITTER", "1")]);
        sources.file = file(&format!("[retry]\nmultiplier = {text}\njitter = 0")).file;
        let effective = Effective::load(&sources).expect(text);
        let printed = effective.to_string();
        let expected =
            format!("\nmultiplier = {multiplier}  # file b.toml:2\njitter = 1.0  # env BOLTGATE_RETRY__JITTER\n");
        assert!(printed.contains(&expected), "{text}: {printed}");
        assert_eq!(load(&printed), effective.settings);
        assert_eq!(
            from_env([("BOLTGATE_RETRY__MULTIPLIER", text)]).retry.multiplier,
            effective.settings.retry.multiplier
        );
    }
}

#[test]
fn factors_out_of_range_are_refused() {
    let bounds = |number: &str, least: &str, most: &str| {
        format!("{number} is out of range; write a number from {least} to {most} with at most three decimals")
    };
    for (key, text, message) in [
        ("multiplier", "0.5", bounds("0.5", "1.0", "100.0")),
        ("multiplier", "101", bounds("101.0", "1.0", "100.0")),
        ("multiplier", "1.0005", bounds("1.0005", "1.0", "100.0")),
        ("multiplier", "nan", bounds("NaN", "1.0", "100.0")),
        ("jitter", "-1", bounds("-1.0", "0.0", "1.0")),
        ("jitter", "1.001", bounds("1.001", "0.0", "1.0")),
        ("jitter", "inf", bounds("inf", "0.0", "1.0")),
        ("jitter", "true", "expected a decimal number, found true or false".to_owned()),
        ("jitter", "'0.2'", "expected a decimal number, found a string in quotes".to_owned()),
    ] {
        let refusal = refusal(&file(&format!("[retry]\n{key} = {text}")));
        assert_eq!(refusal, format!("file b.toml:2: retry.{key}: {message}"), "{key} = {text}");
    }
    let refusal = refusal(&env([("BOLTGATE_RETRY__JITTER", "20%")]));
    assert!(refusal.ends_with("retry.jitter: expected a decimal number, found `20%`"), "{refusal}");
}

#[test]
fn how_one_source_writes_a_value_does_not_bind_the_next() {
    let mut sources = env([("BOLTGATE_LIMITS__LINE", "64KiB"), ("BOLTGATE_RETRY__MULTIPLIER", "1.5")]);
    sources.file = file("[limits]\nline = 1024\n[retry]\nmultiplier = 3").file;
    let settings = Settings::load(&sources).expect("loads");
    assert_eq!(settings.limits.line.get(), 65_536);
    assert_eq!(settings.retry.multiplier.get().to_string(), "1.5");
}

#[test]
fn databases_have_other_names() {
    let alias = |name: &str, target: Option<&str>| DatabaseAlias { name: name.into(), target: target.map(Into::into) };
    let expected = [alias("neo4j", Some("memgraph")), alias("Home", None)];
    let in_file = Effective::load(&file("[database]\naliases = ['neo4j->memgraph', 'Home ->']")).expect("loads");
    assert_eq!(in_file.settings.database.aliases, expected);
    let printed = in_file.to_string();
    assert!(printed.contains("aliases = [\"neo4j -> memgraph\", \"Home ->\"]  # file b.toml:2\n"), "{printed}");
    assert_eq!(load(&printed), in_file.settings);
    assert_eq!(from_env([("BOLTGATE_DATABASE__ALIASES", "neo4j -> memgraph, Home ->")]).database.aliases, expected);
    let refusal = refusal(&file("[database]\naliases = ['neo4j']"));
    assert!(refusal.starts_with("file b.toml:2: database.aliases: `neo4j` is not an alias; write"), "{refusal}");
}

#[test]
fn a_database_has_one_alias_of_a_name() {
    let refusal = refusal(&file("[database]\naliases = ['neo4j -> a', 'x -> a', 'Neo4j ->']"));
    assert_eq!(
        refusal,
        "database.aliases = [\"neo4j -> a\", \"x -> a\", \"Neo4j ->\"] (file b.toml:2) gives one name two meanings, \
         \"neo4j -> a\" and \"Neo4j ->\"; remove one of them"
    );
}

#[test]
fn an_answer_that_is_kept_has_room() {
    assert_eq!(
        refusal(&file("[idempotency]\ncapacity = '1023KiB'\nmax_answer = '1MiB'")),
        "idempotency.max_answer = \"1MiB\" (file b.toml:3) must not exceed idempotency.capacity = \"1023KiB\" \
         (file b.toml:2): the largest answer would never fit"
    );
    assert_eq!(load("[idempotency]\ncapacity = '1MiB'").idempotency.capacity.get(), 1 << 20);
}

#[test]
fn one_caller_has_a_share_of_the_transactions() {
    assert_eq!(Settings::default().transactions.caller_share.of(50), 40);
    assert_eq!(load("[transactions]\ncaller_share = 1").transactions.caller_share.of(50), 1);
    assert!(refusal(&file("[transactions]\ncaller_share = 0")).contains("from 1 to 100"));
}
