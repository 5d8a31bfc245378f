//! What an operator does not let agents call: procedures, functions and clauses, found by tokens.
//!
//! Owns the patterns of `mcp.deny` and how they match. Promises that strings, comments and quoted names that are no call do
//! not count, and that neither quotes nor Unicode escapes hide a call.

use super::tokens::{Token, Tokens};

/// Clauses and calls that are refused.
#[derive(Debug, Clone, Default)]
pub struct Denied(Vec<Pattern>);

#[derive(Debug, Clone)]
struct Pattern {
    /// As the operator wrote it.
    written: String,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    /// Words that follow each other, such as `LOAD CSV`.
    Words(Vec<String>),
    /// The name of a procedure or function, in lower case; with `any_end`, how it begins.
    Name { name: String, any_end: bool },
}

impl Form {
    fn of(pattern: &str) -> Self {
        let words: Vec<String> = pattern.split_whitespace().map(str::to_owned).collect();
        if words.len() > 1 {
            return Self::Words(words);
        }
        let name = pattern.trim().to_lowercase();
        match name.strip_suffix('*') {
            Some(beginning) => Self::Name { name: beginning.to_owned(), any_end: true },
            None => Self::Name { name, any_end: false },
        }
    }

    fn is_name(&self, called: &str) -> bool {
        match self {
            Self::Words(_) => false,
            Self::Name { name, any_end: true } => called.starts_with(name),
            Self::Name { name, any_end: false } => called == name,
        }
    }

    fn begins(&self, mut tokens: Tokens<'_>) -> bool {
        match self {
            Self::Words(words) => words.iter().all(|word| tokens.next().is_some_and(|token| token.is(word))),
            Self::Name { .. } => false,
        }
    }
}

impl Denied {
    /// Reads patterns: several words are a clause; one is the name of a procedure or function, where a `*` at its end
    /// stands for any rest. Upper and lower case are the same.
    #[must_use]
    pub fn new(patterns: &[String]) -> Self {
        let pattern = |written: &String| Pattern { written: written.clone(), form: Form::of(written) };
        Self(patterns.iter().map(pattern).collect())
    }

    /// Finds the first pattern that `statement` calls, as the operator wrote it.
    #[must_use]
    pub fn find(&self, statement: &str) -> Option<&str> {
        let mut tokens = Tokens::of(statement);
        // The name that is being read, part by part, and whether CALL stands before it.
        let mut name = String::new();
        let (mut follows_call, mut continues) = (false, false);
        loop {
            let here = tokens.clone();
            let token = tokens.next();
            if let Some(Token::Word(part) | Token::Quoted(part)) = token
                && (continues || name.is_empty())
            {
                name.push_str(&part.to_lowercase());
                continues = false;
            } else if token == Some(Token::Symbol('.')) && !name.is_empty() {
                name.push('.');
                continues = true;
                continue;
            } else {
                let is_call = !name.is_empty() && (follows_call || token == Some(Token::Symbol('(')));
                if is_call && let Some(pattern) = self.0.iter().find(|pattern| pattern.form.is_name(&name)) {
                    return Some(&pattern.written);
                }
                follows_call = name == "call";
                continues = false;
                name.clear();
                if let Some(Token::Word(part) | Token::Quoted(part)) = token {
                    name.push_str(&part.to_lowercase());
                }
            }
            if let Some(pattern) = self.0.iter().find(|pattern| pattern.form.begins(here.clone())) {
                return Some(&pattern.written);
            }
            token?;
        }
    }
}

