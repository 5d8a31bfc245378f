//! Durations in text, in Neo4j's syntax: ISO 8601 with signs, weeks next to other units, and decimals.
//!
//! Promises exact arithmetic: decimals of a unit are converted to nanoseconds without intermediate rounding (a month
//! has 2 629 746 s). Neo4j computes with floats and may be a few nanoseconds off.

use super::temporal::{Cursor, nanos, value};

/// The four fields of a duration in PackStream. Nanoseconds are never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Duration {
    pub months: i64,
    pub days: i64,
    pub seconds: i64,
    pub nanos: i64,
}

const NANOS: i128 = 1_000_000_000;
const DAY: i128 = 86_400;
/// The seconds of an average month, a twelfth of 365.2425 days.
const MONTH: i128 = 2_629_746;

/// The sum of each kind of unit in billionths, which makes nine decimals whole numbers.
#[derive(Debug, Default)]
struct Sums {
    months: i128,
    days: i128,
    seconds: i128,
}

/// Reads a duration, written with unit letters or as a date and time.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let mut cursor = Cursor::new(text);
    let negative = cursor.accept(b"+-") == Some(b'-');
    cursor.accept(b"Pp")?;
    let rest = text.get(text.find(['P', 'p'])? + 1..)?;
    let sums = units(rest).or_else(|| date_and_time(rest))?;
    sums.into_duration(if negative { -1 } else { 1 })
}

impl Sums {
    /// Converts to whole months and days and the rest in seconds. Returns `None` if the total exceeds 64 bits of
    /// seconds.
    fn into_duration(self, sign: i128) -> Option<Duration> {
        let (months, part_of_month) = (self.months / NANOS, self.months % NANOS);
        // Billionths of a month times its seconds are nanoseconds. The same goes for days below.
        let (more_days, mut nanos) = {
            let nanos = part_of_month * MONTH;
            (nanos / (DAY * NANOS), nanos % (DAY * NANOS))
        };
        let days = self.days / NANOS + more_days;
        nanos += self.days % NANOS * DAY + self.seconds;
        let (months, days, nanos) = (sign * months, sign * days, sign * nanos);
        let seconds = nanos.div_euclid(NANOS);
        i64::try_from(months * MONTH + days * DAY + seconds).ok()?;
        Some(Duration {
            months: i64::try_from(months).ok()?,
            days: i64::try_from(days).ok()?,
            seconds: i64::try_from(seconds).ok()?,
            nanos: i64::try_from(nanos.rem_euclid(NANOS)).ok()?,
        })
    }
}

/// Reads `[nY][nM][nW][nD][T[nH][nM][nS]]`: in this order, at least one unit, decimals only on the last.
fn units(text: &str) -> Option<Sums> {
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut sums = Sums::default();
    let mut decimals = false;
    let mut cursor = Cursor::new(date);
    for letter in [b"Yy", b"Mm", b"Ww", b"Dd"] {
        let Some(amount) = amount(&mut cursor, letter, &mut decimals)? else {
            continue;
        };
        match letter {
            b"Yy" => sums.months += 12 * amount,
            b"Mm" => sums.months += amount,
            b"Ww" => sums.days += 7 * amount,
            _ => sums.days += amount,
        }
    }
    let mut complete = cursor.at_end() && (time.is_some() || !date.is_empty());
    if let Some(time) = time {
        cursor = Cursor::new(time);
        for (letter, seconds) in [(b"Hh", 3600), (b"Mm", 60), (b"Ss", 1)] {
            if let Some(amount) = amount(&mut cursor, letter, &mut decimals)? {
                sums.seconds += seconds * amount;
            }
        }
        complete &= cursor.at_end() && !time.is_empty();
    }
    complete.then_some(sums)
}

