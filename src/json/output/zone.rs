//! From a time zone's name to its offset.
//!
//! The zone data is compiled in, so a machine without zone files answers as every other one does.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

use crate::bolt::packstream::DecodeError;

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The Gregorian calendar, weekdays included, repeats after 400 years, and so do a zone's rules for
/// the far future.
const CYCLE_SECONDS: i64 = 146_097 * 86_400;

/// The offset in seconds that the zone `name` has at an instant.
///
/// # Errors
/// [`DecodeError::Value`] for an unknown zone.
pub(super) fn offset_at(utc_seconds: i64, name: &str) -> Result<i64, DecodeError> {
    let instant = Timestamp::from_second(within_range(utc_seconds)).map_err(|_| NO_INSTANT)?;
    Ok(find(name)?.to_offset(instant).seconds().into())
}

/// The instant, in UTC seconds, at which clocks in the zone `name` show what they show at
/// `wall_seconds`.
///
/// When they show it twice this is the earlier one, and when they never do it is later by the size
/// of the gap: so decide Java and with it the servers that send wall-clock seconds.
///
/// # Errors
/// [`DecodeError::Value`] for an unknown zone.
pub(super) fn instant_of_wall_clock(wall_seconds: i64, name: &str) -> Result<i64, DecodeError> {
    let shown = within_range(wall_seconds);
    let wall_clock = Offset::UTC.to_datetime(Timestamp::from_second(shown).map_err(|_| NO_INSTANT)?);
    let instant = find(name)?.to_ambiguous_timestamp(wall_clock).compatible().map_err(|_| NO_INSTANT)?;
    wall_seconds.checked_sub(shown - instant.as_second()).ok_or(NO_INSTANT)
}

/// A second with the same offset in every zone, inside of what the zone data covers.
fn within_range(seconds: i64) -> i64 {
    // A day less than the limits, so that an offset cannot lead across them.
    let earliest = Timestamp::MIN.as_second() + 86_400;
    let latest = Timestamp::MAX.as_second() - 86_400;
    if seconds > latest {
        latest - CYCLE_SECONDS + (seconds - latest).rem_euclid(CYCLE_SECONDS)
    } else {
        // Before clocks were regulated a zone has one offset for all times.
        seconds.max(earliest)
    }
}

fn find(name: &str) -> Result<TimeZone, DecodeError> {
    ZONES.get(name).ok().or_else(|| fixed(name)).ok_or(DecodeError::Value("a date-time in an unknown time zone"))
}

/// Java's zones of a fixed offset: `UTC+01:00`, `GMT-05:30`, `UT+18:00`.
fn fixed(name: &str) -> Option<TimeZone> {
    let offset = ["UTC", "GMT", "UT"].into_iter().find_map(|prefix| name.strip_prefix(prefix))?;
    let (sign, rest) = match offset.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let mut seconds = 0;
    let mut unit = 3600;
    for part in rest.split(':') {
        let is_number = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        seconds += if is_number && unit > 0 {
            part.parse::<i32>().ok()? * unit
        } else {
            return None;
        };
        unit /= 60;
    }
    let in_range = seconds <= 18 * 3600;
    Offset::from_seconds(sign * seconds).ok().filter(|_| in_range).map(TimeZone::fixed)
}

const NO_INSTANT: DecodeError = DecodeError::Value("a date-time beyond the years ±999999999");

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-07-01T00:00:00Z.
    const SUMMER: i64 = 1_782_864_000;

    #[test]
    fn offsets_of_zones() {
        for (utc, name, offset) in [
            (SUMMER, "America/New_York", -4 * 3600),
            (SUMMER, "Europe/London", 3600),
            (SUMMER, "Etc/UTC", 0),
            (SUMMER, "UTC", 0),
            (SUMMER, "UTC+01:00", 3600),
            (SUMMER, "GMT-05:30", -19_800),
            (SUMMER, "UT+18:00", 64_800),
            (SUMMER + 184 * 86_400, "America/New_York", -5 * 3600),
            (-5_364_666_000, "Europe/Berlin", 3208),
            // The rules go on for ever, and so does local mean time the other way.
            (SUMMER + 1_000_000 * CYCLE_SECONDS, "America/New_York", -4 * 3600),
            (SUMMER + 21 * CYCLE_SECONDS, "Europe/Berlin", 7200),
            (-30_000_000_000_000, "Europe/Berlin", 3208),
            (i64::MAX, "UTC", 0),
            (i64::MIN, "UTC", 0),
        ] {
            assert_eq!(offset_at(utc, name), Ok(offset), "{utc} {name}");
        }
    }

    #[test]
    fn far_years_are_summer_and_winter_like_near_ones() {
        for cycles in [0, 15, 19, 20, 21, 400] {
            for (day, offset) in [(0, -4 * 3600), (184, -5 * 3600)] {
                let utc = SUMMER + day * 86_400 + cycles * CYCLE_SECONDS;
                assert_eq!(offset_at(utc, "America/New_York"), Ok(offset), "{cycles} {day}");
            }
        }
    }

    #[test]
    fn wall_clocks_of_zones() {
        // 2026-10-25T02:30 happens twice in Berlin, 2026-03-29T02:30 never.
        for (wall, name, utc) in [
            (1_792_895_400, "Europe/Berlin", 1_792_888_200),
            (1_774_751_400, "Europe/Berlin", 1_774_747_800),
            (SUMMER - 4 * 3600, "America/New_York", SUMMER),
            (SUMMER - 4 * 3600 + 30 * CYCLE_SECONDS, "America/New_York", SUMMER + 30 * CYCLE_SECONDS),
            (-5_364_666_000 + 3208, "Europe/Berlin", -5_364_666_000),
        ] {
            assert_eq!(instant_of_wall_clock(wall, name), Ok(utc), "{wall} {name}");
        }
    }

    #[test]
    fn unknown_zones_are_refused() {
        for name in
            ["", "Mars/X", "UTC+1", "UTC+01:0", "UTC+19:00", "UTC+01:00:00:00", "UTC1", "UTC+\u{e9}", "GMT+é1:00"]
        {
            assert!(matches!(offset_at(0, name), Err(DecodeError::Value(_))), "{name}");
            assert!(matches!(instant_of_wall_clock(0, name), Err(DecodeError::Value(_))), "{name}");
        }
    }
}
