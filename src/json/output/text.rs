//! JSON strings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, BytesMut};

const HEX: &[u8; 16] = b"0123456789ABCDEF";
/// The number of bytes checked together.
const BLOCK: usize = 16;

/// Appends `text` as a JSON string with its quotes. Characters that need no escape stay raw UTF-8.
pub fn string(out: &mut BytesMut, text: &str) {
    out.reserve(text.len() + 2);
    out.put_u8(b'"');
    escaped(out, text);
    out.put_u8(b'"');
}

/// Appends `text` as the content of a JSON string, without quotes.
#[inline]
pub(super) fn escaped(out: &mut BytesMut, text: &str) {
    escaped_bytes(out, text.as_bytes());
}

/// Appends part of a text, cut at any byte, as content of a JSON string.
#[inline]
pub(super) fn escaped_bytes(out: &mut BytesMut, bytes: &[u8]) {
    if is_clean(bytes) { out.extend_from_slice(bytes) } else { with_escapes(out, bytes) }
}

fn with_escapes(out: &mut BytesMut, mut rest: &[u8]) {
    while let Some((clean, tail)) = rest.split_at_checked(clean_prefix(rest)) {
        out.extend_from_slice(clean);
        let Some((&byte, behind)) = tail.split_first() else {
            return;
        };
        escape(out, byte);
        rest = behind;
    }
}

/// Appends `bytes` as standard, padded base64, without quotes.
pub(super) fn base64(out: &mut BytesMut, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, b'=');
    let place = out.get_mut(start..).unwrap_or_default();
    // The slice has exactly the size of the output, so this cannot fail.
    let written = STANDARD.encode_slice(bytes, place);
    debug_assert_eq!(written.ok(), Some(out.len() - start));
}

/// Whether no byte needs an escape. The last block overlaps the previous one, because checking a byte twice is cheaper
/// than checking it alone.
#[inline]
fn is_clean(bytes: &[u8]) -> bool {
    if let Some(last) = bytes.last_chunk::<BLOCK>() {
        return is_clean_block(last) && bytes.as_chunks::<BLOCK>().0.iter().all(is_clean_block);
    }
    match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>(), bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), Some(last), ..) => is_clean_block(first) && is_clean_block(last),
        (None, None, Some(first), Some(last)) => is_clean_block(first) && is_clean_block(last),
        _ => !bytes.iter().any(|&byte| needs_escape(byte)),
    }
}

/// The number of bytes at the start that need no escape.
fn clean_prefix(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let clean = blocks.iter().take_while(|block| is_clean_block(block)).count() * BLOCK;
    let rest = bytes.get(clean..).unwrap_or_default();
    clean + rest.iter().position(|&byte| needs_escape(byte)).unwrap_or(rest.len())
}

/// Without an early exit, so that it compiles to a few vector instructions.
#[inline]
fn is_clean_block<const SIZE: usize>(block: &[u8; SIZE]) -> bool {
    !block.iter().fold(false, |found, &byte| found | needs_escape(byte))
}

#[inline]
fn needs_escape(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

#[cold]
fn escape(out: &mut BytesMut, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0C => b'f',
        b'\r' => b'r',
        _ => {
            let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[digit(byte >> 4), digit(byte & 0x0F)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = BytesMut::new();
        string(&mut out, text);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn escapes_match_the_query_api() {
        assert_eq!(written("a\"b\\c"), r#""a\"b\\c""#);
        assert_eq!(written("\u{8}\t\n\u{c}\r"), r#""\b\t\n\f\r""#);
        assert_eq!(written("\0\u{b}\u{1f}"), r#""\u0000\u000B\u001F""#);
        for raw in ["/", "<&>", "\u{7f}", "\u{9f}", "\u{2028}", "\u{feff}", "\u{1F600}", "Ü"] {
            assert_eq!(written(raw), format!("\"{raw}\""));
        }
    }

    #[test]
    fn an_escape_is_found_at_every_position_of_a_block() {
        for length in 0..40 {
            for place in 0..length {
                for special in ['"', '\\', '\n', '\u{1}'] {
                    let text: String = (0..length).map(|at| if at == place { special } else { 'x' }).collect();
                    let parsed: String = serde_json::from_str(&written(&text)).unwrap();
                    assert_eq!(parsed, text);
                }
            }
        }
    }

    #[test]
    fn base64_is_padded() {
        for (bytes, text) in [(&[][..], ""), (&[1, 2, 3, 4, 5], "AQIDBAU="), (&[0xDE, 0xAD, 0xBE, 0xEF], "3q2+7w==")] {
            let mut out = BytesMut::from(&b"x"[..]);
            base64(&mut out, bytes);
            assert_eq!(out, format!("x{text}"));
        }
    }
}
