//! Dates, times and durations: the ranges that servers accept, and the encoding of date-times for old servers.

use super::validate::{Reason, Validator, malformed};
use crate::{
    bolt::{packstream::tag, zone},
    value_path::shortened,
};

const DAY: i64 = 86_400;
const NANOS: i64 = 1_000_000_000;
/// The seconds in Memgraph's month.
const MONTH: i128 = 2_629_746;
/// The years 0 to 9999 in seconds since 1970-01-01.
const YEARS: std::ops::Range<i64> = -62_167_219_200..253_402_300_800;
const OUTSIDE_YEARS: &str = "this database supports only the years 0 to 9999";
const BEYOND_MICROS: &str = "it exceeds 64 bits of microseconds, the unit of this database";

impl Validator<'_, '_> {
    pub(super) fn date(&mut self) -> Result<(), Reason> {
        let days = self.integer()?;
        self.confined(YEARS.contains(&days.saturating_mul(DAY)), || OUTSIDE_YEARS.into())
    }

    pub(super) fn local_time(&mut self) -> Result<(), Reason> {
        let nanos = self.integer()?;
        self.confined((0..DAY * NANOS).contains(&nanos), || {
            "the time is not within a day; this database would close the connection".into()
        })
    }

    pub(super) fn time(&mut self) -> Result<(), Reason> {
        let (_, offset) = (self.integer()?, self.integer()?);
        if !self.accepts.zoned_time {
            return Err(
                "this database does not support times with an offset; send a string and convert it in the statement"
                    .into(),
            );
        }
        within_offsets(offset)
    }

    pub(super) fn local_date_time(&mut self) -> Result<(), Reason> {
        let (seconds, nanos) = (self.integer()?, self.integer()?);
        self.confined(YEARS.contains(&seconds) && (0..NANOS).contains(&nanos), || OUTSIDE_YEARS.into())?;
        self.confined(seconds >= 0 || seconds % DAY == 0, || {
            "this database does not support local date-times before 1970 unless they are at midnight; send a string \
             and write localDateTime($…) in the statement"
                .into()
        })
    }

    pub(super) fn date_time(&mut self, before: usize) -> Result<(), Reason> {
        let (seconds, nanos, offset) = (self.integer()?, self.integer()?, self.integer()?);
        within_offsets(offset)?;
        self.confined(offset % 60 == 0, || {
            "this database supports only offsets of whole minutes; send the moment with another offset".into()
        })?;
        self.confined(in_micros(seconds.into()), || BEYOND_MICROS.into())?;
        if !self.accepts.utc {
            let mut out = self.rewrite(before);
            out.structure(tag::LEGACY_DATE_TIME, 3);
            out.integer(seconds.saturating_add(offset));
            out.integer(nanos);
            out.integer(offset);
        }
        Ok(())
    }

    pub(super) fn date_time_zone(&mut self, before: usize) -> Result<(), Reason> {
        let (seconds, nanos) = (self.integer()?, self.integer()?);
        let name = self.reader.expect_string().map_err(malformed)?;
        let unknown = || {
            format!(
                "time zone \"{}\" is not known; use a region of the tz database, such as Europe/Berlin, or an offset",
                shortened(name, 60)
            )
            .into()
        };
        self.confined(zone::is_region(name), unknown)?;
        self.confined(in_micros(seconds.into()), || BEYOND_MICROS.into())?;
        if !self.accepts.utc {
            let offset = zone::offset_at(name, seconds).ok_or_else(unknown)?;
            if is_second_of_two(name, seconds, offset) {
                return Err(
                    "this moment's wall-clock time occurs twice in its zone, and this database would take the earlier \
                     one; send it with an offset instead of a zone"
                        .into(),
                );
            }
            let mut out = self.rewrite(before);
            out.structure(tag::LEGACY_DATE_TIME_ZONE, 3);
            out.integer(seconds.saturating_add(offset.into()));
            out.integer(nanos);
            out.string(name);
        }
        Ok(())
    }

    /// Checks that Memgraph can store the duration: as one number of microseconds.
    pub(super) fn duration(&mut self) -> Result<(), Reason> {
        let (months, days) = (i128::from(self.integer()?), i128::from(self.integer()?));
        let (seconds, nanos) = (i128::from(self.integer()?), i128::from(self.integer()?));
        let total = months * MONTH + days * i128::from(DAY) + seconds + nanos / i128::from(NANOS);
        self.confined(in_micros(total), || BEYOND_MICROS.into())
    }
}

fn in_micros(seconds: i128) -> bool {
    i64::try_from(seconds * 1_000_000).is_ok()
}

/// Whether the clocks of `zone` had shown the same time before they were put back.
fn is_second_of_two(zone: &str, seconds: i64, offset: i32) -> bool {
    let before = zone::offset_at(zone, seconds.saturating_sub(DAY)).unwrap_or(offset);
    let first = seconds.saturating_add(i64::from(offset) - i64::from(before));
    before > offset && zone::offset_at(zone, first) == Some(before)
}

/// Refuses offsets for which every server closes the connection.
fn within_offsets(offset: i64) -> Result<(), Reason> {
    if (-64_800..=64_800).contains(&offset) {
        return Ok(());
    }
    Err("the offset is more than 18 hours, which no time zone has".into())
}
