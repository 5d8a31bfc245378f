//! Bodies that are made to be expensive take no more than four times their size in memory.

use super::*;

const SIZE: usize = 1024 * 1024;
/// The part that does not grow with the body: small lists, and as many bookmarks as a request may have.
const CONSTANT: usize = 1024 * 1024;
/// The part that does not grow with the body, for as many statements as a batch may have.
const STATEMENTS: usize = 20 * 1024 * 1024;

/// A body of `large` times [`SIZE`] bytes: `before`, as many units as fit, `after`.
fn repeated(large: usize, before: &str, unit: &str, after: &str) -> Vec<u8> {
    let mut text = before.to_owned();
    text.push_str(&unit.repeat(large * SIZE / unit.len()));
    text.truncate(text.trim_end_matches(',').len());
    (text + after).into_bytes()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn assert_bounded(name: &str, kind: BodyKind, body: &[u8], constant: usize) {
    let size = body.len();
    let limits = BodyLimits { statement: usize::MAX, packed: 2 * size, ..BodyLimits::SAMPLE };
    let mut refused = None;
    let measured = allocation_counter::measure(|| {
        let copy = Bytes::copy_from_slice(body);
        refused = super::parse(copy, None, kind, &limits).err();
    });
    let peak = usize::try_from(measured.bytes_max).unwrap();
    assert!(peak <= 4 * size + constant, "{name}: {peak} bytes for {size}, then {refused:?}");
}

#[test]
fn bodies_take_no_more_than_four_times_their_size() {
    for (name, kind, before, unit, after) in [
        ("empty runs", Batch, r#"{"statements":[{"statement":"A","parametersList":["#, "{},", "]}]}"),
        ("floats", Batch, r#"{"statements":[{"statement":"A","parametersList":["#, r#"{"":[1e1,1e1,1e1]},"#, "]}]}"),
        ("bookmarks", Query, r#"{"bookmarks":["#, r#""a","#, "]}"),
        ("parameters again and again", Query, "{", r#""parameters":{"a":[1,2,3]},"#, "}"),
        ("metadata again and again", Query, "{", r#""txMetadata":{"a":[1,2,3]},"#, "}"),
        ("a long statement", Query, r#"{"statement":""#, "x", r#""}"#),
        ("a statement of escapes", Query, r#"{"statement":""#, r"\u0041", r#""}"#),
    ] {
        assert_bounded(name, kind, &repeated(2, before, unit, after), CONSTANT);
    }
    let statements = repeated(2, r#"{"statements":["#, r#"{"statement":"A"},{"statement":"B"},"#, "]}");
    assert_bounded("statements", Batch, &statements, STATEMENTS);
}

#[test]
fn bodies_in_utf_16_take_no_more_than_four_times_their_size() {
    for (name, unit) in [("CJK", "字"), ("ASCII", "x"), ("escapes", r"\n")] {
        let text = String::from_utf8(repeated(1, r#"{"parameters":{"x":""#, unit, r#""}}"#)).unwrap();
        assert_bounded(name, Query, &utf16(&text), CONSTANT);
    }
    let floats = String::from_utf8(repeated(1, r#"{"parameters":{"x":["#, "1e1,", "]}}")).unwrap();
    assert_bounded("floats", Query, &utf16(&floats), CONSTANT);
}

#[test]
fn statements_and_bookmarks_are_limited() {
    for (kind, text) in [
        (Batch, format!(r#"{{"statements":[{}]}}"#, vec![r#"{"statement":"A"}"#; 100_001].join(","))),
        (Query, format!(r#"{{"bookmarks":[{}]}}"#, vec![r#""a""#; 10_001].join(","))),
    ] {
        let error = super::parse(text.into(), None, kind, &BodyLimits::SAMPLE).unwrap_err();
        assert!(error.to_string().contains("more than 10"), "{error}");
    }
}

#[test]
fn statements_with_the_same_text_share_it() {
    let text = r#"{"statements":[{"statement":"A"},{"statement":"A"},{"statement":"B"}]}"#;
    let body = super::parse(text.into(), None, Batch, &BodyLimits::SAMPLE).unwrap();
    let [first, second, third] = &body.statements[..] else { panic!("{body:?}") };
    assert!(std::sync::Arc::ptr_eq(&first.text, &second.text) && *third.text == *"B");
}
