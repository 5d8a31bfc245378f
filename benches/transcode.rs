//! Rows per second from PackStream to each view of JSON, to CSV, NDJSON, a graph and Arrow, compared with building a tree of
//! `serde_json` values, and with merely checking and copying the text.

#[cfg(feature = "arrow")]
use std::sync::Arc;

#[cfg(feature = "arrow")]
use boltgate::arrow::Stream;
use boltgate::bolt::packstream::{Reader, Token, Writer, tag};
use boltgate::json::output::{Elements, GraphLimits, GraphShape, ObjectKeys, RowError, csv_row, object_row, row};
use boltgate::json::{TypedVersion, View};
use bytes::{BufMut, BytesMut};
use divan::Bencher;
use divan::counter::ItemsCount;
use serde_json::Value;

const ROWS: usize = 1000;
/// The rows of a measurement in which rows are not alike: an Arrow batch has as many, and its last row writes it.
#[cfg(feature = "arrow")]
const BATCH_ROWS: usize = 8192;
const COLUMNS: usize = 4;
const NAMES: [&str; COLUMNS] = ["id", "score", "name", "note"];

fn main() {
    divan::main();
}

/// A row with an integer, a float, a short string and a longer one.
fn scalar_row() -> Vec<u8> {
    packed(|out| {
        out.list(COLUMNS);
        out.integer(123_456);
        out.float(0.123_456_789);
        out.string("Ada Lovelace");
        out.string("the first to see that the engine could do more than numbers");
    })
}

/// A row with four nodes, each with an element id, a label and five properties.
fn node_row() -> Vec<u8> {
    packed(|out| {
        out.list(COLUMNS);
        for _ in 0..COLUMNS {
            out.structure(tag::NODE, 4);
            out.integer(123_456);
            out.list(1);
            out.string("Person");
            out.map(5);
            out.string("name");
            out.string("Ada Lovelace");
            out.string("email");
            out.string("ada.lovelace@example.org");
            out.string("born");
            out.integer(1815);
            out.string("score");
            out.float(0.75);
            out.string("active");
            out.boolean(true);
            out.string("4:8a1d7d4e-6f0c-4a51-9d7c-2f1f5e0c9b11:123456");
        }
    })
}

fn packed(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut Writer::new(&mut bytes));
    bytes
}

/// Writes the same row again and again.
fn rows(bencher: Bencher<'_, '_>, fields: &[u8], write: impl FnMut(&mut BytesMut, &[u8]) -> Result<(), RowError>) {
    many_rows(bencher, ROWS, fields, write);
}

fn many_rows(
    bencher: Bencher<'_, '_>,
    count: usize,
    fields: &[u8],
    mut write: impl FnMut(&mut BytesMut, &[u8]) -> Result<(), RowError>,
) {
    let mut out = BytesMut::with_capacity(16 * 1024 * 1024);
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        out.clear();
        for _ in 0..count {
            assert_eq!(write(&mut out, divan::black_box(fields)), Ok(()));
        }
        out.len()
    });
}

fn transcode(bencher: Bencher<'_, '_>, fields: &[u8], view: View) {
    rows(bencher, fields, |out, fields| {
        row(out, fields, COLUMNS, view)?;
        out.put_u8(b',');
        Ok(())
    });
}

fn csv(bencher: Bencher<'_, '_>, fields: &[u8]) {
    rows(bencher, fields, |out, fields| csv_row(out, fields, COLUMNS, false));
}

fn ndjson(bencher: Bencher<'_, '_>, fields: &[u8]) {
    let keys = ObjectKeys::new(NAMES.into_iter());
    rows(bencher, fields, |out, fields| {
        object_row(out, fields, &keys)?;
        out.put_u8(b'\n');
        Ok(())
    });
}

/// Rows whose elements the graph has already: what each costs that adds nothing.
fn graph(bencher: Bencher<'_, '_>, fields: &[u8]) {
    let limits = GraphLimits { elements: 1000, waiting: usize::MAX };
    let mut elements = Elements::new(GraphShape::Lists, limits);
    rows(bencher, fields, |out, fields| elements.row(out, fields, COLUMNS));
}

/// Rows behind the sample, whose types are known.
#[cfg(feature = "arrow")]
fn arrow(bencher: Bencher<'_, '_>, fields: &[u8]) {
    let (mut stream, mut sample) = (Stream::new(Arc::default()), BytesMut::new());
    stream.open(&mut sample, NAMES.into_iter());
    while sample.is_empty() {
        assert_eq!(stream.row(&mut sample, fields), Ok(()));
    }
    many_rows(bencher, BATCH_ROWS, fields, |out, fields| stream.row(out, fields));
}

