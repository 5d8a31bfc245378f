//! The program on the command line: what it checks, prints and answers, and with which exit code.
#![cfg(all(feature = "embedded", unix))]

mod commands;
mod probes;
mod settings;
mod starting;

use std::{fs, path::PathBuf, process::Output};

use tempfile::TempDir;

use crate::support::process::texts;

/// A configuration file with this text; it goes with its folder.
fn config(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let file = folder.path().join("b.toml");
    fs::write(&file, text).expect("there is room for a file");
    (folder, file)
}

/// It went well: gives what it printed, which is all it said.
fn printed(output: &Output) -> String {
    let (printed, complained) = texts(output);
    assert_eq!((output.status.code(), complained.as_str()), (Some(0), ""), "{printed}");
    printed
}

/// It refused: gives the reason, which is all it said.
fn refused(output: &Output) -> String {
    let (printed, complained) = texts(output);
    assert_eq!((output.status.code(), printed.as_str()), (Some(1), ""), "{complained}");
    let reason = complained.strip_prefix("boltgate: ").unwrap_or_else(|| panic!("{complained}"));
    assert_eq!(reason.lines().count(), 1, "{reason}");
    reason.trim_end().to_owned()
}
