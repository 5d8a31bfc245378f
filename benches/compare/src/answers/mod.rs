//! The canned peer's responses, prepared once per statement and sent as often as requested.
//!
//! Large results repeat a block of a thousand rows, so that ten million of them take no memory.

mod rows;

use crate::{
    bolt::{framed, reply},
    packstream::{boolean, integer, list, map, string, structure},
};

const BOOKMARK: &str = "FB:kcwQVWtJcTD9R3iBfEhUAVmU98kaIpA=";

/// All responses to one statement, as bytes in chunks.
#[derive(Debug)]
pub struct Answer {
    /// The SUCCESS of RUN in an auto-commit transaction.
    pub head: Vec<u8>,
    /// The rows.
    pub rows: Rows,
    /// The SUCCESS of the last PULL in an auto-commit transaction.
    pub summary: Vec<u8>,
    /// The SUCCESS of the last PULL in an explicit transaction.
    pub summary_within: Vec<u8>,
}

/// A block of rows that is repeated as often as needed.
#[derive(Debug, Default)]
pub struct Rows {
    /// The total number of rows.
    pub total: u64,
    block: Vec<u8>,
    /// The end of each row in the block.
    ends: Vec<usize>,
}

impl Answer {
    /// Returns the response to `statement`, with element ids in nodes since Bolt 5. `None` if the statement is unknown.
    #[must_use]
    pub fn to(statement: &str, element_ids: bool) -> Option<Self> {
        let shape = rows::Shape::of(statement)?;
        let mut rows = Rows { total: shape.total, ..Rows::default() };
        for row in 0..shape.total.min(rows::BLOCK) {
            let mut message = vec![0xB1, reply::RECORD];
            list(&mut message, shape.fields.len());
            (shape.write)(&mut message, row, element_ids);
            rows.block.extend(framed(&message));
            rows.ends.push(rows.block.len());
        }
        Some(Self {
            head: head(&shape.fields),
            rows,
            summary: summary(shape.creates, true),
            summary_within: summary(shape.creates, false),
        })
    }
}

impl Rows {
    /// Returns the rows from `from` on that are contiguous in the block, at most `most`: their number and bytes.
    #[must_use]
    pub fn piece(&self, from: u64, most: u64) -> (u64, &[u8]) {
        let length = self.ends.len() as u64;
        if length == 0 {
            return (0, &[]);
        }
        let first = from % length;
        let count = most.min(length - first).min(self.total.saturating_sub(from));
        let at = |row: u64| {
            let before = usize::try_from(row).unwrap_or(usize::MAX).checked_sub(1);
            before.and_then(|row| self.ends.get(row)).copied().unwrap_or(0)
        };
        (count, self.block.get(at(first)..at(first + count)).unwrap_or_default())
    }
}

/// Returns a SUCCESS with this encoded metadata.
#[must_use]
pub fn success(metadata: &[u8]) -> Vec<u8> {
    framed(&[&[0xB1, reply::SUCCESS], metadata].concat())
}

/// Returns a FAILURE.
#[must_use]
pub fn failure(code: &str, message: &str) -> Vec<u8> {
    let mut out = Vec::new();
    structure(&mut out, 1, reply::FAILURE);
    map(&mut out, 2);
    for (key, text) in [("code", code), ("message", message)] {
        string(&mut out, key);
        string(&mut out, text);
    }
    framed(&out)
}

/// Returns the SUCCESS of COMMIT.
#[must_use]
pub fn committed() -> Vec<u8> {
    let mut out = Vec::new();
    map(&mut out, 1);
    string(&mut out, "bookmark");
    string(&mut out, BOOKMARK);
    success(&out)
}

fn head(fields: &[String]) -> Vec<u8> {
    let mut out = Vec::new();
    map(&mut out, 2);
    string(&mut out, "t_first");
    integer(&mut out, 0);
    string(&mut out, "fields");
    list(&mut out, fields.len());
    fields.iter().for_each(|field| string(&mut out, field));
    success(&out)
}

fn summary(creates: bool, commits: bool) -> Vec<u8> {
    let mut out = Vec::new();
    map(&mut out, 3 + usize::from(commits) + usize::from(creates));
    if commits {
        string(&mut out, "bookmark");
        string(&mut out, BOOKMARK);
    }
    if creates {
        string(&mut out, "stats");
        map(&mut out, 4);
        for (counter, count) in [("nodes-created", 1000), ("labels-added", 1000), ("properties-set", 10_000)] {
            string(&mut out, counter);
            integer(&mut out, count);
        }
        string(&mut out, "contains-updates");
        boolean(&mut out, true);
    }
    string(&mut out, "type");
    string(&mut out, if creates { "w" } else { "r" });
    string(&mut out, "t_last");
    integer(&mut out, 0);
    string(&mut out, "db");
    string(&mut out, "neo4j");
    success(&out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_up_the_result_and_no_more() {
        let answer = Answer::to("UNWIND range(1, 2500) AS i RETURN i AS n", true).map(|answer| answer.rows);
        let rows = answer.unwrap_or_default();
        let (mut from, mut scan) = (0, crate::bolt::Scan::default());
        loop {
            let (count, bytes) = rows.piece(from, 700);
            if count == 0 {
                break;
            }
            from += count;
            scan.feed(bytes);
        }
        assert_eq!((from, scan.records), (2500, 2500));
    }

    #[test]
    fn an_unknown_statement_has_no_answer() {
        assert!(Answer::to("RETURN 2", true).is_none());
    }
}
