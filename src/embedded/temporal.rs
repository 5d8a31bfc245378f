//! Dates, times and durations: converts between Bolt's numbers and the engine's calendar values.
//!
//! Owns only this arithmetic. Promises exact conversions: a value that the engine cannot hold is an error, never a
//! different moment. The engine's types are not public, so a value is created by changing a copy of one that the engine
//! has made.

use boltr::types::{
    BoltDate, BoltDateTime, BoltDateTimeZoneId, BoltDuration, BoltLocalDateTime, BoltLocalTime, BoltTime, BoltValue,
};
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use graphdblite::{Database, GraphError, Value};

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const OUT_OF_RANGE: &str = "the date or time is outside of the range of the embedded database";
const OFFSET_OUT_OF_RANGE: &str = "the offset from UTC must be less than a day";

/// One value of each type, to be copied and changed.
#[derive(Debug)]
pub(super) struct Templates {
    date: Value,
    local_time: Value,
    time: Value,
    local_date_time: Value,
    date_time: Value,
    duration: Value,
}

impl Templates {
    /// Lets `database` create the values.
    pub(super) fn new(database: &mut Database) -> Result<Templates, GraphError> {
        let rows = database.execute(
            "RETURN date('1970-01-01') AS date, localtime('00:00') AS local_time, \
             time('00:00Z') AS time, \
             localdatetime('1970-01-01T00:00') AS local_date_time, \
             datetime('1970-01-01T00:00Z') AS date_time, duration('P0D') AS duration",
        )?;
        let take = |name: &str| {
            rows.first().and_then(|row| row.get(name)).cloned().ok_or_else(|| GraphError::Serialization {
                context: "temporal values".to_owned(),
                source: format!("the engine did not return `{name}`"),
                hint: None,
            })
        };
        Ok(Templates {
            date: take("date")?,
            local_time: take("local_time")?,
            time: take("time")?,
            local_date_time: take("local_date_time")?,
            date_time: take("date_time")?,
            duration: take("duration")?,
        })
    }

    /// Returns the engine's form of a temporal `value`, or `None` if it has another type.
    pub(super) fn to_engine(&self, value: &BoltValue) -> Option<Result<Value, String>> {
        let made = match value {
            BoltValue::Date(date) => self.date(date.days),
            BoltValue::LocalTime(time) => self.local_time(time.nanoseconds),
            BoltValue::Time(time) => self.time(time),
            BoltValue::LocalDateTime(at) => self.local_date_time(at),
            BoltValue::DateTime(at) => {
                offset(at.tz_offset_seconds).and_then(|offset| self.date_time(at.seconds, at.nanoseconds, offset, None))
            }
            BoltValue::DateTimeZoneId(at) => self.date_time_in_zone(at),
            BoltValue::Duration(duration) => self.duration(duration),
            _ => return None,
        };
        Some(made)
    }

    fn date(&self, days: i64) -> Result<Value, String> {
        let mut value = self.date.clone();
        if let Value::Date(date) = &mut value {
            date.0 = TimeDelta::try_days(days)
                .and_then(|days| NaiveDate::default().checked_add_signed(days))
                .ok_or(OUT_OF_RANGE)?;
        }
        Ok(value)
    }

    fn local_time(&self, nanoseconds: i64) -> Result<Value, String> {
        let mut value = self.local_time.clone();
        if let Value::LocalTime(time) = &mut value {
            time.0 = time_of_day(nanoseconds)?;
        }
        Ok(value)
    }

    fn time(&self, bolt: &BoltTime) -> Result<Value, String> {
        let mut value = self.time.clone();
        if let Value::Time(time) = &mut value {
            time.0 = time_of_day(bolt.nanoseconds)?;
            time.1 = offset(bolt.tz_offset_seconds)?;
        }
        Ok(value)
    }

    fn local_date_time(&self, bolt: &BoltLocalDateTime) -> Result<Value, String> {
        let mut value = self.local_date_time.clone();
        if let Value::LocalDateTime(at) = &mut value {
            at.0 = moment(bolt.seconds, bolt.nanoseconds)?;
        }
        Ok(value)
    }

