//! Columns with one buffer, some of them with offsets.

use std::sync::Arc;

use arrow_array::{ArrayRef, ArrowPrimitiveType, BinaryArray, PrimitiveArray, StringArray};
use arrow_buffer::{ArrowNativeType, Buffer, NullBufferBuilder, OffsetBuffer};
use arrow_schema::ArrowError;
use bytes::BytesMut;

use super::Gauge;
use crate::{
    arrow::misfit::Refused,
    bolt::packstream::{DecodeError, Reader},
    json::{
        View,
        output::{RowError, value_within},
    },
};

/// Values of a fixed width.
pub(in crate::arrow) struct Fixed<T> {
    values: Vec<T>,
    nulls: NullBufferBuilder,
}

impl<T: ArrowNativeType> Default for Fixed<T> {
    fn default() -> Self {
        Self { values: Vec::new(), nulls: NullBufferBuilder::new(0) }
    }
}

impl<T: ArrowNativeType> Fixed<T> {
    #[inline]
    pub(super) fn push(&mut self, value: T, gauge: &mut Gauge) -> Result<(), Refused> {
        gauge.add(size_of::<T>())?;
        self.values.push(value);
        self.nulls.append_non_null();
        Ok(())
    }

    pub(super) fn push_null(&mut self, gauge: &mut Gauge) -> Result<(), Refused> {
        gauge.add(size_of::<T>())?;
        self.values.push(T::default());
        self.nulls.append_null();
        Ok(())
    }

    pub(super) fn array<A: ArrowPrimitiveType<Native = T>>(&mut self) -> PrimitiveArray<A> {
        let capacity = self.values.len();
        let values = std::mem::replace(&mut self.values, Vec::with_capacity(capacity));
        PrimitiveArray::new(values.into(), self.nulls.finish())
    }

    pub(super) fn finish<A: ArrowPrimitiveType<Native = T>>(&mut self) -> ArrayRef {
        Arc::new(self.array::<A>())
    }
}

/// The ends of values of any length within a buffer.
pub(super) struct Offsets {
    ends: Vec<i32>,
}

impl Default for Offsets {
    fn default() -> Self {
        Self { ends: vec![0] }
    }
}

impl Offsets {
    /// Ends a value at `end`.
    pub(super) fn push(&mut self, end: usize, gauge: &mut Gauge) -> Result<(), Refused> {
        gauge.add(size_of::<i32>())?;
        // A batch ends long before, since the gauge counts all that it has.
        self.ends.push(i32::try_from(end).map_err(|_| RowError::TooLong)?);
        Ok(())
    }

    /// Ends a value without anything in it.
    pub(super) fn push_empty(&mut self, gauge: &mut Gauge) -> Result<(), Refused> {
        gauge.add(size_of::<i32>())?;
        self.ends.push(self.ends.last().copied().unwrap_or(0));
        Ok(())
    }

    pub(super) fn finish(&mut self) -> OffsetBuffer<i32> {
        let mut next = Vec::with_capacity(self.ends.len());
        next.push(0);
        OffsetBuffer::new(std::mem::replace(&mut self.ends, next).into())
    }
}

/// Text or bytes.
#[derive(Default)]
pub(in crate::arrow) struct Text {
    bytes: BytesMut,
    offsets: Offsets,
    nulls: Nulls,
}

/// Which values are null.
pub(super) struct Nulls(pub(super) NullBufferBuilder);

impl Default for Nulls {
    fn default() -> Self {
        Self(NullBufferBuilder::new(0))
    }
}

impl Text {
    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8], gauge: &mut Gauge) -> Result<(), Refused> {
        gauge.add(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        self.end(gauge)
    }

    /// Appends the value at the reader as plain JSON.
    pub(super) fn push_json(&mut self, reader: &mut Reader<'_>, gauge: &mut Gauge) -> Result<(), Refused> {
        let start = self.bytes.len();
        value_within(&mut self.bytes, reader, View::Plain, start.saturating_add(gauge.room()))?;
        gauge.add(self.bytes.len() - start)?;
        self.end(gauge)
    }

    /// Appends the UUID at the reader as JSON has it, without quotes.
    pub(super) fn push_uuid(&mut self, reader: &mut Reader<'_>, gauge: &mut Gauge) -> Result<(), Refused> {
        const QUOTE: usize = 1;
        let start = self.bytes.len();
        value_within(&mut self.bytes, reader, View::Plain, usize::MAX)?;
        let end = self.bytes.len() - QUOTE;
        self.bytes.copy_within(start + QUOTE..end, start);
        self.bytes.truncate(end - QUOTE);
        gauge.add(self.bytes.len() - start)?;
        self.end(gauge)
    }

    /// Appends a map as a JSON object.
    pub(super) fn push_properties(&mut self, reader: &mut Reader<'_>, gauge: &mut Gauge) -> Result<(), Refused> {
        reader.clone().expect_map()?;
        self.push_json(reader, gauge)
    }

    /// Appends a number as text.
    pub(super) fn push_number(&mut self, number: i64, gauge: &mut Gauge) -> Result<(), Refused> {
        self.push(itoa::Buffer::new().format(number).as_bytes(), gauge)
    }

    pub(super) fn push_null(&mut self, gauge: &mut Gauge) -> Result<(), Refused> {
        self.offsets.push_empty(gauge)?;
        self.nulls.0.append_null();
        Ok(())
    }

    fn end(&mut self, gauge: &mut Gauge) -> Result<(), Refused> {
        self.offsets.push(self.bytes.len(), gauge)?;
        self.nulls.0.append_non_null();
        Ok(())
    }

    /// The number of values.
    pub(super) fn len(&self) -> usize {
        self.nulls.0.len()
    }

    pub(super) fn finish_text(&mut self) -> Result<ArrayRef, ArrowError> {
        let bytes = Buffer::from(self.bytes.split().freeze());
        Ok(Arc::new(StringArray::try_new(self.offsets.finish(), bytes, self.nulls.0.finish())?))
    }

    pub(super) fn finish_bytes(&mut self) -> Result<ArrayRef, ArrowError> {
        let bytes = Buffer::from(self.bytes.split().freeze());
        Ok(Arc::new(BinaryArray::try_new(self.offsets.finish(), bytes, self.nulls.0.finish())?))
    }
}

/// A value that has to be within 32 bits, such as the offset of a time.
pub(super) fn within_32_bits(value: i64, what: &'static str) -> Result<i32, Refused> {
    i32::try_from(value).map_err(|_| DecodeError::Value(what).into())
}
