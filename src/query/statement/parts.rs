//! What a statement that an operator has written consists of: the parameters that it names, and where it ends.

use super::tokens::{Token, Tokens};

/// The parameters that a statement names outside of strings, comments and quoted names, in order, each with the offset of
/// the end of its name. A parameter that is named twice is there twice.
pub fn parameters_in(statement: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut tokens = Tokens::of(statement);
    let mut is_named = false;
    std::iter::from_fn(move || {
        loop {
            let token = tokens.next()?;
            let was_named = std::mem::replace(&mut is_named, token == Token::Symbol('$'));
            if let (true, Token::Word(name) | Token::Quoted(name)) = (was_named, token) {
                return Some((name, tokens.offset_in(statement)));
            }
        }
    })
}

/// The statement without the `;` at its end and what follows that.
///
/// # Errors
/// When another statement follows: the offset of the end of its first token.
pub fn single_statement(text: &str) -> Result<&str, usize> {
    let mut tokens = Tokens::of(text);
    while let Some(token) = tokens.next() {
        if token == Token::Symbol(';') {
            let end = tokens.offset_in(text) - 1;
            return match tokens.next() {
                None => Ok(text.get(..end).unwrap_or(text).trim_end()),
                Some(_) => Err(tokens.offset_in(text)),
            };
        }
    }
    Ok(text.trim_end())
}

/// Whether a statement consists of comments alone.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    Tokens::of(text).next().is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parameters_are_found_where_they_mean_something() {
        let statement = "// $a\nMATCH (n {x: $b, y: '$c', z: \"it's $d\"}) /* $e */ WHERE n.`$f` = $`g h` AND $b > $0\n\
                         RETURN $ h, '\\'$i'";
        let names: Vec<_> = parameters_in(statement).map(|(name, _)| name).collect();
        assert_eq!(names, ["b", "g h", "b", "0", "h"]);
        for (name, end) in parameters_in("RETURN $one,\n $two") {
            assert!("RETURN $one,\n $two"[..end].ends_with(name));
        }
    }

    #[test]
    fn a_statement_ends_at_its_semicolon() {
        for (text, expected) in [
            ("RETURN 1", Ok("RETURN 1")),
            ("RETURN 1 ;\n// done\n", Ok("RETURN 1")),
            ("RETURN ';'; ", Ok("RETURN ';'")),
            ("RETURN 1 // ;", Ok("RETURN 1 // ;")),
            ("RETURN 1; RETURN 2", Err(16)),
            ("RETURN 1;;", Err(10)),
        ] {
            assert_eq!(single_statement(text), expected, "{text}");
        }
        assert!(is_blank(" // x\n/* y */") && !is_blank("RETURN 1"));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in r#"[ \n\r/*'"`\\a-c${};é\u{A0}]{0,40}"#) {
            prop_assert!(parameters_in(&text).all(|(_, end)| text.is_char_boundary(end)));
            if let Ok(single) = single_statement(&text) {
                prop_assert!(text.starts_with(single));
            }
        }
    }
}
