//! SUCCESS: the server's summary of a statement. Unknown keys are ignored, and no key is required.

use super::packstream::{DecodeError, Reader, Token, Writer};

/// The summary of a batch of rows, and of the statement if no rows are left.
///
/// Counters, plans and notifications stay PackStream: they are only written out as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// More rows can be pulled.
    pub has_more: bool,
    /// The bookmark of the statement's transaction.
    pub bookmark: Option<String>,
    /// `r`, `w`, `rw` or `s`.
    pub kind: Option<String>,
    /// What was changed.
    pub stats: Stats,
    /// The plan of an EXPLAIN: a map.
    pub plan: Option<Vec<u8>>,
    /// The plan of a PROFILE: a map.
    pub profile: Option<Vec<u8>>,
    /// Status objects (Bolt 5.6 and later): a list.
    pub statuses: Option<Vec<u8>>,
    /// Notifications (up to Bolt 5.4): a list.
    pub notifications: Option<Vec<u8>>,
}

/// What a server says about the number of changes that a statement made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Stats {
    /// Nothing: the server leaves the counters out of a summary if they are all 0.
    #[default]
    Absent,
    /// The counters: a map.
    Counted(Vec<u8>),
    /// Something other than a map, such as null: the server does not know the numbers.
    Unknown,
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
                "stats" => summary.stats = map(value).map_or(Stats::Unknown, Stats::Counted),
                "plan" => summary.plan = map(value),
                // Memgraph sends the profile as JSON text of its own shape, which is not a map; its rows say the same.
                "profile" => summary.profile = map(value),
                "statuses" => summary.statuses = list(value),
                "notifications" => summary.notifications = list(value),
                _ => {}
            }
        }
        Ok(summary)
    }
}

/// Reads the columns of a result from the metadata of RUN's SUCCESS; none if the key is absent.
///
/// # Errors
/// As [`Reader::token`], and [`DecodeError::Value`] if a name is not a string.
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

/// The columns of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The number of columns.
    pub count: usize,
    /// Their names: a PackStream list of strings.
    pub list: Vec<u8>,
}

/// Joins two lists. A value that is not a list is ignored.
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

/// Returns a string entry of a metadata map, such as `server` in the reply to HELLO.
#[must_use]
pub fn string_entry(metadata: &[u8], wanted: &str) -> Option<String> {
    entry(metadata, wanted).and_then(string)
}

/// Returns an entry of a metadata map, as PackStream.
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
    fn unknown_keys_and_wrong_types_are_ignored() {
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
    fn counters_that_are_null_are_unknown_and_not_zero() {
        let stats = |value: &[u8]| Summary::parse(&[&[0xA1, 0x85][..], b"stats", value].concat()).unwrap().stats;
        assert_eq!(stats(&[0xC0]), Stats::Unknown);
        assert_eq!(stats(&[0xA0]), Stats::Counted(vec![0xA0]));
        assert_eq!(Summary::parse(&[0xA0]).unwrap().stats, Stats::Absent);
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
