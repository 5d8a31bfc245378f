//! The lexer on valid, invalid and hostile text.

use super::*;

const LIMITS: Limits = Limits { string: 20, key: 5, number: 10, depth: 4, packed: usize::MAX };

/// Returns all tokens of `text` in a short notation.
fn tokens(text: &str) -> Result<String, SyntaxError> {
    let mut lexer = Lexer::new(text, LIMITS);
    let mut shown = String::new();
    let mut depth = 0;
    loop {
        let token = lexer.token()?;
        match &token {
            Token::ObjectStart | Token::ArrayStart => depth += 1,
            Token::ObjectEnd | Token::ArrayEnd => depth -= 1,
            _ => {}
        }
        shown.push_str(&match token {
            Token::ObjectStart => "{".to_owned(),
            Token::ObjectEnd => "}".to_owned(),
            Token::ArrayStart => "[".to_owned(),
            Token::ArrayEnd => "]".to_owned(),
            Token::Key(key) => format!("{key}:"),
            Token::String(text) => format!("'{text}' "),
            Token::Number(text) => format!("{text} "),
            Token::Boolean(value) => format!("{value} "),
            Token::Null => "null ".to_owned(),
        });
        if depth == 0 {
            return Ok(shown);
        }
    }
}

#[test]
fn tokens_of_valid_text() {
    for (text, shown) in [
        ("1", "1 "),
        (" \t\r\n-0.50E+3 ", "-0.50E+3 "),
        ("{}", "{}"),
        ("[ ]x", "[]"),
        (r#"{"a":1,"b":[true,false,null,"x"]}"#, "{a:1 b:[true false null 'x' ]}"),
        (r#""\"\\\/\b\f\n\r\t""#, "'\"\\/\u{8}\u{c}\n\r\t' "),
        (r#""\u0041\u00e9\u0000""#, "'Aé\0' "),
        (r#""\ud83d\uDE00é😀""#, "'😀é😀' "),
        (r#"{"a" : {"\n":2}, "a":[[1,2],[]]}"#, "{a:{\n:2 }a:[[1 2 ][]]}"),
        ("\"\u{7f}\u{2028}\"", "'\u{7f}\u{2028}' "),
        (r#"{"a":1}{"#, "{a:1 }"),
    ] {
        assert_eq!(tokens(text).as_deref(), Ok(shown), "{text}");
    }
}

#[test]
fn errors_give_the_position_and_what_was_expected() {
    for (text, error) in [
        ("", "line 1, column 1 (byte 0): expected a value, found the end of the text"),
        ("{", "line 1, column 2 (byte 1): expected a key in double quotes or }, found the end of the text"),
        ("{\n \"é\": x}", "line 2, column 7 (byte 9): expected a value, found 'x'"),
        ("{\"a\" 1}", "line 1, column 6 (byte 5): expected a colon, found '1'"),
        ("{\"a\":1 \"b\":2}", "line 1, column 8 (byte 7): expected a comma or }, found '\"'"),
        ("[1 2]", "line 1, column 4 (byte 3): expected a comma or ], found '2'"),
        ("[1,]", "line 1, column 4 (byte 3): expected a value, found ']'"),
        ("{\"a\":1,}", "line 1, column 8 (byte 7): expected a key in double quotes, found '}'"),
        ("[}", "line 1, column 2 (byte 1): expected a value or ], found '}'"),
        ("[1}", "line 1, column 3 (byte 2): expected a comma or ], found '}'"),
        ("{a:1}", "line 1, column 2 (byte 1): expected a key in double quotes or }, found 'a'"),
        (
            "{'a':1}",
            "line 1, column 2 (byte 1): expected a key in double quotes or }, found '\\''; JSON has double quotes only",
        ),
        ("[/* */1]", "line 1, column 2 (byte 1): expected a value or ], found '/'"),
        ("tru", "line 1, column 1 (byte 0): expected a value, found 't'"),
        ("[nulll]", "line 1, column 6 (byte 5): expected a comma or ], found 'l'"),
        ("NaN", "line 1, column 1 (byte 0): expected a value, found 'N'"),
        ("01", "line 1, column 1 (byte 0): a number must not have a leading zero"),
        ("[-01]", "line 1, column 2 (byte 1): a number must not have a leading zero"),
        ("+1", "line 1, column 1 (byte 0): expected a value, found '+'"),
        (".5", "line 1, column 1 (byte 0): expected a value, found '.'"),
        ("1.", "line 1, column 3 (byte 2): expected a digit, found the end of the text"),
        ("[-]", "line 1, column 3 (byte 2): expected a digit, found ']'"),
        ("1e", "line 1, column 3 (byte 2): expected a digit, found the end of the text"),
        ("[1e+]", "line 1, column 5 (byte 4): expected a digit, found ']'"),
        ("\"a", "line 1, column 3 (byte 2): expected the closing quote of a string, found the end of the text"),
        ("\"a\\", "line 1, column 4 (byte 3): expected the closing quote of a string, found the end of the text"),
        ("\"a\tb\"", "line 1, column 3 (byte 2): an unescaped control character in a string; write \\u0009"),
        (
            "\"é\\x\"",
            "line 1, column 3 (byte 3): an unknown escape; JSON has \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX",
        ),
        ("\"\\u12\"", "line 1, column 2 (byte 1): \\u must be followed by four hexadecimal digits"),
        ("\"\\u+123\"", "line 1, column 2 (byte 1): \\u must be followed by four hexadecimal digits"),
        ("\"\\u12é4\"", "line 1, column 2 (byte 1): \\u must be followed by four hexadecimal digits"),
    ] {
        assert_eq!(tokens(text).unwrap_err().to_string(), error, "{text}");
    }
}

#[test]
fn half_surrogate_pairs_are_refused() {
    for text in [r#""\ud800""#, r#""a\udc00""#, r#""\ud800\ud800""#, r#""\ud800x""#, r#""\udc00\ud800""#] {
        let error = tokens(text).unwrap_err().reason;
        assert!(error.starts_with("half of a surrogate pair"), "{text}: {error}");
    }
}

#[test]
fn limits_are_exact_to_the_byte() {
    for (fits, exceeds, reason) in [
        (format!("\"{}\"", "x".repeat(20)), format!("\"{}\"", "x".repeat(21)), "a string is longer than 20 bytes"),
        ("{\"12345\":1}".into(), "{\"123456\":1}".into(), "a key is longer than 5 bytes"),
        ("1234567890".into(), "12345678901".into(), "a number is longer than 10 characters"),
        ("[[[[]]]]".into(), "[[[[[]]]]]".into(), "nested deeper than 4 levels (limits.depth)"),
    ] {
        assert!(tokens(&fits).is_ok(), "{fits}");
        assert_eq!(tokens(&exceeds).unwrap_err().reason, reason);
    }
}

#[test]
fn a_second_lexer_reads_one_object_alone() {
    let mut lexer = Lexer::new(r#"[{"a":[1]},3]"#, LIMITS);
    assert_eq!(lexer.token(), Ok(Token::ArrayStart));
    assert_eq!(lexer.token(), Ok(Token::ObjectStart));
    let mut again = lexer.fork_at(lexer.offset());
    assert_eq!(lexer.token(), Ok(Token::Key("a".into())));
    for token in [
        Token::ObjectStart,
        Token::Key("a".into()),
        Token::ArrayStart,
        Token::Number("1"),
        Token::ArrayEnd,
        Token::ObjectEnd,
    ] {
        assert_eq!(again.token(), Ok(token));
    }
    assert_eq!(again.token().unwrap_err().reason, "expected nothing more, found ','");
    assert_eq!(lexer.token(), Ok(Token::ArrayStart));
}

#[test]
fn a_second_lexer_keeps_the_depth() {
    let mut lexer = Lexer::new("[[{\"a\":[[1]]}]]", LIMITS);
    for _ in 0..3 {
        lexer.token().unwrap();
    }
    let mut again = lexer.fork_at(lexer.offset());
    for _ in 0..3 {
        again.token().unwrap();
    }
    let error = again.token().unwrap_err();
    assert_eq!(error.reason, "nested deeper than 4 levels (limits.depth)");
}

proptest::proptest! {
    #[test]
    fn no_text_causes_a_panic(text: String) {
        let _ = tokens(&text);
    }

    #[test]
    fn no_sequence_of_json_characters_causes_a_panic(text in r#"[\[\]{}:,"\\u0-9dDcC.eE+\-tfn 'é\n]{0,60}"#) {
        let _ = tokens(&text);
    }
}
