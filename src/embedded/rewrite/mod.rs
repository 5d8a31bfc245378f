//! Statements of Neo4j and Memgraph in the words of the engine.
//!
//! Owns the translations that need only the statement's text and parameters, a file for each. Promises that a statement
//! that needs none stays as it is, byte for byte. Knows nothing of the engine's state.

pub(in crate::embedded) mod index_commands;
