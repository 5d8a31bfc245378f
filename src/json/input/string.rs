//! JSON strings: finds their end and resolves their escapes.
//!
//! Promises linear time. Refuses unpaired surrogates, because valid text cannot hold them and replacing them would
//! silently change the value.

/// What is wrong with a string, and the offset in bytes from its first character.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StringError {
    pub offset: usize,
    pub reason: String,
}

/// A string as it is written in the source, without its quotes.
#[derive(Debug)]
pub(super) struct RawString<'a> {
    pub text: &'a str,
    pub escaped: bool,
}

/// Finds the end of the string that `rest` begins with, after the opening quote.
pub(super) fn raw_string(rest: &str) -> Result<RawString<'_>, StringError> {
    let bytes = rest.as_bytes();
    let mut escaped = false;
    let mut at = 0;
    loop {
        let tail = bytes.get(at..).unwrap_or_default();
        let Some(plain) = tail.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F)) else {
            return Err(error(rest.len(), "expected the closing quote of a string, found the end of the text"));
        };
        at += plain;
        match bytes.get(at) {
            Some(b'"') => {
                return Ok(RawString { text: rest.get(..at).unwrap_or_default(), escaped });
            }
            Some(b'\\') => {
                escaped = true;
                at += 2;
            }
            byte => {
                let control = byte.copied().unwrap_or_default();
                return Err(error(at, format!("an unescaped control character in a string; write \\u{control:04x}")));
            }
        }
    }
}

/// Resolves the escapes of a source string.
pub(super) fn unescape(written: &str) -> Result<String, StringError> {
    let mut text = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((plain, after)) = rest.split_once('\\') {
        text.push_str(plain);
        let at = written.len() - after.len() - 1;
        let (character, length) = escape(after).map_err(|reason| error(at, reason))?;
        text.push(character);
        rest = after.get(length..).unwrap_or_default();
    }
    text.push_str(rest);
    Ok(text)
}

/// Returns the character that an escape stands for, and the bytes it takes after the backslash.
fn escape(after: &str) -> Result<(char, usize), &'static str> {
    Ok(match after.bytes().next() {
        Some(b'"') => ('"', 1),
        Some(b'\\') => ('\\', 1),
        Some(b'/') => ('/', 1),
        Some(b'b') => ('\u{8}', 1),
        Some(b'f') => ('\u{c}', 1),
        Some(b'n') => ('\n', 1),
        Some(b'r') => ('\r', 1),
        Some(b't') => ('\t', 1),
        Some(b'u') => return unicode(after.get(1..).unwrap_or_default()),
        _ => return Err(r#"an unknown escape; JSON has \" \\ \/ \b \f \n \r \t and \uXXXX"#),
    })
}

const HALF: &str = "half of a surrogate pair; send both halves, or the character itself";

fn unicode(after: &str) -> Result<(char, usize), &'static str> {
    let first = unit(after)?;
    if let Some(character) = char::from_u32(first) {
        return Ok((character, 5));
    }
    let second = after.get(4..).and_then(|rest| rest.strip_prefix("\\u")).ok_or(HALF)?;
    let second = unit(second)?;
    if first > 0xDBFF || !(0xDC00..=0xDFFF).contains(&second) {
        return Err(HALF);
    }
    let point = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    Ok((char::from_u32(point).ok_or(HALF)?, 11))
}

fn unit(after: &str) -> Result<u32, &'static str> {
    after
        .get(..4)
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .ok_or(r"\u must be followed by four hexadecimal digits")
}

fn error(offset: usize, reason: impl Into<String>) -> StringError {
    StringError { offset, reason: reason.into() }
}
