//! What each kind of server accepts and refuses, value by value.

use std::borrow::Cow;

use super::{Accepts, validate::MALFORMED, validate_parameters};
use crate::bolt::packstream::{Writer, tag};

const NEO4J: Accepts = Accepts {
    utc: true,
    bytes: true,
    zoned_time: true,
    vector: true,
    uuid: true,
    memgraph_temporals: false,
    max_depth: 1000,
    max_elements: usize::MAX,
};
const OLD: Accepts = Accepts { utc: false, vector: false, uuid: false, ..NEO4J };
const MEMGRAPH: Accepts = Accepts {
    bytes: false,
    zoned_time: false,
    vector: false,
    uuid: false,
    memgraph_temporals: true,
    max_depth: 128,
    max_elements: 1_000_000,
    ..NEO4J
};

/// The parameters `{when: [<value>]}`.
fn one(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = b"\xA1\x84when\x91".to_vec();
    write(&mut Writer::new(&mut out));
    out
}

fn structure(tag: u8, fields: &[i64]) -> Vec<u8> {
    one(|writer| {
        writer.structure(tag, u8::try_from(fields.len()).unwrap());
        fields.iter().for_each(|field| writer.integer(*field));
    })
}

fn zoned(tag: u8, seconds: i64, zone: &str) -> Vec<u8> {
    one(|writer| {
        writer.structure(tag, 3);
        writer.integer(seconds);
        writer.integer(5);
        writer.string(zone);
    })
}

fn point(srid: i64, coordinates: &[f64]) -> Vec<u8> {
    one(|writer| {
        let tag = if coordinates.len() == 2 { tag::POINT_2D } else { tag::POINT_3D };
        writer.structure(tag, u8::try_from(coordinates.len() + 1).unwrap());
        writer.integer(srid);
        coordinates.iter().for_each(|coordinate| writer.float(*coordinate));
    })
}

fn vector() -> Vec<u8> {
    one(|writer| {
        writer.structure(tag::VECTOR, 2);
        writer.bytes(&[0xC8]);
        writer.bytes(&[1, 2]);
    })
}

fn passes(parameters: &[u8], accepts: &Accepts) {
    let validated = validate_parameters("parameters", parameters, accepts);
    assert!(matches!(validated, Ok(Cow::Borrowed(same)) if same == parameters), "{parameters:x?}: {validated:?}");
}

fn refused(parameters: &[u8], accepts: &Accepts, reason: &str) {
    let invalid = validate_parameters("parameters", parameters, accepts).unwrap_err();
    assert_eq!(invalid.path, "parameters.when[0]");
    assert!(invalid.reason.contains(reason), "{invalid}");
}

#[test]
fn values_that_the_server_supports_pass_unchanged() {
    let all = [
        one(|writer| writer.null()),
        one(|writer| writer.bytes(b"ab")),
        one(|writer| writer.uuid(&[7; 16])),
        vector(),
        structure(tag::DATE, &[-365_243_219_162]),
        structure(tag::LOCAL_TIME, &[0]),
        structure(tag::TIME, &[0, 64_800]),
        structure(tag::LOCAL_DATE_TIME, &[-1, 0]),
        structure(tag::DATE_TIME, &[i64::MAX, 1, 3615]),
        zoned(tag::DATE_TIME_ZONE, 0, "Europe/Berlin"),
        structure(tag::DURATION, &[i64::MAX, 0, 0, 0]),
        point(9999, &[1.0, f64::NAN]),
    ];
    for parameters in &all {
        passes(parameters, &NEO4J);
    }
    passes(&[0xA0], &NEO4J);
}

#[test]
fn errors_name_the_value_and_what_to_do() {
    let invalid = validate_parameters("parameters", &structure(tag::TIME, &[0, 0]), &MEMGRAPH).unwrap_err();
    assert_eq!(
        invalid.to_string(),
        "parameters.when[0]: this database does not support times with an offset; send a string and convert it in the \
         statement"
    );
    let nested = b"\xA2\x81a\x92\x01\x90\x83b c\xA2\x81x\x01\x81y\x93\x01\x02\xCC\x00";
    assert_eq!(validate_parameters("parameters", nested, &MEMGRAPH).unwrap_err().path, "parameters.`b c`.y[2]");
}

#[test]
fn offsets_beyond_18_hours_pass_nowhere() {
    for offset in [64_801, -64_801, i64::MAX, i64::MIN] {
        refused(&structure(tag::TIME, &[0, offset]), &NEO4J, "more than 18 hours");
        refused(&structure(tag::DATE_TIME, &[0, 0, offset]), &NEO4J, "more than 18 hours");
    }
}

