//! Splits a statement into tokens, just enough to tell keywords from the contents of comments, strings and quoted
//! names.
//!
//! Promises to read any text to its end, without allocating. Invalid text yields some token; reporting the error is
//! left to the database. Knows nothing of clauses and statements.

/// A token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A keyword, an unquoted name, or a number.
    Word(&'t str),
    /// A name between backticks.
    Quoted(&'t str),
    /// A string literal.
    Text,
    /// Any other character.
    Symbol(char),
}

impl Token<'_> {
    /// Whether this is the keyword `word`, in upper or lower case.
    pub(super) fn is(self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text.eq_ignore_ascii_case(word))
    }
}

/// An iterator over the tokens of a text.
#[derive(Debug, Clone)]
pub(super) struct Tokens<'t> {
    rest: &'t str,
}

impl<'t> Tokens<'t> {
    pub(super) fn of(statement: &'t str) -> Self {
        Self { rest: statement }
    }

    /// How much of `statement`, which these are the tokens of, was read.
    pub(super) fn offset_in(&self, statement: &str) -> usize {
        statement.len().saturating_sub(self.rest.len())
    }

    fn skip_blanks_and_comments(&mut self) {
        loop {
            let text = self.rest.trim_start_matches(is_blank);
            let behind = if let Some(comment) = text.strip_prefix("//") {
                comment.split_once(['\n', '\r'])
            } else if let Some(comment) = text.strip_prefix("/*") {
                comment.split_once("*/")
            } else {
                self.rest = text;
                return;
            };
            // An unterminated comment extends to the end of the text.
            self.rest = behind.map_or("", |(_, rest)| rest);
        }
    }

    /// Skips a string literal up to its closing quote, the first one that is not escaped with a backslash.
    fn skip_text(&mut self, quote: char) {
        let mut escaped = false;
        let end = self.rest.find(|c| {
            let ends = c == quote && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        self.rest = end.and_then(|end| self.rest.get(end + quote.len_utf8()..)).unwrap_or_default();
    }
}

impl<'t> Iterator for Tokens<'t> {
    type Item = Token<'t>;

    fn next(&mut self) -> Option<Token<'t>> {
        self.skip_blanks_and_comments();
        let text = self.rest;
        let first = text.chars().next()?;
        if is_part_of_word(first) {
            let end = text.find(|c| !is_part_of_word(c)).unwrap_or(text.len());
            let (word, rest) = text.split_at_checked(end)?;
            self.rest = rest;
            return Some(Token::Word(word));
        }
        self.rest = text.get(first.len_utf8()..)?;
        match first {
            '\'' | '"' => {
                self.skip_text(first);
                Some(Token::Text)
            }
            '`' => {
                let (name, rest) = self.rest.split_once('`').unwrap_or((self.rest, ""));
                self.rest = rest;
                Some(Token::Quoted(name))
            }
            _ => Some(Token::Symbol(first)),
        }
    }
}

/// Whether Cypher treats `c` as whitespace: Unicode does, or did in an older version, or Cypher adds it.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1C}'..='\u{1F}' | '\u{180E}' | '\u{FEFF}')
}

fn is_part_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(statement: &str) -> Vec<&str> {
        let word = |token| if let Token::Word(word) = token { Some(word) } else { None };
        Tokens::of(statement).filter_map(word).collect()
    }

    #[test]
    fn words_are_found_between_any_blanks_and_comments() {
        for statement in [
            "SET SESSION x",
            "SET/**/SESSION/* */x",
            "// SET NEXT\nSET// a\r\nSESSION//b\rx",
            "\u{FEFF}SET\u{A0}SESSION\u{2003}x",
            "SET\u{1F}SESSION\u{180E}x",
            "/* ' \" ` */ SET SESSION x //",
            "/***/SET/* // */SESSION x /* and no end",
        ] {
            assert_eq!(words(statement), ["SET", "SESSION", "x"], "{statement:?}");
        }
    }

    #[test]
    fn quoted_text_is_not_a_word() {
        let statement = r#"'SET \' SESSION' "it's \\" a `SET` `b``c` "/* " d '// "#;
        assert_eq!(words(statement), ["a", "d"]);
        let quoted: Vec<_> = Tokens::of(statement).filter(|token| matches!(token, Token::Quoted(_))).collect();
        assert_eq!(quoted, [Token::Quoted("SET"), Token::Quoted("b"), Token::Quoted("c")]);
    }

    #[test]
    fn everything_else_is_a_symbol() {
        let tokens: Vec<_> = Tokens::of("$x/2 }é").collect();
        let expected = [
            Token::Symbol('$'),
            Token::Word("x"),
            Token::Symbol('/'),
            Token::Word("2"),
            Token::Symbol('}'),
            Token::Word("é"),
        ];
        assert_eq!(tokens, expected);
        assert!(Token::Word("Set").is("SET") && !Token::Quoted("SET").is("SET"));
    }

    proptest! {
        #[test]
        fn any_text_has_an_end(text in r#"[ \n\r/*'"`\\a-c${}é\u{A0}]{0,40}"#) {
            prop_assert!(Tokens::of(&text).count() <= text.chars().count());
        }
    }
}
