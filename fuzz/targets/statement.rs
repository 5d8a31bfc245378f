//! What is looked for in statements before they are sent: calls that are denied, and work that is committed in batches.
#![no_main]

use boltgate::query::{Denied, commits_in_batches, hides_characters};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|statement: &str| {
    let denied = Denied::new(&["LOAD CSV", "apoc.load.*", "dbms.*"].map(str::to_owned));
    let _ = (denied.find(statement), hides_characters(statement), commits_in_batches(statement));
    // Whatever follows it, a call is found.
    assert_eq!(denied.find(&format!("CALL dbms.x() {statement}")), Some("dbms.*"));
    assert_eq!(denied.find(&format!("LOAD CSV {statement}")), Some("LOAD CSV"));
});
