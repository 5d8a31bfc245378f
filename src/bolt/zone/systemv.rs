//! Java's `SystemV/…` zones, which the tz database dropped in 2020: the zones of the United States in System V.
//!
//! Their names are their rules in POSIX form, except for the dates of summer time. Observed in Java 17 and 25, which
//! agree.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

const PREFIX: &str = "SystemV/";
const NAMES: [&str; 13] = [
    "AST4", "AST4ADT", "CST6", "CST6CDT", "EST5", "EST5EDT", "HST10", "MST7", "MST7MDT", "PST8", "PST8PDT", "YST9",
    "YST9YDT",
];

/// Whether `name` is one of these zones.
pub(super) fn is_known(name: &str) -> bool {
    rules(name).is_some()
}

/// Returns the zone as it was around `moment`. It may be off by a day, since years begin and end in winter.
pub(super) fn zone(name: &str, moment: Timestamp) -> Option<TimeZone> {
    let rules = rules(name)?;
    // Zones with summer time have a name for it after the digits.
    let has_summer = rules.ends_with("DT");
    let summer = match TimeZone::UTC.to_datetime(moment).date() {
        _ if !has_summer => "",
        date if date < Date::constant(1900, 1, 2) => return winter(rules),
        // During the oil embargo.
        date if date.year() == 1974 => ",M1.1.0,M11.5.0",
        date if date.year() == 1975 => ",M2.5.0,M10.5.0",
        _ => ",M4.5.0,M10.5.0",
    };
    TimeZone::posix(&format!("{rules}{summer}")).ok()
}

/// Returns the rules of the zone, without the dates of summer time.
fn winter(rules: &str) -> Option<TimeZone> {
    TimeZone::posix(rules.get(..4)?).ok()
}

fn rules(name: &str) -> Option<&'static str> {
    let rules = name.strip_prefix(PREFIX)?;
    NAMES.into_iter().find(|known| *known == rules)
}

#[cfg(test)]
mod tests {
    use super::super::{instant_of_wall_clock, is_accepted, is_region, offset_at};

    #[test]
    fn clocks_are_those_of_java() {
        // For each: the last second before a change, with the offset in hours then and from the next second on.
        for (name, last, before, after) in [
            ("AST4ADT", -2_198_772_001, -4, -3),
            ("AST4ADT", -2_183_050_801, -3, -4),
            ("AST4ADT", 104_911_199, -4, -3),
            ("AST4ADT", 126_683_999, -4, -3),
            ("AST4ADT", 154_501_199, -3, -4),
            ("AST4ADT", 162_367_199, -4, -3),
            ("AST4ADT", 183_531_599, -3, -4),
            ("AST4ADT", 199_259_999, -4, -3),
            ("AST4ADT", 215_585_999, -3, -4),
            ("PST8PDT", 126_698_399, -8, -7),
            ("PST8PDT", 154_515_599, -7, -8),
            ("PST8PDT", 162_381_599, -8, -7),
            ("CST6CDT", -2_198_764_801, -6, -5),
            ("YST9YDT", 215_603_999, -8, -9),
        ] {
            let name = format!("SystemV/{name}");
            let hours = |seconds| offset_at(&name, seconds).map(|offset| offset / 3600);
            assert_eq!((hours(last), hours(last + 1)), (Some(before), Some(after)), "{name} {last}");
        }
        for (name, winter, summer) in [("HST10", -10, -10), ("MST7", -7, -7), ("EST5EDT", -5, -4), ("MST7MDT", -7, -6)]
        {
            let name = format!("SystemV/{name}");
            // Long ago, in January of 1975, in July of 2020, and in July of the year 12020.
            for (seconds, hours) in
                [(-3_000_000_000, winter), (158_000_000, winter), (1_593_600_000, summer), (317_162_304_000, summer)]
            {
                assert_eq!(offset_at(&name, seconds), Some(hours * 3600), "{name} {seconds}");
            }
        }
        assert_eq!(instant_of_wall_clock("SystemV/PST8PDT", 1_593_600_000 - 7 * 3600), Some(1_593_600_000));
    }

    #[test]
    fn their_names_are_taken_letter_for_letter() {
        assert!(is_accepted("SystemV/PST8PDT") && is_accepted("SystemV/HST10"));
        assert!(!is_region("SystemV/PST8PDT"), "the tz database does not have them");
        for name in ["SystemV/pst8pdt", "SystemV/", "SystemV/PST8PDT,M4.5.0,M10.5.0", "PST8"] {
            assert!(!is_accepted(name), "{name}");
        }
    }
}
