//! Dates, times, durations and points.

use super::{numbers, refused, shows, shows_as, text};
use crate::bolt::packstream::{Writer, tag};
use crate::json::View::Plain;

fn zoned(tag: u8, seconds: i64, nanos: i64, zone: &str) -> impl Fn(&mut Writer<'_>) {
    move |out| {
        out.structure(tag, 3);
        out.integer(seconds);
        out.integer(nanos);
        out.string(zone);
    }
}

#[test]
fn dates_and_times() {
    for (days, expected) in [
        (0, "1970-01-01"),
        (16_520, "2015-03-26"),
        (-1, "1969-12-31"),
        (2_932_897, "+10000-01-01"),
        (-719_742, "-0001-06-01"),
        (-719_528, "0000-01-01"),
        (-365_243_219_162, "-999999999-01-01"),
    ] {
        shows_as(numbers(tag::DATE, [days]), "Date", expected);
    }
    for (nanos, expected) in [
        (43_200_000_000_000, "12:00:00"),
        (46_235_556_000_000, "12:50:35.556"),
        (43_200_120_000_000, "12:00:00.12"),
        (43_200_000_000_001, "12:00:00.000000001"),
        (0, "00:00:00"),
        (86_399_999_999_999, "23:59:59.999999999"),
    ] {
        shows_as(numbers(tag::LOCAL_TIME, [nanos]), "LocalTime", expected);
    }
    for (nanos, offset, expected) in [
        (43_200_000_000_000, 0, "12:00:00Z"),
        (46_235_556_000_000, 3600, "12:50:35.556+01:00"),
        (43_200_500_000_000, -19_800, "12:00:00.5-05:30"),
        (43_200_000_000_000, -30, "12:00:00-00:00:30"),
        (43_200_000_000_000, 1, "12:00:00+00:00:01"),
        (43_200_000_000_000, 64_800, "12:00:00+18:00"),
    ] {
        shows_as(numbers(tag::TIME, [nanos, offset]), "Time", expected);
    }
    for (seconds, nanos, expected) in [
        (1_436_038_344, 0, "2015-07-04T19:32:24"),
        (253_402_300_800, 100_000_000, "+10000-01-01T00:00:00.1"),
        (-1, -500_000_000, "1969-12-31T23:59:58.5"),
        (0, -500_000_000, "1969-12-31T23:59:59.5"),
    ] {
        shows_as(numbers(tag::LOCAL_DATE_TIME, [seconds, nanos]), "LocalDateTime", expected);
    }
}

#[test]
fn instants_with_an_offset() {
    for (utc, nanos, offset, expected) in [
        (1_435_146_635, 556_000_000, 3600, "2015-06-24T12:50:35.556+01:00"),
        (1_435_144_785, 0, 5415, "2015-06-24T12:50:00+01:30:15"),
        (1_435_150_235, 0, 0, "2015-06-24T12:50:35Z"),
        (0, -500_000_000, 7200, "1970-01-01T01:59:59.5+02:00"),
    ] {
        shows_as(numbers(tag::DATE_TIME, [utc, nanos, offset]), "OffsetDateTime", expected);
        let wall = utc + offset;
        shows_as(numbers(tag::LEGACY_DATE_TIME, [wall, nanos, offset]), "OffsetDateTime", expected);
    }
}

