//! The JSON Schema of the file: it says what the parser says.

use regex_lite::Regex;
use serde_json::Value;

use super::{DOCUMENTED, auth::ISSUER, file};
use crate::config::{
    catalogue::{KEYS, Kind},
    findings::Findings,
    *,
};

/// Whether `value` satisfies `schema`, as far as the schema of the settings goes.
fn is_valid(schema: &Value, value: &Value) -> bool {
    let members = schema.as_object().expect("a schema is an object");
    members.iter().all(|(keyword, rule)| match keyword.as_str() {
        "type" => match rule {
            Value::Array(types) => types.iter().any(|rule| is_of_type(rule, value)),
            rule => is_of_type(rule, value),
        },
        "enum" => rule.as_array().expect("a list").contains(value),
        "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().expect("a number")),
        "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().expect("a number")),
        "minLength" => value.as_str().is_none_or(|text| text.len() as u64 >= rule.as_u64().expect("a number")),
        "maxLength" => value.as_str().is_none_or(|text| text.len() as u64 <= rule.as_u64().expect("a number")),
        "pattern" => {
            let form = Regex::new(rule.as_str().expect("a text")).expect("a regular expression");
            value.as_str().is_none_or(|text| form.is_match(text))
        }
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| is_valid(rule, item))),
        "propertyNames" => {
            value.as_object().is_none_or(|object| object.keys().all(|key| is_valid(rule, &key.as_str().into())))
        }
        "properties" => value.as_object().is_none_or(|object| {
            object.iter().all(|(key, value)| rule.get(key).is_none_or(|schema| is_valid(schema, value)))
        }),
        "additionalProperties" => value.as_object().is_none_or(|object| {
            let others = object.iter().filter(|(key, _)| schema["properties"].get(key.as_str()).is_none());
            others.into_iter().all(|(_, value)| rule.is_object() && is_valid(rule, value))
        }),
        "$schema" | "title" | "description" | "default" | "writeOnly" | "x-reload" => true,
        other => panic!("{other} is not understood here"),
    })
}

fn is_of_type(rule: &Value, value: &Value) -> bool {
    match rule.as_str().expect("a type") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        "number" => value.is_number(),
        other => panic!("{other} is not understood here"),
    }
}

fn accepts(schema: &Value, text: &str) -> bool {
    let table: toml::Table = text.parse().expect("it is TOML");
    is_valid(schema, &entry::json(&toml::Value::Table(table)))
}

#[test]
fn the_documented_file_satisfies_the_schema() {
    let schema = schema();
    assert!(accepts(&schema, DOCUMENTED));
    assert!(accepts(&schema, ""));
    assert!(accepts(&schema, &format!("{ISSUER}secret = 'x'\nalgorithms = ['ES256']")));
    for wrong in [
        "[sever]",
        "[server]\nlisen = 'x'",
        "server = 1",
        "[server]\nlisten = 7474",
        "[server]\nidle_timeout = '75'",
        "[log]\nformat = 'xml'",
        "[cors]\ncredentials = 'yes'",
        "[cors]\nallowed_origins = 'https://a.example'",
        "[retry]\njitter = 1.5",
        "[auth.issuers.a]\nalgorithms = ['none']",
        "[auth.issuers.a]\naudiences = ['x']",
        "[auth.issuers.'A B']\nissuer = 'x'",
    ] {
        assert!(!accepts(&schema, wrong), "{wrong}");
    }
}

#[test]
fn the_schema_accepts_what_the_parser_accepts() {
    const SAMPLES: [&str; 36] = [
        "''",
        "'0'",
        "'1'",
        "'x'",
        "'*'",
        "'0s'",
        "'30s'",
        "'030s'",
        "'1d'",
        "'1.5s'",
        "'0KiB'",
        "'64MiB'",
        "'1MB'",
        "-1",
        "0",
        "1",
        "100",
        "101",
        "4294967296",
        "0.0",
        "0.5",
        "1.5",
        "100.5",
        "true",
        "[]",
        "['x', '']",
        "[1]",
        "'127.0.0.1:1'",
        "'0660'",
        "'bolt+s://db'",
        "'http://c'",
        "['https://a.example']",
        "['a -> b']",
        "['10.0.0.0/8']",
        "'X-Token'",
        "'2026.09.0'",
    ];
    let (schema, known) = (schema(), Settings::known());
    for key in KEYS {
        let name = key.name.replace(keys::ANY, "a");
        let (section, member) = name.rsplit_once('.').expect("a key is in a section");
        let words = match key.kind {
            Kind::OneOf(words) | Kind::List(&Kind::OneOf(words)) => words,
            _ => &[],
        };
        let words = words.iter().flat_map(|word| [format!("'{word}'"), format!("['{word}']")]);
        let (mut parsed, mut refused) = (0, 0);
        for sample in SAMPLES.map(str::to_owned).into_iter().chain(words) {
            let text = format!("[{section}]\n{member} = {sample}");
            let is_parsed = {
                let mut findings = Findings::default();
                let assignments = file(&text).assignments(&known, &mut findings);
                Effective::merge(assignments, &mut findings);
                findings.mistakes.is_empty()
            };
            // Numbers are taken for texts, too, where a text may consist of digits.
            let is_number =
                sample.trim_matches(['[', ']']).parse::<i64>().is_ok() && !matches!(key.kind, Kind::Size { .. });
            let is_text = matches!(key.kind, Kind::Text | Kind::Secret | Kind::Form { .. } | Kind::List(_));
            let is_accepted = accepts(&schema, &text);
            // The bounds of these keys are rules, which are checked once all sources are read.
            let is_rule = ["limits.depth", "database.max_connections"].contains(&key.name);
            let is_parsed = is_parsed && (!is_rule || is_accepted);
            assert!(is_accepted || !is_parsed || (is_number && is_text), "{text}: the schema refuses it");
            assert!(is_parsed || !is_accepted || is_text, "{text}: the schema accepts it");
            parsed += usize::from(is_parsed);
            refused += usize::from(!is_accepted);
        }
        assert!(parsed > 0 && refused > 0, "{name}: the samples say nothing about it");
    }
}

#[test]
fn the_schema_says_all_about_a_key() {
    let schema = schema();
    let of = |path: &str| schema.pointer(&path.replace('.', "/properties/").replace("/*", "")).cloned();
    let token = of(".admin.token").expect("it is there");
    assert_eq!((&token["writeOnly"], &token["default"], &token["type"]), (&true.into(), &"".into(), &"string".into()));
    assert_eq!(of(".telemetry.otlp.headers").expect("it is there")["writeOnly"], true);
    let listen = of(".server.listen").expect("it is there");
    assert_eq!((&listen["default"], &listen["x-reload"]), (&"127.0.0.1:7474".into(), &false.into()));
    assert!(listen["description"].as_str().is_some_and(|text| text.starts_with("IP address and port")), "{listen}");
    assert_eq!(of(".server.idle_timeout").expect("it is there")["x-reload"], true);
    assert_eq!(of(".log.access").expect("it is there")["enum"], serde_json::json!(["failures", "all", "off"]));
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
}