fn tree(bencher: Bencher<'_, '_>, fields: &[u8]) {
    let mut out = BytesMut::with_capacity(16 * 1024 * 1024);
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        out.clear();
        for _ in 0..ROWS {
            let value = build(&mut Reader::new(divan::black_box(fields)));
            let mut writer = (&mut out).writer();
            serde_json::to_writer(&mut writer, &value).unwrap_or_default();
            out.put_u8(b',');
        }
        out.len()
    });
}

/// The upper bound: checks that the same text is UTF-8, and copies it.
fn check_and_copy(bencher: Bencher<'_, '_>, fields: &[u8]) {
    let mut text = BytesMut::new();
    for _ in 0..ROWS {
        assert_eq!(row(&mut text, fields, COLUMNS, View::Plain), Ok(()));
    }
    let mut out = BytesMut::with_capacity(text.len());
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        out.clear();
        out.put_slice(str::from_utf8(divan::black_box(&text)).unwrap_or_default().as_bytes());
        assert_eq!(out.len(), text.len());
    });
}

/// What most gateways do: one value per value, and one map per node.
fn build(reader: &mut Reader<'_>) -> Value {
    match reader.token() {
        Ok(Token::Boolean(value)) => value.into(),
        Ok(Token::Integer(value)) => value.into(),
        Ok(Token::Float(value)) => value.into(),
        Ok(Token::String(value)) => value.into(),
        Ok(Token::List(items)) => (0..items).map(|_| build(reader)).collect(),
        Ok(Token::Map(pairs)) => {
            let pair = |_| (reader.expect_string().unwrap_or_default().to_owned(), build(reader));
            Value::Object((0..pairs).map(pair).collect())
        }
        Ok(Token::Struct(tag::NODE, 4)) => {
            let _id = build(reader);
            let [labels, properties, id] = [build(reader), build(reader), build(reader)];
            let members = [("elementId", id), ("labels", labels), ("properties", properties)];
            Value::Object(members.map(|(key, value)| (key.to_owned(), value)).into_iter().collect())
        }
        _ => Value::Null,
    }
}

#[divan::bench]
fn scalars_plain(bencher: Bencher<'_, '_>) {
    transcode(bencher, &scalar_row(), View::Plain);
}

#[divan::bench]
fn scalars_typed(bencher: Bencher<'_, '_>) {
    transcode(bencher, &scalar_row(), View::Typed(TypedVersion::V1_2));
}

#[divan::bench]
fn scalars_csv(bencher: Bencher<'_, '_>) {
    csv(bencher, &scalar_row());
}

#[divan::bench]
fn scalars_ndjson(bencher: Bencher<'_, '_>) {
    ndjson(bencher, &scalar_row());
}

#[cfg(feature = "arrow")]
#[divan::bench]
fn scalars_arrow(bencher: Bencher<'_, '_>) {
    arrow(bencher, &scalar_row());
}

#[divan::bench]
fn scalars_tree(bencher: Bencher<'_, '_>) {
    tree(bencher, &scalar_row());
}

#[divan::bench]
fn scalars_limit(bencher: Bencher<'_, '_>) {
    check_and_copy(bencher, &scalar_row());
}

#[divan::bench]
fn nodes_plain(bencher: Bencher<'_, '_>) {
    transcode(bencher, &node_row(), View::Plain);
}

#[divan::bench]
fn nodes_typed(bencher: Bencher<'_, '_>) {
    transcode(bencher, &node_row(), View::Typed(TypedVersion::V1_2));
}

#[divan::bench]
fn nodes_csv(bencher: Bencher<'_, '_>) {
    csv(bencher, &node_row());
}

#[divan::bench]
fn nodes_ndjson(bencher: Bencher<'_, '_>) {
    ndjson(bencher, &node_row());
}

#[divan::bench]
fn nodes_graph(bencher: Bencher<'_, '_>) {
    graph(bencher, &node_row());
}

#[cfg(feature = "arrow")]
#[divan::bench]
fn nodes_arrow(bencher: Bencher<'_, '_>) {
    arrow(bencher, &node_row());
}

#[divan::bench]
fn nodes_tree(bencher: Bencher<'_, '_>) {
    tree(bencher, &node_row());
}

#[divan::bench]
fn nodes_limit(bencher: Bencher<'_, '_>) {
    check_and_copy(bencher, &node_row());
}
