//! Files, parameters and schemas, as operators write them and callers send them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    file::{self, FileError},
    *,
};
use crate::{
    bolt::packstream::{Reader, Token, tag},
    json::{TypedVersion, View, input::Limits},
};

const FILMS: &str = "\
//: summary = \"Films of an actor\"
//: cache = \"60s\"
//: [parameters.actor]
//: type = \"string\"
//: max_length = 10
//: [parameters.limit]
//: type = \"integer\"
//: default = 10
//: minimum = 1
//: maximum = 100
MATCH (:Person {name: $actor})-[:ACTED_IN]->(m) RETURN m.title AS title LIMIT $limit;
";

fn query(text: &str) -> Query {
    file::read("q", "q.cypher", text).unwrap_or_else(|wrong| panic!("{wrong:?}"))
}

/// A query with these sections of parameters, all of which it uses.
fn with(header: &str) -> Query {
    query(&text_with(header))
}

fn text_with(header: &str) -> String {
    let names = header.lines().filter_map(|line| line.strip_prefix("[parameters.")?.strip_suffix(']'));
    let used: Vec<_> = names.map(|name| format!("${name}")).collect();
    let header: String = header.lines().map(|line| format!("//: {line}\n")).collect();
    format!("{header}RETURN [{}]", used.join(", "))
}

fn wrong(text: &str) -> Vec<String> {
    let wrong = file::read("q", "q.cypher", text).expect_err(text);
    wrong.iter().map(FileError::to_string).collect()
}

fn faults(result: Result<Vec<u8>, Vec<Fault>>) -> Vec<(&'static str, String, String)> {
    let faults = result.expect_err("is refused");
    faults.into_iter().map(|fault| (fault.code.as_str(), fault.parameter, fault.message)).collect()
}

fn from_json(query: &Query, body: &str) -> Result<Vec<u8>, Vec<Fault>> {
    query.parameters_from_json(body, View::Plain, Limits::default()).map_err(|error| match error {
        Unreadable::Faults(faults) => faults,
        other => panic!("{other}"),
    })
}

/// The values of a map in PackStream.
fn values(map: &[u8]) -> Vec<&[u8]> {
    let mut reader = Reader::new(map);
    let count = reader.expect_map().unwrap();
    (0..count)
        .map(|_| {
            reader.expect_string().unwrap();
            reader.raw().unwrap()
        })
        .collect()
}

#[test]
fn a_file_is_a_header_and_a_statement() {
    let films = query(FILMS);
    assert_eq!(
        (films.summary.as_str(), films.access, films.result),
        ("Films of an actor", Access::Read, Shape::Records)
    );
    assert!(films.text.starts_with("MATCH") && films.text.ends_with("$limit"), "{}", films.text);
    let place = films.explained();
    assert_eq!(place.lines().count(), FILMS.lines().count(), "its lines are those of the file");
    assert!(place.starts_with("EXPLAIN \n"));
    assert!(films.is_in("any") && !films.is_open());
    let restricted = query("//: databases = [\"movies\"]\n//: run_as = \"service\"\n//: allow = [\"*\"]\nRETURN 1");
    assert!(restricted.is_in("Movies") && !restricted.is_in("neo4j") && restricted.is_open());
}

