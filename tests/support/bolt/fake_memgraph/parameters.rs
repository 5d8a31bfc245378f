//! What this server's decoder makes of a parameter: accept, change, or close.
//!
//! Owns: the ranges of temporal values and points, silent truncation and wrapping.
//! May not know: messages, sessions.

use super::super::value::{Value, structure, v};

/// How a value that cannot be read ends the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// FAILURE `Memgraph.ExecutionException`, then the end.
    Exception,
    /// The end, without a word.
    Silent,
    /// Read, but not convertible: a TransientError, and the connection stays.
    Unsupported,
}

const MICROS: i64 = 1_000;
const NANOS: i64 = 1_000_000_000;
const DAY: i64 = 86_400;
/// 0000-01-01 and 9999-12-31 as days since 1970.
const DAYS: std::ops::RangeInclusive<i64> = -719_528..=2_932_896;

/// The value as the server will return it.
pub(super) fn accept(value: &Value, v5: bool) -> Result<Value, Unreadable> {
    match value {
        Value::Bytes(_) | Value::Uuid(_) | Value::Raw(_) => Err(Unreadable::Exception),
        Value::List(values) => {
            let values: Result<_, _> = values.iter().map(|value| accept(value, v5)).collect();
            Ok(Value::List(values?))
        }
        Value::Map(pairs) => {
            let mut sorted = Vec::with_capacity(pairs.len());
            for (key, value) in pairs {
                sorted.push((key.clone(), accept(value, v5)?));
            }
            sorted.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            match sorted.windows(2).any(|two| two[0].0 == two[1].0) {
                true => Err(Unreadable::Exception),
                false => Ok(Value::Map(sorted)),
            }
        }
        Value::Struct { tag, fields } => accept_structure(*tag, fields, v5),
        plain => Ok(plain.clone()),
    }
}

fn accept_structure(tag: u8, fields: &[Value], v5: bool) -> Result<Value, Unreadable> {
    let int = |i: usize| fields.get(i).and_then(Value::as_int).ok_or(Unreadable::Exception);
    match (tag, fields.len()) {
        (b'D', 1) => {
            let days = i64::from(int(0)? as i32);
            within(DAYS.contains(&days))?;
            Ok(structure(b'D', [v(days)]))
        }
        (b't', 1) => {
            // Cut first, looked at then: a nanosecond before midnight is midnight.
            let micros = int(0)? / MICROS;
            within((0..DAY * NANOS / MICROS).contains(&micros))?;
            Ok(structure(b't', [v(micros * MICROS)]))
        }
        (b'd', 2) => local_date_time(int(0)?, int(1)?),
        (b'I', 3) => offset_date_time(b'I', int(0)?, int(1)?, int(2)?),
        (b'F', 3) if !v5 => offset_date_time(b'F', int(0)?, int(1)?, int(2)?),
        (b'i', 3) => zoned_date_time(b'i', int(0)?, int(1)?, &fields[2]),
        (b'f', 3) if !v5 => zoned_date_time(b'f', int(0)?, int(1)?, &fields[2]),
        (b'E', 4) => Ok(duration(int(0)?, int(1)?, int(2)?, int(3)?)),
        (b'X', 3) | (b'Y', 4) => point(tag, fields),
        // The shapes of 4.x are read on 4.x, and converted nowhere.
        (b'N', 3) | (b'R', 5) if !v5 => Err(Unreadable::Unsupported),
        _ => Err(Unreadable::Exception),
    }
}

fn within(fits: bool) -> Result<(), Unreadable> {
    if fits { Ok(()) } else { Err(Unreadable::Silent) }
}

/// Seconds and nanoseconds, truncated toward zero: both below zero before 1970.
fn seconds_and_nanos(seconds: i64, nanos: i64) -> [Value; 2] {
    let micros = i128::from(seconds) * 1_000_000 + i128::from(nanos / MICROS);
    let micros = micros as i64;
    [v(micros / 1_000_000), v(micros % 1_000_000 * MICROS)]
}

fn local_date_time(seconds: i64, nanos: i64) -> Result<Value, Unreadable> {
    within((0..NANOS).contains(&nanos) && DAYS.contains(&seconds.div_euclid(DAY)))?;
    // Hours, minutes and seconds come out negative and are refused.
    within(seconds >= 0 || seconds % DAY == 0)?;
    Ok(structure(b'd', seconds_and_nanos(seconds, nanos)))
}

fn offset_date_time(tag: u8, s: i64, nanos: i64, offset: i64) -> Result<Value, Unreadable> {
    within((offset / 60).abs() <= 18 * 60)?;
    let [s, nanos] = seconds_and_nanos(s, nanos);
    Ok(structure(tag, [s, nanos, v(offset / 60 * 60)]))
}

fn zoned_date_time(tag: u8, s: i64, nanos: i64, zone: &Value) -> Result<Value, Unreadable> {
    let zone = zone.as_str().ok_or(Unreadable::Exception)?;
    let canonical = match zone {
        "UTC" | "Etc/UTC" | "Zulu" | "UCT" => "Etc/UTC",
        "GMT" | "Etc/GMT" | "Greenwich" => "Etc/GMT",
        "CET" | "MET" => "Europe/Brussels",
        "EET" => "Europe/Athens",
        "WET" => "Europe/Lisbon",
        "EST" => "America/Panama",
        "EST5EDT" => "America/New_York",
        "Japan" => "Asia/Tokyo",
        "" | "Z" => return Err(Unreadable::Silent),
        other => {
            let area = other.split_once('/').map(|(area, _)| area).unwrap_or_default();
            let areas = [
                "Africa",
                "America",
                "Antarctica",
                "Asia",
                "Atlantic",
                "Australia",
                "Etc",
                "Europe",
                "Indian",
                "Pacific",
            ];
            within(areas.contains(&area) && !other.contains("Nowhere"))?;
            other
        }
    };
    let [s, nanos] = seconds_and_nanos(s, nanos);
    Ok(structure(tag, [s, nanos, v(canonical)]))
}

/// Months become 2 629 746 s each; what comes back has days, seconds and one sign.
fn duration(months: i64, days: i64, seconds: i64, nanos: i64) -> Value {
    let seconds = i128::from(months) * 2_629_746 + i128::from(days) * i128::from(DAY) + i128::from(seconds);
    let micros = (seconds * 1_000_000 + i128::from(nanos / MICROS)) as i64;
    let day = DAY * 1_000_000;
    let rest = micros % day;
    let fields = [v(0), v(micros / day), v(rest / 1_000_000), v(rest % 1_000_000 * MICROS)];
    structure(b'E', fields)
}

fn point(tag: u8, fields: &[Value]) -> Result<Value, Unreadable> {
    let srid = fields[0].as_int().ok_or(Unreadable::Exception)?;
    let floats = fields[1..].iter().all(|c| matches!(c, Value::Float(_)));
    let srid = i64::from(srid as u16);
    let known = match tag {
        b'X' => matches!(srid, 7203 | 4326),
        _ => matches!(srid, 9157 | 9757 | 4979),
    };
    if !floats || !known {
        return Err(Unreadable::Exception);
    }
    let mut fields = fields.to_vec();
    fields[0] = v(if srid == 9757 { 9157 } else { srid });
    Ok(Value::Struct { tag, fields })
}
