//! Neo4j's syntax of `CREATE INDEX`.
//!
//! Owns the translation to the engine's only form, `CREATE INDEX ON :Label(property, …)`. Promises not to change
//! commands that the engine does not support (other types of index, relationships), so that the engine refuses them.

use crate::embedded::cypher::lexer::{Token, tokens};

/// A translated command.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::embedded) struct IndexCommand {
    pub(in crate::embedded) text: String,
    /// Whether an index that already exists is not an error.
    pub(in crate::embedded) if_not_exists: bool,
}

/// Translates `CREATE [RANGE] INDEX [name] [IF NOT EXISTS] FOR (n:Label) ON (n.property, …)`. Returns `None` for
/// anything else. Drops the name, because the engine's indexes have none.
pub(in crate::embedded) fn index_command(statement: &str) -> Option<IndexCommand> {
    let tokens = tokens(statement);
    let mut rest = words(&tokens, &["CREATE"])?;
    rest = words(rest, &["RANGE"]).unwrap_or(rest);
    rest = words(rest, &["INDEX"])?;
    if rest.first().is_some_and(|name| name.name().is_some() && !name.is_word("FOR") && !name.is_word("IF")) {
        rest = rest.get(1..)?;
    }
    let guarded = words(rest, &["IF", "NOT", "EXISTS"]);
    rest = words(guarded.unwrap_or(rest), &["FOR"])?;
    let [open, variable, colon, label, close, rest @ ..] = rest else {
        return None;
    };
    if !(open.is_symbol("(") && colon.is_symbol(":") && close.is_symbol(")")) {
        return None;
    }
    let properties = properties(words(rest, &["ON"])?, variable)?;
    Some(IndexCommand {
        text: format!("CREATE INDEX ON :{}({})", label.text, properties.join(", ")),
        if_not_exists: guarded.is_some(),
    })
}

/// Returns the tokens after `expected`, if `tokens` begin with it.
fn words<'t, 'a>(tokens: &'t [Token<'a>], expected: &[&str]) -> Option<&'t [Token<'a>]> {
    let (head, rest) = tokens.split_at_checked(expected.len())?;
    head.iter().zip(expected).all(|(token, word)| token.is_word(word)).then_some(rest)
}

/// Returns the properties in `(n.a, n.b)`, which must end the command.
fn properties<'a>(tokens: &[Token<'a>], variable: &Token<'_>) -> Option<Vec<&'a str>> {
    let tokens = match tokens {
        [rest @ .., end] if end.is_symbol(";") => rest,
        all => all,
    };
    let [open, list @ .., close] = tokens else {
        return None;
    };
    if !(open.is_symbol("(") && close.is_symbol(")")) {
        return None;
    }
    list.split(|token| token.is_symbol(","))
        .map(|item| match item {
            [owner, dot, property] if owner.name() == variable.name() && dot.is_symbol(".") => Some(property.text),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(statement: &str) -> Option<(String, bool)> {
        index_command(statement).map(|command| (command.text, command.if_not_exists))
    }

    #[test]
    fn node_indexes_are_translated() {
        for (statement, text, if_not_exists) in [
            ("CREATE INDEX FOR (n:A) ON (n.x)", "CREATE INDEX ON :A(x)", false),
            ("create range index name for (n:A) on (n.x, n.y);", "CREATE INDEX ON :A(x, y)", false),
            ("CREATE INDEX IF NOT EXISTS FOR (n:A) ON (n.x)", "CREATE INDEX ON :A(x)", true),
            ("CREATE INDEX `a b` IF NOT EXISTS FOR (n:A) ON (n.x)", "CREATE INDEX ON :A(x)", true),
        ] {
            assert_eq!(translated(statement), Some((text.to_owned(), if_not_exists)), "{statement}");
        }
    }

    #[test]
    fn everything_else_is_left_to_the_engine() {
        for statement in [
            "CREATE INDEX ON :A(x)",
            "CREATE TEXT INDEX FOR (n:A) ON (n.x)",
            "CREATE INDEX FOR ()-[r:R]-() ON (r.x)",
            "CREATE INDEX FOR (n:A) ON (m.x)",
            "CREATE INDEX FOR (n:A) ON (n.x) OPTIONS {}",
            "CREATE (n)",
            "",
        ] {
            assert_eq!(translated(statement), None, "{statement}");
        }
    }
}
