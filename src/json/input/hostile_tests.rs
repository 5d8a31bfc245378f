//! Texts made to be expensive: their size once encoded, and the memory that reading them takes.

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::bolt::packstream::{Reader, Token as Packed};
use crate::json::TypedVersion;

/// The bytes of a hostile text: enough to make constant costs negligible.
const SIZE: usize = 1024 * 1024;
const CONSTANT: usize = 512 * 1024;

/// Returns an object of about [`SIZE`] bytes: `before`, as many units as fit, `after`.
fn text(before: &str, unit: impl Fn(usize) -> String, after: &str) -> String {
    let mut text = before.to_owned();
    let mut number = 0;
    while text.len() < SIZE {
        text.push_str(&unit(number));
        number += 1;
    }
    text.truncate(text.trim_end_matches(',').len());
    text + after
}

/// Returns a text of identical units.
fn repeated(before: &str, unit: &str, after: &str) -> String {
    text(before, |_| unit.to_owned(), after)
}

/// Reads `text`. Returns the peak of additional memory in bytes, and the size of the result.
fn peak(text: &str, version: Option<TypedVersion>) -> (usize, Result<usize, InputError>) {
    let mut result = Ok(0);
    let measured = allocation_counter::measure(|| {
        let mut out = Vec::new();
        let mut lexer = Lexer::new(text, Limits { packed: 2 * SIZE, ..Limits::default() });
        lexer.token().unwrap();
        let read = match version {
            None => plain::read_map(&mut lexer, "parameters", &mut out),
            Some(version) => typed::read_map(&mut lexer, version, "parameters", &mut out),
        };
        result = read.map(|()| out.len());
    });
    (usize::try_from(measured.bytes_max).unwrap(), result)
}

fn assert_bounded_memory(name: &str, text: &str, version: Option<TypedVersion>) {
    let (peak, result) = peak(text, version);
    // With the text itself, that is four times its size.
    assert!(peak <= 3 * text.len() + CONSTANT, "{name}: {peak} bytes for {}, then {result:?}", text.len());
}