#[test]
fn instants_in_a_zone() {
    for (utc, nanos, offset, zone, expected) in [
        (1_448_142_032, 142_000_000, 0, "Antarctica/Troll", "2015-11-21T21:40:32.142Z"),
        (1_782_878_400, 0, -14_400, "America/New_York", "2026-07-01T00:00:00-04:00"),
        (1_782_864_000, 0, 0, "UTC", "2026-07-01T00:00:00Z"),
        (1_767_225_600, 0, 0, "Europe/London", "2026-01-01T00:00:00Z"),
        (-5_364_665_608, 0, 3208, "Europe/Berlin", "1800-01-01T00:00:00+00:53:28"),
        (1_782_864_000, 0, 3600, "UTC+01:00", "2026-07-01T01:00:00+01:00"),
        (0, -500_000_000, 3600, "Europe/Berlin", "1970-01-01T00:59:59.5+01:00"),
        (1_700_000_000, 0, -28_800, "SystemV/PST8PDT", "2023-11-14T14:13:20-08:00"),
    ] {
        let typed = format!(r#"{{"$type":"ZonedDateTime","_value":"{expected}[{zone}]"}}"#);
        let plain = format!("\"{expected}\"");
        shows(zoned(tag::DATE_TIME_ZONE, utc, nanos, zone), &plain, &typed);
        shows(zoned(tag::LEGACY_DATE_TIME_ZONE, utc + offset, nanos, zone), &plain, &typed);
    }
    // The hour that occurs twice in Berlin: only UTC seconds tell which one it is.
    for (utc, expected) in [(1_792_888_200, "+02:00"), (1_792_891_800, "+01:00")] {
        let shown = text(Plain, zoned(tag::DATE_TIME_ZONE, utc, 0, "Europe/Berlin")).unwrap();
        assert_eq!(shown, format!("\"2026-10-25T02:30:00{expected}\""));
    }
}

#[test]
fn instants_in_an_unknown_zone_are_shown_in_utc() {
    let typed = r#"{"$type":"ZonedDateTime","_value":"2023-11-14T22:13:20.5Z[Mars/\"X\"]"}"#;
    shows(zoned(tag::DATE_TIME_ZONE, 1_700_000_000, 500_000_000, "Mars/\"X\""), "\"2023-11-14T22:13:20.5Z\"", typed);
}

#[test]
fn temporal_values_out_of_range_are_refused() {
    for days in [-365_243_219_163, 365_241_780_472, i64::MIN, i64::MAX] {
        refused(numbers(tag::DATE, [days]));
    }
    for nanos in [-1, 86_400_000_000_000, i64::MAX] {
        refused(numbers(tag::LOCAL_TIME, [nanos]));
        refused(numbers(tag::TIME, [nanos, 0]));
    }
    for offset in [64_801, -64_801, i64::MIN, i64::MAX] {
        refused(numbers(tag::TIME, [0, offset]));
        refused(numbers(tag::DATE_TIME, [0, 0, offset]));
        refused(numbers(tag::LEGACY_DATE_TIME, [0, 0, offset]));
    }
    for seconds in [i64::MIN, i64::MAX, 31_556_889_864_403_200] {
        for tag in [tag::DATE_TIME, tag::LEGACY_DATE_TIME] {
            refused(numbers(tag, [seconds, 0, 0]));
            refused(numbers(tag, [seconds, -1, -1]));
            refused(numbers(tag, [seconds, 1, 1]));
        }
        refused(numbers(tag::LOCAL_DATE_TIME, [seconds, 0]));
        refused(zoned(tag::DATE_TIME_ZONE, seconds, 0, "Europe/Berlin"));
        refused(zoned(tag::LEGACY_DATE_TIME_ZONE, seconds, 0, "Europe/Berlin"));
    }
    for nanos in [1_000_000_000, -1_000_000_000, i64::MIN] {
        refused(numbers(tag::LOCAL_DATE_TIME, [0, nanos]));
        refused(numbers(tag::DATE_TIME, [0, nanos, 0]));
    }
    // The instant depends on the zone.
    for name in ["Mars/X", ""] {
        refused(zoned(tag::LEGACY_DATE_TIME_ZONE, 0, 0, name));
    }
    refused(numbers(tag::DATE_TIME_ZONE, [0, 0, 0]));
    refused(numbers(tag::DURATION, [0, 0, i64::MAX, i64::MAX]));
}

#[test]
fn durations_and_points() {
    shows_as(numbers(tag::DURATION, [14, 25, 18_367, 890_000_000]), "Duration", "P1Y2M25DT5H6M7.89S");
    let flat = |srid, x, y| {
        move |out: &mut Writer<'_>| {
            out.structure(tag::POINT_2D, 3);
            out.integer(srid);
            out.float(x);
            out.float(y);
        }
    };
    shows_as(flat(7203, 1.5, 2.5), "Point", "SRID=7203;POINT (1.5 2.5)");
    shows_as(flat(7203, 0.1, 1e300), "Point", "SRID=7203;POINT (0.1 1.0E300)");
    shows_as(flat(4326, -0.0, 0.100_000_001_490_116_12), "Point", "SRID=4326;POINT (-0.0 0.10000000149011612)");
    let deep = |srid, place: [f64; 3]| {
        move |out: &mut Writer<'_>| {
            out.structure(tag::POINT_3D, 4);
            out.integer(srid);
            place.into_iter().for_each(|coordinate| out.float(coordinate));
        }
    };
    shows_as(deep(4979, [10.7, 59.9, 3.0]), "Point", "SRID=4979;POINT Z (10.7 59.9 3.0)");
    shows_as(deep(9157, [1.0, 2.0, 3.0]), "Point", "SRID=9157;POINT Z (1.0 2.0 3.0)");
    shows_as(deep(9757, [1.0, 2.0, 3.0]), "Point", "SRID=9157;POINT Z (1.0 2.0 3.0)");
    refused(numbers(tag::POINT_2D, [7203, 1, 2]));
}
