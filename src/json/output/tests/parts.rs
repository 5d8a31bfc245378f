//! Large rows, and invalid values.

use bytes::BytesMut;

use super::packed;
use crate::bolt::packstream::{Writer, tag};
use crate::json::TypedVersion::V1_2;
use crate::json::View::{self, Plain, Typed};
use crate::json::output::{ReplacedValue, RowWriter, Written};

/// Writes one row per record and takes the text away whenever it is `limit` bytes long. Also returns the longest text
/// that was in the buffer.
fn written(view: View, columns: usize, records: &[Vec<u8>], limit: usize) -> (String, RowWriter, usize) {
    let (mut writer, mut out, mut text, mut most) = (RowWriter::new(view), BytesMut::new(), Vec::new(), 0);
    for fields in records {
        loop {
            let written = writer.write(&mut out, fields, columns, limit).unwrap();
            most = most.max(out.len());
            text.extend_from_slice(&out.split());
            if written == Written::Whole {
                break;
            }
        }
    }
    (String::from_utf8(text).unwrap(), writer, most)
}

fn not_utf8(out: &mut Writer<'_>) {
    out.raw(&[0x82, 0xC3, 0x28]);
}

fn replaced(row: u64, column: usize, reason: &'static str) -> ReplacedValue {
    ReplacedValue { row, column, reason: reason.into() }
}

#[test]
fn an_invalid_value_becomes_null_without_affecting_others() {
    let good = packed(|out| {
        out.list(2);
        out.integer(1);
        out.string("a");
    });
    let bad = packed(|out| {
        out.list(2);
        out.list(3);
        out.integer(1);
        not_utf8(out);
        out.structure(tag::DATE, 1);
        out.integer(i64::MAX);
        // A path with an index out of range.
        out.structure(tag::PATH, 3);
        out.list(1);
        out.structure(tag::NODE, 3);
        out.integer(1);
        out.list(0);
        out.map(0);
        out.list(0);
        out.list(2);
        out.integer(1);
        out.integer(7);
    });
    let (text, writer, _) = written(Plain, 2, &[good.clone(), bad, good], usize::MAX);
    assert_eq!(text, r#"[1,"a"][[1,null,null],null][1,"a"]"#);
    let replaced_values = writer.replaced();
    assert_eq!(
        replaced_values.first,
        [
            replaced(2, 0, "a string that is not UTF-8"),
            replaced(2, 0, "a date beyond the years ±999999999"),
            replaced(2, 1, "a path with an index out of range"),
        ]
    );
    assert_eq!(replaced_values.count, 3);
}

#[test]
fn nesting_beyond_the_limit_becomes_null_at_the_limit() {
    let mut fields = vec![0x91];
    fields.extend([0x91].repeat(5000));
    fields.push(1);
    let (text, writer, _) = written(Plain, 1, &[fields], usize::MAX);
    assert_eq!(text, format!("{}null{}", "[".repeat(2001), "]".repeat(2001)));
    assert_eq!(writer.replaced().count, 1);
}

#[test]
fn invalid_values_take_bounded_memory() {
    let fields = packed(|out| {
        out.list(1);
        out.list(100_000);
        (0..100_000).for_each(|_| not_utf8(out));
    });
    let (_, writer, _) = written(Plain, 1, &[fields], 4096);
    assert_eq!((writer.replaced().count, writer.replaced().first.len()), (100_000, 10));
}

#[test]
fn the_buffer_stays_short_however_long_a_row_is() {
    const LIMIT: usize = 64 * 1024;
    // How much longer than requested a piece may be: an escape takes six bytes.
    const SLACK: usize = 6 * 16 * 1024 + 4096;
    let records = [
        (
            "nulls",
            packed(|out| {
                out.list(1);
                out.list(1_000_000);
                (0..1_000_000).for_each(|_| out.null());
            }),
        ),
        (
            "escapes",
            packed(|out| {
                out.list(1);
                out.string(&"\u{1}".repeat(1_000_000));
            }),
        ),
        (
            "bytes",
            packed(|out| {
                out.list(1);
                out.bytes(&vec![7; 1_000_000]);
            }),
        ),
        (
            "a key",
            packed(|out| {
                out.list(1);
                out.map(1);
                out.string(&"k\u{1}".repeat(500_000));
                out.integer(1);
            }),
        ),
        (
            "a vector",
            packed(|out| {
                out.list(1);
                out.structure(tag::VECTOR, 2);
                out.bytes(&[0xC8]);
                out.bytes(&vec![0x80; 1_000_000]);
            }),
        ),
        (
            "labels",
            packed(|out| {
                out.list(1);
                out.structure(tag::NODE, 4);
                out.integer(1);
                out.list(300_000);
                (0..300_000).for_each(|_| out.string("\u{1}"));
                out.map(1);
                out.string("p");
                out.string(&"x".repeat(200_000));
                out.string("4:a:1");
            }),
        ),
        (
            "a path that repeats a node",
            packed(|out| {
                out.list(1);
                repeating_path(out, 200_000, 50);
            }),
        ),
        (
            "a short record with a long path",
            packed(|out| {
                out.list(1);
                repeating_path(out, 30_000, 400);
            }),
        ),
    ];
    for (name, fields) in records {
        for view in [Plain, Typed(V1_2)] {
            let (text, writer, most) = written(view, 1, std::slice::from_ref(&fields), LIMIT);
            assert!(most <= LIMIT + SLACK, "{name}: {most}");
            assert_eq!(writer.replaced().count, 0, "{name}");
            let (whole, ..) = written(view, 1, std::slice::from_ref(&fields), usize::MAX);
            assert!(text == whole, "{name}: the parts differ from the whole");
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{name}");
        }
    }
}

/// Writes a path that visits one node with a large property again and again.
fn repeating_path(out: &mut Writer<'_>, size: usize, steps: usize) {
    out.structure(tag::PATH, 3);
    out.list(1);
    out.structure(tag::NODE, 4);
    out.integer(1);
    out.list(1);
    out.string("Bomb");
    out.map(1);
    out.string("p");
    out.string(&"x".repeat(size));
    out.string("4:a:1");
    out.list(1);
    out.structure(tag::UNBOUND_RELATIONSHIP, 4);
    out.integer(2);
    out.string("L");
    out.map(0);
    out.string("5:a:2");
    out.list(2 * steps);
    for step in 0..steps {
        out.integer(if step % 2 == 0 { 1 } else { -1 });
        out.integer(0);
    }
}

#[test]
fn an_unsupported_value_after_a_part_was_sent_becomes_null_and_ends_the_result() {
    let fields = packed(|out| {
        out.list(2);
        out.string(&"x".repeat(200_000));
        out.list(1);
        super::vector(0xC8, &[1])(out);
    });
    let (mut writer, mut out) = (RowWriter::new(Typed(crate::json::TypedVersion::V1_0)), BytesMut::new());
    let mut text = Vec::new();
    let error = loop {
        let written = writer.write(&mut out, &fields, 2, 1000);
        text.extend_from_slice(&out.split());
        match written {
            Ok(Written::Part) => {}
            other => break other.unwrap_err(),
        }
    };
    assert_eq!(error.to_string(), "Type VECTOR is not supported.");
    assert!(!writer.is_torn());
    let text = String::from_utf8(text).unwrap();
    assert!(text.ends_with(r#",{"$type":"List","_value":[{"$type":"Null","_value":null}]}]"#), "{}", &text[200_000..]);
}
