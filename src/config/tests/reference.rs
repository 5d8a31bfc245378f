//! `docs/configuration.md`: it says what the table of keys and the commented file say.

use std::{fmt::Write as _, fs};

use crate::config::{
    Settings,
    catalogue::{KEYS, Kind},
    example::descriptions,
    keys::{ANY, leaves},
};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");

/// Set to `1`, it has the test write the file instead.
const UPDATE: &str = "BOLTGATE_UPDATE_DOCS";

const HEAD: &str = "\
# Configuration

Every setting, with its type, its default, the environment variable that sets it, and whether SIGHUP takes a new value
over while the gateway runs. This page is made from the table of keys and the comments of
[config/boltgate.toml](../config/boltgate.toml), which `boltgate --example-config` prints.
[operations.md](operations.md) says where settings come from, what wins, and how to reload them. `boltgate config-schema`
prints the same as a JSON Schema, for editors.

A value in a file of its own (a secret, for example): the variable's name with `_FILE` at its end names the file.
";

fn type_of(kind: Kind) -> String {
    let or = |zero: bool| if zero { ", or zero" } else { "" };
    match kind {
        Kind::Text | Kind::Form { .. } => "text".to_owned(),
        Kind::Secret => "text, secret".to_owned(),
        Kind::Switch => "`true` or `false`".to_owned(),
        Kind::Span { or_zero } => format!("time span{}", or(or_zero)),
        Kind::Size { or_zero } => format!("size{}", or(or_zero)),
        Kind::Whole { least, most: u32::MAX } => format!("whole number from {least}"),
        Kind::Whole { least, most } => format!("whole number from {least} to {most}"),
        Kind::Decimal { least, most } => format!("number from {least:?} to {most:?}"),
        Kind::OneOf(words) => words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", "),
        Kind::List(Kind::OneOf(words)) => format!("list of {}", type_of(Kind::OneOf(words))),
        Kind::List(Kind::Secret) => "list of texts, secret".to_owned(),
        Kind::List(_) => "list of texts".to_owned(),
    }
}

fn markdown() -> String {
    let (descriptions, known) = (descriptions(), Settings::known());
    let defaults = leaves(&known);
    let mut text = HEAD.to_owned();
    let mut last = "";
    for key in KEYS {
        let named = |name: &str| name.replace(ANY, "NAME");
        let (section, _) = key.name.rsplit_once('.').expect("a key is in a section");
        if section != last {
            last = section;
            write!(text, "\n## `[{}]`\n\n{}\n", named(section), descriptions[section]).expect("a text takes all");
        }
        let default = defaults.iter().find(|(name, _)| name == key.name).map(|(_, value)| value.to_string());
        let variable = format!("BOLTGATE_{}", named(key.name).replace('.', "__").to_uppercase());
        let when = if key.reload { "yes" } else { "no, at the next start" };
        write!(
            text,
            "\n### `{}`\n\n| type | default | environment | SIGHUP |\n|---|---|---|---|\n| {} | `{}` | `{variable}` | {when} |\n\n{}\n",
            named(key.name),
            type_of(key.kind),
            default.expect("every key has a default"),
            descriptions[key.name]
        )
        .expect("a text takes all");
    }
    text
}

#[test]
fn the_reference_is_up_to_date() {
    let expected = markdown();
    if std::env::var_os(UPDATE).is_some_and(|value| value == "1") {
        fs::write(FILE, &expected).expect("the file can be written");
    }
    let written = fs::read_to_string(FILE).unwrap_or_default();
    let differs = written.lines().zip(expected.lines()).find(|(written, expected)| written != expected);
    assert!(written == expected, "run the test with {UPDATE}=1 to write docs/configuration.md again: {differs:?}");
}
