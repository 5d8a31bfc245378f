//! The statements that the canned peer knows, and the values of their rows. `workloads.py` has the full statements.

use crate::packstream::{boolean, float, integer, list, map, string, structure};

/// The number of distinct rows. Larger results repeat them.
pub(super) const BLOCK: u64 = 1000;

/// The number of columns of the wide result.
const WIDE: usize = 20;

const NODE: u8 = 0x4E;

/// A text of the wide result. Some characters need escapes, some are not ASCII.
const TEXT: &str = "The engine \"weaves algebraic patterns\"\njust as the Jacquard loom weaves flowers and leaves; \
                    naïve readers in Zürich, Kraków and 東京 agree.";

/// The result of a statement.
pub(super) struct Shape {
    pub(super) fields: Vec<String>,
    pub(super) total: u64,
    /// Appends the values of a row. Takes its number and whether nodes have element ids.
    pub(super) write: fn(&mut Vec<u8>, u64, bool),
    pub(super) creates: bool,
}

impl Shape {
    pub(super) fn of(statement: &str) -> Option<Self> {
        let rows = |fields: &[&str], total, write| {
            let fields = fields.iter().map(|&field| field.to_owned()).collect();
            Some(Self { fields, total, write, creates: false })
        };
        if statement == "RETURN 1" {
            rows(&["1"], 1, |out, _, _| integer(out, 1))
        } else if statement.starts_with("MATCH (n:Bench {id: $id}) RETURN") {
            rows(&["id", "name", "email", "score"], 1, person)
        } else if let Some(rest) = statement.strip_prefix("MATCH (n:Bench) RETURN n LIMIT ") {
            rows(&["n"], number(rest)?, node)
        } else if statement.starts_with("UNWIND $rows AS row CREATE") {
            rows(&[], 0, |_, _, _| {}).map(|shape| Self { creates: true, ..shape })
        } else {
            let rest = statement.strip_prefix("UNWIND range(1, ")?;
            let total = number(rest)?;
            if rest.contains("$text") {
                let fields: Vec<_> = (0..WIDE).map(|column| format!("t{column}")).collect();
                return Some(Self { fields, total, write: wide, creates: false });
            }
            rows(&["n", "x", "text", "even"], total, scalars)
        }
    }
}

/// The digits at the start.
fn number(text: &str) -> Option<u64> {
    text.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

fn person(out: &mut Vec<u8>, row: u64, _: bool) {
    integer(out, signed(row));
    string(out, "Ada Lovelace 4711");
    string(out, "ada.lovelace.4711@example.org");
    float(out, 0.125);
}

fn scalars(out: &mut Vec<u8>, row: u64, _: bool) {
    let n = signed(row) + 1;
    integer(out, n);
    float(out, n as f64 / 8.0);
    string(out, &format!("row {n}"));
    boolean(out, n % 2 == 0);
}

fn wide(out: &mut Vec<u8>, _: u64, _: bool) {
    for _ in 0..WIDE {
        string(out, TEXT);
    }
}

fn node(out: &mut Vec<u8>, row: u64, element_ids: bool) {
    structure(out, if element_ids { 4 } else { 3 }, NODE);
    integer(out, signed(row));
    list(out, 1);
    string(out, "Bench");
    map(out, 10);
    string(out, "id");
    integer(out, signed(row));
    for (key, text) in [
        ("name", format!("Ada Lovelace {row}")),
        ("email", format!("ada.lovelace.{row}@example.org")),
        ("city", "London".to_owned()),
        ("note", "the first to see that the engine could do more than numbers".to_owned()),
    ] {
        string(out, key);
        string(out, &text);
    }
    string(out, "born");
    integer(out, 1815 + signed(row % 200));
    string(out, "visits");
    integer(out, signed(row) * 1000);
    string(out, "score");
    float(out, row as f64 / 8.0);
    string(out, "active");
    boolean(out, row.is_multiple_of(2));
    string(out, "tags");
    list(out, 3);
    ["poet", "engine", "analysis"].iter().for_each(|tag| string(out, tag));
    if element_ids {
        string(out, &format!("4:8a1d7d4e-6f0c-4a51-9d7c-2f1f5e0c9b11:{row}"));
    }
}

fn signed(row: u64) -> i64 {
    i64::try_from(row).unwrap_or(i64::MAX)
}
