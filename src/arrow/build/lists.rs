//! Columns of lists and vectors.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, ArrowPrimitiveType, FixedSizeListArray, ListArray, PrimitiveArray,
    types::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type},
};
use arrow_buffer::{Buffer, MutableBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};

use super::{
    Builder, Gauge,
    buffers::{Nulls, Offsets},
};
use crate::{
    arrow::{
        misfit::{Refused, Why},
        types::{Column, Vector},
    },
    bolt::packstream::{DecodeError, Reader, Token},
    json::output::parts::coordinates,
};

/// Lists.
pub(in crate::arrow) struct Lists {
    items: Builder,
    count: usize,
    offsets: Offsets,
    nulls: Nulls,
}

impl Lists {
    pub(super) fn new(items: &Column) -> Self {
        Self { items: Builder::new(items), count: 0, offsets: Offsets::default(), nulls: Nulls::default() }
    }

    pub(super) fn push<'a>(
        &mut self,
        items: usize,
        reader: &mut Reader<'a>,
        record: &'a [u8],
        gauge: &mut Gauge,
    ) -> Result<(), Refused> {
        for _ in 0..items {
            self.items.append(reader, record, gauge)?;
        }
        self.count += items;
        self.offsets.push(self.count, gauge)?;
        self.nulls.0.append_non_null();
        Ok(())
    }

    pub(super) fn push_null(&mut self, gauge: &mut Gauge) -> Result<(), Refused> {
        self.offsets.push_empty(gauge)?;
        self.nulls.0.append_null();
        Ok(())
    }

    pub(super) fn finish(&mut self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        self.count = 0;
        let items = self.items.finish(item_type(data_type))?;
        list(data_type, self.offsets.finish(), items, self.nulls.0.finish())
    }
}

/// The type of a list's items.
pub(super) fn item_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::List(item) | DataType::FixedSizeList(item, _) => item.data_type(),
        other => other,
    }
}

/// Puts a column of lists together.
pub(super) fn list(
    data_type: &DataType,
    offsets: OffsetBuffer<i32>,
    items: ArrayRef,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, ArrowError> {
    match data_type {
        DataType::List(item) => Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, items, nulls)?)),
        other => Err(ArrowError::SchemaError(format!("{other} is not a list"))),
    }
}

/// Vectors of one type of coordinates.
pub(in crate::arrow) struct Vectors {
    vector: Vector,
    /// The coordinates, in the byte order of this machine.
    data: MutableBuffer,
    count: usize,
    /// Empty if all vectors have the same length.
    offsets: Offsets,
    nulls: Nulls,
}

impl Vectors {
    pub(super) fn new(vector: Vector) -> Self {
        Self { vector, data: MutableBuffer::new(0), count: 0, offsets: Offsets::default(), nulls: Nulls::default() }
    }

    pub(super) fn push(&mut self, reader: &mut Reader<'_>, gauge: &mut Gauge) -> Result<(), Refused> {
        let (Token::Bytes(kind), Token::Bytes(data)) = (reader.token()?, reader.token()?) else {
            return Err(DecodeError::Value("a vector that is not made of bytes").into());
        };
        let (name, width) = coordinates(kind, data)?;
        let length = data.len() / width;
        if name != self.vector.coordinates || self.vector.length.is_some_and(|expected| expected != length) {
            return Err(Refused::misfit("Vector", Why::Length));
        }
        gauge.add(data.len() + 1)?;
        match width {
            1 => self.data.extend_from_slice(data),
            2 => each::<2>(&mut self.data, data),
            4 => each::<4>(&mut self.data, data),
            _ => each::<8>(&mut self.data, data),
        }
        self.end(length, gauge)?;
        self.nulls.0.append_non_null();
        Ok(())
    }

    pub(super) fn push_null(&mut self, gauge: &mut Gauge) -> Result<(), Refused> {
        let length = self.vector.length.unwrap_or(0);
        let bytes = length.saturating_mul(width(self.vector.coordinates));
        gauge.add(bytes.saturating_add(1))?;
        self.data.extend_zeros(bytes);
        self.end(length, gauge)?;
        self.nulls.0.append_null();
        Ok(())
    }

    fn end(&mut self, length: usize, gauge: &mut Gauge) -> Result<(), Refused> {
        self.count += length;
        if self.vector.length.is_none() { self.offsets.push(self.count, gauge) } else { Ok(()) }
    }

    pub(super) fn finish(&mut self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        let next = MutableBuffer::new(self.data.len());
        let data = Buffer::from(std::mem::replace(&mut self.data, next));
        let (count, rows) = (std::mem::take(&mut self.count), self.nulls.0.len());
        let nulls = self.nulls.0.finish();
        let items = match self.vector.coordinates {
            "INT8" => array::<Int8Type>(data, count),
            "INT16" => array::<Int16Type>(data, count),
            "INT32" => array::<Int32Type>(data, count),
            "INT64" => array::<Int64Type>(data, count),
            "FLOAT32" => array::<Float32Type>(data, count),
            _ => array::<Float64Type>(data, count),
        };
        match data_type {
            DataType::FixedSizeList(item, length) => {
                Ok(Arc::new(FixedSizeListArray::try_new_with_length(Arc::clone(item), *length, items, nulls, rows)?))
            }
            other => list(other, self.offsets.finish(), items, nulls),
        }
    }
}

fn array<A: ArrowPrimitiveType>(data: Buffer, count: usize) -> ArrayRef {
    Arc::new(PrimitiveArray::<A>::new(ScalarBuffer::new(data, 0, count), None))
}

/// Appends big-endian numbers in the byte order of this machine.
fn each<const WIDTH: usize>(out: &mut MutableBuffer, data: &[u8]) {
    for &number in data.as_chunks::<WIDTH>().0 {
        let mut number: [u8; WIDTH] = number;
        if cfg!(target_endian = "little") {
            number.reverse();
        }
        out.extend_from_slice(&number);
    }
}

fn width(coordinates: &str) -> usize {
    match coordinates {
        "INT8" => 1,
        "INT16" => 2,
        "INT32" | "FLOAT32" => 4,
        _ => 8,
    }
}
