//! The reader: a cursor over one framed message that returns one token at a time and copies nothing.

use thiserror::Error;

/// An error in PackStream bytes.
///
/// The two kinds differ in their consequences. After [`DecodeError::Framing`] nothing beyond the cursor can be trusted,
/// and the connection has to be closed. After [`DecodeError::Value`] the message is intact, and only this value cannot
/// be shown.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes are not PackStream, or announce more than is present.
    #[error("malformed PackStream: {0}")]
    Framing(&'static str),
    /// A value is intact, but has no meaning.
    #[error("the database sent a value that cannot be shown: {0}")]
    Value(&'static str),
}

/// One PackStream token. A collection's token is followed by its items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Token<'a> {
    /// Null.
    Null,
    /// True or false.
    Boolean(bool),
    /// A signed 64-bit integer.
    Integer(i64),
    /// A 64-bit IEEE 754 float.
    Float(f64),
    /// A byte array.
    Bytes(&'a [u8]),
    /// A string, checked to be UTF-8.
    String(&'a str),
    /// The number of items that follow.
    List(usize),
    /// The number of pairs that follow; each key is a [`Token::String`].
    Map(usize),
    /// The tag, and the number of fields that follow.
    Struct(u8, usize),
    /// A UUID (Bolt 6.1 and later).
    Uuid([u8; 16]),
}

/// A cursor over the bytes of one message.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Returns a reader at the start of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The bytes that have not been read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// Reads the next token.
    ///
    /// # Errors
    /// [`DecodeError::Framing`] at the end of the bytes, for a reserved marker, and for a length that exceeds the
    /// remaining bytes; [`DecodeError::Value`] for a string that is not UTF-8 (the cursor is then after it).
    #[inline]
    pub fn token(&mut self) -> Result<Token<'a>, DecodeError> {
        let marker = self.byte()?;
        Ok(match marker {
            0x00..=0x7F | 0xF0..=0xFF => Token::Integer(i64::from(marker.cast_signed())),
            0x80..=0x8F => self.string(usize::from(marker & 0x0F))?,
            0xC0 => Token::Null,
            0xC1 => Token::Float(f64::from_be_bytes(self.array()?)),
            0xC2 => Token::Boolean(false),
            0xC3 => Token::Boolean(true),
            0xC8 => Token::Integer(i64::from(i8::from_be_bytes(self.array()?))),
            0xC9 => Token::Integer(i64::from(i16::from_be_bytes(self.array()?))),
            0xCA => Token::Integer(i64::from(i32::from_be_bytes(self.array()?))),
            0xCB => Token::Integer(i64::from_be_bytes(self.array()?)),
            0xCC..=0xCE => {
                let length = self.length(marker - 0xCC)?;
                Token::Bytes(self.take(length)?)
            }
            0xD0..=0xD2 => {
                let length = self.length(marker - 0xD0)?;
                self.string(length)?
            }
            0xE0 => Token::Uuid(self.array()?),
            _ => self.container(marker)?,
        })
    }

    /// Reads a token that has to be a string.
    ///
    /// # Errors
    /// As [`Reader::token`], and [`DecodeError::Value`] for any other type.
    pub fn expect_string(&mut self) -> Result<&'a str, DecodeError> {
        match self.token()? {
            Token::String(text) => Ok(text),
            _ => Err(DecodeError::Value("something other than a string")),
        }
    }

    /// Reads a token that has to be an integer.
    ///
    /// # Errors
    /// As [`Reader::token`], and [`DecodeError::Value`] for any other type.
    pub fn expect_integer(&mut self) -> Result<i64, DecodeError> {
        integer(self.token()?)
    }

    /// Reads a token that has to be a list, and returns its length.
    ///
    /// # Errors
    /// As [`Reader::token`], and [`DecodeError::Value`] for any other type.
    pub fn expect_list(&mut self) -> Result<usize, DecodeError> {
        match self.token()? {
            Token::List(length) => Ok(length),
            _ => Err(DecodeError::Value("something other than a list")),
        }
    }

    /// Reads a token that has to be a map, and returns its number of pairs.
    ///
    /// # Errors
    /// As [`Reader::token`], and [`DecodeError::Value`] for any other type.
    pub fn expect_map(&mut self) -> Result<usize, DecodeError> {
        match self.token()? {
            Token::Map(length) => Ok(length),
            _ => Err(DecodeError::Value("something other than a map")),
        }
    }

    /// Skips one whole value of any depth, without recursion.
    ///
    /// # Errors
    /// Only [`DecodeError::Framing`]: neither the meaning of the value nor the encoding of its strings is checked.
    pub fn skip(&mut self) -> Result<(), DecodeError> {
        let mut outstanding = 1_usize;
        while outstanding > 0 {
            // Counts are bounded by the remaining bytes, so the sum cannot overflow.
            outstanding = outstanding - 1 + self.skip_one()?;
        }
        Ok(())
    }

    /// Skips a marker and its payload, and returns the number of values that follow as its items.
    #[inline]
    fn skip_one(&mut self) -> Result<usize, DecodeError> {
        let marker = self.byte()?;
        let payload = match marker {
            0x00..=0x7F | 0xC0 | 0xC2 | 0xC3 | 0xF0..=0xFF => 0,
            0x80..=0x8F => usize::from(marker & 0x0F),
            0xC8 => 1,
            0xC9 => 2,
            0xCA => 4,
            0xC1 | 0xCB => 8,
            0xE0 => 16,
            0xCC..=0xCE => self.length(marker - 0xCC)?,
            0xD0..=0xD2 => self.length(marker - 0xD0)?,
            _ => {
                return Ok(match self.container(marker)? {
                    Token::Map(pairs) => pairs * 2,
                    Token::List(items) | Token::Struct(_, items) => items,
                    _ => 0,
                });
            }
        };
        self.take(payload)?;
        Ok(0)
    }

    /// Reads the head of a list, map or structure.
    #[inline]
    fn container(&mut self, marker: u8) -> Result<Token<'a>, DecodeError> {
        match marker {
            0x90..=0x9F => self.list(usize::from(marker & 0x0F)),
            0xA0..=0xAF => self.map(usize::from(marker & 0x0F)),
            0xB0..=0xBF => self.structure(usize::from(marker & 0x0F)),
            0xD4..=0xD6 => {
                let length = self.length(marker - 0xD4)?;
                self.list(length)
            }
            0xD8..=0xDA => {
                let length = self.length(marker - 0xD8)?;
                self.map(length)
            }
            _ => Err(DecodeError::Framing("a reserved marker")),
        }
    }

    /// Skips one whole value and returns its bytes.
    ///
    /// # Errors
    /// As [`Reader::skip`].
    pub fn raw(&mut self) -> Result<&'a [u8], DecodeError> {
        let before = self.bytes;
        self.skip()?;
        before.get(..before.len() - self.bytes.len()).ok_or(DecodeError::Framing("a value that ends before it begins"))
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.bytes.split_first().ok_or(TRUNCATED)?;
        self.bytes = rest;
        Ok(*first)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (first, rest) = self.bytes.split_first_chunk::<N>().ok_or(TRUNCATED)?;
        self.bytes = rest;
        Ok(*first)
    }

    #[inline]
    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (first, rest) = self.bytes.split_at_checked(length).ok_or(TRUNCATED)?;
        self.bytes = rest;
        Ok(first)
    }

    /// Reads a length of one, two or four bytes, for width 0, 1 or 2.
    #[inline]
    fn length(&mut self, width: u8) -> Result<usize, DecodeError> {
        Ok(match width {
            0 => usize::from(self.byte()?),
            1 => usize::from(u16::from_be_bytes(self.array()?)),
            _ => usize::try_from(u32::from_be_bytes(self.array()?)).map_err(|_| TRUNCATED)?,
        })
    }

    #[inline]
    fn string(&mut self, length: usize) -> Result<Token<'a>, DecodeError> {
        let bytes = self.take(length)?;
        simdutf8::basic::from_utf8(bytes)
            .map(Token::String)
            .map_err(|_| DecodeError::Value("a string that is not UTF-8"))
    }

    #[inline]
    fn list(&mut self, length: usize) -> Result<Token<'a>, DecodeError> {
        self.announced(length)?;
        Ok(Token::List(length))
    }

    #[inline]
    fn map(&mut self, pairs: usize) -> Result<Token<'a>, DecodeError> {
        self.announced(pairs.saturating_mul(2))?;
        Ok(Token::Map(pairs))
    }

    #[inline]
    fn structure(&mut self, fields: usize) -> Result<Token<'a>, DecodeError> {
        let tag = self.byte()?;
        self.announced(fields)?;
        Ok(Token::Struct(tag, fields))
    }

    /// Checks a count of items: each takes at least one byte.
    #[inline]
    fn announced(&self, items: usize) -> Result<(), DecodeError> {
        if items > self.bytes.len() {
            return Err(TRUNCATED);
        }
        Ok(())
    }
}

