//! The notifications of a result.
//!
//! Clients parse `severity` and `category` into closed sets. Memgraph's `INFO` therefore becomes `INFORMATION`, a
//! missing severity becomes the API's `N/A`, and a missing category `GENERIC`, which the set has for everything else.

use bytes::{BufMut, BytesMut};

use super::{scalar, text};
use crate::bolt::packstream::{DecodeError, Reader, Token};

#[derive(Default)]
struct Notification<'a> {
    code: Option<&'a str>,
    description: Option<&'a str>,
    severity: Option<&'a str>,
    title: Option<&'a str>,
    position: Position,
    category: Option<&'a str>,
}

#[derive(Default)]
struct Position {
    offset: Option<i64>,
    line: Option<i64>,
    column: Option<i64>,
}

/// Appends the array of notifications. Returns `false` and appends nothing if there are none.
///
/// `statuses` (Bolt 5.6 and later) and `notifications` are the lists as the server sent them. `statuses` takes
/// precedence; only its items with a code are notifications.
///
/// # Errors
/// Returns a [`DecodeError`] if the list has other items. `out` is then unchanged.
pub fn notifications(
    out: &mut BytesMut,
    statuses: Option<&[u8]>,
    notifications: Option<&[u8]>,
) -> Result<bool, DecodeError> {
    let start = out.len();
    let result = match (statuses, notifications) {
        (Some(statuses), _) => list(out, statuses, status),
        (None, Some(notifications)) => list(out, notifications, |reader| notification(reader).map(Some)),
        (None, None) => Ok(false),
    };
    if result.is_err() {
        out.truncate(start);
    }
    result
}

fn list<'a>(
    out: &mut BytesMut,
    items: &'a [u8],
    read: impl Fn(&mut Reader<'a>) -> Result<Option<Notification<'a>>, DecodeError>,
) -> Result<bool, DecodeError> {
    let mut reader = Reader::new(items);
    let mut any = false;
    for _ in 0..reader.expect_list()? {
        if let Some(item) = read(&mut reader)? {
            out.put_u8(if any { b',' } else { b'[' });
            item.write(out);
            any = true;
        }
    }
    if any {
        out.put_u8(b']');
    }
    Ok(any)
}

/// Reads an item of `statuses`. Returns `None` if it only reports the outcome of the statement.
fn status<'a>(reader: &mut Reader<'a>) -> Result<Option<Notification<'a>>, DecodeError> {
    let mut item = Notification::default();
    for _ in 0..reader.expect_map()? {
        match reader.expect_string()? {
            "neo4j_code" => item.code = optional_string(reader)?,
            "description" => item.description = optional_string(reader)?,
            "title" => item.title = optional_string(reader)?,
            "diagnostic_record" => {
                for _ in 0..reader.expect_map()? {
                    match reader.expect_string()? {
                        "_severity" => item.severity = optional_string(reader)?,
                        "_classification" => item.category = optional_string(reader)?,
                        "_position" => item.position = Position::read(reader)?,
                        _ => reader.skip()?,
                    }
                }
            }
            _ => reader.skip()?,
        }
    }
    Ok(item.code.is_some().then_some(item))
}

/// Reads an item of `notifications`.
fn notification<'a>(reader: &mut Reader<'a>) -> Result<Notification<'a>, DecodeError> {
    let mut item = Notification::default();
    for _ in 0..reader.expect_map()? {
        match reader.expect_string()? {
            "code" => item.code = optional_string(reader)?,
            "description" => item.description = optional_string(reader)?,
            "severity" => item.severity = optional_string(reader)?,
            "title" => item.title = optional_string(reader)?,
            "position" => item.position = Position::read(reader)?,
            "category" => item.category = optional_string(reader)?,
            _ => reader.skip()?,
        }
    }
    Ok(item)
}

impl Notification<'_> {
    fn write(&self, out: &mut BytesMut) {
        let severity = match self.severity {
            Some("INFO") => "INFORMATION",
            Some(severity) => severity,
            None => "N/A",
        };
        member(out, br#"{"code":"#, self.code.unwrap_or_default());
        member(out, br#","description":"#, self.description.unwrap_or_default());
        member(out, br#","severity":"#, severity);
        member(out, br#","title":"#, self.title.unwrap_or_default());
        out.extend_from_slice(br#","position":"#);
        self.position.write(out);
        member(out, br#","category":"#, self.category.unwrap_or("GENERIC"));
        out.put_u8(b'}');
    }
}

impl Position {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut position = Self::default();
        let pairs = match reader.token()? {
            Token::Map(pairs) => pairs,
            Token::Null => 0,
            _ => return Err(DecodeError::Value("a notification whose position is not a map")),
        };
        for _ in 0..pairs {
            match reader.expect_string()? {
                "offset" => position.offset = Some(reader.expect_integer()?),
                "line" => position.line = Some(reader.expect_integer()?),
                "column" => position.column = Some(reader.expect_integer()?),
                _ => reader.skip()?,
            }
        }
        Ok(position)
    }

    fn write(&self, out: &mut BytesMut) {
        let (Some(offset), Some(line), Some(column)) = (self.offset, self.line, self.column) else {
            return out.extend_from_slice(b"null");
        };
        for (key, number) in [(&br#"{"offset":"#[..], offset), (br#","line":"#, line), (br#","column":"#, column)] {
            out.extend_from_slice(key);
            scalar::integer(out, number);
        }
        out.put_u8(b'}');
    }
}

fn member(out: &mut BytesMut, key: &[u8], value: &str) {
    out.extend_from_slice(key);
    text::string(out, value);
}

fn optional_string<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a str>, DecodeError> {
    match reader.token()? {
        Token::String(text) => Ok(Some(text)),
        Token::Null => Ok(None),
        _ => Err(DecodeError::Value("a notification with a member that is not a string")),
    }
}
