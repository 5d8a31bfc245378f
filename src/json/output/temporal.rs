//! Dates and times in ISO 8601.
//!
//! The range is Java's: years ±999 999 999, offsets up to ±18 hours. Values outside of it are errors, because no client
//! could read them.

use bytes::{BufMut, BytesMut};

use crate::bolt::packstream::DecodeError;

const SECONDS_PER_DAY: i64 = 86_400;
const NANOS_PER_SECOND: i64 = 1_000_000_000;
/// The days from 1970-01-01 to -999999999-01-01 and to +999999999-12-31.
const DAYS: std::ops::RangeInclusive<i64> = -365_243_219_162..=365_241_780_471;
const MAX_OFFSET: i64 = 18 * 3600;

/// Appends a date, given as days since 1970-01-01.
pub(super) fn date(out: &mut BytesMut, days: i64) -> Result<(), DecodeError> {
    if !DAYS.contains(&days) {
        return Err(DecodeError::Value("a date beyond the years ±999999999"));
    }
    let (year, month, day) = civil(days);
    if (0..=9999).contains(&year) {
        let digit = |unit: i64| decimal_digit(year / unit);
        out.extend_from_slice(&[digit(1000), digit(100), digit(10), digit(1)]);
    } else {
        out.put_u8(if year < 0 { b'-' } else { b'+' });
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(year.unsigned_abs());
        out.extend_from_slice(b"0000".get(digits.len()..).unwrap_or_default());
        out.extend_from_slice(digits.as_bytes());
    }
    let ([m1, m2], [d1, d2]) = (two_digits(month), two_digits(day));
    out.extend_from_slice(&[b'-', m1, m2, b'-', d1, d2]);
    Ok(())
}

/// Appends a time of day, given as nanoseconds since midnight.
pub(super) fn local_time(out: &mut BytesMut, nanos: i64) -> Result<(), DecodeError> {
    time_in_range(nanos)?;
    time_of_day(out, nanos / NANOS_PER_SECOND, nanos % NANOS_PER_SECOND);
    Ok(())
}

/// Appends a local date and time, given as wall-clock seconds since 1970-01-01T00:00:00 and nanoseconds.
pub(super) fn local_date_time(out: &mut BytesMut, seconds: i64, nanos: i64) -> Result<(), DecodeError> {
    let (seconds, nanos) = normalised(seconds, nanos)?;
    date(out, seconds.div_euclid(SECONDS_PER_DAY))?;
    out.put_u8(b'T');
    time_of_day(out, seconds.rem_euclid(SECONDS_PER_DAY), nanos);
    Ok(())
}

/// Appends the wall-clock time and the offset of an instant, given as UTC seconds, nanoseconds and the offset.
pub(super) fn offset_date_time(
    out: &mut BytesMut,
    utc_seconds: i64,
    nanos: i64,
    offset_seconds: i64,
) -> Result<(), DecodeError> {
    offset_in_range(offset_seconds)?;
    let wall = utc_seconds.checked_add(offset_seconds).ok_or(BEYOND_TIME)?;
    local_date_time(out, wall, nanos)?;
    offset(out, offset_seconds)
}

/// Appends an offset: `Z`, `+01:00` or `-00:00:30`.
pub(super) fn offset(out: &mut BytesMut, seconds: i64) -> Result<(), DecodeError> {
    offset_in_range(seconds)?;
    if seconds == 0 {
        out.put_u8(b'Z');
        return Ok(());
    }
    let size = seconds.abs();
    let ([h1, h2], [m1, m2]) = (two_digits(size / 3600), two_digits(size / 60 % 60));
    out.extend_from_slice(&[if seconds < 0 { b'-' } else { b'+' }, h1, h2, b':', m1, m2]);
    if size % 60 != 0 {
        let [s1, s2] = two_digits(size % 60);
        out.extend_from_slice(&[b':', s1, s2]);
    }
    Ok(())
}

/// Appends `.` and up to nine digits without trailing zeros, or nothing if `nanos` is zero.
pub(super) fn fraction(out: &mut BytesMut, nanos: i64) {
    if nanos == 0 {
        return;
    }
    let mut digits = *b".000000000";
    let mut left = nanos;
    for place in digits.iter_mut().skip(1).rev() {
        *place = decimal_digit(left);
        left /= 10;
    }
    let significant = digits.iter().rposition(|&digit| digit != b'0').map_or(0, |last| last + 1);
    out.extend_from_slice(digits.get(..significant).unwrap_or_default());
}

/// Checks a time of day, in nanoseconds since midnight.
pub(crate) fn time_in_range(nanos: i64) -> Result<(), DecodeError> {
    if (0..SECONDS_PER_DAY * NANOS_PER_SECOND).contains(&nanos) {
        Ok(())
    } else {
        Err(DecodeError::Value("a time of day beyond 24 hours"))
    }
}

/// Servers may count nanoseconds back from the next second. Makes them count forward.
pub(crate) fn normalised(seconds: i64, nanos: i64) -> Result<(i64, i64), DecodeError> {
    if nanos.unsigned_abs() >= NANOS_PER_SECOND.unsigned_abs() {
        return Err(DecodeError::Value("a date-time with more nanoseconds than a second has"));
    }
    let seconds = seconds.checked_add(nanos.div_euclid(NANOS_PER_SECOND)).ok_or(BEYOND_TIME)?;
    Ok((seconds, nanos.rem_euclid(NANOS_PER_SECOND)))
}

/// Checks an offset, in seconds.
pub(crate) fn offset_in_range(offset_seconds: i64) -> Result<(), DecodeError> {
    if (-MAX_OFFSET..=MAX_OFFSET).contains(&offset_seconds) {
        Ok(())
    } else {
        Err(DecodeError::Value("an offset beyond 18 hours"))
    }
}

fn time_of_day(out: &mut BytesMut, second_of_day: i64, nanos: i64) {
    let [h1, h2] = two_digits(second_of_day / 3600);
    let [m1, m2] = two_digits(second_of_day / 60 % 60);
    let [s1, s2] = two_digits(second_of_day % 60);
    out.extend_from_slice(&[h1, h2, b':', m1, m2, b':', s1, s2]);
    fraction(out, nanos);
}

/// Converts to year, month and day of the proleptic Gregorian calendar (Howard Hinnant's `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    // Counts years from March, which makes the leap day the last day of a year. Eras have 400 years.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

fn two_digits(number: i64) -> [u8; 2] {
    [decimal_digit(number / 10), decimal_digit(number)]
}

/// The last decimal digit of a non-negative number.
fn decimal_digit(number: i64) -> u8 {
    b'0' + (number % 10).to_le_bytes()[0]
}

const BEYOND_TIME: DecodeError = DecodeError::Value("a date-time beyond the years ±999999999");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let (mut year, mut month, mut day) = (1600, 1, 1);
        for days in -135_140..=-135_140 + 146_097 {
            assert_eq!(civil(days), (year, month, day));
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month as usize - 1];
            (day, month) = if day == length { (1, month + 1) } else { (day + 1, month) };
            (month, year) = if month == 13 { (1, year + 1) } else { (month, year) };
        }
    }

    #[test]
    fn the_range_of_dates_matches_java() {
        for (days, text) in [(*DAYS.start(), "-999999999-01-01"), (*DAYS.end(), "+999999999-12-31")] {
            let mut out = BytesMut::new();
            date(&mut out, days).unwrap();
            assert_eq!(out, text);
        }
        for days in [*DAYS.start() - 1, *DAYS.end() + 1, i64::MIN, i64::MAX] {
            assert!(date(&mut BytesMut::new(), days).is_err());
        }
    }
}
