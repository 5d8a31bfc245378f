//! Temporal values as Java prints them: seconds only where they are not zero, fractions in groups of three digits, and
//! a time zone's name after the offset.

use bytes::{BufMut, BytesMut};

use crate::bolt::packstream::{DecodeError, Reader, tag};
use crate::bolt::zone;
use crate::json::output::graph::name;
use crate::json::output::{duration, scalar, temporal, text};

/// Appends the temporal value or duration with this tag, whose fields come next in the reader.
pub(super) fn write(out: &mut BytesMut, reader: &mut Reader<'_>, tag: u8, count: usize) -> Result<(), DecodeError> {
    scalar::quoted(out, |out| quoted(out, reader, tag, count))
}

fn quoted(out: &mut BytesMut, reader: &mut Reader<'_>, tag: u8, count: usize) -> Result<(), DecodeError> {
    let start = out.len();
    let offset = match (tag, count) {
        (tag::DURATION, 4) => {
            let [months, days, seconds, nanos] = integers(reader)?;
            return duration::duration(out, months, days, seconds, nanos);
        }
        (tag::DATE, 1) => return temporal::date(out, reader.expect_integer()?),
        (tag::LOCAL_TIME, 1) => {
            temporal::local_time(out, reader.expect_integer()?)?;
            None
        }
        (tag::TIME, 2) => {
            let [nanos, offset] = integers(reader)?;
            temporal::local_time(out, nanos)?;
            Some((offset, None))
        }
        (tag::LOCAL_DATE_TIME, 2) => {
            let [seconds, nanos] = integers(reader)?;
            temporal::local_date_time(out, seconds, nanos)?;
            None
        }
        (tag::DATE_TIME | tag::LEGACY_DATE_TIME, 3) => {
            let [seconds, nanos, offset] = integers(reader)?;
            let wall = if tag == tag::LEGACY_DATE_TIME { Some(seconds) } else { seconds.checked_add(offset) };
            temporal::local_date_time(out, wall.ok_or(BEYOND)?, nanos)?;
            Some((offset, None))
        }
        (tag::DATE_TIME_ZONE | tag::LEGACY_DATE_TIME_ZONE, 3) => {
            let [seconds, nanos] = integers(reader)?;
            let zone = name(reader)?;
            let is_wall_clock = tag == tag::LEGACY_DATE_TIME_ZONE;
            let utc = if is_wall_clock { zone::instant_of_wall_clock(zone, seconds) } else { Some(seconds) };
            let utc = utc.ok_or(DecodeError::Value("a wall-clock time in an unknown time zone"))?;
            // The instant is known even if the zone is not, so it is shown in UTC.
            let offset = zone::offset_at(zone, utc).map_or(0, i64::from);
            temporal::local_date_time(out, utc.checked_add(offset).ok_or(BEYOND)?, nanos)?;
            Some((offset, Some(zone)))
        }
        _ => return Err(DecodeError::Value("a structure that is unknown to every Bolt version")),
    };
    shorten(out, start);
    if let Some((offset, zone)) = offset {
        temporal::offset(out, offset)?;
        if let Some(zone) = zone {
            out.put_u8(b'[');
            text::escaped(out, zone);
            out.put_u8(b']');
        }
    }
    Ok(())
}

const BEYOND: DecodeError = DecodeError::Value("a date-time beyond the years ±999999999");

/// Turns `…:00` at the end of a time of day into nothing, and fills its fraction up to a multiple of three digits.
fn shorten(out: &mut BytesMut, start: usize) {
    let time = out.get(start..).unwrap_or_default();
    match time.iter().rposition(|byte| *byte == b'.') {
        Some(point) => {
            let digits = time.len() - point - 1;
            out.extend_from_slice(b"00".get(..(3 - digits % 3) % 3).unwrap_or_default());
        }
        None if time.ends_with(b":00") => out.truncate(out.len() - 3),
        None => {}
    }
}

fn integers<const N: usize>(reader: &mut Reader<'_>) -> Result<[i64; N], DecodeError> {
    let mut values = [0; N];
    for value in &mut values {
        *value = reader.expect_integer()?;
    }
    Ok(values)
}
