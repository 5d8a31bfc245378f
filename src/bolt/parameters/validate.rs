//! Validation of all parameters, value by value, without recursion.

use std::borrow::Cow;

use super::accepts::{Accepts, InvalidParameter};
use crate::{
    bolt::packstream::{DecodeError, Reader, Token, Writer, tag},
    value_path::{self, Step},
};

/// Checks `parameters`, a PackStream map that the caller knows as `root`, against `accepts`. Returns them unchanged, or
/// rewritten for an old server that encodes date-times differently.
///
/// # Errors
/// [`InvalidParameter`] names the first value that the server does not accept.
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
    /// The current key of a map.
    key: &'a str,
}

pub(super) struct Validator<'a, 'c> {
    pub(super) accepts: &'c Accepts,
    parameters: &'a [u8],
    pub(super) reader: Reader<'a>,
    open: Vec<Open<'a>>,
    elements: usize,
    /// The rewritten parameters up to `copied`; empty until a value has to be rewritten.
    rewritten: Vec<u8>,
    copied: usize,
}

pub(super) type Reason = Cow<'static, str>;

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
                "there are more than {most} values in all parameters, which this database might not survive; send them \
                 in several requests"
            )
            .into());
        }
        let before = self.position();
        match self.reader.token().map_err(malformed)? {
            Token::List(items) => self.enter(false, items),
            Token::Map(items) => self.enter(true, items),
            Token::Struct(tag, fields) => self.structure(tag, fields, before),
            Token::Bytes(_) if !self.accepts.bytes => {
                Err("this database does not support bytes; send a Base64 string".into())
            }
            Token::Uuid(_) if !self.accepts.uuid => {
                Err("this database does not support UUIDs (Bolt 6.1 does); send a string".into())
            }
            _ => Ok(()),
        }
    }

    fn enter(&mut self, is_map: bool, items: usize) -> Result<(), Reason> {
        // The map of all parameters does not count.
        if self.open.len() > self.accepts.max_depth {
            let most = self.accepts.max_depth;
            return Err(format!("nested deeper than {most} levels; send a flatter value").into());
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
            (tag::VECTOR, 2) => {
                Err("this database does not support vectors (Bolt 6.0 does); send a list of numbers".into())
            }
            _ => Err("nodes, relationships and paths cannot be parameters; send an element id".into()),
        }
    }

    fn point(&mut self, dimensions: usize) -> Result<(), Reason> {
        let srid = self.integer()?;
        let mut floats = true;
        for _ in 0..dimensions {
            floats &= matches!(self.reader.token().map_err(malformed)?, Token::Float(_));
        }
        self.confined(floats, || "a coordinate of the point is not a float".into())?;
        let known: &[i64] = if dimensions == 2 { &[4326, 7203] } else { &[4979, 9157, 9757] };
        self.confined(known.contains(&srid), || {
            format!(
                "this database does not support points of {dimensions} coordinates with SRID {srid}; use 7203 or 4326 \
                 for two coordinates, 9157 or 4979 for three"
            )
            .into()
        })
    }

    /// Refuses a value that Memgraph does not survive, unless it is `fine`; other servers accept it.
    pub(super) fn confined(&self, fine: bool, reason: impl FnOnce() -> Reason) -> Result<(), Reason> {
        if fine || !self.accepts.memgraph_temporals { Ok(()) } else { Err(reason()) }
    }

    pub(super) fn integer(&mut self) -> Result<i64, Reason> {
        self.reader.expect_integer().map_err(malformed)
    }

    fn position(&self) -> usize {
        self.parameters.len() - self.reader.rest().len()
    }

    /// Copies everything before the value that began at `before` and was just read. The caller writes its replacement.
    pub(super) fn rewrite(&mut self, before: usize) -> Writer<'_> {
        if self.copied == 0 {
            // Most values keep their size, and growing by doubling would need three times as much memory.
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

pub(super) const MALFORMED: &str = "not PackStream";

pub(super) fn malformed(_: DecodeError) -> Reason {
    MALFORMED.into()
}
