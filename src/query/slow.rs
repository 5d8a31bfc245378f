//! The log of slow statements.
//!
//! Promises that no value of a parameter gets into a line, and that a statement takes one line, whatever is in it.

use std::time::Duration;

use super::{offload::OFFLOAD_ABOVE, report::InFlight, running::Entry};
use crate::bolt::packstream::Reader;

/// The most bytes of a statement, and of its parameters' names, in a line.
const LONGEST: usize = 2000;

/// Writes a line about a statement that took `duration` from RUN to its last reply.
pub(super) fn log(entry: &Entry, in_flight: &InFlight, duration: Duration) {
    let record = &entry.caller.record;
    tracing::warn!(
        target: "boltgate::query::slow",
        parent: None,
        request_id = record.request_id().as_str(),
        caller = %entry.caller.label(),
        database = entry.database,
        duration_us = microseconds(duration),
        wait_us = record.wait().map(microseconds),
        rows = in_flight.rows,
        statement = line(&in_flight.text),
        parameters = in_flight.parameters,
        "slow statement"
    );
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// The beginning of a text, without line breaks.
fn line(text: &str) -> String {
    let beginning = text.get(..text.floor_char_boundary(LONGEST)).unwrap_or_default();
    beginning.replace(is_line_break, " ")
}

/// Whether a terminal or a reader of logs may begin a line with this.
fn is_line_break(char: char) -> bool {
    matches!(char, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The names of parameters, a PackStream map; `None` without any. Of a large map only the first, since it would take
/// long to find the others.
pub(super) fn names(parameters: &[u8]) -> Option<String> {
    let is_large = parameters.len() > OFFLOAD_ABOVE;
    let mut reader = Reader::new(parameters);
    let mut names = String::new();
    let count = reader.expect_map().unwrap_or_default();
    for at in 0..count {
        if (at > 0 && is_large) || names.len() > LONGEST {
            names.push_str(", …");
            break;
        }
        let Ok(name) = reader.expect_string() else { break };
        if at > 0 {
            names.push_str(", ");
        }
        names.push_str(&line(name));
        if !is_large && reader.skip().is_err() {
            break;
        }
    }
    (count > 0).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bolt::packstream::map_of;

    #[test]
    fn a_statement_is_one_line_of_at_most_2000_bytes() {
        assert_eq!(line("MATCH (n)\r\n  RETURN n\u{2028}"), "MATCH (n)    RETURN n ");
        let long = format!("{}ä and more", "x".repeat(LONGEST - 1));
        assert_eq!(line(&long), "x".repeat(LONGEST - 1));
    }

    #[test]
    fn parameters_are_named_without_their_values() {
        assert_eq!(names(&map_of(&[])), None);
        assert_eq!(names(&map_of(&[("name", "secret"), ("a\nb", "other")])).as_deref(), Some("name, a b"));
        let large = "s".repeat(OFFLOAD_ABOVE);
        assert_eq!(names(&map_of(&[("first", &large), ("second", "x")])).as_deref(), Some("first, …"));
        let many: Vec<_> = (0..1000).map(|number| format!("parameter{number}")).collect();
        let pairs: Vec<_> = many.iter().map(|name| (name.as_str(), "x")).collect();
        let named = names(&map_of(&pairs)).unwrap();
        assert!(named.ends_with(", …") && named.len() < LONGEST + 100, "{named}");
    }
}
