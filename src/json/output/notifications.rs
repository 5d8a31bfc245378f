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
    out.put_u8(b'[');
    let result = each(out, statuses, notifications, Notification::write);
    if matches!(result, Ok(true)) {
        out.put_u8(b']');
    } else {
        out.truncate(start);
    }
    result
}

/// Appends the notifications as the transactional API has them, without brackets, so that those of several statements
/// can follow each other. Returns `false` and appends nothing if there are none.
///
/// # Errors
/// See [`notifications`].
pub fn listed(out: &mut BytesMut, statuses: Option<&[u8]>, notifications: Option<&[u8]>) -> Result<bool, DecodeError> {
    let start = out.len();
    let result = each(out, statuses, notifications, Notification::write_older);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// Writes each notification, with commas between them. Returns whether there are any.
fn each<'a>(
    out: &mut BytesMut,
    statuses: Option<&'a [u8]>,
    notifications: Option<&'a [u8]>,
    write: impl Fn(&Notification<'a>, &mut BytesMut),
) -> Result<bool, DecodeError> {
    match (statuses, notifications) {
        (Some(statuses), _) => list(out, statuses, status, write),
        (None, Some(notifications)) => list(out, notifications, |reader| notification(reader).map(Some), write),
        (None, None) => Ok(false),
    }
}

fn list<'a>(
    out: &mut BytesMut,
    items: &'a [u8],
    read: impl Fn(&mut Reader<'a>) -> Result<Option<Notification<'a>>, DecodeError>,
    write: impl Fn(&Notification<'a>, &mut BytesMut),
) -> Result<bool, DecodeError> {
    let mut reader = Reader::new(items);
    let mut any = false;
    for _ in 0..reader.expect_list()? {
        if let Some(item) = read(&mut reader)? {
            if std::mem::replace(&mut any, true) {
                out.put_u8(b',');
            }
            write(&item, out);
        }
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
    fn severity(&self) -> &str {
        match self.severity {
            Some("INFO") => "INFORMATION",
            Some(severity) => severity,
            None => "N/A",
        }
    }

    /// Writes the object of the transactional API, which has no category, and a position only if there is one.
    fn write_older(&self, out: &mut BytesMut) {
        member(out, br#"{"code":"#, self.code.unwrap_or_default());
        member(out, br#","severity":"#, self.severity());
        member(out, br#","title":"#, self.title.unwrap_or_default());
        member(out, br#","description":"#, self.description.unwrap_or_default());
        if self.position.is_known() {
            out.extend_from_slice(br#","position":"#);
            self.position.write(out);
        }
        out.put_u8(b'}');
    }

    fn write(&self, out: &mut BytesMut) {
        member(out, br#"{"code":"#, self.code.unwrap_or_default());
        member(out, br#","description":"#, self.description.unwrap_or_default());
        member(out, br#","severity":"#, self.severity());
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

    fn is_known(&self) -> bool {
        self.offset.is_some() && self.line.is_some() && self.column.is_some()
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
