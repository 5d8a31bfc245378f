//! Writing a row as JSON or CSV allocates nothing once the buffer is large enough.

use boltgate::bolt::packstream::{Writer, tag};
use boltgate::json::output::{ObjectKeys, csv_row, object_row, row};
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
    let count = allocations(2, |out| {
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
    });
    assert_eq!(count, 0);
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
    let count = allocations(1, |out| {
        out.structure(tag::PATH, 3);
        out.list(1);
        out.structure(tag::NODE, 3);
        out.integer(9);
        out.list(0);
        out.map(0);
        out.list(0);
        out.list(0);
    });
    assert!(count > 0);
}
