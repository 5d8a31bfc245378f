//! Fits parameters to one server: what it cannot take is refused here, before a byte is sent.
//!
//! Promises that nothing passes that would make a server close the connection or change a value in silence, that
//! nothing is copied where nothing changes, and no recursion. Knows nothing of how the parameters were written.
//!
//! Source for Memgraph: its Bolt decoder, tried out piece by piece (5.2).

use std::borrow::Cow;

use thiserror::Error;

use super::{
    packstream::{DecodeError, Reader, Token, Writer, tag},
    zone,
};
use crate::value_path::{self, Step};

/// What a server takes as a parameter. Settled once per connection, from its dialect and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one feature that a server has or has not")]
pub struct Accepts {
    /// Date-times count in UTC: Bolt 5.0, or 4.3 and later with the patch. Otherwise they are rewritten.
    pub utc: bool,
    /// Bytes; Memgraph has none.
    pub bytes: bool,
    /// Times with an offset; Memgraph has none.
    pub zoned_time: bool,
    /// Vectors: Bolt 6.0.
    pub vector: bool,
    /// UUIDs: Bolt 6.1.
    pub uuid: bool,
    /// Temporal values and points are confined to what Memgraph survives.
    pub memgraph_temporals: bool,
    /// Lists and maps in each other, inside one parameter.
    pub max_depth: usize,
    /// Values in all parameters together; lists and maps count as well.
    pub max_elements: usize,
}

/// A parameter that the server would not take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{path}: {reason}")]
pub struct InvalidParameter {
    /// Which one, as `parameters.people[3].born`.
    pub path: String,
    /// Why not, and what to do instead.
    pub reason: Cow<'static, str>,
}

/// Checks `parameters`, one PackStream map that the caller knows as `root`, against `accepts`. Gives them as they are,
/// or rewritten where an old server spells date-times differently.
///
/// # Errors
/// [`InvalidParameter`] names the first value that the server would not take.
pub fn validate_parameters<'a>(
    root: &str,
    parameters: &'a [u8],
    accepts: &Accepts,
) -> Result<Cow<'a, [u8]>, InvalidParameter> {
    let mut validator = Validator {
        accepts,
        parameters,
        reader: Reader::new(parameters),
        open: Vec::new(),
        elements: 0,
        rewritten: Vec::new(),
        copied: 0,
    };
    validator.run().map_err(|reason| validator.invalid(root, reason))?;
    Ok(validator.finish())
}

/// A collection that is being read.
#[derive(Debug)]
struct Open<'a> {
    is_map: bool,
    items: usize,
    read: usize,
    /// The current one of a map.
    key: &'a str,
}

struct Validator<'a, 'c> {
    accepts: &'c Accepts,
    parameters: &'a [u8],
    reader: Reader<'a>,
    open: Vec<Open<'a>>,
    elements: usize,
    /// The parameters up to `copied`, as soon as something differs.
    rewritten: Vec<u8>,
    copied: usize,
}

type Reason = Cow<'static, str>;