    fn date_time(
        &self,
        seconds: i64,
        nanoseconds: i64,
        offset: FixedOffset,
        zone: Option<&str>,
    ) -> Result<Value, String> {
        let mut value = self.date_time.clone();
        if let Value::DateTime(at) = &mut value {
            at.0 = moment(seconds, nanoseconds)?.checked_add_offset(offset).ok_or(OUT_OF_RANGE)?;
            at.1 = offset;
            at.2 = zone.map(str::to_owned);
        }
        Ok(value)
    }

    fn date_time_in_zone(&self, bolt: &BoltDateTimeZoneId) -> Result<Value, String> {
        let zone = jiff::tz::TimeZone::get(&bolt.tz_id).map_err(|_| format!("unknown time zone `{}`", bolt.tz_id))?;
        let at = jiff::Timestamp::from_second(bolt.seconds).map_err(|_| OUT_OF_RANGE)?;
        let offset = offset(zone.to_offset(at).seconds().into())?;
        self.date_time(bolt.seconds, bolt.nanoseconds, offset, Some(&bolt.tz_id))
    }

    fn duration(&self, bolt: &BoltDuration) -> Result<Value, String> {
        let mut value = self.duration.clone();
        if let Value::Duration(duration) = &mut value {
            (duration.months, duration.days) = (bolt.months, bolt.days);
            (duration.seconds, duration.nanos) = (bolt.seconds, bolt.nanoseconds);
        }
        Ok(value)
    }
}

fn time_of_day(nanoseconds: i64) -> Result<NaiveTime, String> {
    let seconds = u32::try_from(nanoseconds.div_euclid(NANOS_PER_SECOND));
    let rest = u32::try_from(nanoseconds.rem_euclid(NANOS_PER_SECOND));
    match (seconds, rest) {
        (Ok(seconds), Ok(rest)) => NaiveTime::from_num_seconds_from_midnight_opt(seconds, rest),
        _ => None,
    }
    .ok_or_else(|| format!("{nanoseconds} is not a number of nanoseconds since midnight"))
}

fn offset(seconds: i64) -> Result<FixedOffset, String> {
    let offset = i32::try_from(seconds).ok().and_then(FixedOffset::east_opt);
    offset.ok_or_else(|| OFFSET_OUT_OF_RANGE.to_owned())
}

fn moment(seconds: i64, nanoseconds: i64) -> Result<NaiveDateTime, String> {
    let nanoseconds = u32::try_from(nanoseconds).map_err(|_| OUT_OF_RANGE)?;
    let moment = DateTime::from_timestamp(seconds, nanoseconds).ok_or(OUT_OF_RANGE)?;
    Ok(moment.naive_utc())
}

/// Returns Bolt's form of a temporal `value` of the engine, or `None` if it has another type.
pub(super) fn to_bolt(value: &Value) -> Option<BoltValue> {
    Some(match value {
        Value::Date(date) => {
            let days = date.0.signed_duration_since(NaiveDate::default()).num_days();
            BoltValue::Date(BoltDate { days })
        }
        Value::LocalTime(time) => BoltValue::LocalTime(BoltLocalTime { nanoseconds: since_midnight(time.0) }),
        Value::Time(time) => BoltValue::Time(BoltTime {
            nanoseconds: since_midnight(time.0),
            tz_offset_seconds: time.1.local_minus_utc().into(),
        }),
        Value::LocalDateTime(at) => {
            let (seconds, nanoseconds) = since_epoch(at.0);
            BoltValue::LocalDateTime(BoltLocalDateTime { seconds, nanoseconds })
        }
        Value::DateTime(at) => {
            let (local, nanoseconds) = since_epoch(at.0);
            let tz_offset_seconds = i64::from(at.1.local_minus_utc());
            let seconds = local - tz_offset_seconds;
            match &at.2 {
                Some(zone) => {
                    BoltValue::DateTimeZoneId(BoltDateTimeZoneId { seconds, nanoseconds, tz_id: zone.clone() })
                }
                None => BoltValue::DateTime(BoltDateTime { seconds, nanoseconds, tz_offset_seconds }),
            }
        }
        Value::Duration(duration) => BoltValue::Duration(BoltDuration {
            months: duration.months,
            days: duration.days,
            seconds: duration.seconds.saturating_add(duration.nanos.div_euclid(NANOS_PER_SECOND)),
            nanoseconds: duration.nanos.rem_euclid(NANOS_PER_SECOND),
        }),
        _ => return None,
    })
}

