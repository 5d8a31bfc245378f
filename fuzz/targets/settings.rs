//! Any text as the configuration file: what is accepted is printed as a file with the same settings.
#![no_main]

use std::{io, path::Path};

use boltgate::config::{ConfigFile, Effective, Sources};
use libfuzzer_sys::fuzz_target;

/// What stands in place of a secret, which is not printed.
const HIDDEN: &str = "(hidden)";

fn load(text: &str) -> Result<Effective, String> {
    let file = ConfigFile { path: "b.toml".to_owned(), text: text.to_owned() };
    let read_file = |_: &Path| Err(io::ErrorKind::NotFound.into());
    let sources = Sources { file: Some(file), env: Vec::new(), flags: Vec::new(), read_file };
    Effective::load(&sources).map_err(|error| error.to_string())
}

fuzz_target!(|text: &str| {
    let Ok(effective) = load(text) else { return };
    let printed = effective.to_string();
    if !printed.contains(HIDDEN) {
        let again = load(&printed).expect("what is printed is accepted");
        assert_eq!(again.settings, effective.settings);
    }
    let change = effective.take_over(effective.clone()).expect("nothing changes");
    assert!(change.changed.is_empty() && change.pending.is_empty());
    assert!(effective.entries().len() >= 90);
});
