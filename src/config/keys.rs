//! Owns the keys of the settings, and their paths: `server.listen`.
//!
//! Promises that each section which the operator names (`[auth.issuers.NAME]`) has the keys of its template. May not know what the
//! keys mean.

use toml::{Table, Value};

use super::settings::{Issuer, Settings};

/// Stands for any name, where the operator chooses it. Not a name itself.
pub(super) const ANY: &str = "*";

const LONGEST: usize = 32;

impl Settings {
    /// The settings as TOML, in the order of their declaration.
    #[expect(clippy::expect_used, reason = "settings have no value that TOML has not")]
    pub(super) fn table(&self) -> Table {
        Table::try_from(self).expect("settings are TOML")
    }

    /// Every key there is, with its default. Sections that the operator names stand under [`ANY`].
    #[expect(clippy::expect_used, reason = "settings are TOML, and the section is one of them")]
    pub(super) fn known() -> Table {
        let mut known = Self::default().table();
        let issuer = Table::try_from(Issuer::default()).expect("settings are TOML");
        let issuers = known.get_mut("auth").and_then(|auth| auth.get_mut("issuers")).and_then(Value::as_table_mut);
        issuers.expect("the section is there").insert(ANY.to_owned(), Value::Table(issuer));
        known
    }
}

/// Whether a section may be called so.
pub(super) fn is_name(name: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
    (1..=LONGEST).contains(&name.len()) && name.bytes().all(is_letter) && !name.contains("__")
}

/// What `known` has under `name`, be it that the operator has chosen it.
pub(super) fn entry<'a>(known: &'a Table, name: &str) -> Option<&'a Value> {
    let written_there = known.get(name).filter(|_| name != ANY);
    written_there.or_else(|| known.get(ANY).filter(|_| is_name(name)))
}

/// Every key of `table` that holds a value, with its full path, in the table's order.
pub(super) fn leaves(table: &Table) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for (name, value) in table {
        match value {
            Value::Table(inner) => {
                found.extend(leaves(inner).into_iter().map(|(key, value)| (join(name, &key), value)))
            }
            value => found.push((name.clone(), value)),
        }
    }
    found
}

/// The path of `name` in `section`.
pub(super) fn join(section: &str, name: &str) -> String {
    if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") }
}
