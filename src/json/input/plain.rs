//! Plain JSON to PackStream: the spelling of a number decides between INTEGER and FLOAT, and a string stays a string.
//!
//! Promises one pass and exact 64-bit integers. An object that looks like a typed value is read as an ordinary map.

use super::InputError;
use super::assemble::{Assembly, Source};
use super::lexer::{Lexer, Token};
use crate::value_path::shortened;

/// Reads the rest of an object whose [`Token::ObjectStart`] has been read, and appends it to `out` as a map. Errors
/// call the object `root`. After an error, `out` holds an unfinished map.
///
/// # Errors
/// Returns [`InputError::Syntax`] for text that is not valid JSON or exceeds a limit, and [`InputError::Value`] for an
/// integer that does not fit in 64 bits.
pub fn read_map(lexer: &mut Lexer<'_>, root: &'static str, out: &mut Vec<u8>) -> Result<(), InputError> {
    let mut assembly = Assembly::begin(root, Source { text: lexer.rest(), largest_encoding, limit: usize::MAX }, out);
    loop {
        match lexer.token()? {
            Token::Key(key) => assembly.key(&key),
            Token::ObjectEnd | Token::ArrayEnd => {
                if assembly.end() {
                    let size = assembly.len();
                    return Ok(lexer.pack(size)?);
                }
            }
            value => {
                assembly.item();
                write(value, &mut assembly)?;
            }
        }
    }
}

/// The largest encoding that `text` can have, in bytes. Only floats take more than their text: `1e1,` has four bytes
/// and becomes nine.
fn largest_encoding(text: &str) -> usize {
    let floats = text.bytes().filter(|byte| matches!(byte, b'.' | b'e' | b'E')).count();
    text.len() + 5 * floats.min(text.len() / 4)
}

fn write(value: Token<'_>, assembly: &mut Assembly<'_, '_>) -> Result<(), InputError> {
    match value {
        Token::ObjectStart => assembly.begin_map(),
        Token::ArrayStart => assembly.begin_list(),
        Token::String(text) => assembly.string(&text),
        Token::Boolean(value) => assembly.writer().boolean(value),
        Token::Number(text) => return number(text, assembly),
        Token::Null | Token::Key(_) | Token::ObjectEnd | Token::ArrayEnd => {
            assembly.writer().null();
        }
    }
    Ok(())
}

fn number(text: &str, assembly: &mut Assembly<'_, '_>) -> Result<(), InputError> {
    let whole = !text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    if !whole && let Ok(value) = text.parse() {
        assembly.writer().float(value);
    } else if let Ok(value) = text.parse() {
        assembly.writer().integer(value);
    } else {
        let reason = format!(
            "{} does not fit in 64 bits; send it as a string, or with a decimal point as a float",
            shortened(text, 40)
        );
        return Err(InputError::Value { path: assembly.path(), reason });
    }
    Ok(())
}
