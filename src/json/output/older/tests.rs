//! Records, and their text in each form.

use bytes::BytesMut;

use super::{meta, rest, row};
use crate::bolt::packstream::{Writer, tag};
use crate::json::output::RowError;

/// A record of these values, each written by a function.
fn record(values: &[&dyn Fn(&mut Writer<'_>)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out);
    writer.list(values.len());
    values.iter().for_each(|value| value(&mut writer));
    out
}

fn texts(values: &[&dyn Fn(&mut Writer<'_>)]) -> (String, String) {
    let (fields, mut out) = (record(values), BytesMut::new());
    row(&mut out, &fields, values.len()).unwrap();
    let row = out.split();
    meta(&mut out, &fields, values.len()).unwrap();
    let text = |bytes: &BytesMut| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&row), text(&out))
}

fn node(writer: &mut Writer<'_>) {
    writer.structure(tag::NODE, 4);
    writer.integer(7);
    writer.list(1);
    writer.string("A");
    writer.map(1);
    writer.string("x");
    writer.integer(1);
    writer.string("4:u:7");
}

fn relationship(writer: &mut Writer<'_>, kind: &str) {
    writer.structure(tag::RELATIONSHIP, 8);
    [9, 7, 8].into_iter().for_each(|id| writer.integer(id));
    writer.string(kind);
    writer.map(0);
    ["5:u:9", "4:u:7", "4:u:8"].into_iter().for_each(|id| writer.string(id));
}

/// `(7)<-[9]-(7)`: its only node at both ends, against the relationship.
fn path(writer: &mut Writer<'_>) {
    writer.structure(tag::PATH, 3);
    writer.list(1);
    node(writer);
    writer.list(1);
    writer.structure(tag::UNBOUND_RELATIONSHIP, 4);
    writer.integer(9);
    writer.string("R");
    writer.map(0);
    writer.string("5:u:9");
    writer.list(2);
    [-1, 0].into_iter().for_each(|index| writer.integer(index));
}

const NODE_META: &str = r#"{"id":7,"elementId":"4:u:7","type":"node","deleted":false}"#;

#[test]
fn entities_are_their_properties() {
    let (row, meta) = texts(&[&node, &|writer| relationship(writer, "R"), &path]);
    assert_eq!(row, r#"[{"x":1},{},[{"x":1},{},{"x":1}]]"#);
    let of_relationship = r#"{"id":9,"elementId":"5:u:9","type":"relationship","deleted":false}"#;
    assert_eq!(meta, format!("[{NODE_META},{of_relationship},[{NODE_META},{of_relationship},{NODE_META}]]"));
}

#[test]
fn a_deleted_relationship_says_so() {
    let (row, meta) = texts(&[&|writer| relationship(writer, "")]);
    assert_eq!((row.as_str(), meta.contains("\"deleted\":true")), ("[{}]", true));
}

#[test]
fn collections_are_flattened_into_one_list_of_meta() {
    let nested = |writer: &mut Writer<'_>| {
        writer.list(2);
        writer.integer(1);
        writer.map(2);
        writer.string("a");
        node(writer);
        writer.string("b");
        writer.list(0);
    };
    let (row, meta) = texts(&[&nested, &|writer| writer.null()]);
    assert_eq!(row, r#"[[1,{"a":{"x":1},"b":[]}],null]"#);
    assert_eq!(meta, format!("[null,{NODE_META},null]"));
}

fn structure(tag: u8, fields: &[i64]) -> String {
    let value = |writer: &mut Writer<'_>| {
        writer.structure(tag, u8::try_from(fields.len()).unwrap());
        fields.iter().for_each(|field| writer.integer(*field));
    };
    texts(&[&value]).0
}

#[test]
fn times_are_as_short_as_java_prints_them() {
    const SECOND: i64 = 1_000_000_000;
    for (tag, fields, text) in [
        (tag::LOCAL_TIME, &[43_200 * SECOND][..], "12:00"),
        (tag::LOCAL_TIME, &[43_201 * SECOND], "12:00:01"),
        (tag::LOCAL_TIME, &[43_200 * SECOND + SECOND / 2], "12:00:00.500"),
        (tag::LOCAL_TIME, &[1], "00:00:00.000000001"),
        (tag::LOCAL_TIME, &[120_000], "00:00:00.000120"),
        (tag::TIME, &[0, 0], "00:00Z"),
        (tag::TIME, &[0, 3600], "00:00+01:00"),
        (tag::LOCAL_DATE_TIME, &[0, 0], "1970-01-01T00:00"),
        (tag::DATE_TIME, &[0, 0, 3600], "1970-01-01T01:00+01:00"),
        (tag::DATE, &[0], "1970-01-01"),
        (tag::DURATION, &[0, 0, 1, 500_000_000], "PT1.5S"),
    ] {
        assert_eq!(structure(tag, fields), format!("[\"{text}\"]"));
    }
}

#[test]
fn a_zone_follows_the_offset() {
    let value = |writer: &mut Writer<'_>| {
        writer.structure(tag::DATE_TIME_ZONE, 3);
        writer.integer(0);
        writer.integer(0);
        writer.string("Europe/Berlin");
    };
    let (row, meta) = texts(&[&value]);
    assert_eq!(row, r#"["1970-01-01T01:00+01:00[Europe/Berlin]"]"#);
    assert_eq!(meta, r#"[{"type":"datetime"}]"#);
}

#[test]
fn bytes_are_signed_numbers_and_points_have_a_reference_system() {
    let point = |writer: &mut Writer<'_>| {
        writer.structure(tag::POINT_3D, 4);
        writer.integer(4979);
        [1.0, 2.0, 3.5].into_iter().for_each(|coordinate| writer.float(coordinate));
    };
    let (row, meta) = texts(&[&|writer| writer.bytes(&[1, 0xFF]), &point]);
    assert_eq!(
        row,
        concat!(
            r#"[[1,-1],{"type":"Point","coordinates":[1.0,2.0,3.5],"crs":{"srid":4979,"name":"wgs-84-3d","type":"link","#,
            r#""properties":{"href":"https://spatialreference.org/ref/epsg/4979/ogcwkt/","type":"ogcwkt"}}}]"#
        )
    );
    assert_eq!(meta, r#"[null,{"type":"point"}]"#);
}

#[test]
fn rest_has_links_with_ids() {
    let (fields, mut out) = (record(&[&node, &path]), BytesMut::new());
    rest(&mut out, &fields, 2, "http://h/db/neo4j").unwrap();
    let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(value[0]["self"], "http://h/db/neo4j/node/7");
    assert_eq!(value[0]["metadata"], serde_json::json!({"elementId": "4:u:7", "id": 7, "labels": ["A"]}));
    assert_eq!(value[0]["data"], serde_json::json!({"x": 1}));
    assert_eq!(
        value[1],
        serde_json::json!({
            "relationships": ["http://h/db/neo4j/relationship/9"],
            "nodes": ["http://h/db/neo4j/node/7", "http://h/db/neo4j/node/7"],
            "directions": ["->"], "length": 1,
            "start": "http://h/db/neo4j/node/7", "end": "http://h/db/neo4j/node/7"
        })
    );
}

#[test]
fn hostile_records_are_errors_and_leave_nothing_behind() {
    let deep: Vec<u8> = std::iter::once(0x91).chain(std::iter::repeat_n(0x91, 5000)).chain([1]).collect();
    let paths = |writer: &mut Writer<'_>| {
        writer.structure(tag::NODE, 3);
        writer.integer(1);
        writer.list(0);
        writer.map(1);
        writer.string("x");
        path(writer);
    };
    let mut out = BytesMut::from("before");
    assert_eq!(row(&mut out, &deep, 1), Err(RowError::TooDeep));
    assert_eq!(meta(&mut out, &deep, 1), Err(RowError::TooDeep));
    assert!(row(&mut out, &[0x91, 1], 2).is_err() && meta(&mut out, &[0x92, 1], 2).is_err());
    assert!(rest(&mut out, &record(&[&paths]), 1, "").is_err());
    assert_eq!(out, "before");
}