/// Reads the amount of the unit with this letter, in billionths, or returns `Some(None)` if another unit comes next.
/// `decimals` says whether an earlier unit had decimals, and is set if this one has.
#[expect(clippy::option_option, reason = "the outer option is the failure")]
fn amount(cursor: &mut Cursor<'_>, letter: &[u8], decimals: &mut bool) -> Option<Option<i128>> {
    let mut ahead = cursor.clone();
    let negative = ahead.accept(b"+-") == Some(b'-');
    let whole = ahead.run();
    let fraction = if ahead.accept(b".,").is_some() { Some(ahead.run()) } else { None };
    if ahead.accept(letter).is_none() {
        return Some(None);
    }
    if *decimals || fraction.is_some_and(<[u8]>::is_empty) {
        return None;
    }
    *decimals = fraction.is_some();
    let amount = magnitude(whole, negative)? * NANOS + i128::from(nanos(fraction.unwrap_or_default())?);
    *cursor = ahead;
    Some(Some(if negative { -amount } else { amount }))
}

/// Parses digits that fit in 64 bits together with their sign.
fn magnitude(digits: &[u8], negative: bool) -> Option<i128> {
    let least = 1_u64 << 63;
    let text = str::from_utf8(digits).ok()?;
    text.parse::<u64>().ok().filter(|value| *value < least || negative && *value == least).map(i128::from)
}

/// Reads `yyyy-MM-dd`, `THH[:mm[:ss[.n]]]` or both, each with all of its separators or none.
fn date_and_time(text: &str) -> Option<Sums> {
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut sums = Sums::default();
    if !date.is_empty() || time.is_none() {
        let mut cursor = Cursor::new(date);
        let year = cursor.digits(4)?;
        let separated = cursor.accept(b"-").is_some();
        let month = cursor.pair(12)?;
        if separated != cursor.accept(b"-").is_some() {
            return None;
        }
        let day = cursor.pair(31).filter(|_| cursor.at_end())?;
        sums.months = i128::from(12 * year + month) * NANOS;
        sums.days = i128::from(day) * NANOS;
    }
    if let Some(time) = time {
        sums.seconds = clock(time)?;
    }
    Some(sums)
}

