//! The commands that say something and end.

use std::{net::TcpListener, process::Stdio};

use boltgate::http::openapi;
use serde_json::Value;

use super::{printed, refused};
use crate::support::process::{boltgate, run, texts};

#[test]
fn prints_the_package_version() {
    let version = format!("boltgate {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(printed(&run(&["-V"])), version);
    // Which tz database decides on wall clocks.
    let long = printed(&run(&["--version"]));
    let zones = long.strip_prefix(&version).and_then(|rest| rest.strip_prefix("tz database ")).unwrap_or_default();
    assert!(zones.starts_with("20") && zones.lines().count() == 1, "{long}");
}

#[test]
fn lists_every_command_in_help() {
    let help = printed(&run(&["--help"]));
    for command in
        ["serve", "check-config", "print-config", "config-schema", "healthcheck", "openapi", "--example-config"]
    {
        assert!(help.contains(command), "{command}: {help}");
    }
}

#[test]
fn prints_the_commented_file() {
    let example = include_str!("../../../config/boltgate.toml");
    for arguments in [&["--example-config"][..], &["serve", "--example-config"]] {
        assert_eq!(printed(&run(arguments)), example);
    }
}

#[test]
fn prints_a_schema_of_the_file() {
    let schema: Value = serde_json::from_str(&printed(&run(&["config-schema"]))).expect("it is JSON");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["properties"]["limits"]["properties"]["requests"]["default"], 5000);
}

#[test]
fn explains_an_invalid_command_line() {
    for (arguments, hint) in [
        (&[][..], "Usage"),
        (&["start"], "start"),
        (&["serve", "--lisen", "127.0.0.1:0"], "--listen"),
        (&["serve", "--embedded", "--database-uri=bolt://db"], "--database-uri"),
        (&["healthcheck", "--url", "ftp://db"], "http://"),
    ] {
        let output = run(arguments);
        let (printed, complained) = texts(&output);
        assert_eq!((output.status.code(), printed.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(complained.contains(hint), "{arguments:?}: {complained}");
    }
}

#[test]
fn prints_the_description_as_served() {
    let description = printed(&run(&["openapi"]));
    assert_eq!(description, openapi());
    let description: Value = serde_json::from_str(&description).expect("it is JSON");
    assert_eq!(description["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn ends_quietly_when_its_reader_has_read_enough() {
    for command in
        ["openapi", "config-schema", "print-config", "check-config", "--example-config", "--help", "--version"]
    {
        let mut program = boltgate(&[command]);
        let mut program = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        // Whether it writes before or after this end was closed.
        drop(program.stdout.take());
        let output = program.wait_with_output().expect("it ends");
        assert_eq!((output.status.code(), texts(&output).1.as_str()), (Some(0), ""), "{command}");
    }
}

#[test]
fn names_an_address_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it is bound").to_string();
    for (flag, key) in [("--listen", "server.listen"), ("--admin-listen", "admin.listen")] {
        let other = if flag == "--listen" { "--admin-listen" } else { "--listen" };
        let output = run(&["serve", "--embedded", "--log-filter=off", flag, &address, other, "127.0.0.1:0"]);
        let reason = refused(&output);
        assert!(reason.starts_with(&format!("cannot listen on {address} ({key}): ")), "{reason}");
        assert!(reason.contains("in use"), "{reason}");
        assert!(reason.ends_with(&format!("choose another address with {flag}")), "{reason:?}");
    }
}

#[test]
fn rejects_a_file_that_is_not_a_database_unchanged() {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "not a database, but somebody's notes").expect("there is room for a file");
    let name = file.to_str().expect("UTF-8");
    let reason = refused(&run(&["serve", "--listen=127.0.0.1:0", "--log-filter=off", "--embedded", name]));
    assert!(reason.contains(name), "{reason}");
    assert_eq!(std::fs::read_to_string(&file).expect("it is still there"), "not a database, but somebody's notes");
}
