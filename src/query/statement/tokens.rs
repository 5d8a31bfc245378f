//! The tokens of a statement, as far as it takes to find a keyword that is one: not inside of a comment, a string or a
//! quoted name, whatever blanks and comments stand around it.
//!
//! Promises to read any text to its end, without allocating. What no database would take becomes some token; the
//! database says what is wrong with it. Knows no clause and no statement.

/// One token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A keyword, a name without quotes, a number.
    Word(&'t str),
    /// What stands between backticks.
    Quoted(&'t str),
    /// A string.
    Text,
    /// Any other character.
    Symbol(char),
}

impl Token<'_> {
    /// Whether this is the keyword `word`, in any case.
    pub(super) fn is(self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text.eq_ignore_ascii_case(word))
    }
}

/// Goes through the tokens of a text.
#[derive(Debug, Clone)]
pub(super) struct Tokens<'t> {
    rest: &'t str,
}

impl<'t> Tokens<'t> {
    pub(super) fn of(statement: &'t str) -> Self {
        Self { rest: statement }
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
            // A comment without an end goes to the end of the text.
            self.rest = behind.map_or("", |(_, rest)| rest);
        }
    }

    /// Up to the quote that ends what has begun: the first one that no backslash stands before.
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

/// Cypher's blanks: those of Unicode, and a few that Unicode does not count or counts no more.
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
    fn words_are_found_whatever_stands_between_them() {
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
    fn what_is_quoted_is_no_word() {
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
