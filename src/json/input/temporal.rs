//! Dates and times in ISO 8601 text, in the syntax of Java's formatters.
//!
//! Promises to be exactly as strict as Neo4j: years from −999999999 to 999999999, with a sign if they have five digits
//! or more; up to nine decimals; offsets of up to 18 hours. Returns `None` for everything else.

use crate::bolt::zone;

/// The seconds of a day.
const DAY: i64 = 86_400;
const NANOS: i64 = 1_000_000_000;
/// The last year of Java's calendar; the first is its negative.
const LAST_YEAR: i64 = 999_999_999;

/// A moment, in UTC or local time: seconds since 1970-01-01 and nanoseconds.
pub(super) type Seconds = (i64, i64);

/// Reads a date as days since 1970-01-01.
pub(super) fn date(text: &str) -> Option<i64> {
    let mut cursor = Cursor::new(text);
    let date = cursor.date()?;
    cursor.at_end().then_some(date)
}

/// Reads a local time as nanoseconds of the day.
pub(super) fn local_time(text: &str) -> Option<i64> {
    let mut cursor = Cursor::new(text);
    let (seconds, nanos) = cursor.time()?;
    cursor.at_end().then_some(seconds * NANOS + nanos)
}

/// Reads a time as nanoseconds of the local day and an offset in seconds.
pub(super) fn time(text: &str) -> Option<(i64, i64)> {
    let mut cursor = Cursor::new(text);
    let (seconds, nanos) = cursor.time()?;
    let offset = cursor.offset(false)?;
    cursor.at_end().then_some((seconds * NANOS + nanos, offset))
}

/// Reads a local date and time.
pub(super) fn local_date_time(text: &str) -> Option<Seconds> {
    let mut cursor = Cursor::new(text);
    let moment = cursor.date_time()?;
    cursor.at_end().then_some(moment)
}

/// Reads a date and time with an offset: returns the moment in UTC and the offset in seconds.
pub(super) fn offset_date_time(text: &str) -> Option<(Seconds, i64)> {
    let mut cursor = Cursor::new(text);
    let (seconds, nanos) = cursor.date_time()?;
    let offset = cursor.offset(true)?;
    cursor.at_end().then_some(((seconds - offset, nanos), offset))
}

/// Reads a date and time with an offset and a zone: returns the moment in UTC and the zone's name. Only the offset
/// determines the moment, even if it is not the zone's.
pub(super) fn zoned_date_time(text: &str) -> Option<(Seconds, &str)> {
    let (moment, zone) = text.strip_suffix(']')?.split_once('[')?;
    let ((seconds, nanos), _) = offset_date_time(moment)?;
    if !zone::is_accepted(zone) {
        return None;
    }
    let wall = seconds + i64::from(zone::offset_at(zone, seconds)?);
    let years = days(-LAST_YEAR, 1, 1) * DAY..days(LAST_YEAR + 1, 1, 1) * DAY;
    years.contains(&wall).then_some(((seconds, nanos), zone))
}

/// The days from 1970-01-01 to a day of the proleptic Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Counts years from March, which makes the leap day the last day of the year.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn days_of_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A cursor over the bytes of a text. Cheap to clone for lookahead.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text.as_bytes() }
    }

    pub(super) fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Consumes and returns the next byte if it is one of `bytes`.
    pub(super) fn accept(&mut self, bytes: &[u8]) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        bytes.contains(first).then(|| {
            self.rest = rest;
            *first
        })
    }

    /// Consumes exactly `count` digits.
    pub(super) fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        let value = value(digits)?;
        self.rest = rest;
        Some(value)
    }

    /// Consumes all digits that come next.
    pub(super) fn run(&mut self) -> &'a [u8] {
        let length = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at_checked(length).unwrap_or_default();
        self.rest = rest;
        digits
    }

    /// Consumes a two-digit number of at most `most`.
    pub(super) fn pair(&mut self, most: i64) -> Option<i64> {
        self.digits(2).filter(|value| *value <= most)
    }

    fn year(&mut self) -> Option<i64> {
        let sign = self.accept(b"+-");
        let digits = self.run();
        let year = value(digits).filter(|_| digits.len() <= 10)?;
        let year = match (sign, digits.len(), year) {
            (None, 4, _) | (Some(b'+'), 5.., _) => year,
            (Some(b'-'), 4.., 1..) => -year,
            _ => return None,
        };
        (-LAST_YEAR..=LAST_YEAR).contains(&year).then_some(year)
    }

    fn date(&mut self) -> Option<i64> {
        let year = self.year()?;
        self.accept(b"-")?;
        let month = self.pair(12).filter(|month| *month > 0)?;
        self.accept(b"-")?;
        let day = self.pair(days_of_month(year, month)).filter(|day| *day > 0)?;
        Some(days(year, month, day))
    }

    fn time(&mut self) -> Option<Seconds> {
        let hour = self.pair(23)?;
        self.accept(b":")?;
        let minute = self.pair(59)?;
        let mut time = (hour * 3600 + minute * 60, 0);
        if self.accept(b":").is_some() {
            time.0 += self.pair(59)?;
            if self.accept(b".").is_some() {
                time.1 = nanos(self.run())?;
            }
        }
        Some(time)
    }

    fn date_time(&mut self) -> Option<Seconds> {
        let days = self.date()?;
        self.accept(b"Tt")?;
        let (seconds, nanos) = self.time()?;
        Some((days * DAY + seconds, nanos))
    }

    /// Consumes `Z` or `±HH:mm[:ss]`. The minutes are optional if `hours_alone` is set.
    fn offset(&mut self, hours_alone: bool) -> Option<i64> {
        let sign = match self.accept(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(0),
        };
        let mut offset = self.pair(18)? * 3600;
        if self.accept(b":").is_some() {
            offset += self.pair(59)? * 60;
            if self.accept(b":").is_some() {
                offset += self.pair(59)?;
            }
        } else if !hours_alone {
            return None;
        }
        (offset <= 18 * 3600).then_some(sign * offset)
    }
}

/// Parses digits. Returns `None` if there are none, for other bytes, and beyond 64 bits.
pub(super) fn value(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_i64, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| i64::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// Converts at most nine decimals of a second to nanoseconds.
pub(super) fn nanos(decimals: &[u8]) -> Option<i64> {
    let missing = 9_usize.checked_sub(decimals.len())?;
    let shown = if decimals.is_empty() { 0 } else { value(decimals)? };
    Some((0..missing).fold(shown, |value, _| value * 10))
}

#[cfg(test)]
#[path = "temporal_tests.rs"]
mod tests;
