//! Typed vectors: `{"coordinatesType":"INT8","coordinates":["1","-2"]}`.
//!
//! The number of coordinates is for the database to judge, and so is whether they are finite.

use std::borrow::Cow;

use super::lexer::{Lexer, SyntaxError, Token};
use super::number::{float32, float64, integer};

/// Why a vector could not be read.
#[derive(Debug)]
pub(super) enum VectorError {
    Syntax(SyntaxError),
    /// An unknown `coordinatesType`.
    UnsupportedType(String),
    /// Anything else.
    Malformed(String),
}

impl From<SyntaxError> for VectorError {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(error)
    }
}

/// A vector as the wire has it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Vector {
    /// The PackStream marker of the coordinates' type.
    pub marker: u8,
    /// The coordinates, big-endian.
    pub data: Vec<u8>,
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

    /// Appends one coordinate; `None` if the text is none or out of range.
    fn write(self, text: &str, data: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Int8 => data.extend(integer::<i8>(text)?.to_be_bytes()),
            Self::Int16 => data.extend(integer::<i16>(text)?.to_be_bytes()),
            Self::Int32 => data.extend(integer::<i32>(text)?.to_be_bytes()),
            Self::Int64 => data.extend(integer::<i64>(text)?.to_be_bytes()),
            Self::Float32 => data.extend(float32(text)?.to_be_bytes()),
            Self::Float64 => data.extend(float64(text)?.to_be_bytes()),
        }
        Some(())
    }
}

/// Reads the rest of a vector's object; its [`Token::ObjectStart`] has been read.
pub(super) fn vector(lexer: &mut Lexer<'_>) -> Result<Vector, VectorError> {
    let mut kind = None;
    let mut coordinates = None;
    loop {
        match lexer.token()? {
            Token::Key(key) if key == "coordinatesType" && kind.is_none() => {
                kind = Some(coordinates_type(lexer)?);
            }
            Token::Key(key) if key == "coordinates" && coordinates.is_none() => {
                coordinates = Some(texts(lexer)?);
            }
            Token::Key(key) => {
                return Err(malformed(format!(
                    "unexpected or repeated key {key:?} in a vector; it has `coordinatesType` and `coordinates`"
                )));
            }
            _ => break,
        }
    }
    let kind = kind.ok_or_else(|| VectorError::UnsupportedType("null".to_owned()))?;
    let coordinates = coordinates.ok_or_else(|| malformed("a vector without `coordinates`"))?;
    let mut data = Vec::new();
    for (place, text) in coordinates.iter().enumerate() {
        kind.write(text, &mut data)
            .ok_or_else(|| malformed(format!("coordinate {place} is not of its vector's type or range")))?;
    }
    Ok(Vector { marker: kind.marker(), data })
}

fn coordinates_type(lexer: &mut Lexer<'_>) -> Result<CoordinatesType, VectorError> {
    let name: Cow<'_, str> = match lexer.token()? {
        Token::String(name) => name,
        Token::Number(text) => text.into(),
        Token::Boolean(value) => value.to_string().into(),
        Token::Null => "null".into(),
        _ => return Err(malformed("a `coordinatesType` that is no string")),
    };
    CoordinatesType::named(&name).ok_or_else(|| VectorError::UnsupportedType(name.into_owned()))
}

fn texts<'a>(lexer: &mut Lexer<'a>) -> Result<Vec<Cow<'a, str>>, VectorError> {
    if lexer.token()? != Token::ArrayStart {
        return Err(malformed("`coordinates` that are no array"));
    }
    let mut texts = Vec::new();
    loop {
        match lexer.token()? {
            Token::String(text) => texts.push(text),
            Token::Number(text) => texts.push(text.into()),
            Token::ArrayEnd => return Ok(texts),
            _ => {
                return Err(malformed(format!("coordinate {} is neither string nor number", texts.len())));
            }
        }
    }
}

fn malformed(reason: impl Into<String>) -> VectorError {
    VectorError::Malformed(reason.into())
}