impl<'a> Validator<'a, '_> {
    fn run(&mut self) -> Result<(), Reason> {
        let pairs = self.reader.expect_map().map_err(malformed)?;
        self.open.push(Open { is_map: true, items: pairs, read: 0, key: "" });
        while let Some(open) = self.open.last_mut() {
            if open.read == open.items {
                self.open.pop();
                continue;
            }
            open.read += 1;
            if open.is_map {
                open.key = self.reader.expect_string().map_err(malformed)?;
            }
            self.value()?;
        }
        if self.reader.rest().is_empty() { Ok(()) } else { Err(MALFORMED.into()) }
    }

    fn value(&mut self) -> Result<(), Reason> {
        self.elements += 1;
        if self.elements > self.accepts.max_elements {
            let most = self.accepts.max_elements;
            return Err(format!(
                "more than {most} values in all parameters, which this database might not survive; send them in \
                 several requests"
            )
            .into());
        }
        let before = self.position();
        match self.reader.token().map_err(malformed)? {
            Token::List(items) => self.enter(false, items),
            Token::Map(items) => self.enter(true, items),
            Token::Struct(tag, fields) => self.structure(tag, fields, before),
            Token::Bytes(_) if !self.accepts.bytes => Err("this database has no bytes; send a Base64 string".into()),
            Token::Uuid(_) if !self.accepts.uuid => {
                Err("this database takes no UUIDs (Bolt 6.1 does); send a string".into())
            }
            _ => Ok(()),
        }
    }

    fn enter(&mut self, is_map: bool, items: usize) -> Result<(), Reason> {
        // The map of the parameters itself is not inside a parameter.
        if self.open.len() > self.accepts.max_depth {
            let most = self.accepts.max_depth;
            return Err(format!("more than {most} lists and maps in each other; send a flatter value").into());
        }
        self.open.push(Open { is_map, items, read: 0, key: "" });
        Ok(())
    }

    fn structure(&mut self, tag: u8, fields: usize, before: usize) -> Result<(), Reason> {
        match (tag, fields) {
            (tag::DATE, 1) => self.date(),
            (tag::LOCAL_TIME, 1) => self.local_time(),
            (tag::TIME, 2) => self.time(),
            (tag::LOCAL_DATE_TIME, 2) => self.local_date_time(),
            (tag::DATE_TIME, 3) => self.date_time(before),
            (tag::DATE_TIME_ZONE, 3) => self.date_time_zone(before),
            (tag::DURATION, 4) => self.duration(),
            (tag::POINT_2D, 3) => self.point(2),
            (tag::POINT_3D, 4) => self.point(3),
            (tag::VECTOR, 2) if self.accepts.vector => {
                self.reader.skip().map_err(malformed)?;
                self.reader.skip().map_err(malformed)
            }
            (tag::VECTOR, 2) => Err("this database takes no vectors (Bolt 6.0 does); send a list of numbers".into()),
            _ => Err("nodes, relationships and paths cannot be parameters; send an element id".into()),
        }
    }

    fn date(&mut self) -> Result<(), Reason> {
        let days = self.integer()?;
        self.confined(YEARS.contains(&days.saturating_mul(DAY)), || OUTSIDE_YEARS.into())
    }

    fn local_time(&mut self) -> Result<(), Reason> {
        let nanos = self.integer()?;
        self.confined((0..DAY * NANOS).contains(&nanos), || {
            "a time beyond the day; this database would close the connection".into()
        })
    }

    fn time(&mut self) -> Result<(), Reason> {
        let (_, offset) = (self.integer()?, self.integer()?);
        if !self.accepts.zoned_time {
            return Err("this database has no zoned time; send a string and convert it in the statement".into());
        }
        within_offsets(offset)
    }

    fn local_date_time(&mut self) -> Result<(), Reason> {
        let (seconds, nanos) = (self.integer()?, self.integer()?);
        self.confined(YEARS.contains(&seconds) && (0..NANOS).contains(&nanos), || OUTSIDE_YEARS.into())?;
        self.confined(seconds >= 0 || seconds % DAY == 0, || {
            "this database takes no local date-time before 1970 that is not at midnight; send a string and write \
             localDateTime($…) in the statement"
                .into()
        })
    }

    fn date_time(&mut self, before: usize) -> Result<(), Reason> {
        let (seconds, nanos, offset) = (self.integer()?, self.integer()?, self.integer()?);
        within_offsets(offset)?;
        self.confined(offset % 60 == 0, || {
            "this database takes offsets in whole minutes only; send the moment with another offset".into()
        })?;
        self.confined(in_micros(seconds.into()), || BEYOND_MICROS.into())?;
        if !self.accepts.utc {
            let mut out = self.rewrite(before);
            out.structure(tag::LEGACY_DATE_TIME, 3);
            out.integer(seconds.saturating_add(offset));
            out.integer(nanos);
            out.integer(offset);
        }
        Ok(())
    }

    fn date_time_zone(&mut self, before: usize) -> Result<(), Reason> {
        let (seconds, nanos) = (self.integer()?, self.integer()?);
        let name = self.reader.expect_string().map_err(malformed)?;
        let unknown = || {
            format!(
                "time zone \"{}\" is not known; use a region of the tz database, as Europe/Berlin, or an offset",
                value_path::shortened(name, 60)
            )
            .into()
        };
        self.confined(zone::is_region(name), unknown)?;
        self.confined(in_micros(seconds.into()), || BEYOND_MICROS.into())?;
        if !self.accepts.utc {
            let offset = zone::offset_at(name, seconds).ok_or_else(unknown)?;
            if is_second_of_two(name, seconds, offset) {
                return Err(
                    "this moment's wall-clock time comes twice in its zone, and this database would take the earlier \
                     one; send it with an offset instead of a zone"
                        .into(),
                );
            }
            let mut out = self.rewrite(before);
            out.structure(tag::LEGACY_DATE_TIME_ZONE, 3);
            out.integer(seconds.saturating_add(offset.into()));
            out.integer(nanos);
            out.string(name);
        }
        Ok(())
    }

    /// Memgraph keeps a duration as one number of microseconds.
    fn duration(&mut self) -> Result<(), Reason> {
        let (months, days) = (i128::from(self.integer()?), i128::from(self.integer()?));
        let (seconds, nanos) = (i128::from(self.integer()?), i128::from(self.integer()?));
        let total = months * MONTH + days * i128::from(DAY) + seconds + nanos / i128::from(NANOS);
        self.confined(in_micros(total), || BEYOND_MICROS.into())
    }

    fn point(&mut self, dimensions: usize) -> Result<(), Reason> {
        let srid = self.integer()?;
        let mut floats = true;
        for _ in 0..dimensions {
            floats &= matches!(self.reader.token().map_err(malformed)?, Token::Float(_));
        }
        self.confined(floats, || "a point with a coordinate that is no float".into())?;
        let known: &[i64] = if dimensions == 2 { &[4326, 7203] } else { &[4979, 9157, 9757] };
        self.confined(known.contains(&srid), || {
            format!(
                "this database takes no point of {dimensions} coordinates with SRID {srid}; there are 7203 and 4326 \
                 for two, 9157 and 4979 for three"
            )
            .into()
        })
    }

    /// Holds for Memgraph only.
    fn confined(&self, fine: bool, reason: impl FnOnce() -> Reason) -> Result<(), Reason> {
        if fine || !self.accepts.memgraph_temporals { Ok(()) } else { Err(reason()) }
    }

    fn integer(&mut self) -> Result<i64, Reason> {
        self.reader.expect_integer().map_err(malformed)
    }

    fn position(&self) -> usize {
        self.parameters.len() - self.reader.rest().len()
    }

    /// Copies what comes before the value that began at `before` and has been read; its replacement follows.
    fn rewrite(&mut self, before: usize) -> Writer<'_> {
        if self.copied == 0 {
            // Most values keep their size, and doubling would take three times as much meanwhile.
            self.rewritten.reserve_exact(self.parameters.len() + 16);
        }
        let kept = self.parameters.get(self.copied..before).unwrap_or_default();
        self.rewritten.extend_from_slice(kept);
        self.copied = self.position();
        Writer::new(&mut self.rewritten)
    }

    fn finish(mut self) -> Cow<'a, [u8]> {
        if self.copied == 0 {
            return Cow::Borrowed(self.parameters);
        }
        self.rewritten.extend_from_slice(self.parameters.get(self.copied..).unwrap_or_default());
        Cow::Owned(self.rewritten)
    }

    fn invalid(&self, root: &str, reason: Reason) -> InvalidParameter {
        let step = |open: &Open<'a>| match open.is_map {
            true => Step::Key(open.key),
            false => Step::Index(open.read.saturating_sub(1)),
        };
        let steps: Vec<Step<'a>> = self.open.iter().map(step).collect();
        InvalidParameter { path: value_path::name(root, &steps), reason }
    }
}