#[test]
fn members_that_are_no_parameters_may_mean_something_else() {
    let films = query(FILMS);
    let mut others = Vec::new();
    let body = r#"{"database": "a\"b" , "actor":"x","more":[1, {}],"unknown":1}"#;
    let read = films.parameters_among(body, View::Plain, Limits::default(), |name, value| {
        others.push((name.to_owned(), value.to_owned()));
        name != "unknown"
    });
    let Err(Unreadable::Faults(faults)) = read else { panic!("{read:?}") };
    assert_eq!(faults.iter().map(|fault| fault.parameter.as_str()).collect::<Vec<_>>(), ["unknown"]);
    let others: Vec<_> = others.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(others, [("database", r#""a\"b""#), ("more", "[1, {}]"), ("unknown", "1")]);
}

#[test]
fn mistakes_of_a_file_have_their_lines() {
    for (text, expected) in [
        ("//: sumary = \"x\"\nRETURN 1", "q.cypher:1: the header is not valid: unknown field `sumary`"),
        ("\n//: summary = x\nRETURN 1", "q.cypher:2: the header is not valid"),
        ("//: allow = [\"alice\"]\nRETURN 1", "q.cypher:1: the header is not valid: `alice` does not say who"),
        ("RETURN 1,\n $a", "q.cypher:2: the statement names $a; describe it in [parameters.a]"),
        ("//: [parameters.a]\n//: type = \"string\"\nRETURN '$a'", "q.cypher:1: the statement does not name $a"),
        (
            "//: [parameters.a]\n//: type = \"text\"\nRETURN $a",
            "q.cypher:2: the header is not valid: there is no type `text`",
        ),
        ("//: [parameters.a]\nRETURN $a", "q.cypher:1: the header is not valid: missing field `type`"),
        ("//: summary = \"x\"\n// nothing", "q.cypher:1: the file has no statement"),
        ("RETURN 1;\n\nRETURN 2", "q.cypher:3: a second statement begins here"),
        ("//: run_as = \"service\"\nRETURN 1", "q.cypher:1: run_as = \"service\" gives callers the rights"),
        ("//: access = \"write\"\n//: cache = \"1m\"\nCREATE ()", "q.cypher:2: `cache` is for queries that only read"),
        ("//: cache = \"1m\"\n//: cache_scope = \"public\"\nRETURN 1", "q.cypher:2: cache_scope = \"public\" shows"),
        ("//: cache_scope = \"private\"\nRETURN 1", "q.cypher:1: `cache_scope` has no effect"),
        ("//: max_rows = 0\nRETURN 1", "q.cypher:1: `max_rows` must be at least 1"),
        (
            "//: returns = { a = \"text\" }\nRETURN 1 AS a",
            "q.cypher:1: the header is not valid: there is no type `text` of columns",
        ),
    ] {
        let told = wrong(text);
        assert!(told.len() == 1 && told[0].starts_with(expected), "{text}\n{told:?}");
    }
    let several = wrong("//: [parameters.a]\n//: type = \"integer\"\n//: default = \"x\"\nRETURN $b;\nRETURN 1");
    assert_eq!(several.len(), 4, "{several:?}");
}

#[test]
fn bounds_have_to_make_sense() {
    for (section, expected) in [
        ("type = \"integer\"\ndefault = \"x\"", "`default` must be an integer within 64 bits, not \"x\""),
        ("type = \"integer\"\ndefault = 5\nmaximum = 4", "`default` breaks the parameter's own bounds"),
        ("type = \"integer\"\nminimum = 5\nmaximum = 4", "no value is within its bounds"),
        ("type = \"string\"\nmin_length = 5\nmax_length = 4", "no value is within its bounds"),
        ("type = \"string\"\nminimum = \"a\"", "`minimum` is for numbers, dates and times, not for string"),
        ("type = \"date\"\nmax_length = 4", "`max_length` is for string and bytes, not for date"),
        ("type = \"integer\"\npattern = \"a\"", "`pattern` is for string"),
        ("type = \"string\"\npattern = \"a)(\"", "`pattern` is not a regular expression"),
        ("type = \"string\"\nmin_items = 1", "`min_items` is for lists"),
        ("type = \"string\"\nmax_length = 1\nenum = [\"a\", \"bb\"]", "`enum` has a value that breaks"),
        ("type = \"date\"\nminimum = \"2026-02-30\"", "`minimum` must be a date"),
        ("type = \"list<integer>\"\ndefault = [1, 2]\nmax_items = 1", "`default` breaks"),
    ] {
        let told = wrong(&text_with(&format!("[parameters.a]\n{section}")));
        assert!(told.len() == 1 && told[0].contains(expected), "{section}\n{told:?}");
    }
    with("[parameters.a]\ntype = \"date\"\nminimum = 2020-01-01\nmaximum = \"2020-12-31\"\ndefault = 2020-06-01");
    with("[parameters.a]\ntype = \"list<integer>\"\nminimum = 1\nenum = [1, 2]\ndefault = [2]\nmin_items = 1");
}

#[test]
fn a_query_string_becomes_typed_values() {
    let films = query(FILMS);
    let map = films.parameters_from_query_string("actor=Al+%C3%A4%26&limit=5").unwrap();
    assert_eq!(values(&map), [&b"\x86Al \xC3\xA4&"[..], &[5]]);
    let map = films.parameters_from_query_string("&actor=&").unwrap();
    assert_eq!(values(&map), [&[0x80][..], &[10]], "empty text is text, and the rest has its default");
    let many = with(
        "[parameters.b]\ntype = \"boolean\"\n[parameters.f]\ntype = \"float\"\n[parameters.d]\ntype = \"date\"\n\
         [parameters.l]\ntype = \"list<integer>\"\n[parameters.n]\ntype = \"datetime\"\nnullable = true\n\
         [parameters.y]\ntype = \"bytes\"",
    );
    let map = many.parameters_from_query_string("l=1&b=true&f=2&d=2026-07-01&l=-2&y=AQI%3D").unwrap();
    let values = values(&map);
    let token = |at: usize| Reader::new(values[at]).token().unwrap();
    assert_eq!((token(0), token(1), token(2)), (Token::Boolean(true), Token::Float(2.0), Token::Struct(tag::DATE, 1)));
    assert_eq!((values[3], token(4), token(5)), (&[0x92, 1, 0xFE][..], Token::Null, Token::Bytes(&[1, 2])));
}

#[test]
fn json_becomes_typed_values() {
    let all = with(
        "[parameters.i]\ntype = \"integer\"\n[parameters.f]\ntype = \"float\"\n[parameters.t]\ntype = \"time\"\n\
         [parameters.z]\ntype = \"datetime\"\n[parameters.u]\ntype = \"duration\"\n[parameters.p]\ntype = \"point\"\n\
         [parameters.m]\ntype = \"map\"\n[parameters.l]\ntype = \"list<list<date>>\"\n[parameters.n]\n\
         type = \"string\"\nnullable = true",
    );
    let plain = r#" {"l": [["2026-07-01"], []], "i": -1, "f" : 1, "t": "12:00:00Z", "n": null ,
        "z": "2026-07-01T12:00:00+02:00[Europe/Berlin]", "u": "P1D", "p": "SRID=7203;POINT (1 2)", "m": {"a": [1.5]}} "#;
    let map = from_json(&all, plain).unwrap();
    let token = |at: usize| Reader::new(values(&map)[at]).token().unwrap();
    assert_eq!((token(0), token(1)), (Token::Integer(-1), Token::Float(1.0)));
    for (at, expected) in [(2, tag::TIME), (3, tag::DATE_TIME_ZONE), (4, tag::DURATION), (5, tag::POINT_2D)] {
        assert!(matches!(token(at), Token::Struct(tag, _) if tag == expected), "{at}");
    }
    assert_eq!((token(6), token(7), token(8)), (Token::Map(1), Token::List(2), Token::Null));
    let typed = r#"{"i":{"$type":"Integer","_value":"-1"},"f":{"$type":"Float","_value":"1"},"t":{"$type":"Time","_value":"12:00:00Z"},
        "z":{"$type":"ZonedDateTime","_value":"2026-07-01T12:00:00+02:00[Europe/Berlin]"},"u":{"$type":"Duration","_value":"P1D"},
        "p":{"$type":"Point","_value":"SRID=7203;POINT (1 2)"},"m":{"$type":"Map","_value":{"a":{"$type":"List","_value":[{"$type":"Float","_value":"1.5"}]}}},
        "l":{"$type":"List","_value":[{"$type":"List","_value":[{"$type":"Date","_value":"2026-07-01"}]},{"$type":"List","_value":[]}]}}"#;
    let same = all.parameters_from_json(typed, View::Typed(TypedVersion::V1_2), Limits::default()).unwrap();
    assert_eq!(same, map);
}

#[test]
fn all_faults_are_told_at_once_in_the_order_of_the_header() {
    let all = with(
        "[parameters.a]\ntype = \"integer\"\nmaximum = 9\n[parameters.b]\ntype = \"string\"\nenum = [\"x\", \"y\"]\n\
         [parameters.c]\ntype = \"date\"\n[parameters.d]\ntype = \"boolean\"\n[parameters.e]\ntype = \"string\"\n\
         pattern = \"[a-z]+\"",
    );
    let expected = |faults: &[(&'static str, String, String)], codes: &[(&str, &str, &str)]| {
        assert_eq!(faults.len(), codes.len(), "{faults:#?}");
        for ((code, parameter, message), (kind, name, part)) in faults.iter().zip(codes) {
            assert!(code.ends_with(kind) && parameter == name && message.contains(part), "{message}");
        }
    };
    expected(
        &faults(all.parameters_from_query_string("zz=1&e=a1&d=True&d=true&b=z&a=10")),
        &[
            ("ArgumentError", "a", "10 is more than 9"),
            ("ArgumentError", "b", "\"z\" is none of x, y"),
            ("ParameterMissing", "c", "is missing; it takes a date"),
            ("ArgumentError", "d", "is given twice"),
            ("ArgumentError", "e", "does not match the pattern [a-z]+"),
            ("ArgumentError", "zz", "has no parameter `zz`; its parameters are a, b, c, d, e"),
        ],
    );
    let body = r#"{"e": "a\n", "d": "true", "c": "2026-02-30", "b": null, "a": 1.5, "a": 3, "c2": [{}]}"#;
    expected(
        &faults(from_json(&all, body)),
        &[
            ("ArgumentError", "a", "given twice"),
            ("TypeError", "b", "takes a string, not null"),
            ("TypeError", "c", "not \"2026-02-30\""),
            ("TypeError", "d", "takes true or false, not \"true\""),
            ("ArgumentError", "e", "does not match"),
            ("ArgumentError", "c2", "no parameter"),
        ],
    );
}

#[test]
fn json_numbers_are_what_they_say() {
    let both = with("[parameters.i]\ntype = \"integer\"\n[parameters.f]\ntype = \"float\"");
    for (body, wrong) in [
        (r#"{"i": 9223372036854775807, "f": 1e3}"#, &[][..]),
        (r#"{"i": 9223372036854775808, "f": 9223372036854775808}"#, &["i", "f"]),
        (r#"{"i": 1.0, "f": "1.0"}"#, &["i", "f"]),
        (r#"{"i": "1", "f": true}"#, &["i", "f"]),
    ] {
        let found = from_json(&both, body).err().unwrap_or_default();
        let names: Vec<_> = found.iter().map(|fault| fault.parameter.as_str()).collect();
        assert_eq!(names, wrong, "{body}");
        assert!(found.iter().all(|fault| fault.code == Code::Type), "{body}");
    }
    for text in [
        "i=1.0&f=1",
        "i=&f=1",
        "i=+1&f=1",
        "i=%2B1&f=1",
        "i=9223372036854775808&f=1",
        "i=1&f=NaN",
        "i=1&f=1e999",
        "i=0x1&f=1",
    ] {
        assert_eq!(faults(both.parameters_from_query_string(text)).len(), 1, "{text}");
    }
}

#[test]
fn bounds_hold_for_every_type() {
    for (section, good, bad) in [
        ("type = \"float\"\nminimum = 0.5\nmaximum = 1", &["0.5", "1"][..], &["0.4", "1.1", "-1e300"][..]),
        ("type = \"date\"\nminimum = 2020-01-01", &["2020-01-01", "%2B12020-01-01"], &["2019-12-31"]),
        (
            "type = \"datetime\"\nmaximum = \"2020-01-01T00:00:00Z\"",
            &["2020-01-01T01:00:00%2B01:00"],
            &["2020-01-01T00:00:01Z"],
        ),
        ("type = \"localtime\"\nminimum = 12:00:00", &["12:00:00"], &["11:59:59.999999999"]),
        ("type = \"time\"\nminimum = \"12:00:00Z\"", &["13:00:00%2B01:00"], &["12:30:00%2B01:00"]),
        ("type = \"string\"\nmin_length = 1\nmax_length = 2", &["a", "%C3%A4%C3%A4"], &["", "abc"]),
        ("type = \"bytes\"\nmax_length = 1", &["AQ==", ""], &["AQI="]),
        ("type = \"list<string>\"\nmax_items = 2\nmax_length = 1", &["a", "a&a=b"], &["aa", "a&a=b&a=c"]),
        ("type = \"string\"\npattern = \"a|b\"", &["a"], &["ab", "ac", "xa"]),
    ] {
        let query = with(&format!("[parameters.a]\n{section}"));
        for text in good {
            query
                .parameters_from_query_string(&format!("a={text}"))
                .unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
        }
        for text in bad {
            let found = faults(query.parameters_from_query_string(&format!("a={text}")));
            assert!(found.len() == 1 && found[0].0.ends_with("ArgumentError"), "{section} {text}: {found:?}");
        }
    }
}

#[test]
fn a_message_repeats_little_of_a_value() {
    let films = query(FILMS);
    let long = "x".repeat(100_000);
    for found in [
        faults(films.parameters_from_query_string(&format!("actor={long}&limit={long}&{long}=1"))),
        faults(from_json(&films, &format!(r#"{{"actor":"{long}","limit":"{long}","{long}":1}}"#))),
    ] {
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|(_, name, message)| name.len() < 70 && message.len() < 300), "{found:?}");
    }
    let many: String = (0..10_000).map(|n| format!("u{n}=1&")).collect();
    assert!(faults(films.parameters_from_query_string(&many)).len() <= 1 + 16);
}

#[test]
fn what_is_no_object_of_parameters_is_refused_as_a_whole() {
    let films = query(FILMS);
    for body in
        ["", "[]", "{", "{\"actor\": \"a\"} x", "{\"actor\": \"a\", }", "{\"actor\": \"a\" \"limit\": 1}", "null"]
    {
        let refused = films.parameters_from_json(body, View::Plain, Limits::default()).unwrap_err();
        assert!(!matches!(refused, Unreadable::Faults(_)), "{body}: {refused:?}");
    }
    let deep = format!("{{\"actor\": {}1{}}}", "[".repeat(2000), "]".repeat(2000));
    let refused = films.parameters_from_json(&deep, View::Plain, Limits::default()).unwrap_err();
    assert!(matches!(refused, Unreadable::Syntax(error) if error.is_too_deep));
}

#[test]
fn schemas_say_what_is_accepted() {
    let films = query(FILMS);
    assert_eq!(
        json!(films.parameters_schema()),
        json!({
            "type": "object", "additionalProperties": false, "required": ["actor"],
            "properties": {
                "actor": { "type": "string", "maxLength": 10 },
                "limit": { "type": "integer", "format": "int64", "minimum": 1, "maximum": 100, "default": 10 },
            },
        })
    );
    let other = with(
        "result = \"record\"\n[returns]\ntitle = \"string\"\nyears = \"list<int64>\"\n[parameters.a]\n\
         type = \"list<string>\"\nnullable = true\nenum = [\"x\"]\nmin_items = 1\ndescription = \"some\"",
    );
    assert_eq!(
        json!(other.parameters_schema())["properties"]["a"],
        json!({ "type": ["array", "null"], "items": { "type": "string", "enum": ["x"] }, "minItems": 1, "description": "some" })
    );
    let schema: Value = other.result_schema().unwrap();
    assert_eq!(
        schema["properties"]["years"],
        json!({ "type": ["array", "null"], "items": { "type": ["integer", "null"] } })
    );
}

#[test]
fn a_schema_keeps_the_order_of_the_file() {
    let query = with("[parameters.until]\ntype = \"date\"\n[parameters.country]\ntype = \"string\"\ndefault = \"\"");
    assert_eq!(
        serde_json::to_string(&query.parameters_schema()).unwrap(),
        r#"{"type":"object","properties":{"until":{"format":"date","type":"string"},"country":{"default":"","type":"string"}},"required":["until"],"additionalProperties":false}"#
    );
}

proptest! {
    #[test]
    fn any_file_is_read(text in r#"(//: |//:|//|\n|[a-z]{1,4}| = |"|\[parameters\.a\]|type|string|integer|\$a|;|`|'|[0-9]|\{|\}|é){0,30}"#) {
        let _ = file::read("q", "q.cypher", &text);
    }

    #[test]
    fn any_query_string_is_read(text in r#"(actor|limit|=|&|%|\+|%C3|%A4|[0-9]|-|é|\x00){0,20}"#) {
        if let Ok(map) = query(FILMS).parameters_from_query_string(&text) {
            prop_assert_eq!(values(&map).len(), 2);
        }
    }

    #[test]
    fn any_body_is_read(text in r#"(\{|\}|\[|\]|"actor"|"limit"|:|,| |"\\"|"\\\\"|"a\\"b"|1|-1\.5e3|null|true|"\$type"|é){0,20}"#) {
        for view in [View::Plain, View::Typed(TypedVersion::V1_2)] {
            if let Ok(map) = query(FILMS).parameters_from_json(&text, view, Limits::default()) {
                prop_assert_eq!(values(&map).len(), 2);
            }
        }
    }

    #[test]
    fn text_reaches_the_database_as_it_is(text in "\\PC{0,10}") {
        let films = query(FILMS);
        let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let by_query = films.parameters_from_query_string(&format!("actor={encoded}")).unwrap();
        let by_json = from_json(&films, &json!({ "actor": text }).to_string()).unwrap();
        prop_assert_eq!(&by_query, &by_json);
        prop_assert_eq!(Reader::new(values(&by_json)[0]).token().unwrap(), Token::String(&text));
    }
}
