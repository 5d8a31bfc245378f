//! The text of whole answers, in each format.

use std::time::{Instant, SystemTime};

use super::*;
use crate::{
    http::media::Layout,
    query::{Flow, RowRefused, RowSink as _},
};

fn format(layout: Layout) -> Format {
    Format { layout, ..Format::plain() }
}

fn answer(layout: Layout, limit: Option<usize>) -> Answer {
    Answer::new(&format(layout), false, Instant::now(), Limits { answer: limit, ..Limits::default() })
}

fn columns() -> Columns {
    Columns { count: 1, list: vec![0x91, 0x81, b'a'] }
}

fn text(answer: &mut Answer) -> String {
    String::from_utf8(answer.take().to_vec()).unwrap()
}

#[test]
fn a_document_without_rows() {
    let mut answer = answer(Layout::Document, None);
    answer.open(&columns());
    let summary = Summary { kind: Some("r".into()), ..Summary::default() };
    let end = ResultEnd { summary, bookmark: Some("FB:x".into()), transaction: None, withheld: None };
    assert_eq!(answer.end(&end, &columns()), Ending::Complete);
    let text = text(&mut answer);
    assert!(
        text.starts_with(r#"{"data":{"fields":["a"],"values":[]},"queryType":"r","resultAvailableAfter":"#),
        "{text}"
    );
    assert!(text.ends_with(r#","bookmarks":["FB:x"]}"#), "{text}");
}

#[test]
fn a_failure_after_rows_comes_last() {
    let error = Error::bad_request("x");
    for (layout, expected) in [
        (
            Layout::Document,
            r#"{"data":{"fields":["a"],"values":[[1],[2]]},"errors":[{"code":"Neo.ClientError.Request.Invalid","message":"Bad Request: x"}]}"#,
        ),
        (
            Layout::Lines,
            concat!(
                r#"{"$event":"Header","_body":{"fields":["a"]}}"#,
                "\n",
                r#"{"$event":"Record","_body":[1]}"#,
                "\n",
                r#"{"$event":"Record","_body":[2]}"#,
                "\n",
                r#"{"$event":"Error","_body":[{"code":"Neo.ClientError.Request.Invalid","message":"Bad Request: x"}]}"#,
                "\n",
            ),
        ),
    ] {
        let mut answer = answer(layout, None);
        answer.open(&columns());
        answer.row(&[0x91, 1], 1).unwrap();
        answer.row(&[0x91, 2], 1).unwrap();
        assert_eq!(answer.fail(&error, None), Ending::Complete);
        assert_eq!(text(&mut answer), expected);
    }
}

/// A row of one list that is larger than the buffer.
fn large_row() -> Vec<u8> {
    let mut fields = vec![0x91, 0xD6];
    fields.extend(3_000_000_u32.to_be_bytes());
    fields.resize(fields.len() + 3_000_000, 1);
    fields
}

#[test]
fn a_failure_within_a_row_breaks_the_transfer_off() {
    for layout in [Layout::Document, Layout::Lines] {
        let mut answer = answer(layout, None);
        answer.open(&columns());
        assert_eq!(answer.row(&large_row(), 1), Ok(Flow::Unfinished));
        assert!(answer.is_full());
        answer.take();
        assert!(answer.is_full(), "the rest of the row comes first");
        assert_eq!(answer.fail(&Error::bad_request("x"), None), Ending::BrokenOff);
        let withheld = Some(Error::bad_request("x"));
        let end = ResultEnd { summary: Summary::default(), bookmark: None, transaction: None, withheld };
        assert_eq!(answer.end(&end, &columns()), Ending::BrokenOff);
        assert_eq!(text(&mut answer), "");
    }
}

#[test]
fn a_row_allocates_nothing() {
    for layout in [Layout::Document, Layout::Lines] {
        let mut answer = answer(layout, None);
        answer.open(&columns());
        let measured = allocation_counter::measure(|| {
            // Their text fits into the buffer.
            for _ in 0..10 {
                assert_eq!(answer.row(&[0x91, 1], 1), Ok(Flow::Continue));
            }
        });
        assert_eq!(measured.count_total, 0, "{layout:?}");
    }
}

#[test]
fn rows_end_at_the_limit_and_the_answer_is_whole() {
    for (layout, expected) in [
        (Layout::Document, r#"{"data":{"fields":["a"],"values":[[1]]},"errors":["#),
        (
            Layout::Lines,
            concat!(
                r#"{"$event":"Header","_body":{"fields":["a"]}}"#,
                "\n",
                r#"{"$event":"Record","_body":[1]}"#,
                "\n",
                r#"{"$event":"Error","_body":["#
            ),
        ),
    ] {
        let mut answer = answer(layout, Some(100));
        answer.open(&columns());
        assert_eq!(answer.row(&[0x91, 1], 1), Ok(Flow::Continue));
        let refused = answer.row(&large_row(), 1).unwrap_err();
        assert!(!answer.is_full());
        let end = ResultEnd {
            summary: Summary::default(),
            bookmark: None,
            transaction: None,
            withheld: Some(refused.into()),
        };
        assert_eq!(answer.end(&end, &columns()), Ending::Complete);
        let text = text(&mut answer);
        assert!(text.starts_with(expected) && text.contains("idempotency.max_answer"), "{text}");
    }
}

#[test]
fn a_row_that_cannot_be_shown_at_all_leaves_no_trace() {
    for (layout, expected) in [
        (Layout::Document, r#"{"data":{"fields":["a"],"values":[[1]"#),
        (
            Layout::Lines,
            "{\"$event\":\"Header\",\"_body\":{\"fields\":[\"a\"]}}\n{\"$event\":\"Record\",\"_body\":[1]}\n",
        ),
    ] {
        let mut answer = answer(layout, None);
        answer.open(&columns());
        answer.row(&[0x91, 1], 1).unwrap();
        // Two values for one column.
        assert!(matches!(answer.row(&[0x92, 1, 2], 1), Err(RowRefused::Malformed(_))));
        assert_eq!(text(&mut answer), expected);
    }
}

#[test]
fn answers_without_a_result() {
    let transaction = Transaction { id: "ab".into(), expires: SystemTime::UNIX_EPOCH };
    let document = without_result(&format(Layout::Document), None, Some(&transaction));
    assert_eq!(document, r#"{"transaction":{"id":"ab","expires":"1970-01-01T00:00:00Z"}}"#);
    let lines = without_result(&format(Layout::Lines), None, None);
    assert_eq!(lines, "{\"$event\":\"Header\",\"_body\":{}}\n{\"$event\":\"Summary\",\"_body\":{}}\n");
}

#[test]
fn answers_that_are_errors() {
    for (layout, expected) in [
        (Layout::Document, r#"{"errors":[{"code":"Neo.ClientError.Request.Invalid","message":"x","statement":3}]}"#),
        (
            Layout::Lines,
            "{\"$event\":\"Error\",\"_body\":[{\"code\":\"Neo.ClientError.Request.Invalid\",\"message\":\"x\",\"statement\":3}]}\n",
        ),
    ] {
        assert_eq!(error(&format(layout), &Error::invalid("x"), Some(At::Statement(3))), expected);
    }
}
