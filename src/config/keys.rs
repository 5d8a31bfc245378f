//! Owns the sections that the operator names: `[auth.issuers.NAME]`.
//!
//! Promises that each has the keys of its template. May not know what they mean.

use toml::{Table, Value};

use super::settings::{Issuer, Settings};

/// Stands for any name, where the operator chooses it. Not a name itself.
pub(in crate::config) const ANY: &str = "*";

const LONGEST: usize = 32;

impl Settings {
    /// Every key there is, with its default. Sections that the operator names stand under [`ANY`].
    #[expect(clippy::expect_used, reason = "settings are TOML, and the section is one of them")]
    pub(in crate::config) fn known() -> Table {
        let mut known = Self::default().table();
        let issuer = Table::try_from(Issuer::default()).expect("settings are TOML");
        let issuers = known.get_mut("auth").and_then(|auth| auth.get_mut("issuers")).and_then(Value::as_table_mut);
        issuers.expect("the section is there").insert(ANY.to_owned(), Value::Table(issuer));
        known
    }
}

/// Whether a section may be called so.
pub(in crate::config) fn is_name(name: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
    (1..=LONGEST).contains(&name.len()) && name.bytes().all(is_letter) && !name.contains("__")
}

/// What `known` has under `name`, be it that the operator has chosen it.
pub(in crate::config) fn entry<'a>(known: &'a Table, name: &str) -> Option<&'a Value> {
    let written_there = known.get(name).filter(|_| name != ANY);
    written_there.or_else(|| known.get(ANY).filter(|_| is_name(name)))
}
