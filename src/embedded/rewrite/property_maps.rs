//! Parameters as the properties of a pattern: `CREATE (n:L $p)`.
//!
//! Owns the translation to a map with the parameter's keys, `{key: $p.key}`, and the refusals of Neo4j. Promises that
//! values stay in the parameter and never become text.

use graphdblite::Value;

use super::Source;
use super::edits::Edits;
use crate::embedded::cypher::clauses::{CLAUSES, is_keyword_at};
use crate::embedded::cypher::lexer::{Kind, Token};
use crate::embedded::errors::Failure;
use crate::embedded::values::Parameters;

/// Translates every parameter that stands for the properties of a node or relationship.
///
/// # Errors
/// Returns an error in `MATCH` and `MERGE`, and if the parameter is missing or not a map.
pub(super) fn rewrite(source: &Source<'_>, parameters: &Parameters, edits: &mut Edits) -> Result<(), Failure> {
    let mut clause = "";
    for (at, token) in source.tokens.iter().enumerate() {
        if let Some(word) = clause_at(source.tokens, at) {
            clause = word;
        }
        if token.kind != Kind::Parameter || !is_property_map(source.tokens, at) {
            continue;
        }
        match clause {
            "CREATE" => edits.replace(
                token.start..token.end(),
                map(token.text.trim_start_matches('$'), parameters, source.explain)?,
            ),
            "MERGE" | "MATCH" => return Err(refused(source, token, clause)),
            _ => {}
        }
    }
    Ok(())
}

/// The clause that begins at `at`.
fn clause_at(tokens: &[Token<'_>], at: usize) -> Option<&'static str> {
    let word = is_keyword_at(tokens, at).then(|| tokens.get(at)).flatten()?;
    CLAUSES.into_iter().find(|clause| word.is_word(clause))
}

/// Whether the parameter at `at` ends a pattern of an outermost bracket: `($p)`, `(n $p)`, `(n:L $p)`, `[:R $p]`.
fn is_property_map(tokens: &[Token<'_>], at: usize) -> bool {
    let closes = |token: &Token<'_>| token.depth == 0 && (token.is_symbol(")") || token.is_symbol("]"));
    if !tokens.get(at + 1).is_some_and(closes) {
        return false;
    }
    let before = tokens.get(..at).unwrap_or_default();
    let Some(open) = before.iter().rposition(|token| token.depth == 0) else {
        return false;
    };
    let opens = before.get(open).is_some_and(|token| token.is_symbol("(") || token.is_symbol("["));
    let inner = before.get(open + 1..).unwrap_or_default();
    let labels = match inner {
        [name, rest @ ..] if name.name().is_some() => rest,
        all => all,
    };
    let is_label = |pair: &[Token<'_>]| matches!(pair, [colon, name] if colon.is_symbol(":") && name.name().is_some());
    opens && labels.chunks(2).all(is_label)
}

fn map(name: &str, parameters: &Parameters, explain: bool) -> Result<String, Failure> {
    let entries = match parameters.get(name) {
        Some(Value::Map(entries)) => entries,
        Some(_) => return Err(Failure::parameter(name, "the properties of a pattern must be a map")),
        None if explain => return Ok(String::new()),
        None => return Err(Failure::parameters_missing(&[name])),
    };
    let mut pairs = Vec::new();
    // A property that is null does not exist.
    for (key, _) in entries.iter().filter(|(_, value)| !matches!(value, Value::Null)) {
        if key.contains('`') || key.is_empty() {
            return Err(Failure::parameter(name, "a property name must not be empty or contain a backtick"));
        }
        pairs.push(format!("`{key}`: ${name}.`{key}`"));
    }
    // The engine has no empty maps in patterns.
    Ok(if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(", ")) })
}

fn refused(source: &Source<'_>, token: &Token<'_>, clause: &str) -> Failure {
    let message = format!(
        "Parameter maps cannot be used in `{clause}` patterns (use a literal map instead, e.g. `{{id: {}.id}}`){}",
        token.text,
        source.place(token.start)
    );
    Failure::new("Neo.ClientError.Statement.SyntaxError", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::ids::Ids;
    use crate::embedded::rewrite::rewrite;

    fn parameters() -> Parameters {
        let map = [("a", Value::I64(1)), ("odd key", Value::I64(2)), ("none", Value::Null)];
        let map = map.map(|(key, value)| (key.to_owned(), value));
        Parameters::from([
            ("p".to_owned(), Value::Map(map.into())),
            ("q".to_owned(), Value::Map([("w".to_owned(), Value::F64(0.5))].into())),
            ("empty".to_owned(), Value::Map([].into())),
            ("n".to_owned(), Value::I64(1)),
        ])
    }

    fn translated(statement: &str) -> String {
        rewrite(statement, &mut parameters(), &Ids::new("u"))
            .unwrap()
            .map_or(statement.to_owned(), |rewritten| rewritten.text)
    }

    #[test]
    fn properties_in_create_become_maps() {
        let p = "{`a`: $p.`a`, `odd key`: $p.`odd key`}";
        let q = "{`w`: $q.`w`}";
        for (statement, expected) in [
            ("CREATE ($p)", format!("CREATE ({p})")),
            ("CREATE (n:L:M $p) RETURN $p", format!("CREATE (n:L:M {p}) RETURN $p")),
            (
                "MATCH (m) WHERE m.x = ($p) CREATE (a $p)-[:R $q]->(b), /* $q) */ (c $q)",
                format!("MATCH (m) WHERE m.x = ($p) CREATE (a {p})-[:R {q}]->(b), /* $q) */ (c {q})"),
            ),
            ("create (n $empty)", "create (n )".to_owned()),
            ("EXPLAIN MATCH (m) CREATE (n $unknown)", "EXPLAIN MATCH (m) CREATE (n )".to_owned()),
        ] {
            assert_eq!(translated(statement), expected);
        }
    }

    #[test]
    fn other_parameters_stay() {
        for statement in [
            "CREATE (n {x: ($p), y: size($p), z: [$p]})",
            "RETURN ($p), [$p], keys($p)",
            "MERGE (n:L) ON CREATE SET n.x = ($n)",
            "UNWIND [$p] AS x CREATE (n) SET n = ($p)",
            "CREATE (n) WITH n, '(n $p)' AS x, ($p) AS y RETURN y",
        ] {
            assert_eq!(rewrite(statement, &mut parameters(), &Ids::new("u")).unwrap(), None, "{statement}");
        }
    }

    #[test]
    fn what_cannot_be_translated_is_refused_by_name() {
        for (statement, message) in [
            (
                "MERGE\n (n:L $p)",
                "Parameter maps cannot be used in `MERGE` patterns (use a literal map instead, e.g. `{id: $p.id}`) \
                 (line 2, column 7 (offset: 12))",
            ),
            (
                "MATCH (n:L $p) RETURN n",
                "Parameter maps cannot be used in `MATCH` patterns (use a literal map instead, e.g. `{id: $p.id}`) \
                 (line 1, column 12 (offset: 11))",
            ),
            ("CREATE (n $n)", "Parameter `n`: the properties of a pattern must be a map"),
            ("CREATE (n $unknown)", "Expected parameter(s): unknown"),
        ] {
            assert_eq!(rewrite(statement, &mut parameters(), &Ids::new("u")).unwrap_err().message, message);
        }
    }
}
