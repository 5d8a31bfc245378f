//! Owns the keys of the settings, and their paths: `server.listen`.
//!
//! Promises that each section which the operator names (`[auth.issuers.NAME]`) has the keys of its template. May not
//! know what the keys mean.

use toml::{Table, Value};

use super::settings::{Issuer, Settings};

/// The placeholder of a section name that the operator chooses. It is not a name itself.
pub(super) const ANY: &str = "*";

/// The longest name of a section, in bytes.
pub(super) const MAX_NAME: usize = 32;

/// The form of a name of a section, as a regular expression for texts of 1 to [`MAX_NAME`] bytes.
pub(super) const NAME_FORM: &str = "^_?([a-z0-9-]+_)*[a-z0-9-]*$";

impl Settings {
    /// The settings as TOML, in the order of their declaration.
    #[expect(clippy::expect_used, reason = "settings have no value that TOML has not")]
    pub(super) fn table(&self) -> Table {
        Table::try_from(self).expect("settings are TOML")
    }

    /// Every key that exists, with its default. Sections that the operator names are under [`ANY`].
    #[expect(clippy::expect_used, reason = "settings are TOML, and the section is one of them")]
    pub(super) fn known() -> Table {
        let mut known = Self::default().table();
        let issuer = Table::try_from(Issuer::default()).expect("settings are TOML");
        let issuers = known.get_mut("auth").and_then(|auth| auth.get_mut("issuers")).and_then(Value::as_table_mut);
        issuers.expect("the section is there").insert(ANY.to_owned(), Value::Table(issuer));
        known
    }
}

/// Whether the operator may give a section this name.
pub(super) fn is_name(name: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_letter) && !name.contains("__")
}

/// Returns the entry of `known` for `name`, which the operator may have chosen.
pub(super) fn entry<'a>(known: &'a Table, name: &str) -> Option<&'a Value> {
    let fixed = known.get(name).filter(|_| name != ANY);
    fixed.or_else(|| known.get(ANY).filter(|_| is_name(name)))
}

/// Returns every key of `table` that has a value, with its full path, in the order of the table.
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

/// Returns the path of `name` in `section`.
pub(super) fn join(section: &str, name: &str) -> String {
    if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") }
}

/// Returns the value of the key with this path.
pub(super) fn leaf<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    match key.split_once('.') {
        None => table.get(key),
        Some((section, rest)) => leaf(table.get(section)?.as_table()?, rest),
    }
}

/// As [`leaf`], to be changed.
pub(super) fn leaf_mut<'a>(table: &'a mut Table, key: &str) -> Option<&'a mut Value> {
    match key.split_once('.') {
        None => table.get_mut(key),
        Some((section, rest)) => leaf_mut(table.get_mut(section)?.as_table_mut()?, rest),
    }
}
