//! Sums of the counters of several statements.

use std::collections::BTreeMap;

use crate::bolt::{
    Stats,
    packstream::{DecodeError, Reader, Token, Writer},
};

/// Sums of counters, by the names that the database gives them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    numbers: BTreeMap<String, i64>,
    /// Flags such as `contains-updates`, which are true if they are true for any statement.
    flags: BTreeMap<String, bool>,
    /// Whether the counters of any statement are unknown, and so the sums are, too.
    unknown: bool,
}

impl Counters {
    /// Adds the counters of one statement, as its summary has them. Those that cannot be decoded are unknown.
    pub fn add(&mut self, stats: &Stats) {
        self.unknown |= match stats {
            Stats::Absent => false,
            Stats::Counted(map) => self.add_map(map).is_err(),
            Stats::Unknown => true,
        };
    }

    fn add_map(&mut self, stats: &[u8]) -> Result<(), DecodeError> {
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

    /// Returns the sums as a summary has them.
    pub fn to_stats(&self) -> Stats {
        if self.unknown {
            return Stats::Unknown;
        }
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
        Stats::Counted(out)
    }
}

fn entry<'a, T: Default>(entries: &'a mut BTreeMap<String, T>, name: &str) -> &'a mut T {
    entries.entry(name.to_owned()).or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(nodes: i64, updates: bool) -> Stats {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        writer.map(3);
        writer.string("nodes-created");
        writer.integer(nodes);
        writer.string("contains-updates");
        writer.boolean(updates);
        writer.string("odd");
        writer.list(0);
        Stats::Counted(out)
    }

    #[test]
    fn numbers_are_summed_and_flags_are_combined() {
        let mut counters = Counters::default();
        assert_eq!(counters.to_stats(), Stats::Counted(vec![0xA0]));
        counters.add(&stats(2, true));
        counters.add(&Stats::Absent);
        counters.add(&stats(3, false));
        counters.add(&stats(i64::MAX, false));
        assert_eq!(counters.numbers, BTreeMap::from([("nodes-created".to_owned(), i64::MAX)]));
        assert_eq!(counters.flags, BTreeMap::from([("contains-updates".to_owned(), true)]));
        let mut again = Counters::default();
        again.add(&counters.to_stats());
        assert_eq!(again, counters);
    }

    #[test]
    fn one_statement_with_unknown_counters_makes_the_sums_unknown() {
        for unknown in [Stats::Unknown, Stats::Counted(vec![0xA1])] {
            let mut counters = Counters::default();
            counters.add(&stats(2, true));
            counters.add(&unknown);
            counters.add(&stats(3, true));
            assert_eq!(counters.to_stats(), Stats::Unknown);
        }
    }
}
