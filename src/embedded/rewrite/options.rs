//! The options before a statement: `CYPHER 25 runtime=slotted …`.
//!
//! Owns their removal: the engine has one version of Cypher and one runtime. Promises that every other character keeps
//! its place.

use std::borrow::Cow;

use crate::embedded::cypher::lexer::{Kind, Token, tokens};

/// Replaces the options by white space, character by character.
pub(in crate::embedded) fn blank(statement: &str) -> Cow<'_, str> {
    if !statement
        .trim_start_matches(|c: char| !c.is_ascii_alphabetic())
        .get(..6)
        .is_some_and(|word| word.eq_ignore_ascii_case("CYPHER"))
    {
        return Cow::Borrowed(statement);
    }
    let tokens = tokens(statement);
    let Some(first) = tokens.first().filter(|first| first.is_word("CYPHER")) else {
        return Cow::Borrowed(statement);
    };
    let mut end = first.end();
    let mut rest = tokens.get(1..).unwrap_or_default();
    loop {
        let length: usize = match rest {
            [number, ..] if number.kind == Kind::Number => 1,
            [name, equals, value, ..] if is_option(name, equals, value) => 3,
            _ => break,
        };
        end = length.checked_sub(1).and_then(|last| rest.get(last)).map_or(end, Token::end);
        rest = rest.get(length..).unwrap_or_default();
    }
    let mut blanked: Vec<u8> = statement.into();
    for byte in blanked.iter_mut().take(end).skip(first.start).filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
    String::from_utf8(blanked).map_or(Cow::Borrowed(statement), Cow::Owned)
}

fn is_option(name: &Token<'_>, equals: &Token<'_>, value: &Token<'_>) -> bool {
    name.kind == Kind::Word && equals.is_symbol("=") && matches!(value.kind, Kind::Word | Kind::Number | Kind::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_white_space() {
        for (statement, expected) in [
            ("CYPHER 25 RETURN 1", "          RETURN 1"),
            ("/* é */ cypher 5\n runtime=slotted RETURN 1", "/* é */         \n                 RETURN 1"),
            ("CYPHER planner = cost EXPLAIN RETURN 1", "                      EXPLAIN RETURN 1"),
            ("CYPHER RETURN 1", "       RETURN 1"),
        ] {
            assert_eq!(blank(statement), expected);
        }
    }

    #[test]
    fn other_statements_stay() {
        for statement in ["RETURN 'CYPHER 25'", "// CYPHER 25\nRETURN 1", "MATCH (cypher) RETURN 5", "", "CREATE (n)"] {
            assert!(matches!(blank(statement), Cow::Borrowed(text) if text == statement), "{statement}");
        }
    }
}
