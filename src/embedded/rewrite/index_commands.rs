//! The index commands of Neo4j and Memgraph that the engine's grammar does not have.
//!
//! Owns the translation to the engine's only form, `CREATE INDEX ON :Label(property, …)`, and what has to be looked up
//! when the command runs. Promises not to change commands that the engine does not support (other types of index,
//! relationships), so that they are refused.

use crate::embedded::cypher::lexer::{Token, tokens};

/// What an index command comes to.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::embedded) enum IndexCommand {
    /// To run this text instead.
    Create {
        /// The command in the engine's form.
        text: String,
        /// Whether an index that already exists is not an error.
        if_not_exists: bool,
    },
    /// To do nothing: the engine finds nodes by label without being told to.
    OnLabel,
    /// To drop the index that is shown by this name.
    Drop {
        /// The name, without backticks.
        name: String,
        /// Whether an index that does not exist is not an error.
        if_exists: bool,
    },
}

/// Understands `CREATE [RANGE] INDEX [name] [IF NOT EXISTS] FOR (n:Label) ON (n.property, …)`, `CREATE INDEX ON :Label`
/// and `DROP INDEX name [IF EXISTS]`. Returns `None` for anything else. Drops the name of a new index, because the
/// engine's indexes have none.
pub(in crate::embedded) fn index_command(statement: &str) -> Option<IndexCommand> {
    let tokens = tokens(statement);
    let tokens = match tokens.as_slice() {
        [rest @ .., end] if end.is_symbol(";") => rest,
        all => all,
    };
    create(tokens).or_else(|| on_label(tokens)).or_else(|| drop_named(tokens))
}

fn create(tokens: &[Token<'_>]) -> Option<IndexCommand> {
    let mut rest = words(tokens, &["CREATE"])?;
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
    Some(IndexCommand::Create {
        text: format!("CREATE INDEX ON :{}({})", label.text, properties.join(", ")),
        if_not_exists: guarded.is_some(),
    })
}

fn on_label(tokens: &[Token<'_>]) -> Option<IndexCommand> {
    let [colon, label] = words(tokens, &["CREATE", "INDEX", "ON"])? else {
        return None;
    };
    (colon.is_symbol(":") && label.name().is_some()).then_some(IndexCommand::OnLabel)
}

fn drop_named(tokens: &[Token<'_>]) -> Option<IndexCommand> {
    let [name, rest @ ..] = words(tokens, &["DROP", "INDEX"])? else {
        return None;
    };
    let if_exists = words(rest, &["IF", "EXISTS"]).is_some_and(<[_]>::is_empty);
    (rest.is_empty() || if_exists).then_some(IndexCommand::Drop { name: name.name()?.to_owned(), if_exists })
}

/// Returns the tokens after `expected`, if `tokens` begin with it.
fn words<'t, 'a>(tokens: &'t [Token<'a>], expected: &[&str]) -> Option<&'t [Token<'a>]> {
    let (head, rest) = tokens.split_at_checked(expected.len())?;
    head.iter().zip(expected).all(|(token, word)| token.is_word(word)).then_some(rest)
}

/// Returns the properties in `(n.a, n.b)`, which must end the command.
fn properties<'a>(tokens: &[Token<'a>], variable: &Token<'_>) -> Option<Vec<&'a str>> {
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

    #[test]
    fn node_indexes_are_translated() {
        for (statement, text, if_not_exists) in [
            ("CREATE INDEX FOR (n:A) ON (n.x)", "CREATE INDEX ON :A(x)", false),
            ("create range index name for (n:A) on (n.x, n.y);", "CREATE INDEX ON :A(x, y)", false),
            ("CREATE INDEX IF NOT EXISTS FOR (n:A) ON (n.x)", "CREATE INDEX ON :A(x)", true),
            ("CREATE INDEX `a b` IF NOT EXISTS FOR (n:A) ON (n.x)", "CREATE INDEX ON :A(x)", true),
        ] {
            let text = text.to_owned();
            assert_eq!(index_command(statement), Some(IndexCommand::Create { text, if_not_exists }), "{statement}");
        }
    }

    #[test]
    fn an_index_of_a_label_and_a_name_are_recognised() {
        assert_eq!(index_command("CREATE INDEX ON :A;"), Some(IndexCommand::OnLabel));
        for (statement, if_exists) in [("drop index `i`;", false), ("DROP INDEX i IF EXISTS", true)] {
            assert_eq!(index_command(statement), Some(IndexCommand::Drop { name: "i".to_owned(), if_exists }));
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
            "DROP INDEX ON :A(x)",
            "DROP INDEX ON :A",
            "DROP INDEX",
            "CREATE (n)",
            "",
        ] {
            assert_eq!(index_command(statement), None, "{statement}");
        }
    }
}
