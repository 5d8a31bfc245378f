//! Functions that the engine does not have.
//!
//! Owns their translation to functions that it has, and the refusal of all others, because the engine computes null for
//! an unknown function in a statement that writes.

use graphdblite::Value;

use super::Source;
use super::edits::Edits;
use crate::embedded::cypher::functions::is_function;
use crate::embedded::cypher::lexer::{Kind, Token};
use crate::embedded::errors::Failure;
use crate::embedded::values::Parameters;

/// The words that are no functions although a bracket may follow, in lower case.
const WORDS: &str = " match optional create merge where and or xor not in return with distinct by unwind set delete detach \
    remove case when then else end skip limit offset is contains starts ends on yield explain profile union foreach \
    reduce call as asc desc ascending descending for exists finish using load index elementid shortestpath \
    allshortestpaths ";

/// Functions of Neo4j and Memgraph that have no counterpart, in lower case.
const MISSING: &str = " sin cos tan cot asin acos atan atan2 sinh cosh tanh coth haversin point distance isnan nullif \
    valuetype tobooleanlist tointegerlist tofloatlist tostringlist normalize btrim vector counter assert \
    tocharlist md5 ascii chr extract filter ";

/// Functions that only have another name, and those that differ from one only in that they return null for a value of a
/// type that cannot be converted.
const RENAMED: [(&str, &str); 11] = [
    ("upper", "toUpper"),
    ("lower", "toLower"),
    ("char_length", "size"),
    ("character_length", "size"),
    ("ln", "log"),
    ("ceiling", "ceil"),
    ("tointegerornull", "toInteger"),
    ("tofloatornull", "toFloat"),
    ("tobooleanornull", "toBoolean"),
    ("tostringornull", "toString"),
    ("rels", "relationships"),
];

/// Functions that become an expression: what stands before the argument, and what after it.
const WRAPPED: [(&str, &str, &str); 3] =
    [("isempty", "(size(", ") = 0)"), ("degrees", "((", ") * 180.0 / pi())"), ("radians", "((", ") * pi() / 180.0)")];

/// Translates every call of a function.
///
/// # Errors
/// Returns an error if neither the engine nor this module knows a function.
pub(super) fn rewrite(source: &Source<'_>, parameters: &mut Parameters, edits: &mut Edits) -> Result<(), Failure> {
    for (at, word) in source.tokens.iter().enumerate() {
        let Some((open, inner, close)) = source.brackets(at + 1, "(") else {
            continue;
        };
        if word.kind != Kind::Word || !is_call(source.tokens, at) {
            continue;
        }
        let name = word.text.to_ascii_lowercase();
        let is_in = |list: &str| list.contains(&format!(" {name} "));
        if is_function(&name) || is_in(WORDS) {
            continue;
        }
        if let Some((_, renamed)) = RENAMED.iter().find(|(old, _)| *old == name) {
            edits.replace(word.start..word.end(), *renamed);
        } else if let Some((_, before, after)) = WRAPPED.iter().find(|(old, ..)| *old == name) {
            edits.replace(word.start..open.end(), *before);
            edits.replace(close.start..close.end(), *after);
        } else if name == "randomuuid" && inner.is_empty() {
            edits.replace(word.start..close.end(), random_uuid());
        } else if name == "timestamp" && inner.is_empty() {
            parameters.entry(TIMESTAMP.to_owned()).or_insert_with(|| Value::I64(chrono::Utc::now().timestamp_millis()));
            edits.replace(word.start..close.end(), format!("${TIMESTAMP}"));
        } else if is_in(MISSING) {
            return Err(Failure::not_supported(&format!("The function `{}()`", word.text)));
        } else {
            let message = format!("Unknown function '{}'{}", word.text, source.place(word.start));
            return Err(Failure::new("Neo.ClientError.Statement.SyntaxError", message));
        }
    }
    Ok(())
}

/// The parameter that holds the time of the statement.
const TIMESTAMP: &str = "_boltgate_timestamp";

/// Whether the word before a bracket at `at` can be the name of a function: not a property, a procedure or the label of
/// an index.
fn is_call(tokens: &[Token<'_>], at: usize) -> bool {
    match tokens.get(..at).unwrap_or_default() {
        [.., on, colon] if on.is_word("ON") && colon.is_symbol(":") => false,
        [.., before] => !(before.is_symbol(".") || before.is_word("AS") || before.is_word("CALL")),
        [] => true,
    }
}

/// A random UUID of version 4, as an expression that is computed for each row.
fn random_uuid() -> String {
    let digit = "substring('0123456789abcdef', toInteger(rand() * 16), 1)";
    let variant = "substring('89ab', toInteger(rand() * 4), 1)";
    let parts: Vec<&str> = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx"
        .chars()
        .map(|place| match place {
            'x' => digit,
            'y' => variant,
            '4' => "'4'",
            _ => "'-'",
        })
        .collect();
    format!("({})", parts.join(" + "))
}
