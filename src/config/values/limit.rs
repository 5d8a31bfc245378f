//! Owns limits that may be absent, which is written as zero.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::{
    size::ByteSize,
    text::{ParseValueError, serde_as_text},
};

/// A count that must not be exceeded: 1 to 4294967295, or 0 for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountLimit(u32);

impl CountLimit {
    /// No limit.
    pub(in crate::config) const NONE: Self = Self(0);

    /// The limit, if there is one.
    pub const fn get(self) -> Option<u32> {
        if self.0 == 0 { None } else { Some(self.0) }
    }
}

impl Serialize for CountLimit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

impl<'de> Deserialize<'de> for CountLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        u32::try_from(number).map(Self).map_err(|_| {
            D::Error::custom(format!(
                "{number} is out of range; write a whole number from 1 to {}, or 0 for no limit",
                u32::MAX
            ))
        })
    }
}

/// A size in bytes that must not be exceeded, written as every size, or `0` for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeLimit(Option<ByteSize>);

impl SizeLimit {
    /// No limit.
    pub(in crate::config) const NONE: Self = Self(None);

    /// The limit in bytes, if there is one.
    pub fn get(self) -> Option<usize> {
        self.0.map(ByteSize::get)
    }
}

impl FromStr for SizeLimit {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "0" { Ok(Self::NONE) } else { text.parse().map(|size| Self(Some(size))) }
    }
}

impl fmt::Display for SizeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(size) => size.fmt(f),
            None => f.write_str("0"),
        }
    }
}

serde_as_text!(SizeLimit);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_no_limit() {
        for (text, bytes) in [("0", None), ("1", Some(1)), ("64KiB", Some(65_536))] {
            let limit: SizeLimit = text.parse().expect(text);
            assert_eq!((limit.get(), limit.to_string().as_str()), (bytes, text));
        }
        assert!("0KiB".parse::<SizeLimit>().is_err());
        assert_eq!([CountLimit(0), CountLimit(7)].map(CountLimit::get), [None, Some(7)]);
    }
}
