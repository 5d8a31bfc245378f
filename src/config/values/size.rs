//! Owns sizes in bytes.

use std::{fmt, str::FromStr};

use super::text::{ParseValueError, serde_as_text, split_unit};

/// A positive number of bytes, plain (`65536`) or with a unit (`64KiB`, `1MiB`, `2GiB`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(usize);

impl ByteSize {
    /// Bytes per unit, largest unit first.
    const UNITS: [(&str, usize); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("", 1)];

    /// Makes a default. A test checks defaults against the parser.
    pub(in crate::config) const fn constant(bytes: usize) -> Self {
        Self(bytes)
    }

    /// The size in bytes.
    pub const fn get(self) -> usize {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, unit) = split_unit(text);
        let per_unit = Self::UNITS.iter().find(|(name, _)| *name == unit).map(|(_, bytes)| *bytes);
        let (Ok(number), Some(per_unit)) = (number.parse::<usize>(), per_unit) else {
            return Err(ParseValueError(format!(
                "`{text}` is not a size; write bytes, or a whole number and a unit \
                 (KiB, MiB, GiB), such as \"64KiB\" or \"1MiB\""
            )));
        };
        match number.checked_mul(per_unit) {
            Some(0) => Err(ParseValueError("must be more than zero bytes".to_owned())),
            Some(bytes) => Ok(Self(bytes)),
            None => Err(ParseValueError(format!("`{text}` is more than this machine can address"))),
        }
    }
}

impl fmt::Display for ByteSize {
    /// Writes the size in its largest exact unit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = |per_unit: usize| self.0.is_multiple_of(per_unit);
        let (unit, per_unit) = Self::UNITS.into_iter().find(|(_, per_unit)| exact(*per_unit)).unwrap_or(("", 1));
        write!(f, "{}{unit}", self.0 / per_unit)
    }
}

serde_as_text!(ByteSize);

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal<T: FromStr<Err = ParseValueError> + fmt::Debug>(text: &str) -> String {
        text.parse::<T>().expect_err(text).to_string()
    }

    #[test]
    fn sizes_are_read_and_printed_in_their_largest_exact_unit() {
        for (text, bytes, printed) in [
            ("1", 1, "1"),
            ("1000", 1000, "1000"),
            ("65536", 65_536, "64KiB"),
            ("64KiB", 65_536, "64KiB"),
            ("1MiB", 1_048_576, "1MiB"),
            ("1024MiB", 1_073_741_824, "1GiB"),
        ] {
            let size: ByteSize = text.parse().expect(text);
            assert_eq!(size.get(), bytes, "{text}");
            assert_eq!(size.to_string(), printed);
        }
    }

    #[test]
    fn sizes_with_decimal_units_or_out_of_range_are_refused() {
        for text in ["", "KiB", "64KB", "64k", "1.5MiB", "-1", "64 KiB", "64kib"] {
            assert!(refusal::<ByteSize>(text).contains("is not a size"), "{text}");
        }
        assert_eq!(refusal::<ByteSize>("0KiB"), "must be more than zero bytes");
        assert!(refusal::<ByteSize>("18446744073709551615GiB").contains("more than this machine"));
    }
}
