//! Columns of times, durations and points, whose values have several parts.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, StructArray,
    types::{Float64Type, Int32Type, Int64Type, Time64NanosecondType},
};
use arrow_buffer::NullBuffer;
use arrow_schema::{ArrowError, DataType, Fields};

use super::{
    Gauge,
    buffers::{Fixed, Nulls, Text, within_32_bits},
    instant, timestamps,
};
use crate::{
    arrow::{misfit::Refused, types::Unit},
    bolt::packstream::{DecodeError, Reader},
    json::output::parts::{Place, floats, integers, offset_in_range, srid_3d, time_in_range},
};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Times with an offset.
#[derive(Default)]
pub(in crate::arrow) struct Times {
    time: Fixed<i64>,
    offset: Fixed<i32>,
    nulls: Nulls,
}

impl Times {
    pub(super) fn push(&mut self, reader: &mut Reader<'_>, gauge: &mut Gauge) -> Result<(), Refused> {
        let [nanos, offset] = integers(reader)?;
        time_in_range(nanos)?;
        self.time.push(nanos, gauge)?;
        self.offset.push(checked_offset(offset)?, gauge)?;
        self.nulls.0.append_non_null();
        Ok(())
    }

    pub(super) fn push_null(&mut self, gauge: &mut Gauge) -> Result<(), Refused> {
        self.time.push_null(gauge)?;
        self.offset.push_null(gauge)?;
        self.nulls.0.append_null();
        Ok(())
    }

    pub(super) fn finish(&mut self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        let parts = vec![self.time.finish::<Time64NanosecondType>(), self.offset.finish::<Int32Type>()];
        structure(data_type, parts, self.nulls.0.finish())
    }
}

/// Date-times with offset and zone.
pub(in crate::arrow) struct Zoned {
    unit: Unit,
    instant: Fixed<i64>,
    offset: Fixed<i32>,
    zone: Text,
    nulls: Nulls,
}

impl Zoned {
    pub(super) fn new(unit: Unit) -> Self {
        Self {
            unit,
            instant: Fixed::default(),
            offset: Fixed::default(),
            zone: Text::default(),
            nulls: Nulls::default(),
        }
    }

    pub(super) fn push(
        &mut self,
        reader: &mut Reader<'_>,
        tag: u8,
        fields: usize,
        gauge: &mut Gauge,
    ) -> Result<(), Refused> {
        let (time, count) = instant(reader, tag, fields, self.unit)?;
        self.instant.push(count, gauge)?;
        self.offset.push(checked_offset(time.offset())?, gauge)?;
        match time.place {
            Place::Zone(name) => self.zone.push(name.as_bytes(), gauge)?,
            Place::Offset(_) => self.zone.push_null(gauge)?,
        }
        self.nulls.0.append_non_null();
        Ok(())
    }

    pub(super) fn push_null(&mut self, gauge: &mut Gauge) -> Result<(), Refused> {
        self.instant.push_null(gauge)?;
        self.offset.push_null(gauge)?;
        self.zone.push_null(gauge)?;
        self.nulls.0.append_null();
        Ok(())
    }

    pub(super) fn finish(&mut self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        let instant = timestamps(&mut self.instant, self.unit, true);
        let parts = vec![instant, self.offset.finish::<Int32Type>(), self.zone.finish_text()?];
        structure(data_type, parts, self.nulls.0.finish())
    }
}

/// Durations.
#[derive(Default)]
pub(in crate::arrow) struct Durations {
    months: Fixed<i64>,
    days: Fixed<i64>,
    seconds: Fixed<i64>,
    nanoseconds: Fixed<i32>,
    nulls: Nulls,
}

impl Durations {
    pub(super) fn push(&mut self, reader: &mut Reader<'_>, gauge: &mut Gauge) -> Result<(), Refused> {
        let [months, days, seconds, nanos] = integers(reader)?;
        // As Neo4j has it: nanoseconds count forward, and there are fewer of them than a second has.
        let seconds = seconds
            .checked_add(nanos.div_euclid(NANOS_PER_SECOND))
            .ok_or(DecodeError::Value("a duration beyond 64 bits of seconds"))?;
        let nanos = within_32_bits(nanos.rem_euclid(NANOS_PER_SECOND), "a duration beyond 64 bits of seconds")?;
        self.months.push(months, gauge)?;
        self.days.push(days, gauge)?;
        self.seconds.push(seconds, gauge)?;
        self.nanoseconds.push(nanos, gauge)?;
        self.nulls.0.append_non_null();
        Ok(())
    }

    pub(super) fn push_null(&mut self, gauge: &mut Gauge) -> Result<(), Refused> {
        self.months.push_null(gauge)?;
        self.days.push_null(gauge)?;
        self.seconds.push_null(gauge)?;
        self.nanoseconds.push_null(gauge)?;
        self.nulls.0.append_null();
        Ok(())
    }

    pub(super) fn finish(&mut self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        let parts = vec![
            self.months.finish::<Int64Type>(),
            self.days.finish::<Int64Type>(),
            self.seconds.finish::<Int64Type>(),
            self.nanoseconds.finish::<Int32Type>(),
        ];
        structure(data_type, parts, self.nulls.0.finish())
    }
}

/// Points of two or three dimensions.
#[derive(Default)]
pub(in crate::arrow) struct Points {
    srid: Fixed<i32>,
    x: Fixed<f64>,
    y: Fixed<f64>,
    z: Fixed<f64>,
    nulls: Nulls,
}

impl Points {
    pub(super) fn push(&mut self, reader: &mut Reader<'_>, has_height: bool, gauge: &mut Gauge) -> Result<(), Refused> {
        let srid = reader.expect_integer()?;
        let srid = within_32_bits(if has_height { srid_3d(srid) } else { srid }, "a point with an unknown SRID")?;
        let [x, y] = floats(reader)?;
        self.srid.push(srid, gauge)?;
        self.x.push(x, gauge)?;
        self.y.push(y, gauge)?;
        if has_height {
            let [z] = floats(reader)?;
            self.z.push(z, gauge)?;
        } else {
            self.z.push_null(gauge)?;
        }
        self.nulls.0.append_non_null();
        Ok(())
    }

    pub(super) fn push_null(&mut self, gauge: &mut Gauge) -> Result<(), Refused> {
        self.srid.push_null(gauge)?;
        self.x.push_null(gauge)?;
        self.y.push_null(gauge)?;
        self.z.push_null(gauge)?;
        self.nulls.0.append_null();
        Ok(())
    }

    pub(super) fn finish(&mut self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        let parts = vec![
            self.srid.finish::<Int32Type>(),
            self.x.finish::<Float64Type>(),
            self.y.finish::<Float64Type>(),
            self.z.finish::<Float64Type>(),
        ];
        structure(data_type, parts, self.nulls.0.finish())
    }
}

/// Puts parts together.
pub(super) fn structure(
    data_type: &DataType,
    parts: Vec<ArrayRef>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, ArrowError> {
    let fields = if let DataType::Struct(fields) = data_type { fields.clone() } else { Fields::empty() };
    Ok(Arc::new(StructArray::try_new(fields, parts, nulls)?))
}

fn checked_offset(offset: i64) -> Result<i32, Refused> {
    offset_in_range(offset)?;
    within_32_bits(offset, "an offset beyond 18 hours")
}
