//! Parameters whose names are in backticks: `` $`1` ``, as py2neo writes all of them.
//!
//! Owns the removal of backticks that a name does not need: the engine knows none. Promises that every other character
//! keeps its place.

use std::borrow::Cow;

use crate::embedded::cypher::lexer::{Kind, tokens};

/// Moves the names out of their backticks, which become white space behind them.
pub(in crate::embedded) fn unquote(statement: &str) -> Cow<'_, str> {
    if !statement.contains("$`") {
        return Cow::Borrowed(statement);
    }
    let mut unquoted = String::with_capacity(statement.len());
    let mut rest = 0;
    for pair in tokens(statement).windows(2) {
        let [dollar, quoted] = pair else { continue };
        let name = quoted.text.strip_prefix('`').and_then(|name| name.strip_suffix('`')).unwrap_or_default();
        let is_plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if dollar.is_symbol("$") && quoted.kind == Kind::Quoted && quoted.start == dollar.end() && is_plain {
            unquoted.push_str(statement.get(rest..quoted.start).unwrap_or_default());
            unquoted.push_str(name);
            unquoted.push_str("  ");
            rest = quoted.end();
        }
    }
    unquoted.push_str(statement.get(rest..).unwrap_or_default());
    Cow::Owned(unquoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_need_no_backticks() {
        for (statement, expected) in [
            ("RETURN $`1` + $`a_b`", "RETURN $1   + $a_b  "),
            ("MATCH (n {x: $`1`}) // $`2`", "MATCH (n {x: $1  }) // $`2`"),
        ] {
            assert_eq!(unquote(statement), expected);
        }
    }

    #[test]
    fn everything_else_stays() {
        for statement in ["RETURN $a, '$`1`'", "RETURN $`a b`", "RETURN $``", "RETURN $ `a`", "RETURN $`", "RETURN $`a"]
        {
            assert_eq!(unquote(statement).trim_end(), statement);
        }
    }
}
