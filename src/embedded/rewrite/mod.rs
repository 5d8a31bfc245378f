//! Statements of Neo4j and Memgraph in the words of the engine.
//!
//! Owns the translations that need only the statement's text and parameters, a file for each, and their order. Every
//! rule reads the same tokens and changes as little text as it can, so that rules apply within each other. Promises
//! that a statement that needs none stays as it is, byte for byte, and that columns keep the names that the user wrote.
//! Knows nothing of the engine's state.

mod conditions;
pub(in crate::embedded) mod edits;
mod foreach;
mod functions;
mod identity;
pub(in crate::embedded) mod index_commands;
mod operators;
pub(in crate::embedded) mod options;
pub(in crate::embedded) mod parameters;
mod paths;
mod projections;
mod property_maps;
mod source;
mod temporal;

use edits::Edits;
use source::Source;

use graphdblite::{GraphError, Span};

use crate::embedded::cypher::lexer::{self, tokens};
use crate::embedded::errors::Failure;
use crate::embedded::ids::Ids;
use crate::embedded::values::Parameters;

/// A statement in the words of the engine.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::embedded) struct Rewritten {
    pub(in crate::embedded) text: String,
    pub(in crate::embedded) translation: Translation,
}

/// Maps places in the engine's text back to the user's.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::embedded) struct Translation {
    original: String,
    /// In the order in which they were made.
    passes: Vec<Edits>,
}

impl Translation {
    /// What leads back through `edits` of `original`, which have been applied.
    pub(in crate::embedded) fn new(original: &str, edits: Edits) -> Translation {
        Translation { original: original.to_owned(), passes: vec![edits] }
    }

    /// Moves the place that `error` names from the engine's text to the user's.
    pub(in crate::embedded) fn located(&self, error: GraphError) -> GraphError {
        let GraphError::Query(query) = &error else { return error };
        match query.span() {
            Some(span) => error.with_span(self.origin(span)),
            None => error,
        }
    }

    /// The place in the user's text that `span` comes from.
    fn origin(&self, span: Span) -> Span {
        let end = self.original.len();
        let origin = |offset| self.passes.iter().rev().fold(offset, |offset, edits| edits.origin(offset)).min(end);
        let (start, end) = (origin(span.start), origin(span.end));
        let (line, col) = source::line_and_column(&self.original, start);
        Span { start, end, line, col }
    }
}

/// Translates `statement`, and adds the parameters that its translation needs to `parameters`. Returns `None` if it
/// needs none.
///
/// # Errors
/// Returns an error if the engine has no counterpart to the statement.
pub(in crate::embedded) fn rewrite(
    statement: &str,
    parameters: &mut Parameters,
    ids: &Ids,
) -> Result<Option<Rewritten>, Failure> {
    let tokens = tokens(statement);
    let mut clauses = Edits::default();
    rewrite_clauses(&Source::new(statement, &tokens), &mut clauses);
    let mut expressions = Edits::default();
    if clauses.is_empty() {
        rewrite_expressions(&Source::new(statement, &tokens), parameters, ids, &mut expressions)?;
        if expressions.is_empty() {
            return Ok(None);
        }
        let text = expressions.apply(statement);
        return Ok(Some(Rewritten {
            text,
            translation: Translation { original: statement.to_owned(), passes: vec![expressions] },
        }));
    }
    let between = clauses.apply(statement);
    let tokens = lexer::tokens(&between);
    rewrite_expressions(&Source::new(&between, &tokens), parameters, ids, &mut expressions)?;
    let text = expressions.apply(&between);
    Ok(Some(Rewritten {
        text,
        translation: Translation { original: statement.to_owned(), passes: vec![clauses, expressions] },
    }))
}

/// The rules that move conditions or add clauses, and never change an item of `RETURN`.
fn rewrite_clauses(source: &Source<'_>, edits: &mut Edits) {
    paths::rewrite(source, edits);
    conditions::rewrite(source, edits);
    conditions::rewrite_tests(source, edits);
    foreach::rewrite(source, edits);
}

/// The rules that change tokens where they stand.
fn rewrite_expressions(
    source: &Source<'_>,
    parameters: &mut Parameters,
    ids: &Ids,
    edits: &mut Edits,
) -> Result<(), Failure> {
    property_maps::rewrite(source, parameters, edits)?;
    operators::rewrite(source, edits);
    projections::rewrite(source, edits);
    identity::rewrite(source, parameters, ids, edits)?;
    functions::rewrite(source, parameters, edits)?;
    temporal::rewrite(source, parameters, edits);
    if !edits.is_empty() {
        source.keep_names(edits);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// What stands in a string, a comment or backticks is never Cypher.
        #[test]
        fn quoted_text_stays(text in r#"(randomUUID\(\)|n \{\.x\}|a \|\| b|CREATE \(n \$p\)|CYPHER 25|[ (){}\[\]|:.$]|[a-z]){0,8} "#) {
            for statement in [
                format!("RETURN '{text}' AS a"),
                format!("RETURN \"{text}\""),
                format!("MATCH (n) // {text}\nRETURN n"),
                format!("/*{text}*/ RETURN 1 /*{text}"),
                format!("RETURN 1 AS `{text}`"),
            ] {
                prop_assert_eq!(rewrite(&statement, &mut Parameters::new(), &Ids::new("u")), Ok(None), "{}", statement);
            }
        }

        /// No text is too strange, and every place of the result has a place in the original.
        #[test]
        fn any_text_is_survived(text in r#"(CREATE|MATCH|RETURN|WHERE|FOREACH|p =|n|\(|\)|\[|\]|\{|\}|:A\|B|\.x|,|\$p|é|'|`|\||IN|elementId|date|-|\n| ){0,24}"#) {
            if let Ok(Some(rewritten)) = rewrite(&text, &mut Parameters::new(), &Ids::new("u")) {
                for start in 0..=rewritten.text.len() {
                    let origin = rewritten.translation.origin(Span { start, end: start, line: 1, col: 1 });
                    prop_assert!(origin.start <= text.len(), "{} {}", start, rewritten.text);
                }
            }
        }
    }
}
