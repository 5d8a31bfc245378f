//! Whole streams, read back by arrow-rs.

use std::{io::Cursor, sync::Arc};

use arrow_array::{
    Array as _, ArrayRef, RecordBatch,
    cast::AsArray as _,
    types::{
        Date32Type, Float32Type, Float64Type, Int32Type, Int64Type, Time64NanosecondType, TimestampMicrosecondType,
        TimestampNanosecondType,
    },
};
use arrow_ipc::reader::StreamReader;
use arrow_schema::{DataType, Schema, TimeUnit};
use bytes::BytesMut;

use super::{Column, Declared, Stream};
use crate::{
    bolt::packstream::{Writer, tag},
    json::output::RowError,
};

type Write = fn(&mut Writer<'_>);

/// A row of one column for each of `values`.
fn rows(values: &[Write]) -> Vec<Vec<u8>> {
    values.iter().map(|write| row(&[*write])).collect()
}

fn row(values: &[Write]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes);
    writer.list(values.len());
    values.iter().for_each(|write| write(&mut writer));
    bytes
}

fn declared(columns: &[(&str, &str)], sample: usize) -> Declared {
    let columns = columns.iter().map(|(name, kind)| ((*name).to_owned(), Column::declared(kind).unwrap())).collect();
    Declared { columns, sample }
}

/// The whole stream of these rows, and why it ended early if it did.
fn written(names: &[&str], rows: &[Vec<u8>], declared: Declared) -> (BytesMut, Result<(), String>) {
    let mut stream = Stream::new(Arc::new(declared));
    let mut out = BytesMut::new();
    stream.open(&mut out, names.iter().copied());
    let mut write = || -> Result<(), RowError> {
        rows.iter().try_for_each(|row| stream.row(&mut out, row))?;
        stream.finish(&mut out)?;
        stream.end(&mut out)
    };
    let ended = write().map_err(|error| error.to_string());
    (out, ended)
}

fn read(bytes: &[u8]) -> (Arc<Schema>, Vec<RecordBatch>) {
    let reader = StreamReader::try_new(Cursor::new(bytes), None).unwrap();
    (reader.schema(), reader.map(Result::unwrap).collect())
}

/// The only column of these values, sampled whole: its type, its types in Cypher, its values.
fn column(values: &[Write]) -> (DataType, String, ArrayRef) {
    column_as(values, Declared::default())
}

fn column_as(values: &[Write], declared: Declared) -> (DataType, String, ArrayRef) {
    let (bytes, ended) = written(&["a"], &rows(values), declared);
    ended.unwrap();
    let (schema, batches) = read(&bytes);
    let field = schema.field(0);
    let metadata = |key: &str| field.metadata().get(key).cloned();
    let encoding = metadata("boltgate:encoding").map_or(String::new(), |encoding| format!(" as {encoding}"));
    (field.data_type().clone(), metadata("boltgate:type").unwrap() + &encoding, batches[0].column(0).clone())
}

fn texts(array: &ArrayRef) -> Vec<Option<&str>> {
    array.as_string::<i32>().iter().collect()
}

fn date_time(out: &mut Writer<'_>, seconds: i64, nanos: i64) {
    out.structure(tag::LOCAL_DATE_TIME, 2);
    out.integer(seconds);
    out.integer(nanos);
}

fn offset_date_time(out: &mut Writer<'_>, seconds: i64, nanos: i64, offset: i64) {
    out.structure(tag::DATE_TIME, 3);
    out.integer(seconds);
    out.integer(nanos);
    out.integer(offset);
}

fn zoned_date_time(out: &mut Writer<'_>, seconds: i64, zone: &str) {
    out.structure(tag::DATE_TIME_ZONE, 3);
    out.integer(seconds);
    out.integer(0);
    out.string(zone);
}

fn vector(out: &mut Writer<'_>, kind: u8, data: &[u8]) {
    out.structure(tag::VECTOR, 2);
    out.bytes(&[kind]);
    out.bytes(data);
}

