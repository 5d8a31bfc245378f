//! SUCCESS: what the server says of a statement. Unknown keys are passed over, none is required.

use super::packstream::{DecodeError, Reader, Token, Writer};

/// The end of a batch of rows, and of the statement when there are no more.
///
/// What only the text layer can show (counters, plans, notifications) stays PackStream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// More rows can be pulled.
    pub has_more: bool,
    /// Where the database stood after the statement.
    pub bookmark: Option<String>,
    /// `r`, `w`, `rw` or `s`.
    pub kind: Option<String>,
    /// The counters: a map.
    pub stats: Option<Vec<u8>>,
    /// The plan of an EXPLAIN: a map.
    pub plan: Option<Vec<u8>>,
    /// The plan of a PROFILE: a map.
    pub profile: Option<Vec<u8>>,
    /// Status objects (Bolt 5.6 and later): a list.
    pub statuses: Option<Vec<u8>>,
    /// Notifications (up to Bolt 5.4): a list.
    pub notifications: Option<Vec<u8>>,
}

impl Summary {
    /// Reads the metadata map of a SUCCESS that ends PULL, DISCARD or COMMIT.
    ///
    /// # Errors
    /// As [`Reader::token`].
    pub fn parse(metadata: &[u8]) -> Result<Self, DecodeError> {
        let mut summary = Self::default();
        let mut reader = Reader::new(metadata);
        for _ in 0..reader.expect_map()? {
            let key = reader.expect_string()?;
            let value = reader.raw()?;
            match key {
                "has_more" => summary.has_more = first(value) == Some(Token::Boolean(true)),
                "bookmark" => summary.bookmark = string(value),
                "type" => summary.kind = string(value),
                "stats" => summary.stats = map(value),
                "plan" => summary.plan = map(value),
                // Memgraph sends the profile as JSON text, in a shape of its own; its rows say the same.
                "profile" => summary.profile = map(value),
                "statuses" => summary.statuses = list(value),
                "notifications" => summary.notifications = list(value),
                _ => {}
            }
        }
        Ok(summary)
    }
}

/// The names of a result's columns, from the metadata of RUN's SUCCESS: a PackStream list, empty when absent.
///
/// # Errors
/// As [`Reader::token`], and [`DecodeError::Value`] when a name is no string.
pub fn columns(metadata: &[u8]) -> Result<Columns, DecodeError> {
    let mut reader = Reader::new(metadata);
    for _ in 0..reader.expect_map()? {
        let key = reader.expect_string()?;
        let value = reader.raw()?;
        if key == "fields" {
            let mut names = Reader::new(value);
            let count = names.expect_list()?;
            for _ in 0..count {
                names.expect_string()?;
            }
            return Ok(Columns { count, list: value.to_vec() });
        }
    }
    Ok(Columns { count: 0, list: vec![0x90] })
}

/// A result's columns: how many, and their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// How many.
    pub count: usize,
    /// Their names: a PackStream list of strings.
    pub list: Vec<u8>,
}

/// Two lists as one. What is no list counts for nothing.
#[must_use]
pub fn joined(first: Option<Vec<u8>>, second: Option<Vec<u8>>) -> Option<Vec<u8>> {
    let (Some(one), Some(other)) = (&first, &second) else {
        return first.or(second);
    };
    let (mut one, mut other) = (Reader::new(one), Reader::new(other));
    let (Ok(length), Ok(more)) = (one.expect_list(), other.expect_list()) else {
        return first;
    };
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out);
    writer.list(length + more);
    writer.raw(one.rest());
    writer.raw(other.rest());
    Some(out)
}

/// One string of a metadata map, for instance HELLO's `server`.
#[must_use]
pub fn string_entry(metadata: &[u8], wanted: &str) -> Option<String> {
    entry(metadata, wanted).and_then(string)
}

/// One value of a metadata map.
#[must_use]
pub fn entry<'a>(metadata: &'a [u8], wanted: &str) -> Option<&'a [u8]> {
    let mut reader = Reader::new(metadata);
    for _ in 0..reader.expect_map().ok()? {
        let key = reader.expect_string().ok()?;
        let value = reader.raw().ok()?;
        if key == wanted {
            return Some(value);
        }
    }
    None
}

fn first(value: &[u8]) -> Option<Token<'_>> {
    Reader::new(value).token().ok()
}

fn string(value: &[u8]) -> Option<String> {
    match first(value)? {
        Token::String(text) => Some(text.to_owned()),
        _ => None,
    }
}

fn map(value: &[u8]) -> Option<Vec<u8>> {
    matches!(first(value)?, Token::Map(_)).then(|| value.to_vec())
}

fn list(value: &[u8]) -> Option<Vec<u8>> {
    matches!(first(value)?, Token::List(_)).then(|| value.to_vec())
}

#[cfg(test)]
mod tests {
    use super::{super::packstream::Writer, *};

    #[test]
    fn unknown_keys_and_odd_types_do_no_harm() {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        writer.map(5);
        writer.string("run_id");
        writer.list(1);
        writer.null();
        writer.string("has_more");
        writer.boolean(true);
        writer.string("profile");
        writer.string("{\"json\": true}");
        writer.string("type");
        writer.string("rw");
        writer.string("bookmark");
        writer.integer(7);
        let summary = Summary::parse(&out).unwrap();
        assert_eq!(summary, Summary { has_more: true, kind: Some("rw".into()), ..Summary::default() });
    }

    #[test]
    fn columns_are_strings() {
        let success = [&[0xA1, 0x86][..], b"fields", &[0x92, 0x81, b'a', 0x81, b'b']].concat();
        assert_eq!(columns(&success).unwrap().count, 2);
        assert_eq!(columns(&[0xA0]).unwrap().count, 0);
        let hostile = [&[0xA1, 0x86][..], b"fields", &[0x91, 0x01]].concat();
        assert!(columns(&hostile).is_err());
    }
}
