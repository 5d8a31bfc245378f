//! Scalars, collections and vectors.

use super::{numbers, refused, shows, shows_as, text, unsupported, uuid, vector};
use crate::bolt::packstream::{DecodeError, Writer, tag};
use crate::json::TypedVersion::{V1_0, V1_1, V1_2};
use crate::json::View::{Plain, Typed};
use crate::json::output::RowError;

#[test]
fn scalars() {
    shows(|out| out.null(), "null", r#"{"$type":"Null","_value":null}"#);
    shows(|out| out.boolean(true), "true", r#"{"$type":"Boolean","_value":true}"#);
    shows(|out| out.boolean(false), "false", r#"{"$type":"Boolean","_value":false}"#);
    for number in [0, -17, i64::MAX, i64::MIN] {
        let typed = format!(r#"{{"$type":"Integer","_value":"{number}"}}"#);
        shows(|out| out.integer(number), &number.to_string(), &typed);
    }
    for (number, digits) in [(1e7, "1.0E7"), (-0.0, "-0.0"), (1.23, "1.23"), (2e-7, "2.0E-7"), (3.2e9, "3.2E9")] {
        let typed = format!(r#"{{"$type":"Float","_value":"{digits}"}}"#);
        shows(|out| out.float(number), digits, &typed);
    }
    shows_as(|out| out.float(f64::NAN), "Float", "NaN");
    shows_as(|out| out.float(f64::INFINITY), "Float", "Infinity");
    shows_as(|out| out.float(f64::NEG_INFINITY), "Float", "-Infinity");
    shows_as(|out| out.string("a\"\u{b}/ü\u{1F600}"), "String", "a\\\"\\u000B/ü\u{1F600}");
    shows_as(|out| out.bytes(&[1, 2, 3, 4, 5]), "Base64", "AQIDBAU=");
    shows_as(|out| out.bytes(&[]), "Base64", "");
}

#[test]
fn collections() {
    shows(|out| out.list(0), "[]", r#"{"$type":"List","_value":[]}"#);
    shows(|out| out.map(0), "{}", r#"{"$type":"Map","_value":{}}"#);
    shows(
        |out| {
            out.map(3);
            out.string("b\"");
            out.list(2);
            out.integer(1);
            out.list(0);
            out.string("a");
            out.null();
            out.string("Z");
            out.boolean(true);
        },
        r#"{"b\"":[1,[]],"a":null,"Z":true}"#,
        concat!(
            r#"{"$type":"Map","_value":{"b\"":{"$type":"List","_value":[{"$type":"Integer","_value":"1"},"#,
            r#"{"$type":"List","_value":[]}]},"a":{"$type":"Null","_value":null},"#,
            r#""Z":{"$type":"Boolean","_value":true}}}"#
        ),
    );
    // Memgraph's enums are maps, and stay maps.
    let pairs = [("__type", "mg_enum"), ("__value", "Status::Good")];
    let write = |out: &mut Writer<'_>| {
        out.map(2);
        for (key, value) in pairs {
            out.string(key);
            out.string(value);
        }
    };
    assert_eq!(text(Plain, write).unwrap(), r#"{"__type":"mg_enum","__value":"Status::Good"}"#);
}

#[test]
fn keys_that_are_not_strings_are_refused() {
    refused(|out| {
        out.map(1);
        out.integer(1);
        out.integer(1);
    });
}

#[test]
fn vectors() {
    let singles: Vec<u8> = [1.5_f32, 0.1, f32::MAX].into_iter().flat_map(f32::to_be_bytes).collect();
    let doubles: Vec<u8> = [0.1_f64, 1e7].into_iter().flat_map(f64::to_be_bytes).collect();
    for (kind, data, name, plain, typed) in [
        (0xC8, &[1, 0xFE, 3][..], "INT8", "[1,-2,3]", r#"["1","-2","3"]"#),
        (0xC9, &[0x80, 0], "INT16", "[-32768]", r#"["-32768"]"#),
        (0xCA, &[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 1, 0], "INT32", "[-1,256]", r#"["-1","256"]"#),
        (0xCB, &[0x80, 0, 0, 0, 0, 0, 0, 0], "INT64", "[-9223372036854775808]", r#"["-9223372036854775808"]"#),
        (0xC6, &singles, "FLOAT32", "[1.5,0.1,3.4028235E38]", r#"["1.5","0.1","3.4028235E38"]"#),
        (0xC1, &doubles, "FLOAT64", "[0.1,1.0E7]", r#"["0.1","1.0E7"]"#),
        (0xC8, &[], "INT8", "[]", "[]"),
    ] {
        assert_eq!(text(Plain, vector(kind, data)).as_deref(), Ok(plain));
        assert_eq!(text(Typed(V1_0), vector(kind, data)), Err(unsupported("VECTOR", false)));
        for version in [V1_1, V1_2] {
            let inner = format!(r#"{{"coordinatesType":"{name}","coordinates":{typed}}}"#);
            let expected = format!(r#"{{"$type":"Vector","_value":{inner}}}"#);
            assert_eq!(text(Typed(version), vector(kind, data)), Ok(expected));
        }
    }
    assert_eq!(text(Plain, vector(0xC6, &f32::NAN.to_be_bytes())).as_deref(), Ok(r#"["NaN"]"#));
    refused(vector(0xC7, &[]));
    refused(|out| {
        out.structure(tag::VECTOR, 2);
        out.bytes(&[]);
        out.bytes(&[]);
    });
    for view in [Plain, Typed(V1_1)] {
        assert!(matches!(text(view, vector(0xC9, &[1])), Err(RowError::Decode(DecodeError::Value(_)))));
    }
}

#[test]
fn uuids_and_unknown_types() {
    const TEXT: &str = "\"123e4567-e89b-12d3-a456-426614174000\"";
    const STAND_IN: &str =
        r#"{"$type":"Unsupported","_value":"Type \"UUID\" is not supported in the current MimeType."}"#;
    assert_eq!(text(Plain, uuid).as_deref(), Ok(TEXT));
    assert_eq!(text(Typed(V1_0), uuid), Err(unsupported("UUID", false)));
    assert_eq!(text(Typed(V1_1), uuid).as_deref(), Ok(STAND_IN));
    assert_eq!(text(Typed(V1_2), uuid), Ok(format!(r#"{{"$type":"UUID","_value":{TEXT}}}"#)));
    let unknown = |out: &mut Writer<'_>| {
        out.structure(tag::UNSUPPORTED, 4);
        out.string("UUID");
        out.integer(6);
        out.integer(1);
        out.map(0);
    };
    for view in [Plain, Typed(V1_0)] {
        assert_eq!(text(view, unknown), Err(unsupported("UUID", false)));
    }
    for version in [V1_1, V1_2] {
        assert_eq!(text(Typed(version), unknown).as_deref(), Ok(STAND_IN));
    }
    refused(numbers(0x21, [1]));
    refused(numbers(tag::DATE, [1, 2]));
    refused(numbers(tag::UNBOUND_RELATIONSHIP, [1, 2, 3]));
}