#[test]
fn plain_text_takes_no_more_than_three_times_its_size() {
    for (name, text) in [
        ("one key again and again", repeated("{", r#""":0,"#, "}")),
        ("every other key again", text("{", |number| format!(r#""{number:x}":0,"":0,"#), "}")),
        ("the same with floats", text("{", |number| format!(r#""{number:x}":1e1,"":1e1,"#), "}")),
        ("keys that differ", text("{", |number| format!(r#""{number:x}":0,"#), "}")),
        ("maps that repeat a key", repeated(r#"{"x":["#, r#"{"":0,"":0},"#, "]}")),
        ("maps of many pairs", repeated(r#"{"x":["#, &format!("{{{}}},", [r#""":0"#; 20].join(",")), "]}")),
        ("floats", repeated(r#"{"x":["#, "1e1,", "]}")),
        ("lists of sixteen floats", repeated(r#"{"x":["#, &format!("[{}],", ["1e1"; 16].join(",")), "]}")),
        ("lists of sixteen", repeated(r#"{"x":["#, &format!("[{}],", ["0"; 16].join(",")), "]}")),
        ("numbers", repeated(r#"{"x":["#, "0,", "]}")),
        ("empty lists", repeated(r#"{"x":["#, "[],", "]}")),
        ("empty maps", repeated(r#"{"x":["#, "{},", "]}")),
        ("empty strings", repeated(r#"{"x":["#, r#""","#, "]}")),
        ("short strings", repeated(r#"{"x":["#, r#""abcdefghijklmnop","#, "]}")),
        ("escapes", repeated(r#"{"x":""#, r"\u0041\n", r#""}"#)),
        ("one string", repeated(r#"{"x":""#, "x", r#""}"#)),
        ("deep lists", repeated(r#"{"x":["#, &format!("{}{},", "[".repeat(900), "]".repeat(900)), "]}")),
        ("deep maps", repeated(r#"{"x":["#, &format!("{}0{},", r#"{"":"#.repeat(900), "}".repeat(900)), "]}")),
    ] {
        assert_bounded_memory(name, &text, None);
    }
}

#[test]
fn typed_text_takes_no_more_than_three_times_its_size() {
    let list = |items: &str| format!(r#"{{"_value":[{items}],"$type":"List"}},"#);
    for (name, text) in [
        ("values first", repeated(r#"{"x":{"_value":["#, r#"{"_value":0,"$type":"Null"},"#, r#"],"$type":"List"}}"#)),
        ("values without types", repeated(r#"{"x":{"_value":["#, r#"{"_value":0},"#, r#"],"$type":"List"}}"#)),
        ("empty objects", repeated(r#"{"x":{"_value":["#, "{},", r#"],"$type":"List"}}"#)),
        ("long types", repeated(r#"{"x":{"_value":"#, &list(r#"{"$type":"Null"}"#).repeat(3), r#","$type":"Null"}}"#)),
        (
            "lists in lists",
            repeated(r#"{"x":{"_value":["#, &list(&list("").repeat(20)[..340]), r#"],"$type":"List"}}"#),
        ),
        ("nulls", repeated(r#"{"x":{"$type":"List","_value":["#, r#"{"$type":"Null"},"#, "]}}")),
        ("floats", repeated(r#"{"x":{"$type":"List","_value":["#, r#"{"$type":"Float","_value":1},"#, "]}}")),
        ("one key", repeated(r#"{"x":{"$type":"Map","_value":{"#, r#""":{"$type":"Null"},"#, "}}}")),
        (
            "a large vector",
            repeated(
                r#"{"x":{"$type":"Vector","_value":{"coordinates":["#,
                "1,",
                r#"],"coordinatesType":"FLOAT64"}}}"#,
            ),
        ),
        (
            "vectors",
            repeated(
                r#"{"x":{"$type":"List","_value":["#,
                &format!(
                    r#"{{"$type":"Vector","_value":{{"coordinatesType":"FLOAT64","coordinates":[{}]}}}},"#,
                    ["1"; 1000].join(",")
                ),
                "]}}",
            ),
        ),
        (
            "vectors of bytes",
            repeated(r#"{"x":{"$type":"Vector","_value":{"coordinatesType":"INT8","coordinates":["#, r#""1","#, "]}}}"),
        ),
    ] {
        assert_bounded_memory(name, &text, Some(TypedVersion::V1_2));
    }
}

#[test]
fn values_that_encode_too_large_are_refused() {
    let floats = repeated(r#"{"x":["#, "1e1,", "]}");
    let (_, result) = peak(&floats, None);
    let message = result.unwrap_err().to_string();
    assert!(message.contains("more than 2097152 bytes") && message.contains("limits.body"), "{message}");
    let vector =
        repeated(r#"{"x":{"$type":"Vector","_value":{"coordinatesType":"FLOAT64","coordinates":["#, "1,", "]}}}");
    let (peak, result) = peak(&vector, Some(TypedVersion::V1_2));
    assert!(result.is_err() && peak < CONSTANT, "it is refused before anything is made of it: {peak}");
}

/// Returns the meaning of a JSON text, with the last of repeated keys.
fn meaning(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

/// Decodes the next PackStream value. Fails if a map has a key twice.
fn decoded(reader: &mut Reader<'_>) -> serde_json::Value {
    match reader.token().unwrap() {
        Packed::Integer(value) => value.into(),
        Packed::List(items) => (0..items).map(|_| decoded(reader)).collect(),
        Packed::Map(pairs) => {
            let map: serde_json::Map<_, _> =
                (0..pairs).map(|_| (reader.expect_string().unwrap().to_owned(), decoded(reader))).collect();
            assert_eq!(map.len(), pairs, "a key comes twice");
            map.into()
        }
        other => panic!("{other:?}"),
    }
}

/// Generates nested lists and maps, some of them large, whose keys repeat often.
fn repetitive() -> impl Strategy<Value = String> {
    let leaf = (0..3000_i32).prop_map(|number| number.to_string());
    leaf.prop_recursive(5, 600, 40, |inner| {
        let member =
            (0..12_usize, inner.clone()).prop_map(|(key, value)| format!("\"{}\":{value}", "k".repeat(key * 3)));
        prop_oneof![
            vec(inner, 0..40).prop_map(|items| format!("[{}]", items.join(","))),
            vec(member.clone(), 0..40).prop_map(|members| format!("{{{}}}", members.join(","))),
            (vec(member, 0..4), 0..300).prop_map(|(mut members, more)| {
                members.extend((0..more).map(|number| format!("\"k{}\":{number}", number % 70)));
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn the_last_of_repeated_keys_wins(text in repetitive()) {
        let text = format!("{{\"x\":{text}}}");
        let mut out = vec![7];
        let mut lexer = Lexer::new(&text, Limits::default());
        lexer.token().unwrap();
        plain::read_map(&mut lexer, "parameters", &mut out).unwrap();
        let mut reader = Reader::new(&out[1..]);
        prop_assert_eq!(decoded(&mut reader), meaning(&text));
        prop_assert!(reader.rest().is_empty());
    }
}
