//! The columns that a statement returns, derived from its text.
//!
//! Owns what the engine does not report for an empty result. Promises Neo4j's names: the alias, or else the expression
//! as it was written. Knows nothing of the engine and of records.

use crate::embedded::cypher::clauses::{AFTER_LIST, AFTER_RETURN, CLAUSES, items, keyword, list_after, next_keyword};
use crate::embedded::cypher::lexer::{Kind, Token, dotted_name};

/// The outputs of the engine's own procedures.
const PROCEDURES: [(&str, &[&str]); 3] = [
    ("db.counts", &["kind", "name", "count"]),
    ("db.indexes", &["label", "property", "kind"]),
    ("fts.search", &["node", "score"]),
];

/// The columns of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::embedded) enum Columns {
    /// The statement returns no rows.
    None,
    /// Exactly these columns, in this order.
    Named(Vec<String>),
    /// `*`: these columns, unless the engine knows the scope better.
    All(Vec<String>),
}

/// Returns the columns of the statement `text`, whose tokens are `tokens`.
pub(in crate::embedded) fn columns(text: &str, tokens: &[Token<'_>]) -> Columns {
    if let Some(at) = keyword(tokens, "RETURN") {
        let listed = column_names(text, list_after(tokens, at, &AFTER_RETURN));
        if !listed.iter().any(|item| item == "*") {
            return Columns::Named(listed);
        }
        let mut names = scope(text, tokens.get(..at).unwrap_or_default());
        names.extend(listed.into_iter().filter(|item| item != "*"));
        return Columns::All(names);
    }
    let Some(call) = keyword(tokens, "CALL") else {
        return Columns::None;
    };
    let yielded = keyword(tokens, "YIELD").map(|at| column_names(text, list_after(tokens, at, &AFTER_LIST)));
    match yielded {
        Some(names) if !names.iter().any(|name| name == "*") => Columns::Named(names),
        _ => Columns::All(outputs(tokens.get(call + 1..).unwrap_or_default())),
    }
}

/// The outputs of the procedure at the start of `tokens`.
fn outputs(tokens: &[Token<'_>]) -> Vec<String> {
    let (name, _) = dotted_name(tokens);
    let known = PROCEDURES.iter().find(|(procedure, _)| *procedure == name);
    known.map_or_else(Vec::new, |(_, columns)| columns.iter().map(|&column| column.to_owned()).collect())
}

/// The names of a list's items: the alias, or else the expression as it was written.
fn column_names(text: &str, list: &[Token<'_>]) -> Vec<String> {
    items(list, 0)
        .filter_map(|item| match item {
            [.., alias, name] if alias.is_word("AS") && alias.depth == 0 => name.name().map(str::to_owned),
            [name] if name.kind == Kind::Quoted => name.name().map(str::to_owned),
            [first, .., last] => text.get(first.start..last.end()).map(str::to_owned),
            [only] => Some(only.text.to_owned()),
            [] => None,
        })
        .collect()
}

/// The variables in scope after `tokens`, sorted like Neo4j's columns of `RETURN *`.
fn scope(text: &str, tokens: &[Token<'_>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut at = next_keyword(tokens, 0, &CLAUSES);
    while let Some(word) = tokens.get(at) {
        let end = next_keyword(tokens, at + 1, &CLAUSES);
        let clause = tokens.get(at + 1..end).unwrap_or_default();
        if word.is_word("WITH") {
            let listed = column_names(text, list_after(tokens, at, &AFTER_LIST));
            if !listed.iter().any(|item| item == "*") {
                names.clear();
            }
            names.extend(listed.into_iter().filter(|item| item != "*"));
        } else if word.is_word("YIELD") {
            names.extend(column_names(text, list_after(tokens, at, &AFTER_LIST)));
        } else if word.is_word("UNWIND") {
            names.extend(clause.last().and_then(Token::name).map(str::to_owned));
        } else if word.is_word("UNION") {
            names.clear();
        } else if ["MATCH", "CREATE", "MERGE"].iter().any(|pattern| word.is_word(pattern)) {
            names.extend(pattern_variables(clause));
        }
        at = end;
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// The variables that a pattern names: `p =`, `(n`, `[r`, but nothing inside a map or a function call.
fn pattern_variables(clause: &[Token<'_>]) -> Vec<String> {
    let mut names = Vec::new();
    let mut maps: usize = 0;
    let mut before: Option<&Token<'_>> = None;
    for (at, token) in clause.iter().enumerate() {
        let next = clause.get(at + 1);
        if token.is_symbol("{") {
            maps += 1;
        } else if token.is_symbol("}") {
            maps = maps.saturating_sub(1);
        } else if maps == 0 && (token.is_symbol("(") || token.is_symbol("[")) {
            names.extend(next.and_then(Token::name).map(str::to_owned));
        } else if token.depth == 0
            && next.is_some_and(|next| next.is_symbol("="))
            && before.is_none_or(|before| before.is_symbol(","))
        {
            names.extend(token.name().map(str::to_owned));
        }
        before = Some(token);
    }
    names.retain(|name| !name.eq_ignore_ascii_case("shortestPath") && !name.eq_ignore_ascii_case("allShortestPaths"));
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::cypher::lexer::tokens;

    fn named(text: &str) -> Vec<String> {
        match columns(text, &tokens(text)) {
            Columns::Named(names) => names,
            other => vec![format!("{other:?}")],
        }
    }

    fn all(text: &str) -> Vec<String> {
        match columns(text, &tokens(text)) {
            Columns::All(names) => names,
            other => vec![format!("{other:?}")],
        }
    }

    #[test]
    fn columns_are_aliases_or_the_text_as_written() {
        assert_eq!(named("RETURN 1"), ["1"]);
        assert_eq!(
            named("MATCH (n) RETURN n.x+1, count( * ) AS c, [1, 2] AS `odd , name`"),
            ["n.x+1", "c", "odd , name"]
        );
        assert_eq!(
            named("RETURN DISTINCT 'a, b' AS x, {k: 1, l: 2}.k ORDER BY x SKIP 1 LIMIT 2;"),
            ["x", "{k: 1, l: 2}.k"]
        );
        assert_eq!(named("MATCH (`a b`) RETURN `a b`, `a b`.`c d`"), ["a b", "`a b`.`c d`"]);
        assert_eq!(named("RETURN 1 AS limit, n.order, n:Skip /* AS c */"), ["limit", "n.order", "n:Skip"]);
        assert_eq!(named("MATCH (call:Call) RETURN call, call.x STARTS WITH 'a'"), ["call", "call.x STARTS WITH 'a'"]);
        assert_eq!(named("RETURN CASE WHEN true THEN 1 END AS c // AS d"), ["c"]);
    }

    #[test]
    fn the_last_return_decides() {
        assert_eq!(named("RETURN 1 AS a UNION ALL RETURN 2 AS a"), ["a"]);
        assert_eq!(named("WITH 1 AS return RETURN 2 AS b"), ["b"]);
        assert_eq!(named("MATCH (n) WHERE EXISTS { MATCH (n)-->(m) RETURN m } RETURN n"), ["n"]);
    }

    #[test]
    fn procedures_return_what_they_yield() {
        assert_eq!(named("CALL db.counts() YIELD kind, count AS n"), ["kind", "n"]);
        assert_eq!(all("CALL db.counts()"), ["kind", "name", "count"]);
        assert_eq!(all("CALL db.indexes() YIELD *"), ["label", "property", "kind"]);
        assert_eq!(all("CALL no.such()"), Vec::<String>::new());
    }

    #[test]
    fn a_statement_without_return_has_no_columns() {
        assert_eq!(columns("CREATE (n)", &tokens("CREATE (n)")), Columns::None);
        assert_eq!(columns("MATCH (yield) DELETE yield", &tokens("MATCH (yield) DELETE yield")), Columns::None);
        assert_eq!(columns("", &tokens("")), Columns::None);
    }

    #[test]
    fn star_returns_the_scope_in_order() {
        assert_eq!(all("MATCH p = (n:A {k: f(x)})-[r:R|S*1..2]->(:B) RETURN *"), ["n", "p", "r"]);
        assert_eq!(all("MATCH (n) WITH n.x AS b, 1 AS a MATCH (c) RETURN *, 2 AS aa"), ["a", "b", "c", "aa"]);
        assert_eq!(all("MATCH (n) WITH *, 1 AS a WHERE n.x = 1 UNWIND [1] AS u RETURN *"), ["a", "n", "u"]);
        assert_eq!(all("MATCH p = shortestPath((a)-[*]->(b)) RETURN *"), ["a", "b", "p"]);
        assert_eq!(all("MATCH (n) WHERE n.x STARTS WITH 'a' RETURN *"), ["n"]);
        assert_eq!(all("CALL db.counts() YIELD kind AS k, name RETURN *"), ["k", "name"]);
        assert_eq!(all("WITH 1 AS a RETURN a UNION WITH 2 AS b RETURN *"), ["b"]);
    }
}