const TRUNCATED: DecodeError = DecodeError::Framing("it announces more than it contains");

/// Returns the integer in a token.
///
/// # Errors
/// [`DecodeError::Value`] for any other type.
pub fn integer(token: Token<'_>) -> Result<i64, DecodeError> {
    match token {
        Token::Integer(value) => Ok(value),
        _ => Err(DecodeError::Value("something other than an integer")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_beyond_the_message_is_refused_before_it_is_read() {
        for bytes in [
            &[0xD6, 0x7F, 0xFF, 0xFF, 0xFF][..],
            &[0xDA, 0xFF, 0xFF, 0xFF, 0xFF, 0x80, 0x01],
            &[0xCE, 0x00, 0x00, 0x00, 0x02, 0x00],
            &[0xD2, 0x00, 0x00, 0x00, 0x02, 0x41],
            &[0xB4, 0x4E, 0x01],
            &[0x92, 0x01],
            &[0xA1, 0x80],
            &[0xC1, 0x00],
            &[],
        ] {
            assert!(matches!(Reader::new(bytes).token(), Err(DecodeError::Framing(_))), "{bytes:?}");
        }
    }

    #[test]
    fn reserved_markers_are_refused() {
        let reserved = (0xC4..=0xC7).chain([0xCF, 0xD3, 0xD7, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF]).chain(0xE1..=0xEF);
        for marker in reserved {
            let bytes = [marker, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            assert!(matches!(Reader::new(&bytes).token(), Err(DecodeError::Framing(_))), "{marker:#x}");
        }
    }

    #[test]
    fn a_string_that_is_not_utf8_leaves_the_cursor_behind_it() {
        let mut reader = Reader::new(&[0x82, 0xC3, 0x28, 0x07]);
        assert!(matches!(reader.token(), Err(DecodeError::Value(_))));
        assert_eq!(reader.token(), Ok(Token::Integer(7)));
    }

    #[test]
    fn skipping_is_not_recursive() {
        let mut bytes = vec![0x91; 1_000_000];
        bytes.push(0x01);
        bytes.push(0x2A);
        let mut reader = Reader::new(&bytes);
        reader.skip().unwrap();
        assert_eq!(reader.token(), Ok(Token::Integer(42)));
    }

    proptest::proptest! {
        /// Skipping a value ends where reading it token by token does.
        #[test]
        fn skipping_and_reading_end_at_the_same_place(bytes in proptest::collection::vec(0_u8.., 0..64)) {
            let mut skipped = Reader::new(&bytes);
            let skipped = skipped.skip().map(|()| skipped.rest().len());
            let mut read = Reader::new(&bytes);
            let mut outstanding = 1_usize;
            let read = loop {
                if outstanding == 0 {
                    break Ok(read.rest().len());
                }
                outstanding -= 1;
                outstanding += match read.token() {
                    Ok(Token::List(items) | Token::Struct(_, items)) => items,
                    Ok(Token::Map(pairs)) => pairs * 2,
                    Ok(_) | Err(DecodeError::Value(_)) => 0,
                    Err(error) => break Err(error),
                };
            };
            proptest::prop_assert_eq!(skipped, read);
        }
    }

    #[test]
    fn integers_of_every_width_are_read() {
        let bytes = [0x7F, 0xF0, 0xC8, 0x80, 0xC9, 0x80, 0x00, 0xCA, 0x80, 0, 0, 0, 0xCB, 0x80, 0, 0, 0, 0, 0, 0, 0];
        let mut reader = Reader::new(&bytes);
        for expected in [127, -16, -128, -32768, -2_147_483_648, i64::MIN] {
            assert_eq!(reader.expect_integer(), Ok(expected));
        }
        assert!(reader.rest().is_empty());
    }
}
