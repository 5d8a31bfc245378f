//! Both readers together: every documented form, the PackStream bytes, hostile input, and linear work.

use proptest::prelude::*;

use super::lexer::steps;
use super::*;
use crate::bolt::packstream::{Reader, Token as Packed, Writer, tag};
use crate::json::TypedVersion;

fn start(text: &str) -> Lexer<'_> {
    let mut lexer = Lexer::new(text, Limits::default());
    assert_eq!(lexer.token(), Ok(Token::ObjectStart));
    lexer
}

fn plain(text: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    plain::read_map(&mut start(text), "parameters", &mut out).map_err(|error| error.to_string())?;
    Ok(out)
}

fn typed_as(version: TypedVersion, text: &str) -> Result<Vec<u8>, InputError> {
    let mut out = Vec::new();
    typed::read_map(&mut start(text), version, "parameters", &mut out)?;
    Ok(out)
}

/// Returns the PackStream bytes of one typed parameter `x`.
fn typed(value: &str) -> Result<Vec<u8>, InputError> {
    typed_as(TypedVersion::V1_2, &format!("{{\"x\":{value}}}")).map(|out| out[3..].to_vec())
}

fn of_type(kind: &str, value: &str) -> Result<Vec<u8>, InputError> {
    let both = [
        typed(&format!("{{\"$type\":\"{kind}\",\"_value\":{value}}}")),
        typed(&format!("{{\"_value\":{value},\"$type\":\"{kind}\"}}")),
    ];
    let [first, second] = both;
    assert_eq!(first, second, "{kind} {value}: the order matters");
    first
}

fn packed(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut Writer::new(&mut out));
    out
}

