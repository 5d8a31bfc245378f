//! Whatever the rows are: a sample never contradicts its own schema, no order changes it, and no bytes cause a panic.

use std::{io::Cursor, sync::Arc};

use arrow_ipc::reader::StreamReader;
use arrow_schema::Schema;
use bytes::BytesMut;
use proptest::{collection::vec, prelude::*};

use super::{Column, Declared, Stream, TYPE_NAMES, seen::Seen};
use crate::{
    bolt::packstream::{Reader, Writer, tag},
    json::output::RowError,
};

/// One value as PackStream.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let integers =
        || prop_oneof![Just(0_i64), Just(1), -100_i64..100, any::<i64>(), Just(1 << 53), Just((1 << 53) + 1)];
    let nanos = prop_oneof![Just(0_i64), Just(1000), Just(1), 0_i64..1_000_000_000];
    let seconds = prop_oneof![Just(0_i64), -1_000_000_i64..1_000_000, Just(253_402_300_799), Just(1 << 50)];
    let packed = |write: &dyn Fn(&mut Writer<'_>)| {
        let mut bytes = Vec::new();
        write(&mut Writer::new(&mut bytes));
        bytes
    };
    let scalar = prop_oneof![
        3 => Just(vec![0xC0]),
        1 => any::<bool>().prop_map(move |value| packed(&|out| out.boolean(value))),
        3 => integers().prop_map(move |value| packed(&|out| out.integer(value))),
        2 => any::<f64>().prop_map(move |value| packed(&|out| out.float(value))),
        2 => "[a-z\"]{0,4}".prop_map(move |value| packed(&|out| out.string(&value))),
        1 => vec(any::<u8>(), 0..4).prop_map(move |value| packed(&|out| out.bytes(&value))),
        1 => any::<[u8; 16]>().prop_map(move |value| packed(&|out| out.uuid(&value))),
        1 => prop_oneof![-1000_i64..1000, Just(1 << 33)].prop_map(move |days| packed(&|out| {
            out.structure(tag::DATE, 1);
            out.integer(days);
        })),
        2 => (seconds.clone(), nanos.clone()).prop_map(move |(seconds, nanos)| packed(&|out| {
            out.structure(tag::LOCAL_DATE_TIME, 2);
            out.integer(seconds);
            out.integer(nanos);
        })),
        2 => (seconds, nanos, any::<bool>()).prop_map(move |(seconds, nanos, named)| packed(&|out| {
            out.structure(if named { tag::DATE_TIME_ZONE } else { tag::DATE_TIME }, 3);
            out.integer(seconds);
            out.integer(nanos);
            if named { out.string("Europe/Berlin") } else { out.integer(3600) }
        })),
        1 => (prop_oneof![Just(0xC8_u8), Just(0xC9)], 0_usize..3).prop_map(move |(kind, length)| packed(&|out| {
            out.structure(tag::VECTOR, 2);
            out.bytes(&[kind]);
            out.bytes(&vec![1; length * 2]);
        })),
        1 => any::<[f64; 2]>().prop_map(move |[x, y]| packed(&|out| {
            out.structure(tag::POINT_2D, 3);
            out.integer(7203);
            out.float(x);
            out.float(y);
        })),
    ];
    scalar.prop_recursive(4, 16, 4, |inner| {
        vec(inner, 0..4).prop_map(|items| {
            let mut bytes = Vec::new();
            Writer::new(&mut bytes).list(items.len());
            bytes.extend(items.concat());
            bytes
        })
    })
}

fn rows() -> impl Strategy<Value = Vec<Vec<u8>>> {
    vec([value(), value()], 0..8)
        .prop_map(|rows| rows.into_iter().map(|row| [vec![0x92], row.concat()].concat()).collect())
}

fn written(rows: &[Vec<u8>], sample: usize) -> Result<BytesMut, RowError> {
    let mut stream = Stream::new(Arc::new(Declared { sample, ..Declared::default() }));
    let mut out = BytesMut::new();
    stream.open(&mut out, ["a", "b"].into_iter());
    rows.iter().try_for_each(|row| stream.row(&mut out, row))?;
    stream.finish(&mut out)?;
    stream.end(&mut out)?;
    Ok(out)
}

fn read(bytes: &[u8]) -> (Arc<Schema>, usize) {
    let reader = StreamReader::try_new(Cursor::new(bytes), None).unwrap();
    (reader.schema(), reader.map(|batch| batch.unwrap().num_rows()).sum())
}

fn seen(value: &[u8]) -> Seen {
    Seen::of(&mut Reader::new(value)).unwrap()
}

proptest! {
    /// A sample decides a schema that all of it fits, and nothing is lost.
    #[test]
    fn a_sample_fits_its_own_schema(rows in rows()) {
        let bytes = written(&rows, 1000).unwrap();
        prop_assert_eq!(read(&bytes).1, rows.len());
    }

    /// The same rows in another order have the same schema.
    #[test]
    fn the_order_of_rows_decides_nothing(rows in rows(), turn in 0_usize..8) {
        let mut turned = rows.clone();
        turned.rotate_left(turn.min(rows.len()));
        turned.reverse();
        prop_assert_eq!(read(&written(&rows, 1000).unwrap()).0, read(&written(&turned, 1000).unwrap()).0);
    }

    /// What follows a sample fits or is refused, and what was written before is whole.
    #[test]
    fn what_follows_a_sample_fits_or_is_refused(rows in rows()) {
        match written(&rows, 1) {
            Ok(bytes) => prop_assert_eq!(read(&bytes).1, rows.len()),
            Err(RowError::DoesNotFit(why)) => prop_assert!(why.contains("but row "), "{}", why),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn what_values_have_in_common_is_a_law(a in value(), b in value(), c in value()) {
        let [a, b, c] = [seen(&a), seen(&b), seen(&c)];
        prop_assert_eq!(&a.clone().with(a.clone()), &a);
        prop_assert_eq!(&a.clone().with(Seen::Nothing), &a);
        prop_assert_eq!(a.clone().with(b.clone()), b.clone().with(a.clone()));
        prop_assert_eq!(a.clone().with(b.clone()).with(c.clone()), a.with(b.with(c)));
    }

    #[test]
    fn no_bytes_cause_a_panic(
        rows in vec(vec(any::<u8>(), 0..40), 1..4),
        kind in proptest::sample::select(TYPE_NAMES.split(", ").collect::<Vec<_>>()),
    ) {
        let rows: Vec<_> = rows.into_iter().map(|row| [vec![0x91], row].concat()).collect();
        let kind = kind.replace('…', "node");
        for columns in [None, Some(("a".to_owned(), Column::declared(&kind).unwrap()))] {
            let declared = Declared { columns: columns.into_iter().collect(), sample: 1 };
            let mut stream = Stream::new(Arc::new(declared));
            let mut out = BytesMut::new();
            stream.open(&mut out, ["a"].into_iter());
            if rows.iter().try_for_each(|row| stream.row(&mut out, row)).and_then(|()| stream.finish(&mut out)).is_ok() {
                stream.end(&mut out).unwrap();
                prop_assert_eq!(read(&out).1, rows.len());
            }
        }
    }

    /// The same for bytes that begin as values do.
    #[test]
    fn no_damaged_value_causes_a_panic(mut rows in rows(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        if let Some(row) = rows.last_mut() {
            let at = at.index(row.len());
            row[at] = byte;
        }
        drop(written(&rows, 2));
    }

    #[test]
    fn no_name_of_a_type_causes_a_panic(name in "(list<){0,20}[a-z0-9<>\\[\\]]{0,12}>{0,20}") {
        let _ = Column::declared(&name);
    }
}