fn node(out: &mut Writer<'_>, id: &str) {
    out.structure(tag::NODE, 4);
    out.integer(1);
    out.list(2);
    out.string("A");
    out.string("B");
    out.map(1);
    out.string("x");
    out.integer(1);
    out.string(id);
}

fn null(out: &mut Writer<'_>) {
    out.null();
}

#[test]
fn scalars_have_types_of_their_own() {
    let (kind, cypher, values) = column(&[|out| out.integer(-1), null, |out| out.integer(i64::MAX)]);
    assert_eq!((kind, &*cypher), (DataType::Int64, "Integer"));
    assert_eq!(values.as_primitive::<Int64Type>().iter().collect::<Vec<_>>(), [Some(-1), None, Some(i64::MAX)]);
    let (kind, cypher, values) = column(&[|out| out.boolean(true), null]);
    assert_eq!((kind, &*cypher), (DataType::Boolean, "Boolean"));
    assert_eq!(values.as_boolean().iter().collect::<Vec<_>>(), [Some(true), None]);
    let (kind, cypher, values) = column(&[|out| out.string("ä\""), null, |out| out.string("")]);
    assert_eq!((kind, &*cypher, texts(&values)), (DataType::Utf8, "String", vec![Some("ä\""), None, Some("")]));
    let (kind, cypher, values) = column(&[|out| out.bytes(&[0, 255])]);
    assert_eq!((kind, &*cypher), (DataType::Binary, "Base64"));
    assert_eq!(values.as_binary::<i32>().value(0), [0, 255]);
    let (kind, cypher, values) = column(&[|out| out.uuid(&[0xAB; 16])]);
    let text = "abababab-abab-abab-abab-abababababab";
    assert_eq!((kind, &*cypher, texts(&values)), (DataType::Utf8, "UUID", vec![Some(text)]));
}

#[test]
fn integers_and_floats_are_floats_if_those_hold_them() {
    let (kind, cypher, values) = column(&[|out| out.integer(2), |out| out.float(0.5)]);
    assert_eq!((kind, &*cypher), (DataType::Float64, "Float"));
    assert_eq!(values.as_primitive::<Float64Type>().values(), &[2.0, 0.5]);
    let (kind, cypher, values) = column(&[|out| out.integer(i64::MAX), |out| out.float(0.5)]);
    assert_eq!((kind, &*cypher), (DataType::Utf8, "Mixed as json"));
    assert_eq!(texts(&values), [Some("9223372036854775807"), Some("0.5")]);
}

