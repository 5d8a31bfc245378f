//! The path of a value in nested lists and maps, as text for messages: `parameters.people[3].born`.
//!
//! Owns the spelling of such paths. Promises that a path stays short, however deep the value and however long its keys.
//! Knows no other room, so that every room can name a value in the same way.

use std::fmt::Write;

/// One step into a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// The value of a map under this key.
    Key(&'a str),
    /// The item of a list, counted from zero.
    Index(usize),
}

/// The number of steps that are shown at each end of a long path.
const SHOWN: usize = 6;
/// The number of characters of a key that are shown.
const KEY: usize = 60;

/// Returns the path of the value that `steps` lead to from `root`.
#[must_use]
pub fn name(root: &str, steps: &[Step<'_>]) -> String {
    let mut name = root.to_owned();
    let hidden = SHOWN..steps.len().saturating_sub(SHOWN);
    for (at, step) in steps.iter().enumerate() {
        if !hidden.contains(&at) {
            push(&mut name, *step);
        } else if at == hidden.start {
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

/// Returns at most `most` characters of `text` on one line, followed by `…` if it was longer.
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
    fn paths_look_like_code() {
        let steps = [Step::Key("people"), Step::Index(3), Step::Key("né"), Step::Key("a\nb")];
        assert_eq!(name("parameters", &steps), "parameters.people[3].`né`.`a\\nb`");
        assert_eq!(name("parameters", &[]), "parameters");
        assert_eq!(name("parameters", &[Step::Key("")]), "parameters.``");
    }

    #[test]
    fn paths_stay_short() {
        let deep = vec![Step::Index(0); 1000];
        assert_eq!(name("p", &deep), format!("p{}…{}", "[0]".repeat(6), "[0]".repeat(6)));
        assert_eq!(name("p", &deep[..12]), format!("p{}", "[0]".repeat(12)));
        let long = "x".repeat(100_000);
        assert_eq!(name("p", &[Step::Key(&long)]), format!("p.`{}…`", "x".repeat(60)));
    }
}
