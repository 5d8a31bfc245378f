//! Writing a row as JSON, CSV or part of a graph allocates nothing once the buffer is large enough.

use boltgate::bolt::packstream::{Writer, tag};
use boltgate::json::output::{Elements, GraphLimits, GraphShape, ObjectKeys, csv_row, object_row, row};
use boltgate::json::{TypedVersion, View};
use bytes::BytesMut;

const VIEWS: [View; 2] = [View::Plain, View::Typed(TypedVersion::V1_2)];

fn allocations(columns: usize, write: impl Fn(&mut Writer<'_>)) -> u64 {
    let mut fields = Vec::new();
    let mut writer = Writer::new(&mut fields);
    writer.list(columns);
    write(&mut writer);
    let mut out = BytesMut::with_capacity(64 * 1024);
    let mut total = 0;
    for view in VIEWS {
        total += allocation_counter::measure(|| {
            for _ in 0..10 {
                out.clear();
                assert_eq!(row(&mut out, &fields, columns, view), Ok(()));
            }
        })
        .count_total;
    }
    let names: Vec<String> = (0..columns).map(|column| format!("column {column}")).collect();
    let keys = ObjectKeys::new(names.iter().map(String::as_str));
    total
        + allocation_counter::measure(|| {
            for _ in 0..10 {
                out.clear();
                assert_eq!(csv_row(&mut out, &fields, columns, true), Ok(()));
                assert_eq!(object_row(&mut out, &fields, &keys), Ok(()));
            }
        })
        .count_total
}

fn scalars(out: &mut Writer<'_>) {
    out.null();
    out.boolean(true);
    out.integer(i64::MIN);
    out.float(1.5e300);
    out.float(0.1);
    out.string("a \"quoted\" text that is longer than one block");
    out.bytes(&[1, 2, 3, 4]);
    out.uuid(&[7; 16]);
}

fn properties(out: &mut Writer<'_>) {
    out.map(2);
    out.string("name");
    out.string("Ada");
    out.string("scores");
    out.list(3);
    (0..3).for_each(|score| out.integer(score));
}

fn node_and_relationship(out: &mut Writer<'_>) {
    out.structure(tag::NODE, 4);
    out.integer(9);
    out.list(1);
    out.string("Person");
    properties(out);
    out.string("4:x:9");
    out.structure(tag::RELATIONSHIP, 8);
    (0..3).for_each(|id| out.integer(id));
    out.string("KNOWS");
    properties(out);
    ["5:x:0", "4:x:1", "4:x:2"].into_iter().for_each(|id| out.string(id));
}

fn path(out: &mut Writer<'_>) {
    out.structure(tag::PATH, 3);
    out.list(1);
    out.structure(tag::NODE, 3);
    out.integer(9);
    out.list(0);
    out.map(0);
    out.list(0);
    out.list(0);
}

/// How much is allocated for rows whose elements a graph has already.
fn allocations_of_a_graph(columns: usize, write: impl Fn(&mut Writer<'_>)) -> u64 {
    let mut fields = Vec::new();
    let mut writer = Writer::new(&mut fields);
    writer.list(columns);
    write(&mut writer);
    let mut total = 0;
    for shape in [GraphShape::Lists, GraphShape::Cytoscape] {
        let mut elements = Elements::new(shape, GraphLimits { elements: 100, waiting: 64 * 1024 });
        let mut out = BytesMut::with_capacity(64 * 1024);
        elements.open(&mut out);
        assert_eq!(elements.row(&mut out, &fields, columns), Ok(()));
        total += allocation_counter::measure(|| {
            (0..10).for_each(|_| assert_eq!(elements.row(&mut out, &fields, columns), Ok(())));
        })
        .count_total;
    }
    total
}

#[test]
fn adds_a_row_without_new_elements_to_a_graph_without_allocating() {
    assert_eq!(allocations_of_a_graph(8, scalars), 0);
    let entities = |out: &mut Writer<'_>| {
        out.list(2);
        node_and_relationship(out);
        path(out);
    };
    assert_eq!(allocations_of_a_graph(2, entities), 0);
}

#[test]
fn writes_scalars_without_allocating() {
    assert_eq!(allocations(8, scalars), 0);
}

#[test]
fn writes_collections_without_allocating() {
    let count = allocations(2, |out| {
        out.list(8);
        scalars(out);
        // Eleven more levels.
        (0..10).for_each(|_| out.list(1));
        properties(out);
    });
    assert_eq!(count, 0);
}

#[test]
fn writes_nodes_and_relationships_without_allocating() {
    assert_eq!(allocations(2, node_and_relationship), 0);
}

#[test]
fn writes_temporal_and_spatial_values_without_allocating() {
    let count = allocations(6, |out| {
        for (tag, fields) in [
            (tag::DATE, &[16_520][..]),
            (tag::TIME, &[46_235_556_000_000, 3600]),
            (tag::LOCAL_DATE_TIME, &[1_436_038_344, 1]),
            (tag::DATE_TIME, &[1_435_146_635, 556_000_000, 3600]),
            (tag::DURATION, &[14, 25, 18_367, 890_000_000]),
        ] {
            out.structure(tag, u8::try_from(fields.len()).unwrap());
            fields.iter().for_each(|&field| out.integer(field));
        }
        out.structure(tag::POINT_2D, 3);
        out.integer(7203);
        out.float(1.5);
        out.float(2.5);
    });
    assert_eq!(count, 0);
}

#[test]
fn counts_the_allocations_of_a_path() {
    assert!(allocations(1, path) > 0);
}
