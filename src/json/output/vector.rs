//! Vectors: coordinates of one type, encoded as consecutive big-endian bytes.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};

use super::error::RowError;
use super::{float, scalar};
use crate::bolt::packstream::DecodeError;
use crate::json::{TypedVersion, View};

/// Appends a vector. `kind` is the marker byte of the coordinates' type, `data` are the coordinates.
pub(super) fn vector(out: &mut BytesMut, view: View, kind: &[u8], data: &[u8]) -> Result<(), RowError> {
    let kind = coordinates_type(view, kind, data)?;
    open(out, view, kind);
    items(out, view, kind, data, true);
    out.extend_from_slice(closing(view));
    Ok(())
}

/// Returns the name of the coordinates' type, if the view can represent it and `data` is a whole number of coordinates.
pub(super) fn coordinates_type(view: View, kind: &[u8], data: &[u8]) -> Result<&'static str, RowError> {
    let (name, _) = coordinates(kind, data)?;
    if view == View::Typed(TypedVersion::V1_0) {
        return Err(RowError::Unsupported { type_name: Cow::Borrowed("VECTOR"), nested: false });
    }
    Ok(name)
}

/// The name of the coordinates' type and the number of bytes of each, if `data` is a whole number of coordinates.
pub(crate) fn coordinates(kind: &[u8], data: &[u8]) -> Result<(&'static str, usize), DecodeError> {
    let (name, width) = match kind {
        [0xC8] => ("INT8", 1),
        [0xC9] => ("INT16", 2),
        [0xCA] => ("INT32", 4),
        [0xCB] => ("INT64", 8),
        [0xC6] => ("FLOAT32", 4),
        [0xC1] => ("FLOAT64", 8),
        _ => return Err(DecodeError::Value("a vector with an unknown coordinate type")),
    };
    if data.len().is_multiple_of(width) {
        Ok((name, width))
    } else {
        Err(DecodeError::Value("a vector that ends inside a coordinate"))
    }
}

/// Begins the text of a vector.
pub(super) fn open(out: &mut BytesMut, view: View, kind: &'static str) {
    if view != View::Plain {
        scalar::open_typed(out, "Vector");
        out.extend_from_slice(b"{\"coordinatesType\":\"");
        out.extend_from_slice(kind.as_bytes());
        out.extend_from_slice(b"\",\"coordinates\":");
    }
    out.put_u8(b'[');
}

/// The text that ends a vector.
pub(super) fn closing(view: View) -> &'static [u8] {
    if view == View::Plain { b"]" } else { b"]}}" }
}

/// Appends whole coordinates; `first` says whether they are the first of their vector.
pub(super) fn items(out: &mut BytesMut, view: View, kind: &str, data: &[u8], first: bool) {
    let quote = view != View::Plain;
    let single = |out: &mut BytesMut, item| {
        let value = f32::from_be_bytes(item);
        // A number that JSON cannot represent is quoted even in the plain view.
        if quote || value.is_finite() { float::float(out, value) } else { scalar::plain_float(out, value.into()) }
    };
    let double = |out: &mut BytesMut, item| {
        let value = f64::from_be_bytes(item);
        if quote { float::double(out, value) } else { scalar::plain_float(out, value) }
    };
    let style = Style { first, quote };
    match kind {
        "INT8" => each(out, data, style, |out, item| scalar::integer(out, i8::from_be_bytes(item).into())),
        "INT16" => each(out, data, style, |out, item| scalar::integer(out, i16::from_be_bytes(item).into())),
        "INT32" => each(out, data, style, |out, item| scalar::integer(out, i32::from_be_bytes(item).into())),
        "INT64" => each(out, data, style, |out, item| scalar::integer(out, i64::from_be_bytes(item))),
        "FLOAT32" => each(out, data, style, single),
        _ => each(out, data, style, double),
    }
}

#[derive(Clone, Copy)]
struct Style {
    first: bool,
    quote: bool,
}

fn each<const WIDTH: usize>(out: &mut BytesMut, data: &[u8], style: Style, write: impl Fn(&mut BytesMut, [u8; WIDTH])) {
    let mut first = style.first;
    for &item in data.as_chunks::<WIDTH>().0 {
        if !std::mem::take(&mut first) {
            out.put_u8(b',');
        }
        if style.quote {
            scalar::quoted(out, |out| write(out, item));
        } else {
            write(out, item);
        }
    }
}
