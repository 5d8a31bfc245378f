//! Instants in the units of Arrow.

use super::{misfit::Why, types::Unit};
use crate::{bolt::packstream::DecodeError, json::output::parts::normalised};

/// An instant, or a local time that is counted as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instant {
    seconds: i64,
    /// Forward from the second.
    nanos: i64,
}

impl Instant {
    /// The instant that a server means.
    pub(super) fn new(seconds: i64, nanos: i64) -> Result<Self, DecodeError> {
        let (seconds, nanos) = normalised(seconds, nanos)?;
        Ok(Self { seconds, nanos })
    }

    /// Whether it has a fraction of a microsecond.
    pub(super) fn is_fine(self) -> bool {
        self.nanos % 1000 != 0
    }

    /// Whether Arrow can count so far in `unit`.
    pub(super) fn fits(self, unit: Unit) -> bool {
        self.counted(unit).is_some()
    }

    /// The number of units since 1970.
    pub(super) fn count(self, unit: Unit) -> Result<i64, Why> {
        match unit {
            Unit::Micro if self.is_fine() => Err(Why::TooFine),
            _ => self.counted(unit).ok_or(Why::OutOfRange),
        }
    }

    fn counted(self, unit: Unit) -> Option<i64> {
        let (seconds, nanos) = (i128::from(self.seconds), i128::from(self.nanos));
        let count = match unit {
            Unit::Micro => seconds * 1_000_000 + nanos / 1000,
            Unit::Nano => seconds * 1_000_000_000 + nanos,
        };
        i64::try_from(count).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_counted_to_the_ends_of_64_bits() {
        for (seconds, nanos, micros, in_nanos) in [
            (0, 0, Ok(0), Ok(0)),
            (-1, 999_999_000, Ok(-1), Ok(-1000)),
            (1, -1, Err(Why::TooFine), Ok(999_999_999)),
            (9_223_372_036, 854_775_807, Err(Why::TooFine), Ok(i64::MAX)),
            (9_223_372_036, 854_775_808, Err(Why::TooFine), Err(Why::OutOfRange)),
            (-9_223_372_037, 145_224_192, Err(Why::TooFine), Ok(i64::MIN)),
            (253_402_300_799, 0, Ok(253_402_300_799_000_000), Err(Why::OutOfRange)),
            (i64::MAX, 0, Err(Why::OutOfRange), Err(Why::OutOfRange)),
        ] {
            let instant = Instant::new(seconds, nanos).unwrap();
            assert_eq!((instant.count(Unit::Micro), instant.count(Unit::Nano)), (micros, in_nanos), "{instant:?}");
        }
    }
}
