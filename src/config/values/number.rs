//! Owns numbers: counts, percentages, factors and fractions.
//!
//! Decimal numbers are kept in thousandths, so that they print as they were written and can be compared exactly.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A count: 1 to 4294967295.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(u32);

impl Count {
    /// Makes a default. A test checks defaults against the parser.
    pub(in crate::config) const fn constant(count: u32) -> Self {
        Self(count)
    }

    /// Half the count, but at least 1.
    pub(in crate::config) const fn halved(self) -> Self {
        Self(if self.0 < 2 { 1 } else { self.0 / 2 })
    }

    /// Twice the count, or the largest one.
    pub(in crate::config) const fn doubled(self) -> Self {
        Self(self.0.saturating_mul(2))
    }

    /// The count as a `usize`.
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        match u32::try_from(number) {
            Ok(count) if count > 0 => Ok(Self(count)),
            _ => {
                Err(D::Error::custom(format!("{number} is out of range; write a whole number from 1 to {}", u32::MAX)))
            }
        }
    }
}

/// A share of a whole: 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent(u8);

impl Percent {
    /// Makes a default. A test checks defaults against the parser.
    pub(in crate::config) const fn constant(percent: u8) -> Self {
        Self(percent)
    }

    /// The share of `whole`, rounded up, so that it is never zero.
    pub fn of(self, whole: usize) -> usize {
        (whole * usize::from(self.0)).div_ceil(100)
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        match u8::try_from(number) {
            Ok(percent @ 1..=100) => Ok(Self(percent)),
            _ => Err(D::Error::custom(format!("{number} is out of range; write a whole number from 1 to 100"))),
        }
    }
}

/// A number with at most three decimals. Its bounds are in thousandths too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thousandths<const LEAST: u32, const MOST: u32>(u32);

/// A factor: 1.0 to 100.0.
pub type Factor = Thousandths<1000, 100_000>;

/// A fraction: 0.0 to 1.0.
pub type Fraction = Thousandths<0, 1000>;

impl<const LEAST: u32, const MOST: u32> Thousandths<LEAST, MOST> {
    /// Makes a default. A test checks defaults against the parser.
    pub(in crate::config) const fn constant(thousandths: u32) -> Self {
        Self(thousandths)
    }

    /// The number as the nearest float.
    pub fn get(self) -> f64 {
        f64::from(self.0) / 1000.0
    }

    /// Returns `number` unless it is out of range or has a fourth decimal.
    fn new(number: f64) -> Option<Self> {
        // The cast saturates. Numbers that do not fit, and NaN, differ from the number that comes back.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "compared below")]
        let nearest = Self((number * 1000.0).round() as u32);
        ((LEAST..=MOST).contains(&nearest.0) && nearest.get() == number).then_some(nearest)
    }
}

impl<const LEAST: u32, const MOST: u32> Serialize for Thousandths<LEAST, MOST> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.get())
    }
}

impl<'de, const LEAST: u32, const MOST: u32> Deserialize<'de> for Thousandths<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        Self::new(number).ok_or_else(|| {
            let (least, most) = (Self(LEAST).get(), Self(MOST).get());
            D::Error::custom(format!(
                "{number:?} is out of range; write a number from {least:?} to {most:?} with at most three decimals"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_with_three_decimals_is_read_and_printed_exactly() {
        for thousandths in 1000..=100_000 {
            let text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
            let number = Factor::new(text.parse().expect("a number"));
            assert_eq!(number, Some(Thousandths(thousandths)), "{text}");
            let printed: f64 = toml::Value::try_from(number).expect("TOML").to_string().parse().expect("a number");
            assert_eq!(Factor::new(printed), number, "{text}");
        }
    }

    #[test]
    fn numbers_out_of_range_or_with_more_decimals_are_refused() {
        for number in [0.999, 0.9999, 100.001, 1.0001, 1.5e-5, -1.0, 4_294_967.297, 1e300, f64::INFINITY, f64::NAN] {
            assert_eq!(Factor::new(number), None, "{number}");
        }
        for number in [-0.001, -0.0001, 1.001, 0.0005, f64::NEG_INFINITY, f64::NAN] {
            assert_eq!(Fraction::new(number), None, "{number}");
        }
        assert_eq!(
            [Fraction::new(0.0), Fraction::new(-0.0), Fraction::new(1.0)].map(|n| n.map(Fraction::get)),
            [Some(0.0), Some(0.0), Some(1.0)]
        );
        assert_eq!([Factor::new(1.0), Factor::new(100.0)].map(|n| n.map(Factor::get)), [Some(1.0), Some(100.0)]);
    }
}
