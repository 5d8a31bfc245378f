//! Whole rows, and the remains of rows that cannot be shown.

use bytes::BytesMut;

use super::{VIEWS, packed, unsupported, uuid, vector};
use crate::bolt::packstream::{Reader, tag};
use crate::json::TypedVersion::{V1_0, V1_1, V1_2};
use crate::json::View::{self, Plain, Typed};
use crate::json::output::{RowError, row, value};

/// Calls `row` with a buffer that already contains some text.
fn row_text(view: View, columns: usize, fields: &[u8]) -> (String, Result<(), RowError>) {
    let mut out = BytesMut::from(&b"before"[..]);
    let result = row(&mut out, fields, columns, view);
    let out = String::from_utf8(out.to_vec()).unwrap();
    (out.strip_prefix("before").unwrap().to_owned(), result)
}

#[test]
fn rows() {
    let fields = packed(|out| {
        out.list(2);
        out.integer(1);
        out.string("x");
    });
    assert_eq!(row_text(Plain, 2, &fields), (r#"[1,"x"]"#.to_owned(), Ok(())));
    let typed = r#"[{"$type":"Integer","_value":"1"},{"$type":"String","_value":"x"}]"#;
    assert_eq!(row_text(Typed(V1_2), 2, &fields), (typed.to_owned(), Ok(())));
    assert_eq!(row_text(Plain, 0, &packed(|out| out.list(0))), ("[]".to_owned(), Ok(())));
    for expected in [0, 1, 3] {
        let wrong = Err(RowError::WrongWidth { expected, found: 2 });
        assert_eq!(row_text(Plain, expected, &fields), (String::new(), wrong));
    }
    for broken in [&fields[..2], &[fields.as_slice(), &[0]].concat(), &[0x2A], &[], &[0x92, 1, 0x82, 0xC3, 0x28]] {
        let (out, result) = row_text(Plain, 2, broken);
        assert!(matches!(result, Err(RowError::Decode(_))), "{result:?}");
        assert_eq!(out, "");
    }
}

#[test]
fn a_row_ends_before_the_column_that_cannot_be_shown() {
    let fields = packed(|out| {
        out.list(3);
        out.integer(2);
        vector(0xC8, &[1])(out);
        out.integer(3);
    });
    let (out, result) = row_text(Typed(V1_0), 3, &fields);
    assert_eq!(out, r#"[{"$type":"Integer","_value":"2"}]"#);
    assert_eq!(result, Err(unsupported("VECTOR", false)));
    assert_eq!(result.unwrap_err().to_string(), "Type VECTOR is not supported.");
    let first = packed(|out| {
        out.list(1);
        uuid(out);
    });
    assert_eq!(row_text(Typed(V1_0), 1, &first), ("[]".to_owned(), Err(unsupported("UUID", false))));
}

#[test]
fn a_row_is_removed_if_a_nested_value_cannot_be_shown() {
    let in_list = packed(|out| {
        out.list(2);
        out.integer(2);
        out.list(2);
        out.list(0);
        vector(0xC8, &[1])(out);
    });
    let in_node = packed(|out| {
        out.list(2);
        out.integer(2);
        out.structure(tag::NODE, 3);
        out.integer(1);
        out.list(0);
        out.map(1);
        out.string("embedding");
        vector(0xC8, &[1])(out);
    });
    let in_path = packed(|out| {
        out.list(2);
        out.integer(2);
        out.structure(tag::PATH, 3);
        out.list(1);
        out.structure(tag::NODE, 3);
        out.integer(1);
        out.list(0);
        out.map(1);
        out.string("embedding");
        vector(0xC8, &[1])(out);
        out.list(0);
        out.list(0);
    });
    for fields in [in_list, in_node, in_path] {
        assert_eq!(row_text(Typed(V1_0), 2, &fields), (String::new(), Err(unsupported("VECTOR", true))));
        assert!(row_text(Typed(V1_1), 2, &fields).1.is_ok());
    }
}

#[test]
fn deep_nesting_is_an_error_and_not_a_stack_overflow() {
    let nested = |head: &'static [u8], depth: usize| {
        let mut bytes = head.repeat(depth);
        bytes.push(0x01);
        bytes
    };
    let check = move || {
        for view in VIEWS {
            for (head, allowed) in [(&[0x91][..], 2000), (&[0xA1, 0x81, b'k'], 2000)] {
                for depth in [1000, allowed] {
                    let mut out = BytesMut::new();
                    value(&mut out, &mut Reader::new(&nested(head, depth)), view).unwrap();
                    let open = out.iter().filter(|&&byte| matches!(byte, b'[' | b'{')).count();
                    let close = out.iter().filter(|&&byte| matches!(byte, b']' | b'}')).count();
                    assert_eq!(open, close);
                    assert!(open >= depth);
                }
                for depth in [allowed + 1, 100_000] {
                    let mut out = BytesMut::new();
                    let result = value(&mut out, &mut Reader::new(&nested(head, depth)), view);
                    assert_eq!(result, Err(RowError::TooDeep));
                    assert!(out.is_empty());
                }
            }
        }
    };
    std::thread::Builder::new().stack_size(128 * 1024).spawn(check).unwrap().join().unwrap();
}
