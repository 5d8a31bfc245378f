//! Splits Cypher text into tokens, as far as the bridge needs it.
//!
//! Owns what counts as a word, a quoted name, a string, a parameter or a comment, and the depth of brackets around a
//! token. Promises never to fail: invalid text becomes some token, and the engine reports the error. Knows nothing of
//! clauses and statements.

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::embedded) enum Kind {
    /// A keyword or an unquoted name.
    Word,
    /// A name in backticks, which are included.
    Quoted,
    /// A string literal, including its quotes.
    Text,
    /// A number literal.
    Number,
    /// `$name`, including the dollar sign.
    Parameter,
    /// Any other single character.
    Symbol,
}

/// One token and its position in the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::embedded) struct Token<'a> {
    pub(in crate::embedded) kind: Kind,
    pub(in crate::embedded) text: &'a str,
    /// The byte offset of the first character.
    pub(in crate::embedded) start: usize,
    /// The number of open brackets of any kind around the token. A bracket is not inside itself.
    pub(in crate::embedded) depth: usize,
}

impl<'a> Token<'a> {
    /// The byte offset after the last character.
    pub(in crate::embedded) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether the token is the word `word`, ignoring case.
    pub(in crate::embedded) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether the token is the character `symbol`.
    pub(in crate::embedded) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    /// The name that the token spells, if it can be a name.
    pub(in crate::embedded) fn name(&self) -> Option<&'a str> {
        match self.kind {
            Kind::Word => Some(self.text),
            Kind::Quoted => Some(self.text.trim_matches('`')),
            _ => None,
        }
    }
}

/// The tokens of `text`, without white space and comments.
pub(in crate::embedded) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut depth: usize = 0;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let skipped = whitespace_length(rest);
        if skipped > 0 {
            at += skipped;
            continue;
        }
        let (kind, length) = measure(rest);
        let token_text = rest.get(..length).unwrap_or(rest);
        if matches!(token_text, ")" | "]" | "}") {
            depth = depth.saturating_sub(1);
        }
        found.push(Token { kind, text: token_text, start: at, depth });
        if matches!(token_text, "(" | "[" | "{") {
            depth += 1;
        }
        at += token_text.len();
    }
    found
}

/// The dotted name at the start of `tokens`, and the number of tokens in it.
pub(in crate::embedded) fn dotted_name(tokens: &[Token<'_>]) -> (String, usize) {
    let mut length = usize::from(tokens.first().is_some_and(|first| first.kind == Kind::Word));
    while let Some([dot, word, ..]) = tokens.get(length..)
        && length > 0
        && dot.is_symbol(".")
        && word.kind == Kind::Word
    {
        length += 2;
    }
    (tokens.iter().take(length).map(|token| token.text).collect(), length)
}

/// The number of bytes of white space, or of one comment, at the start of `rest`.
fn whitespace_length(rest: &str) -> usize {
    if let Some(comment) = rest.strip_prefix("//") {
        return 2 + comment.find('\n').unwrap_or(comment.len());
    }
    if let Some(comment) = rest.strip_prefix("/*") {
        return 2 + comment.find("*/").map_or(comment.len(), |end| end + 2);
    }
    rest.len() - rest.trim_start().len()
}

/// The kind and length in bytes of the token at the start of `rest`.
fn measure(rest: &str) -> (Kind, usize) {
    let mut characters = rest.chars();
    match characters.next() {
        Some(quote @ ('\'' | '"')) => (Kind::Text, quoted_length(rest, quote)),
        Some('`') => (Kind::Quoted, quoted_length(rest, '`')),
        Some('$') if characters.next().is_some_and(is_name_part) => {
            (Kind::Parameter, 1 + name_length(rest.get(1..).unwrap_or_default()))
        }
        Some(digit) if digit.is_ascii_digit() => (Kind::Number, number_length(rest)),
        Some(letter) if is_name_part(letter) => (Kind::Word, name_length(rest)),
        Some(other) => (Kind::Symbol, other.len_utf8()),
        None => (Kind::Symbol, 0),
    }
}

fn is_name_part(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

fn name_length(rest: &str) -> usize {
    rest.find(|character| !is_name_part(character)).unwrap_or(rest.len())
}

/// The length of a number. A point belongs to it only if a digit follows, which keeps `1..3` a range.
fn number_length(rest: &str) -> usize {
    let whole = name_length(rest);
    let fraction = rest.get(whole..).and_then(|tail| tail.strip_prefix('.')).unwrap_or_default();
    if fraction.starts_with(|character: char| character.is_ascii_digit()) {
        whole + 1 + name_length(fraction)
    } else {
        whole
    }
}

/// The length of a quoted token up to its closing quote, or to the end of the text if it has no closing quote.
fn quoted_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if character == '\\' && quote != '`' {
            escaped = true;
        } else if character == quote {
            return at + character.len_utf8();
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        tokens(text).iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_and_white_space_are_left_out() {
        let text = "RETURN 1 // , RETURN 2\n, /* AS x, */ 2";
        assert_eq!(texts(text), ["RETURN", "1", ",", "2"]);
        assert_eq!(texts("RETURN 1 // to the end"), ["RETURN", "1"]);
        assert_eq!(texts("RETURN 1 /* open"), ["RETURN", "1"]);
    }

    #[test]
    fn quoted_text_is_one_token() {
        let text = r#"RETURN 'it\'s, AS', "a 'b'", `odd , name`"#;
        assert_eq!(texts(text), ["RETURN", r"'it\'s, AS'", ",", r#""a 'b'""#, ",", "`odd , name`"]);
        assert_eq!(texts("RETURN 'open"), ["RETURN", "'open"]);
    }

    #[test]
    fn numbers_parameters_and_words_keep_their_characters() {
        assert_eq!(
            texts("$p1 + 1.5e3 + x[1..3] + näme"),
            ["$p1", "+", "1.5e3", "+", "x", "[", "1", ".", ".", "3", "]", "+", "näme"]
        );
        assert_eq!(tokens("$0").first().map(|token| token.kind), Some(Kind::Parameter));
    }

    #[test]
    fn depth_counts_open_brackets_and_survives_stray_ones() {
        let depths: Vec<usize> = tokens(") ( [ x ] ) y").iter().map(|token| token.depth).collect();
        assert_eq!(depths, [0, 0, 1, 2, 1, 0, 0]);
    }

    #[test]
    fn dotted_names_end_at_the_next_word() {
        assert_eq!(dotted_name(&tokens("a.b.c YIELD d")), ("a.b.c".to_owned(), 5));
        assert_eq!(dotted_name(&tokens("a ( )")), ("a".to_owned(), 1));
        assert_eq!(dotted_name(&tokens(".a")), (String::new(), 0));
    }

    #[test]
    fn backticks_are_removed_from_names() {
        let names: Vec<_> = tokens("a `b c` 'd'").iter().map(Token::name).collect();
        assert_eq!(names, [Some("a"), Some("b c"), None]);
    }
}
