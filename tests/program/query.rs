//! `boltgate query` in pipes: what it sends, what it writes, and how it ends.
#![cfg(all(feature = "embedded", unix))]

mod ending;
mod refused;
mod rows;
mod sending;
mod stand_in;

use std::process::{Command, Output};

use crate::support::process::{Process, boltgate, texts};

/// `boltgate query` at the gateway with this address.
fn query(address: &str, arguments: &[&str]) -> Command {
    let url = format!("http://{address}");
    boltgate(&[&["query", "--url", &url], arguments].concat())
}

/// Runs it to its end: the exit status, the rows, and what it said.
fn ended(command: &mut Command) -> (Option<i32>, String, String) {
    let output: Output = command.output().expect("the program starts");
    let (rows, said) = texts(&output);
    (output.status.code(), rows, said)
}

/// The rows of a statement, which went well.
fn rows(gateway: &Process, arguments: &[&str]) -> String {
    let (status, rows, said) = ended(&mut query(&gateway.address(), arguments));
    assert_eq!(status, Some(0), "{said}");
    rows
}