#[test]
fn values_of_several_types_are_json() {
    let (kind, cypher, values) =
        column(&[|out| out.integer(1), |out| out.string("a\""), null, |out| out.boolean(true)]);
    assert_eq!((kind, &*cypher), (DataType::Utf8, "Mixed as json"));
    assert_eq!(texts(&values), [Some("1"), Some(r#""a\"""#), None, Some("true")]);
    let map: Write = |out| {
        out.map(1);
        out.string("k");
        out.float(1.0);
    };
    let (_, cypher, values) = column(&[map]);
    assert_eq!((&*cypher, texts(&values)), ("Map as json", vec![Some(r#"{"k":1.0}"#)]));
}

#[test]
fn instants_are_counted_in_the_unit_that_holds_all() {
    let micro = |utc: bool| DataType::Timestamp(TimeUnit::Microsecond, utc.then(|| "UTC".into()));
    let nano = DataType::Timestamp(TimeUnit::Nanosecond, None);
    let far: Write = |out| date_time(out, 253_402_300_799, 0);
    let (kind, cypher, values) = column(&[far, null]);
    assert_eq!((kind, &*cypher), (micro(false), "LocalDateTime"));
    assert_eq!(values.as_primitive::<TimestampMicrosecondType>().value(0), 253_402_300_799_000_000);
    let (kind, _, values) = column(&[|out| date_time(out, 1, 1), |out| date_time(out, 0, 0)]);
    assert_eq!(kind, nano);
    assert_eq!(values.as_primitive::<TimestampNanosecondType>().value(0), 1_000_000_001);
    // No unit holds both.
    let (kind, cypher, values) = column(&[|out| date_time(out, 1, 1), far]);
    assert_eq!((kind, &*cypher), (DataType::Utf8, "LocalDateTime as json"));
    assert_eq!(texts(&values)[1], Some("\"9999-12-31T23:59:59\""));
    // Offsets and zones are dropped, the instants stay.
    let (kind, cypher, values) =
        column(&[|out| offset_date_time(out, 5, 0, 3600), |out| zoned_date_time(out, 6, "Europe/Berlin")]);
    assert_eq!((kind, &*cypher), (micro(true), "ZonedDateTime"));
    assert_eq!(values.as_primitive::<TimestampMicrosecondType>().values(), &[5_000_000, 6_000_000]);
    let (_, cypher, _) = column(&[|out| offset_date_time(out, 5, 0, 3600)]);
    assert_eq!(cypher, "OffsetDateTime");
    let (_, cypher, _) = column(&[|out| offset_date_time(out, 5, 0, 3600), |out| date_time(out, 1, 1)]);
    assert_eq!(cypher, "Mixed as json");
}

#[test]
fn times_durations_and_points_have_parts() {
    let time: Write = |out| {
        out.structure(tag::TIME, 2);
        out.integer(1);
        out.integer(-3600);
    };
    let (_, cypher, values) = column(&[time, null]);
    let parts = values.as_struct();
    assert_eq!((&*cypher, parts.is_null(1)), ("Time", true));
    assert_eq!(parts.column_by_name("time").unwrap().as_primitive::<Time64NanosecondType>().value(0), 1);
    assert_eq!(parts.column_by_name("offset").unwrap().as_primitive::<Int32Type>().value(0), -3600);
    let duration: Write = |out| {
        out.structure(tag::DURATION, 4);
        [14, -3, -6, -1].into_iter().for_each(|part| out.integer(part));
    };
    let (_, cypher, values) = column(&[duration]);
    let part = |name| values.as_struct().column_by_name(name).unwrap().clone();
    let whole = ["months", "days", "seconds"].map(|name| part(name).as_primitive::<Int64Type>().value(0));
    assert_eq!((&*cypher, whole), ("Duration", [14, -3, -7]));
    assert_eq!(part("nanoseconds").as_primitive::<Int32Type>().value(0), 999_999_999);
    let point: Write = |out| {
        out.structure(tag::POINT_2D, 3);
        out.integer(4326);
        out.float(1.5);
        out.float(2.5);
    };
    let (_, cypher, values) = column(&[point]);
    let part = |name| values.as_struct().column_by_name(name).unwrap().clone();
    assert_eq!((&*cypher, part("srid").as_primitive::<Int32Type>().value(0)), ("Point", 4326));
    assert_eq!((part("y").as_primitive::<Float64Type>().value(0), part("z").is_null(0)), (2.5, true));
    let date: Write = |out| {
        out.structure(tag::DATE, 1);
        out.integer(-1);
    };
    assert_eq!(column(&[date]).2.as_primitive::<Date32Type>().value(0), -1);
}

#[test]
fn vectors_are_lists_of_their_coordinates() {
    let (kind, cypher, values) = column(&[|out| vector(out, 0xC6, &[0x3F, 0x80, 0, 0, 0xC0, 0, 0, 0]), null]);
    assert!(matches!(kind, DataType::FixedSizeList(_, 2)), "{kind}");
    assert_eq!((&*cypher, values.is_null(1)), ("Vector", true));
    assert_eq!(values.as_fixed_size_list().value(0).as_primitive::<Float32Type>().values(), &[1.0, -2.0]);
    let (kind, _, values) = column(&[|out| vector(out, 0xC8, &[1, 0xFF]), |out| vector(out, 0xC8, &[3]), null]);
    assert!(matches!(kind, DataType::List(_)), "{kind}");
    assert_eq!(values.as_list::<i32>().value(0).len(), 2);
    let (_, cypher, values) = column(&[|out| vector(out, 0xC8, &[1]), |out| vector(out, 0xC9, &[0, 3])]);
    assert_eq!((&*cypher, texts(&values)), ("Vector as json", vec![Some("[1]"), Some("[3]")]));
}

#[test]
fn lists_of_one_type_are_lists() {
    let numbers: Write = |out| {
        out.list(3);
        out.integer(1);
        out.null();
        out.integer(3);
    };
    let empty: Write = |out| out.list(0);
    let (kind, cypher, values) = column(&[numbers, empty, null]);
    assert_eq!((kind.to_string().contains("Int64"), &*cypher), (true, "List"), "{kind}");
    let list = values.as_list::<i32>();
    assert_eq!(list.value(0).as_primitive::<Int64Type>().iter().collect::<Vec<_>>(), [Some(1), None, Some(3)]);
    assert_eq!((list.value(1).len(), list.is_null(2)), (0, true));
    let nested: Write = |out| {
        out.list(2);
        out.list(1);
        out.string("a");
        out.list(0);
    };
    let (kind, _, values) = column(&[nested]);
    assert!(matches!(&kind, DataType::List(item) if matches!(item.data_type(), DataType::List(_))), "{kind}");
    assert_eq!(texts(&values.as_list::<i32>().value(0).as_list::<i32>().value(0)), [Some("a")]);
    let mixed: Write = |out| {
        out.list(2);
        out.integer(1);
        out.float(2.5);
    };
    let (_, cypher, values) = column(&[mixed, numbers]);
    assert_eq!((&*cypher, texts(&values)), ("List as json", vec![Some("[1,2.5]"), Some("[1,null,3]")]));
    let deep: Write = |out| {
        (0..17).for_each(|_| out.list(1));
        out.integer(1);
    };
    assert_eq!(column(&[deep]).1, "List");
    let deeper: Write = |out| {
        (0..40).for_each(|_| out.list(1));
        out.integer(1);
    };
    assert_eq!(column(&[deeper]).1, "List");
}

#[test]
fn entities_have_their_properties_as_json() {
    let (_, cypher, values) = column(&[|out| node(out, "4:a:1"), null]);
    let part = |name| values.as_struct().column_by_name(name).unwrap().clone();
    assert_eq!((&*cypher, texts(&part("elementId"))[0], values.is_null(1)), ("Node", Some("4:a:1"), true));
    assert_eq!(texts(&part("labels").as_list::<i32>().value(0)), [Some("A"), Some("B")]);
    assert_eq!(texts(&part("properties"))[0], Some(r#"{"x":1}"#));
    let path: Write = |out| {
        out.structure(tag::PATH, 3);
        out.list(2);
        node(out, "n0");
        node(out, "n1");
        out.list(1);
        out.structure(tag::UNBOUND_RELATIONSHIP, 4);
        out.integer(7);
        out.string("R");
        out.map(0);
        out.string("r0");
        // Against its direction, and back.
        out.list(4);
        [-1, 1, 1, 0].into_iter().for_each(|number| out.integer(number));
    };
    let (_, cypher, values) = column(&[path, null, path]);
    let part = |name| values.as_struct().column_by_name(name).unwrap().as_list::<i32>().value(2);
    let of = |array: &ArrayRef, name: &str| {
        let column = array.as_struct().column_by_name(name).unwrap().clone();
        texts(&column).into_iter().flatten().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!((&*cypher, of(&part("nodes"), "elementId")), ("Path", vec!["n0".into(), "n1".into(), "n0".into()]));
    let relationships = part("relationships");
    assert_eq!(of(&relationships, "startNodeElementId"), ["n1", "n1"]);
    assert_eq!(of(&relationships, "endNodeElementId"), ["n0", "n0"]);
    assert_eq!(of(&relationships, "type"), ["R", "R"]);
}

#[test]
fn columns_without_values_are_null_only_if_nothing_follows() {
    let nothing = rows(&[null, null]);
    let (bytes, ended) = written(&["a"], &nothing, declared(&[], 10));
    ended.unwrap();
    assert_eq!(read(&bytes).0.field(0).data_type(), &DataType::Null);
    let (bytes, ended) = written(&["a"], &nothing, declared(&[], 1));
    ended.unwrap();
    let (schema, batches) = read(&bytes);
    assert_eq!((schema.field(0).data_type(), batches.len()), (&DataType::Utf8, 2));
    let empty: Write = |out| out.list(0);
    assert!(matches!(column(&[empty]).0, DataType::List(item) if item.data_type() == &DataType::Null));
    let (bytes, _) = written(&["a"], &rows(&[empty, |out| out.string("x")]), declared(&[], 1));
    assert_eq!(texts(read(&bytes).1[1].column(0)), [Some("\"x\"")]);
    let (bytes, ended) = written(&["a", "a"], &[], Declared::default());
    ended.unwrap();
    let (schema, batches) = read(&bytes);
    assert_eq!((schema.fields().len(), schema.field(1).name().as_str(), batches.len()), (2, "a_2", 0));
    let (bytes, ended) = written(&[], &[], Declared::default());
    ended.unwrap();
    assert_eq!(read(&bytes).0.fields().len(), 0);
}

#[test]
fn what_does_not_fit_ends_the_stream_and_says_why() {
    for (first, then, expected) in [
        (
            (|out| out.integer(1)) as Write,
            (|out| out.string("x")) as Write,
            "Column \"a\" is int64 (Integer), as its first 1 rows say, but row 2 has a value of type String. Declare the \
             column (\"arrow\": {\"columns\": {\"a\": \"json\"}}), decide from more rows (arrow.sample), or convert the value \
             in the statement.",
        ),
        (|out| date_time(out, 0, 0), |out| date_time(out, 0, 1), "timestamp[us] (LocalDateTime), as its"),
        (|out| date_time(out, 0, 0), |out| date_time(out, 0, 1), "finer than a microsecond"),
        (|out| date_time(out, 0, 0), |out| date_time(out, 0, 1), "{\"a\": \"timestamp[ns]\"}"),
        (|out| date_time(out, 0, 1), |out| date_time(out, 1 << 40, 0), "LocalDateTime out of the range"),
        (|out| out.float(0.5), |out| out.integer(i64::MAX), "a value of type Integer that a float does not hold"),
        (|out| date_time(out, 0, 0), |out| offset_date_time(out, 0, 0, 0), "of type OffsetDateTime"),
        (|out| vector(out, 0xC8, &[1]), |out| vector(out, 0xC8, &[1, 2]), "of type Vector of another"),
    ] {
        let (bytes, ended) = written(&["a"], &rows(&[first, then]), declared(&[], 1));
        let why = ended.unwrap_err();
        assert!(why.contains(expected), "{why}");
        // What came before is whole, but there is no marker.
        assert!(!bytes.ends_with(&[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]));
        assert_eq!(read(&bytes).1.len(), 1);
    }
    let fits: [Write; 3] = [|out| out.float(0.5), |out| out.integer(3), null];
    let (bytes, ended) = written(&["a"], &rows(&fits), declared(&[], 1));
    ended.unwrap();
    assert!(bytes.ends_with(&[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]));
}

#[test]
fn the_request_decides_instead() {
    let names = ["a", "b"];
    let wanted = declared(&[("a", "float64"), ("b", "list<json>")], 1000);
    let mut stream = Stream::new(Arc::new(wanted.clone()));
    let mut out = BytesMut::new();
    stream.open(&mut out, names.into_iter());
    assert!(!out.is_empty(), "the schema is known before the first row");
    let value: Write = |out| {
        out.list(1);
        out.boolean(true);
    };
    let (bytes, ended) = written(&names, &[row(&[|out| out.integer(1), value])], wanted.clone());
    ended.unwrap();
    assert_eq!(texts(&read(&bytes).1[0].column(1).as_list::<i32>().value(0)), [Some("true")]);
    let (_, ended) = written(&names, &[row(&[|out| out.string("x"), value])], wanted.clone());
    let why = ended.unwrap_err();
    assert!(why.contains("\"a\" is float64 (Float), as the request declares, but row 1 has"), "{why}");
    let (_, ended) = written(&["a", "c"], &[], wanted);
    assert_eq!(
        ended.unwrap_err(),
        "arrow.columns declares the column \"b\", but the result has no such column; it has: a, c."
    );
}

#[test]
fn a_declared_instant_is_in_utc_if_its_values_have_an_offset() {
    let wanted = || declared(&[("a", "timestamp[ns]")], 1000);
    let (kind, cypher, _) = column_as(&[null, |out| offset_date_time(out, 1, 0, 60)], wanted());
    assert_eq!((kind, &*cypher), (DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())), "OffsetDateTime"));
    let (kind, _, _) = column_as(&[|out| date_time(out, 1, 0)], wanted());
    assert_eq!(kind, DataType::Timestamp(TimeUnit::Nanosecond, None));
    // The first value decides; no more is held.
    let mut stream = Stream::new(Arc::new(wanted()));
    let mut out = BytesMut::new();
    stream.open(&mut out, ["a"].into_iter());
    stream.row(&mut out, &row(&[null])).unwrap();
    assert!(out.is_empty());
    stream.row(&mut out, &row(&[|out| date_time(out, 1, 0)])).unwrap();
    assert_eq!(read(&out).1[0].num_rows(), 2);
    let values: [Write; 2] = [|out| offset_date_time(out, 1, 5, -60), |out| zoned_date_time(out, 1, "Europe/Berlin")];
    let (_, _, values) = column_as(&values, declared(&[("a", "zoned")], 1000));
    let part = |name| values.as_struct().column_by_name(name).unwrap().clone();
    assert_eq!(part("instant").as_primitive::<TimestampNanosecondType>().values(), &[1_000_000_005, 1_000_000_000]);
    assert_eq!(part("offset").as_primitive::<Int32Type>().values(), &[-60, 3600]);
    assert_eq!(texts(&part("zone")), [None, Some("Europe/Berlin")]);
}

#[test]
fn batches_are_bounded() {
    let many: Vec<_> = (0..20_000).map(|_| row(&[|out| out.integer(1)])).collect();
    let (bytes, ended) = written(&["a"], &many, Declared::default());
    ended.unwrap();
    let sizes: Vec<_> = read(&bytes).1.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(sizes, [1000, 8192, 8192, 2616]);
    let large = row(&[|out| out.string(&"x".repeat(300_000))]);
    let (bytes, ended) = written(&["a"], &vec![large; 24], Declared::default());
    ended.unwrap();
    // 4 MiB of records are a sample; then a batch has enough with 1 MiB.
    let sizes: Vec<_> = read(&bytes).1.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(sizes, [14, 4, 4, 2]);
}

#[test]
fn few_bytes_cannot_ask_for_much_memory() {
    // A vector of a megabyte, and a list of nulls, each of which would be as long.
    let hostile = row(&[|out| {
        out.list(100_001);
        vector(out, 0xC8, &[0; 1 << 20]);
        (0..100_000).for_each(|_| out.null());
    }]);
    let measured = allocation_counter::measure(|| {
        let (_, ended) = written(&["a"], std::slice::from_ref(&hostile), Declared::default());
        assert_eq!(ended.unwrap_err(), "the text of a row exceeds its limit");
    });
    assert!(measured.bytes_max < 1 << 30, "{measured:?}");
}

#[test]
fn a_batch_allocates_for_its_columns_and_not_for_its_rows() {
    let fields = row(&[
        |out| out.integer(1),
        |out| out.string("some text"),
        |out| node(out, "4:a:1"),
        |out| offset_date_time(out, 1, 0, 0),
        |out| {
            out.list(2);
            out.float(1.0);
            out.null();
        },
    ]);
    let mut stream = Stream::new(Arc::new(Declared::default()));
    let mut out = BytesMut::with_capacity(8 << 20);
    stream.open(&mut out, ["a", "b", "c", "d", "e"].into_iter());
    (0..20_000).for_each(|_| stream.row(&mut out, &fields).unwrap());
    let mut measure = |rows: u64| {
        out.clear();
        allocation_counter::measure(|| (0..rows).for_each(|_| stream.row(&mut out, &fields).unwrap())).count_total
    };
    let (some, more) = (measure(50_000), measure(50_000));
    assert!(some.max(more) < 50_000 / 50, "{some} and {more} allocations");
}