fn since_midnight(time: NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight()) * NANOS_PER_SECOND + i64::from(time.nanosecond())
}

fn since_epoch(at: NaiveDateTime) -> (i64, i64) {
    let at = at.and_utc();
    (at.timestamp(), i64::from(at.timestamp_subsec_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine() -> (Database, Templates) {
        let mut database = Database::open_memory().unwrap();
        let templates = Templates::new(&mut database).unwrap();
        (database, templates)
    }

    fn samples() -> Vec<(BoltValue, &'static str)> {
        let zone = BoltDateTimeZoneId { seconds: 1_719_835_200, nanoseconds: 5, tz_id: "Europe/Berlin".to_owned() };
        vec![
            (BoltValue::Date(BoltDate { days: -1 }), "1969-12-31"),
            (BoltValue::LocalTime(BoltLocalTime { nanoseconds: 3_600_000_000_001 }), "01:00:00.000000001"),
            (BoltValue::Time(BoltTime { nanoseconds: 0, tz_offset_seconds: -19_800 }), "00:00-05:30"),
            (
                BoltValue::LocalDateTime(BoltLocalDateTime { seconds: -1, nanoseconds: 5 }),
                "1969-12-31T23:59:59.000000005",
            ),
            (
                BoltValue::DateTime(BoltDateTime { seconds: 0, nanoseconds: 0, tz_offset_seconds: 3_600 }),
                "1970-01-01T01:00+01:00",
            ),
            (BoltValue::DateTimeZoneId(zone), "2024-07-01T14:00:00.000000005+02:00[Europe/Berlin]"),
            (
                BoltValue::Duration(BoltDuration { months: 14, days: -3, seconds: -1, nanoseconds: 500_000_000 }),
                "P1Y2M-3DT-0.5S",
            ),
        ]
    }

    #[test]
    fn every_type_survives_a_round_trip_through_the_engine() {
        let (_database, templates) = engine();
        for (bolt, text) in samples() {
            let value = templates.to_engine(&bolt).unwrap().unwrap();
            assert_eq!(value.to_string(), text);
            assert_eq!(to_bolt(&value), Some(bolt));
        }
    }

    #[test]
    fn values_out_of_range_are_refused() {
        let (_database, templates) = engine();
        let zone = |tz_id: &str| {
            BoltValue::DateTimeZoneId(BoltDateTimeZoneId { seconds: 0, nanoseconds: 0, tz_id: tz_id.to_owned() })
        };
        for bolt in [
            BoltValue::Date(BoltDate { days: i64::MAX }),
            BoltValue::LocalTime(BoltLocalTime { nanoseconds: -1 }),
            BoltValue::LocalTime(BoltLocalTime { nanoseconds: 86_400 * NANOS_PER_SECOND }),
            BoltValue::Time(BoltTime { nanoseconds: 0, tz_offset_seconds: 86_400 }),
            BoltValue::LocalDateTime(BoltLocalDateTime { seconds: i64::MIN, nanoseconds: 0 }),
            BoltValue::LocalDateTime(BoltLocalDateTime { seconds: 0, nanoseconds: -1 }),
            zone("Nowhere/Land"),
        ] {
            assert!(templates.to_engine(&bolt).unwrap().is_err(), "{bolt:?}");
        }
    }

    #[test]
    fn other_types_are_left_alone() {
        let (_database, templates) = engine();
        assert!(templates.to_engine(&BoltValue::Integer(1)).is_none());
        assert_eq!(to_bolt(&Value::I64(1)), None);
    }
}
