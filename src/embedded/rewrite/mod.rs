//! Statements of Neo4j and Memgraph in the words of the engine.
//!
//! Owns the translations that need only the statement's text and parameters, a file for each, and their order. Every
//! rule reads the same tokens and changes as little text as it can, so that rules apply within each other. Promises
//! that a statement that needs none stays as it is, byte for byte, and that columns keep the names that the user wrote.
//! Knows nothing of the engine's state.

mod edits;
pub(in crate::embedded) mod index_commands;
mod property_maps;
mod source;

use edits::Edits;
use source::Source;

use graphdblite::Span;

use crate::embedded::cypher::lexer::tokens;
use crate::embedded::errors::Failure;
use crate::embedded::values::Parameters;

/// A statement in the words of the engine.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::embedded) struct Rewritten {
    pub(in crate::embedded) text: String,
    pub(in crate::embedded) translation: Translation,
}

/// What leads from a place of the engine's text back to the user's.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::embedded) struct Translation {
    original: String,
    edits: Edits,
}

impl Translation {
    /// The place in the user's text that `span` comes from.
    pub(in crate::embedded) fn origin(&self, span: Span) -> Span {
        let (start, end) = (self.edits.origin(span.start), self.edits.origin(span.end));
        let (line, col) = source::line_and_column(&self.original, start);
        Span { start, end, line, col }
    }
}

/// Translates `statement`, and adds the parameters that its translation needs to `parameters`. Returns `None` if it
/// needs none.
///
/// # Errors
/// Returns an error if the engine has no counterpart to the statement.
pub(in crate::embedded) fn rewrite(statement: &str, parameters: &mut Parameters) -> Result<Option<Rewritten>, Failure> {
    let tokens = tokens(statement);
    let source = Source::new(statement, &tokens);
    let mut edits = Edits::default();
    property_maps::rewrite(&source, parameters, &mut edits)?;
    if edits.is_empty() {
        return Ok(None);
    }
    source.keep_names(&mut edits);
    let text = edits.apply(statement);
    Ok(Some(Rewritten { text, translation: Translation { original: statement.to_owned(), edits } }))
}