#[test]
fn values_that_only_some_servers_support_are_refused_elsewhere() {
    refused(&one(|writer| writer.bytes(b"ab")), &MEMGRAPH, "send a Base64 string");
    refused(&one(|writer| writer.uuid(&[7; 16])), &OLD, "send a string");
    refused(&vector(), &OLD, "send a list of numbers");
    for tag in [tag::NODE, tag::RELATIONSHIP, tag::PATH, tag::UNSUPPORTED, tag::LEGACY_DATE_TIME] {
        refused(&structure(tag, &[1, 2, 3]), &NEO4J, "cannot be parameters");
    }
}

#[test]
fn depth_and_number_of_values_are_limited() {
    let nested = |depth: usize| [b"\xA1\x81x".to_vec(), vec![0x91; depth], vec![0xC0]].concat();
    passes(&nested(128), &MEMGRAPH);
    passes(&nested(1000), &NEO4J);
    let invalid = validate_parameters("parameters", &nested(129), &MEMGRAPH).unwrap_err();
    assert!(invalid.reason.starts_with("nested deeper than 128 levels"), "{invalid}");
    let bottomless = Accepts { max_depth: usize::MAX, ..NEO4J };
    passes(&nested(500_000), &bottomless);

    let few = Accepts { max_elements: 3, ..NEO4J };
    passes(b"\xA2\x81a\x91\x01\x81b\x02", &few);
    let invalid = validate_parameters("parameters", b"\xA2\x81a\x92\x01\x02\x81b\x02", &few).unwrap_err();
    assert_eq!(invalid.path, "parameters.b");
    assert!(invalid.reason.starts_with("there are more than 3 values"), "{invalid}");
}

#[test]
fn old_servers_are_sent_wall_clock_times() {
    // 2020-07-01T00:00 UTC
    let summer = 1_593_561_600;
    for (parameters, expected) in [
        (structure(tag::DATE_TIME, &[summer, 5, 5415]), structure(tag::LEGACY_DATE_TIME, &[summer + 5415, 5, 5415])),
        (structure(tag::DATE_TIME, &[0, 0, -3600]), structure(tag::LEGACY_DATE_TIME, &[-3600, 0, -3600])),
        (
            zoned(tag::DATE_TIME_ZONE, summer, "Europe/Berlin"),
            zoned(tag::LEGACY_DATE_TIME_ZONE, summer + 7200, "Europe/Berlin"),
        ),
        (zoned(tag::DATE_TIME_ZONE, 0, "UTC"), zoned(tag::LEGACY_DATE_TIME_ZONE, 0, "UTC")),
    ] {
        assert_eq!(validate_parameters("parameters", &parameters, &OLD), Ok(Cow::Owned(expected)));
    }
    passes(&structure(tag::LOCAL_DATE_TIME, &[summer, 0]), &OLD);
    refused(&zoned(tag::DATE_TIME_ZONE, 0, "Mars/X"), &OLD, "time zone \"Mars/X\" is not known");
}

#[test]
fn values_around_a_rewritten_one_stay_unchanged() {
    let parameters = b"\xA3\x81a\x01\x81b\x93\xB3\x49\x00\x00\x0A\xC0\xB3\x49\x01\x00\x0A\x81c\x81z";
    let expected = b"\xA3\x81a\x01\x81b\x93\xB3\x46\x0A\x00\x0A\xC0\xB3\x46\x0B\x00\x0A\x81c\x81z";
    assert_eq!(validate_parameters("parameters", parameters, &OLD).as_deref(), Ok(&expected[..]));
}

#[test]
fn the_second_of_two_equal_wall_clock_times_is_refused_for_old_servers() {
    // 2020-10-25: 02:30 in summer time, and again an hour later.
    let (first, second) = (1_603_585_800, 1_603_589_400);
    let expected = zoned(tag::LEGACY_DATE_TIME_ZONE, first + 7200, "Europe/Berlin");
    assert_eq!(
        validate_parameters("parameters", &zoned(tag::DATE_TIME_ZONE, first, "Europe/Berlin"), &OLD),
        Ok(Cow::Owned(expected))
    );
    refused(&zoned(tag::DATE_TIME_ZONE, second, "Europe/Berlin"), &OLD, "occurs twice");
    // An hour later still, the clock shows 03:30 for the only time.
    let later = second + 3600;
    let expected = zoned(tag::LEGACY_DATE_TIME_ZONE, later + 3600, "Europe/Berlin");
    assert_eq!(
        validate_parameters("parameters", &zoned(tag::DATE_TIME_ZONE, later, "Europe/Berlin"), &OLD),
        Ok(Cow::Owned(expected))
    );
}

