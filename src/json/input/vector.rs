//! Typed vectors: `{"coordinatesType":"INT8","coordinates":["1","-2"]}`.
//!
//! Leaves it to the database to judge how many coordinates are allowed and whether they must be finite.

use std::borrow::Cow;

use super::lexer::{Lexer, SyntaxError, Token};
use super::number::{float32, float64, integer};
use crate::bolt::packstream::{Writer, tag};

/// Why a vector could not be read.
#[derive(Debug)]
pub(super) enum VectorError {
    Syntax(SyntaxError),
    /// The `coordinatesType` is unknown.
    UnsupportedType(String),
    /// Anything else is wrong.
    Malformed(String),
}

impl From<SyntaxError> for VectorError {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(error)
    }
}

/// A vector whose coordinates have been counted but not yet written: the encoding begins with their type and number,
/// and the text may give the type last.
#[derive(Debug)]
pub(super) struct VectorText {
    kind: CoordinatesType,
    coordinates: Coordinates,
}

/// Where the array of coordinates begins in the text, and how many there are.
#[derive(Debug, Clone, Copy)]
struct Coordinates {
    offset: usize,
    count: usize,
}

#[derive(Debug, Clone, Copy)]
enum CoordinatesType {
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
}

impl CoordinatesType {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "INT8" => Self::Int8,
            "INT16" => Self::Int16,
            "INT32" => Self::Int32,
            "INT64" => Self::Int64,
            "FLOAT32" => Self::Float32,
            "FLOAT64" => Self::Float64,
            _ => return None,
        })
    }

    fn marker(self) -> u8 {
        match self {
            Self::Int8 => 0xC8,
            Self::Int16 => 0xC9,
            Self::Int32 => 0xCA,
            Self::Int64 => 0xCB,
            Self::Float32 => 0xC6,
            Self::Float64 => 0xC1,
        }
    }

    /// The bytes of one coordinate.
    fn width(self) -> usize {
        match self {
            Self::Int8 => 1,
            Self::Int16 => 2,
            Self::Int32 | Self::Float32 => 4,
            Self::Int64 | Self::Float64 => 8,
        }
    }

    /// Appends one coordinate. Returns `None` if the text is not a number of this type.
    fn write(self, text: &str, out: &mut Writer<'_>) -> Option<()> {
        match self {
            Self::Int8 => out.raw(&integer::<i8>(text)?.to_be_bytes()),
            Self::Int16 => out.raw(&integer::<i16>(text)?.to_be_bytes()),
            Self::Int32 => out.raw(&integer::<i32>(text)?.to_be_bytes()),
            Self::Int64 => out.raw(&integer::<i64>(text)?.to_be_bytes()),
            Self::Float32 => out.raw(&float32(text)?.to_be_bytes()),
            Self::Float64 => out.raw(&float64(text)?.to_be_bytes()),
        }
        Some(())
    }
}

impl VectorText {
    /// Reads the rest of a vector whose [`Token::ObjectStart`] has been read.
    pub(super) fn read(lexer: &mut Lexer<'_>) -> Result<Self, VectorError> {
        let mut kind = None;
        let mut coordinates = None;
        loop {
            match lexer.token()? {
                Token::Key(key) if key == "coordinatesType" && kind.is_none() => {
                    kind = Some(coordinates_type(lexer)?);
                }
                Token::Key(key) if key == "coordinates" && coordinates.is_none() => {
                    coordinates = Some(count_coordinates(lexer)?);
                }
                Token::Key(key) => {
                    return Err(malformed(format!(
                        "unexpected or repeated key {key:?} in a vector; use `coordinatesType` and `coordinates` once each"
                    )));
                }
                _ => break,
            }
        }
        let kind = kind.ok_or_else(|| VectorError::UnsupportedType("null".to_owned()))?;
        let coordinates = coordinates.ok_or_else(|| malformed("a vector needs `coordinates`"))?;
        Ok(Self { kind, coordinates })
    }

    /// The size of its encoded coordinates in bytes.
    pub(super) fn size(&self) -> usize {
        self.coordinates.count * self.kind.width()
    }

    /// Writes the vector, with big-endian coordinates, from the text that `lexer` has read.
    pub(super) fn write(&self, lexer: &Lexer<'_>, out: &mut Writer<'_>) -> Result<(), VectorError> {
        out.structure(tag::VECTOR, 2);
        out.bytes(&[self.kind.marker()]);
        out.bytes_head(self.size());
        let mut lexer = lexer.fork_at(self.coordinates.offset);
        lexer.token()?; // ArrayStart
        for index in 0..self.coordinates.count {
            let written = match lexer.token()? {
                Token::String(text) => self.kind.write(&text, out),
                Token::Number(text) => self.kind.write(text, out),
                _ => None,
            };
            written.ok_or_else(|| {
                malformed(format!("coordinate {index} is not valid in the vector's `coordinatesType`"))
            })?;
        }
        Ok(())
    }
}

fn coordinates_type(lexer: &mut Lexer<'_>) -> Result<CoordinatesType, VectorError> {
    let name: Cow<'_, str> = match lexer.token()? {
        Token::String(name) => name,
        Token::Number(text) => text.into(),
        Token::Boolean(value) => value.to_string().into(),
        Token::Null => "null".into(),
        _ => return Err(malformed("`coordinatesType` must be a string")),
    };
    CoordinatesType::named(&name).ok_or_else(|| VectorError::UnsupportedType(name.into_owned()))
}

fn count_coordinates(lexer: &mut Lexer<'_>) -> Result<Coordinates, VectorError> {
    if lexer.token()? != Token::ArrayStart {
        return Err(malformed("`coordinates` must be an array"));
    }
    let mut coordinates = Coordinates { offset: lexer.offset(), count: 0 };
    loop {
        match lexer.token()? {
            Token::String(_) | Token::Number(_) => coordinates.count += 1,
            Token::ArrayEnd => return Ok(coordinates),
            _ => {
                return Err(malformed(format!("coordinate {} must be a number or a string", coordinates.count)));
            }
        }
    }
}

fn malformed(reason: impl Into<String>) -> VectorError {
    VectorError::Malformed(reason.into())
}
