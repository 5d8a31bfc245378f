//! Cypher as text: what the bridge must know of a statement before the engine sees it.
//!
//! Owns tokens, clauses, the statement's type, parameters and columns. Promises never to fail: the engine reports what
//! is wrong with a statement. Knows nothing of the engine.

pub(in crate::embedded) mod clauses;
pub(in crate::embedded) mod columns;
pub(in crate::embedded) mod functions;
pub(in crate::embedded) mod lexer;
pub(in crate::embedded) mod projection;
pub(in crate::embedded) mod statement;