/// Reads a time of day in nanoseconds. Accepts 24 hours and 60 minutes or seconds.
fn clock(text: &str) -> Option<i128> {
    let mut cursor = Cursor::new(text);
    let mut seconds = cursor.pair(24)? * 3600;
    let mut decimals = 0;
    if !cursor.at_end() {
        let separated = cursor.accept(b":").is_some();
        seconds += cursor.pair(60)? * 60;
        if !cursor.at_end() {
            if separated != cursor.accept(b":").is_some() {
                return None;
            }
            seconds += cursor.pair(60)?;
            if cursor.accept(b".,").is_some() {
                let digits = cursor.run();
                value(digits)?;
                decimals = nanos(digits)?;
            }
        }
    }
    cursor.at_end().then_some(i128::from(seconds) * NANOS + i128::from(decimals))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(i64, i64, i64, i64)> {
        duration(text).map(|value| (value.months, value.days, value.seconds, value.nanos))
    }

    #[test]
    fn units_in_every_form() {
        for (text, expected) in [
            ("PT0S", (0, 0, 0, 0)),
            ("P1Y", (12, 0, 0, 0)),
            ("-P1Y", (-12, 0, 0, 0)),
            ("+P1Y", (12, 0, 0, 0)),
            ("-P-1Y", (12, 0, 0, 0)),
            ("P+1Y", (12, 0, 0, 0)),
            ("p1y", (12, 0, 0, 0)),
            ("P1Y1W", (12, 7, 0, 0)),
            ("P14DT16H12M", (0, 14, 58_320, 0)),
            ("P1Y1M1W1DT1H1M1S", (13, 8, 3661, 0)),
            ("P00001Y", (12, 0, 0, 0)),
            ("P1Y-1M", (11, 0, 0, 0)),
            ("PT1H-1M", (0, 0, 3540, 0)),
            ("PT-0.5S", (0, 0, -1, 500_000_000)),
            ("-PT-0.5S", (0, 0, 0, 500_000_000)),
            ("PT0.123456789S", (0, 0, 0, 123_456_789)),
            ("PT-0.000000001S", (0, 0, -1, 999_999_999)),
            ("PT60.5S", (0, 0, 60, 500_000_000)),
            ("PT9223372036854775807.999999999S", (0, 0, i64::MAX, 999_999_999)),
            ("PT-9223372036854775808S", (0, 0, i64::MIN, 0)),
            ("P3507324295523M", (3_507_324_295_523, 0, 0, 0)),
            ("P106751991167300DT15H30M7S", (0, 106_751_991_167_300, 55_807, 0)),
        ] {
            assert_eq!(parts(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn decimals_are_converted_to_smaller_units() {
        for (text, expected) in [
            ("P1.5Y", (18, 0, 0, 0)),
            ("P1,5Y", (18, 0, 0, 0)),
            ("P0.75M", (0, 22, 71_509, 500_000_000)),
            ("P2.5W", (0, 17, 43_200, 0)),
            ("-P2.5W", (0, -17, -43_200, 0)),
            ("PT1.1H", (0, 0, 3960, 0)),
            ("P1.1D", (0, 1, 8640, 0)),
            ("P1Y0.5M", (12, 15, 18_873, 0)),
            ("P1Y-0.5M", (11, 15, 18_873, 0)),
            ("P1M-0.5D", (1, 0, -43_200, 0)),
            ("P1W-0.5D", (0, 6, 43_200, 0)),
            ("P1DT0.5H", (0, 1, 1800, 0)),
            ("P0.000000001Y", (0, 0, 0, 31_556_952)),
            ("P0.1Y", (1, 6, 7549, 200_000_000)),
            ("P-0.75M", (0, -22, -71_510, 500_000_000)),
            ("P0.0Y", (0, 0, 0, 0)),
        ] {
            assert_eq!(parts(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn dates_and_times_are_durations_too() {
        let full = (24_146, 2, 52_641, 545_000_000);
        for (text, expected) in [
            ("P2012-02-02T14:37:21.545", full),
            ("P20120202T143721.545", full),
            ("P20120202T14:37:21,545", full),
            ("p2012-02-02t143721.545", full),
            ("-P2012-02-02T14:37", (-24_146, -2, -52_620, 0)),
            ("P2012-02-31", (24_146, 31, 0, 0)),
            ("P20120202", (24_146, 2, 0, 0)),
            ("P2012-00-00", (24_144, 0, 0, 0)),
            ("P20120202T14", (24_146, 2, 50_400, 0)),
            ("PT14", (0, 0, 50_400, 0)),
            ("PT1437", (0, 0, 52_620, 0)),
            ("PT24:60:60", (0, 0, 90_060, 0)),
        ] {
            assert_eq!(parts(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn texts_that_are_not_durations() {
        for text in [
            "",
            "P",
            "PT",
            "1Y",
            "P1",
            "P1YT",
            "P1D1W",
            "P1M1Y",
            "PT1S1H",
            "P1Y1Y",
            "P1S",
            "PT1D",
            "PT1W",
            "P1.5Y1M",
            "PT1.5H1M",
            "P1.0Y1M",
            "PT0.1234567891S",
            "PT.5S",
            "PT5.S",
            "PT-.5S",
            "P1e3Y",
            " P1Y",
            "P1Y ",
            "P1 Y",
            "P٣Y",
            "--P1Y",
            "P-P1Y",
            "P9223372036854775807M",
            "P9223372036854775808M",
            "P9223372036854775807Y",
            "PT9223372036854775808S",
            "-PT9223372036854775808S",
            "P106751991167301D",
            "PT99999999999999999999S",
            "P106751991167300DT15H30M8S",
            "P2012-02",
            "P201202",
            "P2012",
            "P2012-13-01",
            "P2012-12-32",
            "P2012-0202",
            "P201202-02",
            "P12012-02-02",
            "P2012-2-2",
            "P2012-02-02T",
            "P2012-02-02T25",
            "PT25:00",
            "PT14:61",
            "PT14:37:61",
            "P2012-02-02T14:3721",
            "P2012-02-02T1437:21",
            "P2012-02-02T14.5",
            "PT14:37:21.",
            "PT14:37:21.1234567891",
            "P2012-W01-1",
            "P2012001",
            "P1Y2012-02-02",
            "P2012-02-02T14:37:21Z",
        ] {
            assert_eq!(parts(text), None, "{text}");
        }
    }
}
