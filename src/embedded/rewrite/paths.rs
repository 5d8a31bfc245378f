//! `CREATE p = (a)-[:R]->(b)`.
//!
//! Owns the translation to a `CREATE` whose elements all have names, followed by a `MATCH` of the path through them.
//! Promises one row for each row before, because every element of the `MATCH` is bound.

use super::Source;
use super::edits::Edits;
use crate::embedded::cypher::clauses::{CLAUSES, items, next_keyword};
use crate::embedded::cypher::lexer::Token;

/// Translates every named path of a `CREATE`.
pub(super) fn rewrite(source: &Source<'_>, edits: &mut Edits) {
    let tokens = source.tokens;
    let mut names: usize = 0;
    for at in (0..tokens.len()).filter(|&at| source.is_keyword(at, "CREATE")) {
        let end = next_keyword(tokens, at + 1, &CLAUSES);
        let clause = source.without_end(at + 1, end);
        let mut matches = String::new();
        for pattern in items(clause, 0) {
            if let [path, equals, elements @ ..] = pattern
                && let (Some(_), Some(first)) = (path.name(), elements.first())
                && equals.is_symbol("=")
            {
                edits.replace(path.start..first.start, "");
                let shape = shape(elements, &mut names, edits);
                matches.push_str(&format!(" MATCH {} = {shape}", path.text));
            }
        }
        if !matches.is_empty() {
            edits.insert(source.end_of_changes(end), matches);
        }
    }
}

/// Names the elements that have no name, and returns the path without labels, types and properties.
fn shape(elements: &[Token<'_>], names: &mut usize, edits: &mut Edits) -> String {
    let mut shape = String::new();
    for (at, token) in elements.iter().enumerate().filter(|(_, token)| token.depth == 0) {
        shape.push_str(token.text);
        if !(token.is_symbol("(") || token.is_symbol("[")) {
            continue;
        }
        match elements.get(at + 1).filter(|name| name.name().is_some()) {
            Some(name) => shape.push_str(name.text),
            None => {
                let name = format!("_boltgate_path_{names}");
                *names += 1;
                edits.insert(token.end(), name.as_str());
                shape.push_str(&name);
            }
        }
    }
    shape
}