const MALFORMED: &str = "not PackStream";
const DAY: i64 = 86_400;
const NANOS: i64 = 1_000_000_000;
/// Seconds of Memgraph's month.
const MONTH: i128 = 2_629_746;
/// The years 0 to 9999 in seconds since 1970-01-01.
const YEARS: std::ops::Range<i64> = -62_167_219_200..253_402_300_800;
const OUTSIDE_YEARS: &str = "this database has the years 0 to 9999 only";
const BEYOND_MICROS: &str = "beyond 64 bits of microseconds, which this database counts in";

fn in_micros(seconds: i128) -> bool {
    i64::try_from(seconds * 1_000_000).is_ok()
}

/// Whether the clocks of `zone` showed the same time already before they were put back.
fn is_second_of_two(zone: &str, seconds: i64, offset: i32) -> bool {
    let before = zone::offset_at(zone, seconds.saturating_sub(DAY)).unwrap_or(offset);
    let first = seconds.saturating_add(i64::from(offset) - i64::from(before));
    before > offset && zone::offset_at(zone, first) == Some(before)
}

/// Beyond it, every server closes the connection.
fn within_offsets(offset: i64) -> Result<(), Reason> {
    if (-64_800..=64_800).contains(&offset) {
        return Ok(());
    }
    Err("an offset of more than 18 hours; no time zone has one".into())
}

fn malformed(_: DecodeError) -> Reason {
    MALFORMED.into()
}

#[cfg(test)]
mod tests;