/// Whether the text has a Unicode escape for a character that could be part of a keyword, a quote or a comment. Servers
/// that put such characters in place before they read the statement see another statement than the one that was inspected.
#[must_use]
pub fn hides_characters(statement: &str) -> bool {
    let mut rest = statement;
    while let Some((_, after)) = rest.split_once('\\') {
        let digits = after.trim_start_matches(['u', 'U']);
        if digits.len() < after.len() {
            let digits = digits.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
            let escaped = digits.and_then(char::from_u32);
            // Half of a surrogate pair is no character by itself, and neither a letter of a keyword nor a quote.
            let is_half = digits.is_some_and(|digits| (0xD800..0xE000).contains(&digits));
            if !is_half && escaped.is_none_or(|c| c.is_ascii() || c.is_whitespace() || !c.is_alphanumeric()) {
                return true;
            }
        }
        rest = after;
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn denied() -> Denied {
        let patterns = ["LOAD CSV", "apoc.load.*", "dbms.*", "mg.load*", "apoc.when"];
        Denied::new(&patterns.map(str::to_owned))
    }

    #[test]
    fn calls_are_found_however_they_are_written() {
        for (statement, pattern) in [
            ("LOAD CSV FROM 'file:///etc/passwd' AS row RETURN row", "LOAD CSV"),
            ("MATCH (n) load/* */\u{A0}csv WITH HEADERS FROM $x AS r RETURN r", "LOAD CSV"),
            ("CALL apoc.load.json('http://x') YIELD value RETURN value", "apoc.load.*"),
            ("CALL apoc.load.json", "apoc.load.*"),
            ("call APOC . Load /* */ . xml ($x)", "apoc.load.*"),
            ("CALL `apoc`.`load`.`json`('x')", "apoc.load.*"),
            ("CALL `apoc.load.json`('x')", "apoc.load.*"),
            ("CALL `apoc.load.json`", "apoc.load.*"),
            ("UNWIND [1] AS x CALL dbms.listConfig() YIELD name RETURN name", "dbms.*"),
            ("CALL dbms.components", "dbms.*"),
            ("CALL { CALL dbms.components } RETURN 1", "dbms.*"),
            ("CALL mg.load_all() RETURN 1", "mg.load*"),
            ("RETURN apoc.when(true, 'LOAD CSV …', '')", "apoc.when"),
            ("RETURN 1 + dbms.x(1)", "dbms.*"),
            ("RETURN \"'\" CALL dbms.x('", "dbms.*"),
        ] {
            assert_eq!(denied().find(statement), Some(pattern), "{statement}");
        }
    }

    #[test]
    fn what_is_no_call_is_let_through() {
        for statement in [
            "RETURN 'LOAD CSV', \"CALL dbms.components()\" // CALL dbms.x()",
            "/* LOAD CSV */ MATCH (n:`LOAD CSV`) RETURN n.`apoc.load.json`",
            "MATCH (dbms:Server) WHERE dbms.name = 'a' RETURN dbms.name",
            "CALL apoc.loads.json()",
            "CALL apoc.whenever(1)",
            "MATCH (load) RETURN load AS csv",
            "CALL db.labels() YIELD label RETURN label",
            "MATCH (n) WHERE n.dbms IN [1] RETURN (n.dbms)",
            "",
        ] {
            assert_eq!(denied().find(statement), None, "{statement}");
        }
        for nothing in [Denied::default(), Denied::new(&[String::new()])] {
            assert_eq!(nothing.find("LOAD CSV FROM 'x' AS r RETURN f(r)"), None);
        }
        assert_eq!(Denied::new(&["*".to_owned()]).find("MATCH (n) RETURN size(n.x)"), Some("*"));
    }

    #[test]
    fn escapes_that_could_hide_something_are_found() {
        for statement in [
            r"CALL apoc.l\u006fad.json('x')",
            r"LOAD\u00a0CSV FROM 'x' AS r",
            r"RETURN '\u0027 + 1",
            r"RETURN '\uuu0027'",
            r"RETURN '\\u0027'",
            r"RETURN 'C:\users'",
            r"RETURN '\u2028'",
            r"RETURN '\U00000027'",
            r"RETURN '\u00",
            r"RETURN '\u",
        ] {
            assert!(hides_characters(statement), "{statement}");
        }
        for statement in [r"RETURN '\u00e9\u4e2d'", r"RETURN '\n\t\\'", "RETURN 'é'", r"RETURN '\ud83d\ude00'", ""] {
            assert!(!hides_characters(statement), "{statement}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in r#"[ \n/*'"`\\uU0-9a-c.(${}é]{0,40}"#) {
            let _ = (denied().find(&text), hides_characters(&text));
        }

        #[test]
        fn blanks_and_comments_hide_nothing(gap in proptest::collection::vec("( |\n|/\\*[^*/]{0,5}\\*/|//[^\n\r]{0,5}\n)", 1..4)) {
            let (gap, denied) = (gap.concat(), denied());
            prop_assert_eq!(denied.find(&format!("LOAD{gap}CSV FROM 'x' AS r RETURN r")), Some("LOAD CSV"));
            prop_assert_eq!(denied.find(&format!("CALL{gap}dbms{gap}.{gap}x{gap}()")), Some("dbms.*"));
        }
    }
}
