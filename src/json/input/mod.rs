//! JSON to PackStream: the parameters of a request, plain or typed.
//!
//! Owns the JSON lexer, the encodings of a body and the text forms of typed values. Promises linear time (except for
//! sorting the keys of large maps), memory of at most three times the input, no recursion, and errors that name the
//! parameter. Knows nothing of requests or databases, and does not check what a database refuses.

pub mod encoding;
pub mod lexer;
pub mod plain;
pub mod typed;

mod assemble;
mod duration;
mod edits;
mod growth;
#[cfg(test)]
mod hostile_tests;
mod kind;
mod lookahead;
mod number;
mod point;
mod scalar;
mod string;
mod temporal;
mod vector;

#[cfg(test)]
mod tests;

use thiserror::Error;

pub use lexer::{Lexer, Limits, SyntaxError, Token};

/// Why parameters could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InputError {
    /// The text is not valid JSON or exceeds a limit.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// A value is not valid for its type.
    #[error("{path}: {reason}")]
    Value {
        /// The parameter's path, for instance `parameters.people[3]`.
        path: String,
        /// What is wrong and what is expected.
        reason: String,
    },
    /// The typed view has no such `$type`. The message is Neo4j's own, word for word.
    #[error("Type {0} is not supported.")]
    UnsupportedType(String),
}
