//! `elementId()` and `id()`.
//!
//! Owns their translation to what the engine knows: `id(n)` of a node, and the property `__edge_seq` of a relationship.
//! Promises that a comparison with a parameter uses the engine's lookup by id, and that an id of another database is
//! found nowhere.

use graphdblite::Value;

use super::Source;
use super::edits::Edits;
use crate::embedded::cypher::lexer::{Kind, Token};
use crate::embedded::errors::Failure;
use crate::embedded::ids::Ids;
use crate::embedded::values::Parameters;

/// What a variable holds, as far as the statement's text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Node,
    Relationship,
    /// An element of a list. The engine does not know the id of a relationship in a list.
    Element,
    Anything,
}

/// Translates every call.
///
/// # Errors
/// Returns an error for what is perhaps a relationship in a list.
pub(super) fn rewrite(
    source: &Source<'_>,
    parameters: &mut Parameters,
    ids: &Ids,
    edits: &mut Edits,
) -> Result<(), Failure> {
    for (at, word) in source.tokens.iter().enumerate() {
        let is_element_id = word.is_word("elementId");
        let Some((_, inner, close)) = source.brackets(at + 1, "(") else {
            continue;
        };
        if !(is_element_id || word.is_word("id")) || source.is_member(at) {
            continue;
        }
        let holds = match inner {
            [variable] => variable.name().map_or(Holds::Anything, |_| holds(source.tokens, variable)),
            [function, ..] if is_node(function) => Holds::Node,
            _ => Holds::Element,
        };
        let argument = match (inner.first(), inner.last()) {
            (Some(first), Some(last)) => source.text.get(first.start..last.end()).unwrap_or_default(),
            _ => continue,
        };
        let number = format!("{argument}.__edge_seq");
        let whole = word.start..close.end();
        match (is_element_id, holds) {
            (false, Holds::Node | Holds::Element) => {}
            (false, Holds::Relationship) => edits.replace(whole, number),
            (false, Holds::Anything) => edits.replace(whole, format!("coalesce({number}, id({argument}))")),
            (true, Holds::Element) => return Err(Failure::not_supported("`elementId()` of an element of a list")),
            (true, Holds::Node | Holds::Relationship)
                if compare(source, at + 3 + inner.len(), holds, parameters, ids, edits) =>
            {
                let id = if holds == Holds::Node { format!("id({argument})") } else { number };
                edits.replace(whole, id);
            }
            (true, Holds::Node) => {
                edits.replace(word.start..word.end(), format!("('{}' + toString(id", ids.node_prefix()));
                edits.insert(close.end(), "))");
            }
            (true, Holds::Relationship) => {
                edits.replace(whole, format!("('{}' + toString({number}))", ids.relationship_prefix()));
            }
            (true, Holds::Anything) => {
                let relationship = format!("'{}' + toString({number})", ids.relationship_prefix());
                let node = format!("'{}' + toString(id({argument}))", ids.node_prefix());
                edits.replace(whole, format!("coalesce({relationship}, {node})"));
            }
        }
    }
    Ok(())
}

/// Whether the expression that begins with `function` is a node.
fn is_node(function: &Token<'_>) -> bool {
    function.is_word("startNode") || function.is_word("endNode")
}

/// Looks for the places where `variable` gets its value.
fn holds(tokens: &[Token<'_>], variable: &Token<'_>) -> Holds {
    let (mut node, mut relationship, mut element) = (false, false, None);
    for (at, _) in tokens.iter().enumerate().filter(|(_, token)| token.name() == variable.name()) {
        let before = tokens.get(..at).unwrap_or_default();
        let after = tokens.get(at + 1..).unwrap_or_default();
        match (before, after) {
            ([.., open], [within, from @ ..])
                if (open.is_symbol("[") || open.is_symbol("(")) && within.is_word("IN") =>
            {
                let of_nodes = from.first().is_some_and(|first| first.is_word("nodes"));
                element = Some(if of_nodes { Holds::Node } else { Holds::Element });
            }
            ([.., dash, open], _) if dash.is_symbol("-") && open.is_symbol("[") => relationship = true,
            ([.., start, open], [next, ..]) if open.is_symbol("(") && begins_pattern(start) && continues_node(next) => {
                node = true;
            }
            _ => {}
        }
    }
    match (node, relationship) {
        (true, false) => Holds::Node,
        (false, true) => Holds::Relationship,
        (true, true) => Holds::Anything,
        (false, false) => element.unwrap_or(Holds::Anything),
    }
}

fn begins_pattern(token: &Token<'_>) -> bool {
    ["MATCH", "CREATE", "MERGE"].iter().any(|word| token.is_word(word))
        || ["-", ">", "=", ",", "("].iter().any(|symbol| token.is_symbol(symbol))
}

/// Whether `token` can follow the variable of a node in a pattern.
fn continues_node(token: &Token<'_>) -> bool {
    [":", "{"].iter().any(|symbol| token.is_symbol(symbol)) || token.is_symbol(")")
}

/// Translates `= $id` or `IN $ids` at `at`. Returns whether there is such a comparison.
fn compare(
    source: &Source<'_>,
    at: usize,
    holds: Holds,
    parameters: &mut Parameters,
    ids: &Ids,
    edits: &mut Edits,
) -> bool {
    let Some([operator, parameter, rest @ ..]) = source.tokens.get(at..) else {
        return false;
    };
    let ends = rest.first().is_none_or(|next| {
        next.kind == Kind::Word || [")", "}", ",", ";", "]", "|"].iter().any(|symbol| next.is_symbol(symbol))
    });
    if !(operator.is_symbol("=") || operator.is_word("IN")) || parameter.kind != Kind::Parameter || !ends {
        return false;
    }
    let name = parameter.text.trim_start_matches('$');
    let Some(value) = parameters.get(name) else {
        return false;
    };
    let (kind, converted) = match holds {
        Holds::Node => ("node", numbers(value, &|id| ids.node_number(id))),
        _ => ("relationship", numbers(value, &|id| ids.relationship_number(id))),
    };
    let converted_name = format!("_boltgate_{kind}_{name}");
    edits.replace(parameter.start..parameter.end(), format!("${converted_name}"));
    parameters.insert(converted_name, converted);
    true
}

/// The numbers of the element ids in `value`. What is no id of this database becomes a number that nothing has.
fn numbers(value: &Value, number: &dyn Fn(&str) -> Option<i64>) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::String(id) => Value::I64(number(id).unwrap_or(-1)),
        Value::List(items) => Value::List(items.iter().map(|item| numbers(item, number)).collect()),
        _ => Value::I64(-1),
    }
}
