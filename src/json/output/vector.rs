//! Vectors: coordinates of one type, sent as one run of big-endian bytes.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};

use super::error::RowError;
use super::{float, scalar};
use crate::bolt::packstream::DecodeError;
use crate::json::{TypedVersion, View};

/// Appends a vector. `kind` is the marker byte of the coordinates' type, `data` their bytes.
pub(super) fn vector(out: &mut BytesMut, view: View, kind: &[u8], data: &[u8]) -> Result<(), RowError> {
    let name = match kind {
        [0xC8] => "INT8",
        [0xC9] => "INT16",
        [0xCA] => "INT32",
        [0xCB] => "INT64",
        [0xC6] => "FLOAT32",
        [0xC1] => "FLOAT64",
        _ => return Err(DecodeError::Value("a vector of an unknown type of coordinates").into()),
    };
    match view {
        View::Plain => Ok(coordinates(out, name, data, false)?),
        View::Typed(TypedVersion::V1_0) => {
            Err(RowError::Unsupported { type_name: Cow::Borrowed("VECTOR"), nested: false })
        }
        View::Typed(_) => {
            scalar::open_typed(out, "Vector");
            out.extend_from_slice(b"{\"coordinatesType\":\"");
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\",\"coordinates\":");
            coordinates(out, name, data, true)?;
            out.extend_from_slice(b"}}");
            Ok(())
        }
    }
}

fn coordinates(out: &mut BytesMut, name: &str, data: &[u8], quote: bool) -> Result<(), DecodeError> {
    let single = |out: &mut BytesMut, item| {
        let value = f32::from_be_bytes(item);
        // A plain number is quoted after all if JSON has no number for it.
        if quote || value.is_finite() { float::float(out, value) } else { scalar::plain_float(out, value.into()) }
    };
    let double = |out: &mut BytesMut, item| {
        let value = f64::from_be_bytes(item);
        if quote { float::double(out, value) } else { scalar::plain_float(out, value) }
    };
    match name {
        "INT8" => each(out, data, quote, |out, item| scalar::integer(out, i8::from_be_bytes(item).into())),
        "INT16" => each(out, data, quote, |out, item| scalar::integer(out, i16::from_be_bytes(item).into())),
        "INT32" => each(out, data, quote, |out, item| scalar::integer(out, i32::from_be_bytes(item).into())),
        "INT64" => each(out, data, quote, |out, item| scalar::integer(out, i64::from_be_bytes(item))),
        "FLOAT32" => each(out, data, quote, single),
        _ => each(out, data, quote, double),
    }
}

fn each<const WIDTH: usize>(
    out: &mut BytesMut,
    data: &[u8],
    quote: bool,
    write: impl Fn(&mut BytesMut, [u8; WIDTH]),
) -> Result<(), DecodeError> {
    let (items, incomplete) = data.as_chunks::<WIDTH>();
    if !incomplete.is_empty() {
        return Err(DecodeError::Value("a vector that ends inside a coordinate"));
    }
    out.put_u8(b'[');
    for (position, &item) in items.iter().enumerate() {
        if position > 0 {
            out.put_u8(b',');
        }
        if quote {
            scalar::quoted(out, |out| write(out, item));
        } else {
            write(out, item);
        }
    }
    out.put_u8(b']');
    Ok(())
}
