//! JSON to PackStream: the parameters of a request, plain or typed.
//!
//! Owns the JSON lexer, the encodings of a body and the texts of typed values. Promises time linear in the input (but for
//! the sorting of large maps' keys), memory of at most three times the input, no recursion, and errors that name the
//! parameter. Knows nothing of requests or databases: what a
//! database refuses is not checked here.

pub mod encoding;
pub mod lexer;
pub mod plain;
pub mod typed;

mod assemble;
mod duration;
mod edits;
#[cfg(test)]
mod hostile_tests;
mod kind;
mod lookahead;
mod number;
mod point;
mod room;
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
    /// The text is no JSON, or beyond a limit.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// A value that cannot be what it claims to be.
    #[error("{path}: {reason}")]
    Value {
        /// Which one.
        path: String,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// A `$type` that the typed view does not know. Clients see exactly this text.
    #[error("Type {0} is not supported.")]
    UnsupportedType(String),
}
