//! Sums of the counters of several statements.

use std::collections::BTreeMap;

use crate::bolt::packstream::{DecodeError, Reader, Token, Writer};

/// Sums of counters, by the names that the database gives them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    numbers: BTreeMap<String, i64>,
    /// Flags such as `contains-updates`, which are true if they are true for any statement.
    flags: BTreeMap<String, bool>,
}

impl Counters {
    /// Adds the counters of one statement, a PackStream map from its summary.
    ///
    /// # Errors
    /// When the map cannot be decoded.
    pub fn add(&mut self, stats: &[u8]) -> Result<(), DecodeError> {
        let mut reader = Reader::new(stats);
        for _ in 0..reader.expect_map()? {
            let name = reader.expect_string()?;
            match Reader::new(reader.raw()?).token()? {
                Token::Integer(number) => {
                    let sum = entry(&mut self.numbers, name);
                    *sum = sum.saturating_add(number);
                }
                Token::Boolean(flag) => *entry(&mut self.flags, name) |= flag,
                _ => {}
            }
        }
        Ok(())
    }

    /// Returns the sums as a PackStream map, as a database sends counters.
    pub fn to_packstream(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        writer.map(self.numbers.len() + self.flags.len());
        for (name, number) in &self.numbers {
            writer.string(name);
            writer.integer(*number);
        }
        for (name, flag) in &self.flags {
            writer.string(name);
            writer.boolean(*flag);
        }
        out
    }
}

fn entry<'a, T: Default>(entries: &'a mut BTreeMap<String, T>, name: &str) -> &'a mut T {
    entries.entry(name.to_owned()).or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(nodes: i64, updates: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        writer.map(3);
        writer.string("nodes-created");
        writer.integer(nodes);
        writer.string("contains-updates");
        writer.boolean(updates);
        writer.string("odd");
        writer.list(0);
        out
    }

    #[test]
    fn numbers_are_summed_and_flags_are_combined() {
        let mut counters = Counters::default();
        assert_eq!(counters.to_packstream(), [0xA0]);
        counters.add(&stats(2, true)).unwrap();
        counters.add(&stats(3, false)).unwrap();
        counters.add(&stats(i64::MAX, false)).unwrap();
        assert_eq!(counters.numbers, BTreeMap::from([("nodes-created".to_owned(), i64::MAX)]));
        assert_eq!(counters.flags, BTreeMap::from([("contains-updates".to_owned(), true)]));
        let mut again = Counters::default();
        again.add(&counters.to_packstream()).unwrap();
        assert_eq!(again, counters);
        assert!(counters.add(&[0xA1]).is_err());
    }
}
