//! One row of a result as a record of CSV (RFC 4180).
//!
//! Owns which fields are quoted. A field is a value as plain JSON writes it, without JSON's quotes around text; lists,
//! maps and entities are compact JSON. Null is an empty field and the empty string is `""`, so that readers can tell
//! them apart.

use bytes::{BufMut, BytesMut};

use super::error::RowError;
use super::row::{LONGEST_TEXT, begin, end};
use super::value;
use crate::bolt::packstream::{Reader, Token};
use crate::json::View;

const END: &[u8] = b"\r\n";

/// Appends one record. `fields` is the list of a record in PackStream; it must have `columns` values. With
/// `escape_formulas`, strings that a spreadsheet would take for a formula get a `'` before them.
///
/// # Errors
/// When a value is invalid or too long. Then `out` is unchanged.
pub fn csv_row(out: &mut BytesMut, fields: &[u8], columns: usize, escape_formulas: bool) -> Result<(), RowError> {
    let start = out.len();
    let written = record(out, fields, columns, escape_formulas);
    if written.is_err() {
        out.truncate(start);
    }
    written
}

/// Appends the record with the names of the columns.
pub fn csv_header<'a>(out: &mut BytesMut, names: impl Iterator<Item = &'a str>, escape_formulas: bool) {
    for (column, name) in names.enumerate() {
        if column > 0 {
            out.put_u8(b',');
        }
        string(out, name, escape_formulas);
    }
    out.put_slice(END);
}

fn record(out: &mut BytesMut, fields: &[u8], columns: usize, escape_formulas: bool) -> Result<(), RowError> {
    let mut reader = begin(fields, columns)?;
    let limit = out.len().saturating_add(LONGEST_TEXT);
    for column in 0..columns {
        if column > 0 {
            out.put_u8(b',');
        }
        field(out, &mut reader, columns == 1, escape_formulas, limit)?;
    }
    out.put_slice(END);
    end(&reader)
}

fn field(
    out: &mut BytesMut,
    reader: &mut Reader<'_>,
    is_only: bool,
    escape_formulas: bool,
    limit: usize,
) -> Result<(), RowError> {
    let before = reader.clone();
    match reader.token()? {
        // Readers skip an empty line, so that a record of one empty field would be lost.
        Token::Null if is_only => out.put_slice(b"\"\""),
        Token::Null => {}
        Token::String(text) => string(out, text, escape_formulas),
        _ => {
            *reader = before;
            let start = out.len();
            value::value_within(out, reader, View::Plain, limit)?;
            without_json_quotes(out, start);
            quote_if_needed(out, start);
        }
    }
    Ok(())
}

fn string(out: &mut BytesMut, text: &str, escape_formulas: bool) {
    let start = out.len();
    if escape_formulas && text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        out.put_u8(b'\'');
        out.put_slice(text.as_bytes());
        return quote(out, start);
    }
    out.put_slice(text.as_bytes());
    if text.is_empty() {
        quote(out, start);
    } else {
        quote_if_needed(out, start);
    }
}

/// Removes the quotes around a text, such as a date, that has nothing escaped in it.
fn without_json_quotes(out: &mut BytesMut, start: usize) {
    let Some([b'"', inner @ .., b'"']) = out.get(start..) else { return };
    if inner.contains(&b'\\') {
        return;
    }
    let length = inner.len();
    out.copy_within(start + 1..start + 1 + length, start);
    out.truncate(start + length);
}

fn quote_if_needed(out: &mut BytesMut, start: usize) {
    let text = out.get(start..).unwrap_or_default();
    let is_odd = |byte: &u8| matches!(byte, b',' | b'"' | b'\r' | b'\n');
    if text.first() == Some(&b' ') || text.last() == Some(&b' ') || text.iter().any(is_odd) {
        quote(out, start);
    }
}

/// Puts the text from `start` on into quotes, in place.
fn quote(out: &mut BytesMut, start: usize) {
    let end = out.len();
    let quotes = out.get(start..).unwrap_or_default().iter().filter(|byte| **byte == b'"').count();
    out.put_bytes(b'"', quotes + 2);
    let Some(text) = out.get_mut(start..) else { return };
    // From the back: the target is always behind what has not been moved yet.
    let mut to = text.len() - 1;
    for from in (0..end - start).rev() {
        let byte = text.get(from).copied().unwrap_or_default();
        for _ in 0..if byte == b'"' { 2 } else { 1 } {
            to -= 1;
            if let Some(place) = text.get_mut(to) {
                *place = byte;
            }
        }
    }
    if let Some(first) = text.first_mut() {
        *first = b'"';
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bolt::packstream::Writer;

    fn row(write: impl FnOnce(&mut Writer<'_>), columns: usize, escape_formulas: bool) -> String {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes);
        writer.list(columns);
        write(&mut writer);
        let mut out = BytesMut::from("x");
        csv_row(&mut out, &bytes, columns, escape_formulas).unwrap();
        String::from_utf8(out.to_vec()).unwrap().strip_prefix('x').unwrap().to_owned()
    }

    fn strings(texts: &[&str], escape_formulas: bool) -> String {
        let write = |writer: &mut Writer<'_>| texts.iter().for_each(|text| writer.string(text));
        row(write, texts.len(), escape_formulas)
    }

    #[test]
    fn only_fields_that_need_quotes_have_them() {
        let texts = ["plain", "a,b", "say \"hi\"", "\"", "two\nlines", "\r", " x", "x ", "a b", "", "ä;'"];
        assert_eq!(
            strings(&texts, false),
            "plain,\"a,b\",\"say \"\"hi\"\"\",\"\"\"\",\"two\nlines\",\"\r\",\" x\",\"x \",a b,\"\",ä;'\r\n"
        );
    }

    #[test]
    fn null_and_the_empty_string_differ_where_they_can() {
        let pair = |writer: &mut Writer<'_>| {
            writer.null();
            writer.string("");
        };
        assert_eq!(row(pair, 2, false), ",\"\"\r\n");
        assert_eq!(row(|writer| writer.null(), 1, false), "\"\"\r\n");
    }

    #[test]
    fn values_look_as_in_plain_json() {
        let values = |writer: &mut Writer<'_>| {
            writer.integer(-5);
            writer.float(4.0);
            writer.float(f64::NAN);
            writer.boolean(true);
            writer.list(2);
            writer.integer(1);
            writer.string("a\"");
            // A date.
            writer.structure(b'D', 1);
            writer.integer(0);
        };
        assert_eq!(row(values, 6, false), "-5,4.0,NaN,true,\"[1,\"\"a\\\"\"\"\"]\",1970-01-01\r\n");
    }

    #[test]
    fn formulas_are_escaped_in_strings_alone() {
        assert_eq!(strings(&["=1+1", "-", "a=1"], true), "\"'=1+1\",\"'-\",a=1\r\n");
        assert_eq!(strings(&["=1+1"], false), "=1+1\r\n");
        assert_eq!(row(|writer| writer.integer(-1), 1, true), "-1\r\n");
        let mut out = BytesMut::new();
        csv_header(&mut out, ["@x", "", "b,c"].into_iter(), true);
        assert_eq!(out, "\"'@x\",\"\",\"b,c\"\r\n");
    }

    #[test]
    fn a_row_that_cannot_be_shown_leaves_nothing() {
        let mut out = BytesMut::from("kept");
        assert!(csv_row(&mut out, &[0x92, 1, 0x81, 0xFF], 2, false).is_err());
        assert!(csv_row(&mut out, &[0x91, 1], 2, false).is_err());
        assert_eq!(out, "kept");
    }
}