#[test]
fn memgraph_survives_what_passes() {
    let day = 86_400;
    for parameters in [
        structure(tag::DATE, &[-719_528]),
        structure(tag::DATE, &[2_932_896]),
        structure(tag::LOCAL_TIME, &[86_399_999_999_999]),
        structure(tag::LOCAL_DATE_TIME, &[0, 999_999_999]),
        structure(tag::LOCAL_DATE_TIME, &[-day, 5]),
        structure(tag::LOCAL_DATE_TIME, &[253_402_300_799, 0]),
        structure(tag::DATE_TIME, &[-1, 0, -64_800]),
        zoned(tag::DATE_TIME_ZONE, -1, "Europe/Berlin"),
        structure(tag::DURATION, &[14, -3, 5, 1]),
        point(4326, &[200.0, f64::NAN]),
        point(7203, &[1.0, 2.0]),
        point(9157, &[1.0, 2.0, 3.0]),
        point(4979, &[1.0, 2.0, 3.0]),
    ] {
        passes(&parameters, &MEMGRAPH);
    }
}

#[test]
fn values_that_memgraph_does_not_survive_are_refused() {
    let years = "years 0 to 9999";
    for (parameters, reason) in [
        (structure(tag::DATE, &[-719_529]), years),
        (structure(tag::DATE, &[2_932_897]), years),
        (structure(tag::DATE, &[i64::MAX]), years),
        (structure(tag::DATE, &[1 << 32]), years),
        (structure(tag::LOCAL_TIME, &[-1]), "not within a day"),
        (structure(tag::LOCAL_TIME, &[86_400_000_000_000]), "not within a day"),
        (structure(tag::LOCAL_DATE_TIME, &[253_402_300_800, 0]), years),
        (structure(tag::LOCAL_DATE_TIME, &[-62_167_219_201, 0]), years),
        (structure(tag::LOCAL_DATE_TIME, &[0, 1_000_000_000]), years),
        (structure(tag::LOCAL_DATE_TIME, &[0, -1]), years),
        (structure(tag::LOCAL_DATE_TIME, &[-1, 0]), "localDateTime($…)"),
        (structure(tag::DATE_TIME, &[0, 0, 90]), "whole minutes"),
        (structure(tag::DATE_TIME, &[1 << 62, 0, 0]), "microseconds"),
        (zoned(tag::DATE_TIME_ZONE, 1 << 62, "UTC"), "microseconds"),
        (zoned(tag::DATE_TIME_ZONE, 0, "europe/berlin"), "is not known"),
        (zoned(tag::DATE_TIME_ZONE, 0, "Z"), "is not known"),
        (zoned(tag::DATE_TIME_ZONE, 0, "UTC+01:00"), "is not known"),
        (structure(tag::DURATION, &[0, 0, i64::MAX, 0]), "microseconds"),
        (structure(tag::DURATION, &[i64::MIN, 0, 0, 0]), "microseconds"),
        (structure(tag::DURATION, &[0, 106_751_992, 0, 0]), "microseconds"),
        (point(9999, &[1.0, 2.0]), "SRID 9999"),
        (point(4326, &[1.0, 2.0, 3.0]), "SRID 4326"),
        (point(9157, &[1.0, 2.0]), "SRID 9157"),
        (structure(tag::POINT_2D, &[7203, 1, 2]), "not a float"),
    ] {
        refused(&parameters, &MEMGRAPH, reason);
    }
}

#[test]
fn anything_but_a_map_is_refused() {
    for bytes in
        [&b""[..], b"\xC0", b"\xA1\x01\x01", b"\xA1\x81x", b"\xA0\x00", b"\xA1\x81x\xB1\x44\xC0", b"\xA1\x81x\xDF"]
    {
        assert_eq!(validate_parameters("parameters", bytes, &NEO4J).unwrap_err().reason, MALFORMED, "{bytes:x?}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        for accepts in [NEO4J, OLD, MEMGRAPH] {
            let _ = validate_parameters("parameters", &bytes, &accepts);
        }
    }

    #[test]
    fn no_structures_make_it_panic(tags in proptest::collection::vec((0x40_u8..0x7F, [proptest::num::i64::ANY; 4]), 0..9)) {
        let mut parameters = vec![0xA1, 0x81, b'x'];
        let mut writer = Writer::new(&mut parameters);
        writer.list(tags.len());
        for (tag, fields) in tags {
            let arity = match tag {
                tag::DATE | tag::LOCAL_TIME => 1,
                tag::TIME | tag::LOCAL_DATE_TIME => 2,
                tag::DATE_TIME => 3,
                _ => 4,
            };
            writer.structure(tag, arity);
            fields.iter().take(arity.into()).for_each(|field| writer.integer(*field));
        }
        for accepts in [NEO4J, OLD, MEMGRAPH] {
            let _ = validate_parameters("parameters", &parameters, &accepts);
        }
    }
}
