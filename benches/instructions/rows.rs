//! Rows to JSON: four shapes in each view.
//!
//! Owns the rows. Does not know how instructions are counted.

use std::hint::black_box;

use boltgate::{
    bolt::packstream::{Writer, tag},
    json::{TypedVersion, View, output::row},
};
use bytes::{BufMut as _, BytesMut};

use crate::Part;

/// The size of the text, in bytes, at which it is taken away.
const TAKEN_AT: usize = 64 * 1024;

/// The versions of typed JSON differ only in types that do not occur in these rows.
const VIEWS: [(&str, View); 2] = [("plain", View::Plain), ("typed", View::Typed(TypedVersion::V1_2))];

/// A name, the number of columns, and a function that writes them.
type Shape = (&'static str, usize, fn(&mut Writer<'_>));

const SHAPES: [Shape; 4] =
    [("scalars", 4, scalars), ("nodes", 1, node), ("strings", 12, strings), ("times and points", 6, times)];

/// Every shape in every view, measured per row.
pub(crate) fn parts() -> impl Iterator<Item = Part> {
    SHAPES.into_iter().flat_map(|shape| VIEWS.into_iter().map(move |view| part(shape, view)))
}

fn part((shape, columns, write): Shape, (format, view): (&str, View)) -> Part {
    let mut fields = Vec::new();
    let mut writer = Writer::new(&mut fields);
    writer.list(columns);
    write(&mut writer);
    let work = move |times| {
        let mut out = BytesMut::with_capacity(2 * TAKEN_AT);
        for _ in 0..times {
            row(&mut out, black_box(&fields), columns, view)?;
            out.put_u8(b',');
            if out.len() > TAKEN_AT {
                black_box(&out);
                out.clear();
            }
        }
        Ok(())
    };
    Part { name: format!("row of {shape}, {format}"), unit: "row", units: 1.0, work: Box::new(work) }
}

/// An integer, a float, a short string and a longer one.
fn scalars(out: &mut Writer<'_>) {
    out.integer(123_456);
    out.float(0.123_456_789);
    out.string("Ada Lovelace");
    out.string("the first to see that the engine could do more than numbers");
}

/// One node with a label and ten properties.
fn node(out: &mut Writer<'_>) {
    out.structure(tag::NODE, 4);
    out.integer(123_456);
    out.list(1);
    out.string("Person");
    out.map(10);
    for (key, text) in [
        ("name", "Ada Lovelace"),
        ("email", "ada.lovelace@example.org"),
        ("city", "London"),
        ("country", "United Kingdom"),
        ("note", "the first to see that the engine could do more than numbers"),
    ] {
        out.string(key);
        out.string(text);
    }
    for (key, number) in [("born", 1815), ("visits", 7), ("id", 1_234_567_890_123)] {
        out.string(key);
        out.integer(number);
    }
    out.string("score");
    out.float(0.75);
    out.string("active");
    out.boolean(true);
    out.string("4:8a1d7d4e-6f0c-4a51-9d7c-2f1f5e0c9b11:123456");
}

/// Texts of 8 to 512 bytes, some with characters that need escapes, some not ASCII.
fn strings(out: &mut Writer<'_>) {
    for length in [1, 4, 16, 64] {
        out.string(&"plain by ".repeat(length));
        out.string(&"a \"b\"\n\t ".repeat(length));
        out.string(&"żółć, 図 ".repeat(length));
    }
}

fn times(out: &mut Writer<'_>) {
    for (tag, fields) in [
        (tag::DATE, &[16_520][..]),
        (tag::TIME, &[46_235_556_000_000, 3600]),
        (tag::LOCAL_DATE_TIME, &[1_436_038_344, 1]),
        (tag::DATE_TIME, &[1_435_146_635, 556_000_000, 3600]),
        (tag::DURATION, &[14, 25, 18_367, 890_000_000]),
    ] {
        // At most five.
        out.structure(tag, u8::try_from(fields.len()).unwrap_or_default());
        fields.iter().for_each(|&field| out.integer(field));
    }
    out.structure(tag::POINT_2D, 3);
    out.integer(4326);
    out.float(12.994_823);
    out.float(55.612_191);
}
