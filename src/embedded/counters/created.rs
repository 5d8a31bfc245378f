//! The patterns of `CREATE` and `MERGE`: what one row creates.

use std::collections::HashSet;

use crate::embedded::cypher::clauses::items;
use crate::embedded::cypher::lexer::{Kind, Token};

/// A node or a relationship of a pattern.
#[derive(Debug)]
pub(super) struct Part<'a, 't> {
    pub(super) is_node: bool,
    pub(super) name: Option<&'a str>,
    /// The place of its name, if it has one or not.
    pub(super) start: usize,
    /// Its labels or its type, each once.
    pub(super) labels: Vec<&'a str>,
    /// Its properties and their values, each key once.
    pub(super) properties: Vec<(&'a str, &'t [Token<'a>])>,
}

impl Part<'_, '_> {
    /// Whether it is only a name.
    pub(super) fn is_bare(&self) -> bool {
        self.labels.is_empty() && self.properties.is_empty()
    }
}

/// The parts of a list of patterns. `None` if it is of a form that is not known here.
pub(super) fn parts<'a, 't>(patterns: &'t [Token<'a>]) -> Option<Vec<Part<'a, 't>>> {
    let mut parts = Vec::new();
    let mut rest = patterns;
    while let [first, tail @ ..] = rest {
        if first.is_symbol("(") || first.is_symbol("[") {
            let close = tail.iter().position(|token| token.depth == first.depth)?;
            parts.push(part(first, tail.get(..close)?)?);
            rest = tail.get(close + 1..)?;
        } else if ["-", "<", ">", ","].iter().any(|symbol| first.is_symbol(symbol)) {
            rest = tail;
        } else {
            return None;
        }
    }
    Some(parts)
}

fn part<'a, 't>(open: &Token<'a>, inner: &'t [Token<'a>]) -> Option<Part<'a, 't>> {
    let (name, mut rest) = match inner {
        [name, rest @ ..] if name.kind == Kind::Word => (Some(name.text), rest),
        all => (None, all),
    };
    let mut labels = Vec::new();
    while let [colon, label, tail @ ..] = rest
        && colon.is_symbol(":")
    {
        let label = label.name()?;
        if !labels.contains(&label) {
            labels.push(label);
        }
        rest = tail;
    }
    let properties = match rest {
        [] => Vec::new(),
        [open, entries @ .., close] if open.is_symbol("{") && close.is_symbol("}") => properties(entries, open.depth)?,
        _ => return None,
    };
    Some(Part { is_node: open.is_symbol("("), name, start: open.end(), labels, properties })
}

/// The entries of a map whose brackets have this depth.
fn properties<'a, 't>(entries: &'t [Token<'a>], depth: usize) -> Option<Vec<(&'a str, &'t [Token<'a>])>> {
    let mut found = Vec::new();
    let mut keys = HashSet::new();
    if entries.is_empty() {
        return Some(found);
    }
    for entry in items(entries, depth + 1) {
        let [key, colon, value @ ..] = entry else { return None };
        let name = key.name().filter(|name| matches!(key.kind, Kind::Word | Kind::Quoted) && keys.insert(*name))?;
        if !colon.is_symbol(":") || value.is_empty() {
            return None;
        }
        found.push((name, value));
    }
    Some(found)
}
