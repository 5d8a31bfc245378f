//! The name of a place inside parameters, for messages: `parameters.people[3].born`.
//!
//! Promises that a name stays short, however deep the place is and however long its keys are.

use std::fmt::Write;

/// One step into a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// The value of a map under this key.
    Key(&'a str),
    /// The item of a list, counted from zero.
    Index(usize),
}

/// Steps that are named at each end of a long way.
const NAMED: usize = 6;
/// Characters of a key that are shown.
const KEY: usize = 60;

/// Names the place that `steps` lead to from `root`.
#[must_use]
pub fn name(root: &str, steps: &[Step<'_>]) -> String {
    let mut name = root.to_owned();
    let hidden = NAMED..steps.len().saturating_sub(NAMED);
    for (place, step) in steps.iter().enumerate() {
        if !hidden.contains(&place) {
            push(&mut name, *step);
        } else if place == hidden.start {
            name.push('…');
        }
    }
    name
}

fn push(name: &mut String, step: Step<'_>) {
    // Writing to a string cannot fail.
    let _ = match step {
        Step::Index(index) => write!(name, "[{index}]"),
        Step::Key(key) if is_plain(key) => write!(name, ".{key}"),
        Step::Key(key) => write!(name, ".`{}`", shortened(key, KEY)),
    };
}

fn is_plain(key: &str) -> bool {
    (1..=KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// At most `most` characters of `text` on one line, with a mark where something is left out.
#[must_use]
pub fn shortened(text: &str, most: usize) -> String {
    let mut short: String = text.chars().take(most).flat_map(char::escape_debug).collect();
    if text.chars().nth(most).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_named_as_one_would_write_them() {
        let steps = [Step::Key("people"), Step::Index(3), Step::Key("né"), Step::Key("a\nb")];
        assert_eq!(name("parameters", &steps), "parameters.people[3].`né`.`a\\nb`");
        assert_eq!(name("parameters", &[]), "parameters");
        assert_eq!(name("parameters", &[Step::Key("")]), "parameters.``");
    }

    #[test]
    fn names_stay_short() {
        let deep = vec![Step::Index(0); 1000];
        assert_eq!(name("p", &deep), format!("p{}…{}", "[0]".repeat(6), "[0]".repeat(6)));
        assert_eq!(name("p", &deep[..12]), format!("p{}", "[0]".repeat(12)));
        let long = "x".repeat(100_000);
        assert_eq!(name("p", &[Step::Key(&long)]), format!("p.`{}…`", "x".repeat(60)));
    }
}