#[test]
fn plain_values_follow_their_spelling() {
    for (value, expected) in [
        ("null", &[0xC0][..]),
        ("true", &[0xC3]),
        ("false", &[0xC2]),
        ("1", &[1]),
        ("-0", &[0]),
        ("-17", &[0xC8, 0xEF]),
        ("9007199254740993", &[0xCB, 0, 0x20, 0, 0, 0, 0, 0, 1]),
        ("9223372036854775807", &[0xCB, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
        ("-9223372036854775808", &[0xCB, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        ("1.0", &[0xC1, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0]),
        ("1e3", &[0xC1, 0x40, 0x8F, 0x40, 0, 0, 0, 0, 0]),
        ("-0.0", &[0xC1, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        ("1e400", &[0xC1, 0x7F, 0xF0, 0, 0, 0, 0, 0, 0]),
        ("1E-400", &[0xC1, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("\"NaN\"", &[0x83, 0x4E, 0x61, 0x4E]),
        ("[1,[],{}]", &[0x93, 1, 0x90, 0xA0]),
        ("{\"a\":{\"b\":2}}", &[0xA1, 0x81, 0x61, 0xA1, 0x81, 0x62, 2]),
        ("{\"$type\":\"Integer\"}", b"\xA1\x85$type\x87Integer"),
    ] {
        let expected = [b"\xA1\x81x", expected].concat();
        assert_eq!(plain(&format!("{{\"x\":{value}}}")), Ok(expected), "{value}");
    }
    assert_eq!(plain("{}"), Ok(vec![0xA0]));
}

#[test]
fn integers_beyond_64_bits_are_refused_by_name() {
    for (text, message) in [
        (
            "{\"a\":{\"z\":1},\"x\":[1,2,{\"y\":[]},9223372036854775808]}",
            "parameters.x[3]: 9223372036854775808 does not fit in 64 bits; send it as a string, or with a decimal point as \
             a float",
        ),
        (
            "{\"x\":{\"a b\":[[-9223372036854775809]]}}",
            "parameters.x.`a b`[0][0]: -9223372036854775809 does not fit in 64 bits; send it as a string, or with a decimal \
             point as a float",
        ),
    ] {
        assert_eq!(plain(text), Err(message.to_owned()));
    }
    let long = plain(&format!("{{\"x\":{}}}", "7".repeat(900))).unwrap_err();
    assert!(long.contains("777… does not fit") && long.len() < 200, "{long}");
}

#[test]
fn the_last_of_repeated_keys_wins() {
    assert_eq!(plain("{\"x\":1,\"x\":2}"), Ok(b"\xA1\x81x\x02".to_vec()));
    assert_eq!(
        plain("{\"x\":{\"a\":[1,2],\"b\":3,\"a\":{\"c\":1,\"c\":4}},\"y\":5,\"\\u0078\":6}"),
        Ok(b"\xA2\x81y\x05\x81x\x06".to_vec())
    );
    assert_eq!(
        plain("{\"x\":{\"a\":[1,2],\"b\":3,\"a\":{\"c\":1,\"c\":4}}}"),
        Ok(b"\xA1\x81x\xA2\x81b\x03\x81a\xA1\x81c\x04".to_vec())
    );
    let repeated = typed(
        "{\"$type\":\"Map\",\"_value\":{\"a\":{\"$type\":\"Null\"},\"a\":{\"$type\":\"Boolean\"\
                          ,\"_value\":true}}}",
    );
    assert_eq!(repeated, Ok(b"\xA1\x81a\xC3".to_vec()));
}

#[test]
fn large_maps_with_repeated_keys_and_long_heads_are_encoded_correctly() {
    // Keys 0 to 299, each three times. The values are lists of 20 that end with their round.
    let members: Vec<String> =
        (0..900).map(|member| format!("\"k{}\":[{}{}]", member % 300, "0,".repeat(19), member / 300)).collect();
    let out = plain(&format!("{{\"before\":[1],\"x\":{{{}}},\"after\":2}}", members.join(","))).unwrap();
    let mut reader = Reader::new(&out);
    assert_eq!(reader.expect_map(), Ok(3));
    assert_eq!(reader.raw(), Ok(&b"\x86before"[..]));
    assert_eq!(reader.raw(), Ok(&[0x91, 1][..]));
    assert_eq!(reader.expect_string(), Ok("x"));
    assert_eq!(reader.expect_map(), Ok(300));
    for member in 0..300 {
        assert_eq!(reader.expect_string(), Ok(format!("k{member}").as_str()));
        let expected = packed(|writer| {
            writer.list(20);
            (0..19).for_each(|_| writer.integer(0));
            writer.integer(2);
        });
        assert_eq!(reader.raw(), Ok(expected.as_slice()));
    }
    assert_eq!(reader.rest(), b"\x85after\x02");
}

/// Asserts that each `_value` of type `kind` is encoded as these bytes.
fn accepted(kind: &str, rows: &[(&str, &[u8])]) {
    for (value, expected) in rows {
        assert_eq!(of_type(kind, value).as_deref(), Ok(*expected), "{kind} {value}");
    }
}

/// Asserts that each `_value` of type `kind` is refused, and that the error names the parameter.
fn rejected(kind: &str, values: &[&str]) {
    for value in values {
        match of_type(kind, value) {
            Err(InputError::Value { path, .. }) => assert_eq!(path, "parameters.x"),
            other => panic!("{kind} {value}: {other:?}"),
        }
    }
}

#[test]
fn scalars_of_typed_json() {
    accepted("Null", &[("null", &[0xC0])]);
    assert_eq!(typed("{\"$type\":\"Null\"}"), Ok(vec![0xC0]));
    rejected("Null", &["{}", "[]", "\"\"", "false", "0"]);

    for value in ["true", "\"true\"", "\"TRUE\""] {
        accepted("Boolean", &[(value, &[0xC3])]);
    }
    for value in ["false", "null", "1", "0", "1.5", "\"\"", "\"yes\"", "\" true\""] {
        accepted("Boolean", &[(value, &[0xC2])]);
    }
    rejected("Boolean", &["{}", "[]"]);

    accepted(
        "Integer",
        &[
            ("\"1\"", &[1]),
            ("1", &[1]),
            ("-0", &[0]),
            ("\"+1\"", &[1]),
            ("\"007\"", &[7]),
            ("\"٣\"", &[3]),
            ("9223372036854775807", &[0xCB, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
        ],
    );
    rejected(
        "Integer",
        &["\"\"", "\" 1\"", "1.0", "1e3", "\"0x10\"", "\"1_0\"", "9223372036854775808", "true", "null", "[]"],
    );

    let one_and_a_half: &[u8] = &[0xC1, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0];
    for value in ["1.5", "\"1.5\"", "\" 1.5 \"", "\"1.5f\"", "\"0x1.8p0\"", "15e-1"] {
        accepted("Float", &[(value, one_and_a_half)]);
    }
    let infinity: &[u8] = &[0xC1, 0x7F, 0xF0, 0, 0, 0, 0, 0, 0];
    let digits = format!("1{}", "0".repeat(308));
    accepted("Float", &[("\"1e400\"", infinity), ("1e400", infinity), ("\"Infinity\"", infinity)]);
    accepted("Float", &[(&digits, &packed(|writer| writer.float(1e308)))]);
    accepted("Float", &[("1", &[0xC1, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0]), ("-0", &[0xC1, 0x80, 0, 0, 0, 0, 0, 0, 0])]);
    rejected("Float", &["\"\"", "\"inf\"", "\"nan\"", "\"1,5\"", "true", "null", "{}"]);

    accepted(
        "String",
        &[
            ("\"a\"", b"\x81a"),
            ("1", b"\x811"),
            ("1.0", b"\x831.0"),
            ("1E+3", b"\x841E+3"),
            ("true", b"\x84true"),
            ("\"\\ud83d\\ude00\"", b"\x84\xF0\x9F\x98\x80"),
        ],
    );
    rejected("String", &["null", "{}", "[1]"]);

    accepted("Base64", &[("\"\"", &[0xCC, 0]), ("\"AQIDBAU=\"", &[0xCC, 5, 1, 2, 3, 4, 5]), ("12", &[0xCC, 1, 0xD7])]);
    rejected("Base64", &["\"A\"", "\"A-_=\"", "\"AQ ID\"", "null"]);
}

#[test]
fn collections_of_typed_json() {
    accepted(
        "List",
        &[
            ("[]", &[0x90]),
            (
                "[{\"$type\":\"Null\"},{\"_value\":[{\"_value\":1,\"$type\":\"Integer\"}],\"$type\":\"List\"}]",
                &[0x92, 0xC0, 0x91, 1],
            ),
        ],
    );
    rejected("List", &["{}", "\"x\"", "null"]);
    accepted(
        "Map",
        &[
            ("{}", &[0xA0]),
            (
                "{\"$type\":{\"$type\":\"Integer\",\"_value\":1},\"_value\":{\"_value\":2,\"$type\":\"Integer\"}}",
                b"\xA2\x85$type\x01\x86_value\x02",
            ),
        ],
    );
    rejected("Map", &["[]", "\"x\"", "null"]);
}

#[test]
fn temporal_values_of_typed_json() {
    accepted(
        "Date",
        &[("\"1970-01-02\"", &[0xB1, 0x44, 1]), ("\"-0001-06-01\"", &[0xB1, 0x44, 0xCA, 0xFF, 0xF5, 4, 0x82])],
    );
    accepted("LocalTime", &[("\"00:00:00.000000001\"", &[0xB1, 0x74, 1])]);
    accepted("Time", &[("\"00:00+01:00\"", &[0xB2, 0x54, 0, 0xC9, 0x0E, 0x10])]);
    accepted("LocalDateTime", &[("\"1970-01-01t00:01\"", &[0xB2, 0x64, 60, 0])]);
    accepted(
        "OffsetDateTime",
        &[("\"1970-01-01T01:00:01.5+01\"", &[0xB3, 0x49, 1, 0xCA, 0x1D, 0xCD, 0x65, 0, 0xC9, 0x0E, 0x10])],
    );
    accepted("ZonedDateTime", &[("\"1970-01-01T00:00:01Z[UTC]\"", b"\xB3\x69\x01\x00\x83UTC")]);
    accepted("Duration", &[("\"P1Y2W3DT4.5S\"", &[0xB4, 0x45, 12, 17, 4, 0xCA, 0x1D, 0xCD, 0x65, 0])]);
    rejected("Date", &["\"20200101\"", "2020", "null", "[]"]);
    rejected("LocalTime", &["\"24:00\""]);
    rejected("Time", &["\"12:00\"", "\"12:00+01\""]);
    rejected("LocalDateTime", &["\"2020-01-01 12:00\""]);
    rejected("OffsetDateTime", &["\"2020-01-01T12:00\""]);
    rejected("ZonedDateTime", &["\"2020-01-01T12:00[Europe/Berlin]\"", "\"2020-01-01T12:00Z[EST]\""]);
    rejected("Duration", &["\"P\"", "\"PT\"", "\"P1.5Y1M\"", "1"]);
}

#[test]
fn points_vectors_and_uuids_of_typed_json() {
    let flat = packed(|writer| {
        writer.structure(tag::POINT_2D, 3);
        writer.integer(7203);
        writer.float(1.0);
        writer.float(2.5);
    });
    accepted("Point", &[("\"SRID=7203;POINT (1 2.5)\"", &flat)]);
    let spatial = packed(|writer| {
        writer.structure(tag::POINT_3D, 4);
        writer.integer(9999);
        [1.0, 2.5, -0.0].into_iter().for_each(|coordinate| writer.float(coordinate));
    });
    accepted("Point", &[("\"SRID=9999;POINT (1 2.5 -0)\"", &spatial)]);
    rejected("Point", &["\"POINT (1 2)\"", "1", "{}"]);

    accepted(
        "Vector",
        &[
            (
                "{\"coordinatesType\":\"INT8\",\"coordinates\":[\"1\",-2,3]}",
                b"\xB2\x56\xCC\x01\xC8\xCC\x03\x01\xFE\x03",
            ),
            ("{\"coordinates\":[258],\"coordinatesType\":\"INT16\"}", b"\xB2\x56\xCC\x01\xC9\xCC\x02\x01\x02"),
            ("{\"coordinates\":[1],\"coordinatesType\":\"INT32\"}", b"\xB2\x56\xCC\x01\xCA\xCC\x04\0\0\0\x01"),
            ("{\"coordinates\":[1],\"coordinatesType\":\"INT64\"}", b"\xB2\x56\xCC\x01\xCB\xCC\x08\0\0\0\0\0\0\0\x01"),
            (
                "{\"coordinates\":[\"1.5f\"],\"coordinatesType\":\"FLOAT32\"}",
                b"\xB2\x56\xCC\x01\xC6\xCC\x04\x3F\xC0\0\0",
            ),
            (
                "{\"coordinates\":[1],\"coordinatesType\":\"FLOAT64\"}",
                b"\xB2\x56\xCC\x01\xC1\xCC\x08\x3F\xF0\0\0\0\0\0\0",
            ),
            ("{\"coordinates\":[],\"coordinatesType\":\"INT8\"}", b"\xB2\x56\xCC\x01\xC8\xCC\x00"),
        ],
    );
    rejected(
        "Vector",
        &[
            "[]",
            "\"x\"",
            "null",
            "{\"coordinatesType\":\"INT8\"}",
            "{\"coordinatesType\":{},\"coordinates\":[1]}",
            "{\"coordinatesType\":\"INT8\",\"coordinates\":[128]}",
            "{\"coordinatesType\":\"INT8\",\"coordinates\":[1.0]}",
            "{\"coordinatesType\":\"INT8\",\"coordinates\":[null]}",
            "{\"coordinatesType\":\"INT8\",\"coordinates\":1}",
            "{\"coordinatesType\":\"INT8\",\"coordinates\":[1],\"x\":1}",
            "{\"coordinatesType\":\"INT8\",\"coordinates\":[1],\"coordinates\":[1]}",
        ],
    );

    let uuid = b"\xE0\x12\x3e\x45\x67\xe8\x9b\x12\xd3\xa4\x56\x42\x66\x14\x17\x40\x00";
    accepted("UUID", &[("\"123E4567-e89b-12d3-a456-426614174000\"", uuid)]);
    rejected("UUID", &["\"123e4567e89b12d3a456426614174000\"", "1"]);
}

#[test]
fn unknown_types_are_reported_by_name_alone() {
    for (value, name) in [
        ("{\"$type\":\"Node\",\"_value\":{}}", "Node"),
        ("{\"$type\":\"Foo\",\"x\":1}", "Foo"),
        ("{\"_value\":{\"_value\":1,\"$type\":\"Bar\"},\"$type\":\"Foo\"}", "Foo"),
        ("{\"$type\":\"integer\"}", "integer"),
        ("{}", "null"),
        ("{\"_value\":1}", "null"),
        ("{\"_value\":1,\"$type\":null}", "null"),
        ("{\"$type\":null}", "null"),
        ("{\"$type\":1,\"_value\":1}", "1"),
        ("{\"_value\":1,\"$type\":1.5}", "1.5"),
        ("{\"$type\":true}", "true"),
        ("{\"$type\":\"List\",\"_value\":[{}]}", "null"),
        ("{\"$type\":\"\"}", ""),
        ("{\"$type\":\"DateTime\"}", "DateTime"),
        ("{\"$type\":\"Vector\",\"_value\":{\"coordinatesType\":\"FOO\",\"coordinates\":[1]}}", "FOO"),
        ("{\"$type\":\"Vector\",\"_value\":{\"coordinates\":[1]}}", "null"),
    ] {
        let error = typed(value).unwrap_err();
        assert_eq!(error.to_string(), format!("Type {name} is not supported."), "{value}");
        assert!(matches!(error, InputError::UnsupportedType(_)));
    }
    let vector = "{\"x\":{\"$type\":\"Vector\",\"_value\":{\"coordinatesType\":\"INT8\",\"coordinates\":[1]}}}";
    let uuid = "{\"x\":{\"$type\":\"UUID\",\"_value\":\"1-2-3-4-5\"}}";
    for (version, text, known) in [
        (TypedVersion::V1_0, vector, false),
        (TypedVersion::V1_1, vector, true),
        (TypedVersion::V1_2, vector, true),
        (TypedVersion::V1_0, uuid, false),
        (TypedVersion::V1_1, uuid, false),
        (TypedVersion::V1_2, uuid, true),
    ] {
        assert_eq!(typed_as(version, text).is_ok(), known, "{version:?} {text}");
    }
}

#[test]
fn malformed_envelopes_are_refused_with_their_path() {
    for (text, path) in [
        ("{\"x\":1}", "parameters.x"),
        ("{\"x\":[]}", "parameters.x"),
        ("{\"x\":\"s\"}", "parameters.x"),
        ("{\"x\":{\"$type\":\"List\",\"_value\":[{\"$type\":\"Null\"},1]}}", "parameters.x[1]"),
        ("{\"x\":{\"$type\":\"List\",\"_value\":[null]}}", "parameters.x[0]"),
        ("{\"x\":{\"$type\":\"Map\",\"_value\":{\"a\":{\"$type\":\"Null\"},\"b\":null}}}", "parameters.x.b"),
        ("{\"x\":{\"_value\":{\"a\":{\"_value\":\"z\",\"$type\":\"Integer\"}},\"$type\":\"Map\"}}", "parameters.x.a"),
        ("{\"x\":{\"$type\":\"Integer\",\"_value\":1,\"foo\":null}}", "parameters.x"),
        ("{\"x\":{\"foo\":null,\"$type\":\"Integer\",\"_value\":1}}", "parameters.x"),
        ("{\"x\":{\"$type\":\"Integer\",\"_value\":1,\"_value\":1}}", "parameters.x"),
        ("{\"x\":{\"$type\":\"Integer\",\"_value\":1,\"$type\":\"Integer\"}}", "parameters.x"),
        ("{\"x\":{\"_value\":1,\"$type\":\"Integer\",\"$type\":\"Integer\"}}", "parameters.x"),
        ("{\"x\":{\"$type\":\"Integer\"}}", "parameters.x"),
        ("{\"x\":{\"$type\":[],\"_value\":1}}", "parameters.x"),
        ("{\"x\":{\"_value\":1,\"$type\":{\"_value\":1}}}", "parameters.x"),
    ] {
        match typed_as(TypedVersion::V1_2, text) {
            Err(InputError::Value { path: found, .. }) => assert_eq!(found, path, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert_eq!(typed_as(TypedVersion::V1_0, "{\"x\":null}"), Ok(b"\xA1\x81x\xC0".to_vec()));
    let syntax = typed_as(TypedVersion::V1_0, "{\"x\":{\"_value\":[1,],\"$type\":\"List\"}}");
    assert!(matches!(syntax, Err(InputError::Syntax(SyntaxError { offset: 18, .. }))), "{syntax:?}");
}

#[test]
fn errors_say_what_is_expected() {
    let message = typed("{\"$type\":\"List\",\"_value\":[{\"$type\":\"Date\",\"_value\":\"1.1.2020\"}]}").unwrap_err();
    assert_eq!(message.to_string(), "parameters.x[0]: \"1.1.2020\" is not valid; Date takes yyyy-MM-dd");
}

/// Returns a value nested in `depth` lists, each with its value before its type.
fn value_first(depth: usize) -> String {
    let open = "{\"_value\":[".repeat(depth);
    let close = "],\"$type\":\"List\"}".repeat(depth);
    format!("{{\"x\":{open}{{\"_value\":1,\"$type\":\"Integer\"}}{close}}}")
}

#[test]
fn nested_values_before_their_types_take_linear_work() {
    let limits = Limits { depth: 100_000, ..Limits::default() };
    let work = |depth: usize| {
        let text = value_first(depth);
        let mut out = Vec::new();
        let mut lexer = Lexer::new(&text, limits);
        lexer.token().unwrap();
        let (steps, result) = steps::of(|| typed::read_map(&mut lexer, TypedVersion::V1_0, "parameters", &mut out));
        assert_eq!(result, Ok(()));
        assert_eq!(out.len(), 4 + depth);
        // Seven tokens per level: the object's start and end, two keys, the type, and the array's start and end. The
        // type is read twice.
        assert!(steps <= (2 * 7 + 1) * (depth + 2), "{depth} levels took {steps} steps");
    };
    work(10);
    work(1000);
    work(40_000);
}

#[test]
fn many_values_before_their_types_take_linear_work() {
    let item = "{\"_value\":{\"a\":{\"_value\":\"1\",\"$type\":\"Integer\"}},\"$type\":\"Map\"}";
    let list = vec![item; 5000].join(",");
    for text in [
        format!("{{\"x\":{{\"$type\":\"List\",\"_value\":[{list}]}}}}"),
        format!("{{\"x\":{{\"_value\":[{list}],\"$type\":\"List\"}}}}"),
    ] {
        let (steps, result) = steps::of(|| typed_as(TypedVersion::V1_0, &text));
        assert_eq!(result.map(|out| out.len()), Ok(3 + 3 + 5000 * 4));
        assert!(steps <= (2 * 14 + 2) * 5001, "{steps} steps");
    }
}

#[test]
fn deep_nesting_does_not_recurse() {
    let depth = 200_000;
    let limits = Limits { depth: usize::MAX, ..Limits::default() };
    let nested = format!("{{\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    let mut lexer = Lexer::new(&nested, limits);
    lexer.token().unwrap();
    let mut out = Vec::new();
    assert_eq!(plain::read_map(&mut lexer, "parameters", &mut out), Ok(()));
    assert_eq!(out.len(), 3 + depth);

    let unfinished = format!("{{\"x\":{}", "{\"_value\":[".repeat(depth));
    let mut lexer = Lexer::new(&unfinished, limits);
    lexer.token().unwrap();
    let mut out = Vec::new();
    let result = typed::read_map(&mut lexer, TypedVersion::V1_0, "parameters", &mut out);
    assert!(matches!(result, Err(InputError::Syntax(_))));
}

/// A value as typed JSON, as plain JSON and as PackStream.
#[derive(Debug, Clone)]
struct Sample {
    text: String,
    plain: Option<String>,
    bytes: Vec<u8>,
}

fn envelope(kind: &str, value: &str, value_first: bool) -> String {
    match value_first {
        true => format!("{{\"_value\":{value},\"$type\":\"{kind}\"}}"),
        false => format!("{{\"$type\":\"{kind}\",\"_value\":{value}}}"),
    }
}

fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|character| match character {
            '"' | '\\' => format!("\\{character}"),
            control if control < ' ' => format!("\\u{:04X}", u32::from(control)),
            emoji if emoji > '\u{FFFF}' => {
                emoji.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
            }
            other => other.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

fn sample(kind: &str, value: &str, plain: Option<String>, first: bool, write: impl FnOnce(&mut Writer<'_>)) -> Sample {
    Sample { text: envelope(kind, value, first), plain, bytes: packed(write) }
}

fn scalar() -> impl Strategy<Value = Sample> {
    let civil = (-9999_i16..=9999, 1_i8..=12, 1_i8..=28, 0_i8..24, 0_i8..60, 0_i8..60, 0..1_000_000_000_i32).prop_map(
        |(year, month, day, hour, minute, second, nanos)| {
            jiff::civil::date(year, month, day).at(hour, minute, second, nanos)
        },
    );
    let text_of = |civil: jiff::civil::DateTime| {
        let year = i32::from(civil.year());
        let sign = if year < 0 { "-" } else { "" };
        format!("{sign}{:04}-{}T{}", year.abs(), civil.strftime("%m-%d"), civil.strftime("%H:%M:%S%.9f"))
    };
    let seconds_of = |civil: jiff::civil::DateTime| {
        civil.date().duration_since(jiff::civil::date(1970, 1, 1)).as_secs()
            + civil.time().duration_since(jiff::civil::Time::midnight()).as_secs()
    };
    prop_oneof![
        any::<bool>().prop_map(|first| sample("Null", "null", Some("null".into()), first, |writer| writer.null())),
        (any::<bool>(), any::<bool>()).prop_map(|(value, first)| {
            sample("Boolean", &value.to_string(), Some(value.to_string()), first, |writer| writer.boolean(value))
        }),
        (any::<i64>(), any::<bool>(), any::<bool>()).prop_map(|(value, bare, first)| {
            let text = if bare { value.to_string() } else { format!("\"{value}\"") };
            sample("Integer", &text, Some(value.to_string()), first, |writer| writer.integer(value))
        }),
        (any::<f64>(), any::<bool>()).prop_map(|(value, first)| {
            let plain = format!("{value:e}");
            sample("Float", &format!("\"{plain}\""), Some(plain), first, |writer| writer.float(value))
        }),
        (any::<String>(), any::<bool>()).prop_map(|(value, first)| {
            sample("String", &quoted(&value), Some(quoted(&value)), first, |writer| writer.string(&value))
        }),
        (prop::collection::vec(any::<u8>(), 0..40), any::<bool>()).prop_map(|(value, first)| {
            use base64::Engine;
            let text = base64::engine::general_purpose::STANDARD.encode(&value);
            sample("Base64", &quoted(&text), None, first, |writer| writer.bytes(&value))
        }),
        (civil.clone(), any::<bool>()).prop_map(move |(value, first)| {
            let text = text_of(value);
            let day = text.split('T').next().unwrap();
            let days = seconds_of(value).div_euclid(86_400);
            sample("Date", &quoted(day), None, first, |writer| {
                writer.structure(tag::DATE, 1);
                writer.integer(days);
            })
        }),
        (civil.clone(), any::<bool>()).prop_map(move |(value, first)| {
            sample("LocalDateTime", &quoted(&text_of(value)), None, first, |writer| {
                writer.structure(tag::LOCAL_DATE_TIME, 2);
                writer.integer(seconds_of(value));
                writer.integer(value.subsec_nanosecond().into());
            })
        }),
        (civil, -17_i64..=17, 0_i64..60, 0_i64..60, any::<bool>()).prop_map(
            move |(value, hours, minutes, seconds, first)| {
                let sign = if hours < 0 { -1 } else { 1 };
                let offset = sign * (hours.abs() * 3600 + minutes * 60 + seconds);
                let mark = if hours < 0 { '-' } else { '+' };
                let text = format!("{}{mark}{:02}:{minutes:02}:{seconds:02}", text_of(value), hours.abs());
                sample("OffsetDateTime", &quoted(&text), None, first, |writer| {
                    writer.structure(tag::DATE_TIME, 3);
                    writer.integer(seconds_of(value) - offset);
                    writer.integer(value.subsec_nanosecond().into());
                    writer.integer(offset);
                })
            }
        ),
        (-1000_i64..1000, any::<i32>(), any::<i32>(), 0..1_000_000_000_i64, any::<bool>()).prop_map(
            |(months, days, seconds, nanos, first)| {
                let text = match seconds < 0 && nanos > 0 {
                    false => format!("P{months}M{days}DT{seconds}.{nanos:09}S"),
                    true => format!("P{months}M{days}DT-{}.{:09}S", -(i64::from(seconds) + 1), 1_000_000_000 - nanos),
                };
                sample("Duration", &quoted(&text), None, first, |writer| {
                    writer.structure(tag::DURATION, 4);
                    [months, days.into(), seconds.into(), nanos].into_iter().for_each(|part| writer.integer(part));
                })
            }
        ),
    ]
}

fn value() -> impl Strategy<Value = Sample> {
    scalar().prop_recursive(5, 80, 20, |inner| {
        prop_oneof![
            (prop::collection::vec(inner.clone(), 0..20), any::<bool>()).prop_map(|(items, first)| {
                let text = |of: fn(&Sample) -> Option<String>| -> Option<String> {
                    let items: Option<Vec<String>> = items.iter().map(of).collect();
                    Some(format!("[{}]", items?.join(",")))
                };
                let plain = text(|item| item.plain.clone());
                sample("List", &text(|item| Some(item.text.clone())).unwrap(), plain, first, |writer| {
                    writer.list(items.len());
                    items.iter().for_each(|item| writer.raw(&item.bytes));
                })
            }),
            (prop::collection::hash_map(any::<String>(), inner, 0..20), any::<bool>()).prop_map(|(pairs, first)| {
                let text = |of: fn(&Sample) -> Option<String>| -> Option<String> {
                    let pairs: Option<Vec<String>> =
                        pairs.iter().map(|(key, item)| Some(format!("{}:{}", quoted(key), of(item)?))).collect();
                    Some(format!("{{{}}}", pairs?.join(" ,\n")))
                };
                let plain = text(|item| item.plain.clone());
                sample("Map", &text(|item| Some(item.text.clone())).unwrap(), plain, first, |writer| {
                    writer.map(pairs.len());
                    for (key, item) in &pairs {
                        writer.string(key);
                        writer.raw(&item.bytes);
                    }
                })
            }),
        ]
    })
}

proptest! {
    #[test]
    fn typed_json_survives_a_round_trip(value in value()) {
        prop_assert_eq!(typed(&value.text), Ok(value.bytes));
    }

    #[test]
    fn plain_json_survives_a_round_trip(value in value()) {
        if let Some(text) = value.plain {
            prop_assert_eq!(plain(&format!("{{\"x\":{text}}}")), Ok([b"\xA1\x81x", value.bytes.as_slice()].concat()));
        }
    }

    #[test]
    fn no_typed_value_causes_a_panic(
        kind in "Null|Boolean|Integer|Float|Base64|Date|Time|LocalTime|LocalDateTime|OffsetDateTime|ZonedDateTime\
                 |Duration|Point|Vector|UUID|List|Map",
        text in r"[0-9PTYMWDHS:.,;=()+\-zZ\[\] eExXpaFINSRDOé٣]{0,40}",
    ) {
        if let Ok(out) = typed(&format!("{{\"$type\":\"{kind}\",\"_value\":\"{text}\"}}")) {
            let mut reader = Reader::new(&out);
            prop_assert!(reader.skip().is_ok() && reader.rest().is_empty());
        }
    }

    #[test]
    fn accepted_input_is_exactly_one_map(
        text in r#"(\{|\}|\[|\]|,|:|"x"|"\$type"|"_value"|"List"|"Map"|"Integer"|1|null|9223372036854775808){0,25}"#,
    ) {
        let text = format!("{{\"x\":{{{text}");
        for out in [plain(&text).ok(), typed_as(TypedVersion::V1_0, &text).ok()].into_iter().flatten() {
            let mut reader = Reader::new(&out);
            prop_assert!(matches!(reader.clone().token(), Ok(Packed::Map(_))));
            prop_assert!(reader.skip().is_ok() && reader.rest().is_empty());
        }
    }
}
