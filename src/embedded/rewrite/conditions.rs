//! Conditions within the pattern of a `MATCH`: `(n:A|B)`, `(n:!A)`, `(n:A WHERE n.x = 1)`, `[r WHERE r.x = 1]`; and
//! `n:A|B` in a `WHERE`.
//!
//! Owns the translation to a `WHERE` of the clause. Promises to leave alone what it does not understand.

use super::Source;
use super::edits::Edits;
use crate::embedded::cypher::clauses::{CLAUSES, next_keyword};
use crate::embedded::cypher::lexer::Token;

/// Translates the conditions of every `MATCH`, and `:A&B` of every other pattern.
pub(super) fn rewrite(source: &Source<'_>, edits: &mut Edits) {
    let tokens = source.tokens;
    let mut names: usize = 0;
    for at in (0..tokens.len()).filter(|&at| source.is_keyword(at, "MATCH") || source.is_keyword(at, "CREATE")) {
        let end = next_keyword(tokens, at + 1, &CLAUSES);
        let clause = source.without_end(at + 1, end);
        let mut conditions = Vec::new();
        for (open, bracket) in clause.iter().enumerate().filter(|(_, token)| token.depth == 0) {
            let is_node = bracket.is_symbol("(");
            // `shortestPath(` is no pattern.
            let is_call = open.checked_sub(1).and_then(|before| clause.get(before)).is_some_and(|t| t.name().is_some());
            if is_call || !(is_node || bracket.is_symbol("[")) {
                continue;
            }
            let rest = clause.get(open + 1..).unwrap_or_default();
            let inner = rest.split(|token| token.depth == 0).next().unwrap_or_default();
            let closed = rest.get(inner.len()).map_or(bracket.end(), |close| close.start);
            let element = Element {
                source,
                open: bracket.end(),
                inner,
                closed,
                is_node,
                only_and: tokens.get(at).is_some_and(|t| t.is_word("CREATE")),
            };
            element.rewrite(&mut names, &mut conditions, edits);
        }
        if conditions.is_empty() {
            continue;
        }
        let conditions = conditions.join(" AND ");
        match tokens.get(end).filter(|_| source.is_keyword(end, "WHERE")) {
            Some(word) => {
                let body = source.without_end(end + 1, next_keyword(tokens, end + 1, &CLAUSES));
                edits.insert(word.end(), format!(" {conditions} AND ("));
                edits.insert(body.last().map_or(word.end(), Token::end), ")");
            }
            None => edits.insert(clause.last().map_or(0, Token::end), format!(" WHERE {conditions}")),
        }
    }
}

/// Translates `n:A|B` in a `WHERE`, outside of brackets, where `|` has no other meaning.
pub(super) fn rewrite_tests(source: &Source<'_>, edits: &mut Edits) {
    let tokens = source.tokens;
    for at in (0..tokens.len()).filter(|&at| source.is_keyword(at, "WHERE")) {
        let condition = source.without_end(at + 1, next_keyword(tokens, at + 1, &CLAUSES));
        for (index, window) in condition.windows(4).enumerate() {
            let [variable, colon, _, bar] = window else { continue };
            let Some(name) = variable.name() else { continue };
            if !(variable.depth == 0 && colon.is_symbol(":") && bar.is_symbol("|")) {
                continue;
            }
            let others = condition.get(index + 3..).unwrap_or_default().chunks(2);
            let others = others.map_while(|pair| match pair {
                [bar, label] if bar.is_symbol("|") && label.name().is_some() => Some((bar, label)),
                _ => None,
            });
            edits.insert(variable.start, "(");
            let mut end = bar.end();
            for (bar, label) in others {
                edits.replace(bar.start..bar.end(), format!(" OR {name}:"));
                end = label.end();
            }
            edits.insert(end, ")");
        }
    }
}

/// A node or relationship of a pattern.
struct Element<'s, 'a> {
    source: &'s Source<'a>,
    /// Where its opening bracket ends.
    open: usize,
    inner: &'s [Token<'a>],
    /// Where its closing bracket begins.
    closed: usize,
    is_node: bool,
    /// Whether no conditions are allowed.
    only_and: bool,
}

impl Element<'_, '_> {
    fn rewrite(&self, names: &mut usize, conditions: &mut Vec<String>, edits: &mut Edits) {
        let name = self.inner.first().filter(|first| first.name().is_some() && !first.is_word("WHERE"));
        let mut new_name = None;
        let mut variable = |edits: &mut Edits| match name {
            Some(name) => name.text.to_owned(),
            None => new_name
                .get_or_insert_with(|| {
                    let name = format!("_boltgate_match_{names}");
                    *names += 1;
                    edits.insert(self.open, name.as_str());
                    name
                })
                .clone(),
        };
        let labels = self.labels(usize::from(name.is_some()));
        if let ([first, .., last], true) = (labels, self.is_node) {
            if labels.iter().all(|token| token.name().is_some() || token.is_symbol(":") || token.is_symbol("&")) {
                for and in labels.iter().filter(|token| token.is_symbol("&")) {
                    edits.replace(and.start..and.end(), ":");
                }
            } else if !self.only_and && is_expression(labels) {
                let variable = variable(edits);
                let tests: String = labels.iter().skip(1).map(|token| test(&variable, token)).collect();
                edits.replace(first.start..last.end(), "");
                conditions.push(format!("({tests})"));
            }
        }
        if let Some(at) = self.inner.iter().position(|token| token.depth == 1 && token.is_word("WHERE"))
            && let (Some(word), Some(last), false) = (self.inner.get(at), self.inner.last(), self.only_and)
        {
            let condition = self.source.text.get(word.end()..last.end()).unwrap_or_default();
            edits.replace(word.start..self.closed, "");
            // On lines of its own, because it may end in a comment.
            conditions.push(format!("({condition}\n)"));
        }
    }

    /// The colon at `at` and the labels after it.
    fn labels(&self, at: usize) -> &[Token<'_>] {
        let rest = self.inner.get(at..).unwrap_or_default();
        if !rest.first().is_some_and(|colon| colon.is_symbol(":")) {
            return &[];
        }
        let end =
            rest.iter().position(|token| token.is_symbol("{") || token.is_word("WHERE") || token.text.starts_with('$'));
        rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
    }
}

/// Whether `labels`, which begin with a colon, are a label expression.
fn is_expression(labels: &[Token<'_>]) -> bool {
    labels.iter().skip(1).all(|token| {
        token.name().is_some() || ["|", "&", "!", "%", "(", ")"].iter().any(|symbol| token.is_symbol(symbol))
    })
}

/// What `token` of a label expression means for `variable`.
fn test(variable: &str, token: &Token<'_>) -> String {
    match token.text {
        "|" => " OR ".to_owned(),
        "&" => " AND ".to_owned(),
        "!" => "NOT ".to_owned(),
        "%" => format!("size(labels({variable})) > 0"),
        "(" | ")" => token.text.to_owned(),
        label => format!("{variable}:{label}"),
    }
}
