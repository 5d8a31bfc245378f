//! Typed JSON to PackStream: every value is `{"$type": …, "_value": …}`, in either order.
//!
//! Promises to accept and refuse exactly what Neo4j does, in linear time even if every value comes before its type.
//! Scalars that are not strings are read as the text they are written with.

use std::borrow::Cow;

use super::assemble::{Assembly, Source};
use super::kind::Kind;
use super::lexer::{Lexer, Token};
use super::lookahead::{Lookahead, TypeName};
use super::vector::{VectorError, VectorText};
use super::{InputError, duration, number, point, scalar, temporal};
use crate::bolt::packstream::{Writer, tag};
use crate::json::TypedVersion;
use crate::value_path::shortened;

/// Reads the rest of an object of typed values whose [`Token::ObjectStart`] has been read, and appends it to `out` as a
/// map. Errors call the object `root`. A member of the object itself may be a bare `null`. After an error, `out` holds
/// an unfinished map.
///
/// # Errors
/// Returns [`InputError::UnsupportedType`] for a `$type` that `version` does not know, [`InputError::Value`] for a
/// value that is not valid for its type, and [`InputError::Syntax`] for text that is not valid JSON or exceeds a limit.
pub fn read_map(
    lexer: &mut Lexer<'_>,
    version: TypedVersion,
    root: &'static str,
    out: &mut Vec<u8>,
) -> Result<(), InputError> {
    let assembly =
        Assembly::begin(root, Source { text: lexer.rest(), largest_encoding, limit: lexer.left_to_pack() }, out);
    let frames = vec![Frame::Map];
    TypedReader { lexer, version, assembly, frames, lookahead: Lookahead::default() }.read()
}

/// What the reader is inside of.
#[derive(Debug, Clone, Copy)]
enum Frame {
    /// The `_value` of a Map, or the outermost object.
    Map,
    /// The `_value` of a List.
    List,
    /// The object of a typed value.
    Envelope(Envelope),
}

#[derive(Debug, Clone, Copy)]
struct Envelope {
    /// Its offset in the text.
    offset: usize,
    kind: Option<Kind>,
    type_seen: bool,
    value_seen: bool,
}

struct TypedReader<'l, 'a, 'o> {
    lexer: &'l mut Lexer<'a>,
    version: TypedVersion,
    assembly: Assembly<'a, 'o>,
    frames: Vec<Frame>,
    lookahead: Lookahead,
}

impl<'a> TypedReader<'_, 'a, '_> {
    fn read(mut self) -> Result<(), InputError> {
        while let Some(frame) = self.frames.pop() {
            let token = self.lexer.token()?;
            match (frame, token) {
                (Frame::Map, Token::Key(key)) => {
                    self.frames.push(frame);
                    self.assembly.key(&key);
                    let value = self.lexer.token()?;
                    self.value(&value)?;
                }
                (Frame::Envelope(envelope), Token::Key(key)) => self.member(envelope, &key)?,
                (Frame::Envelope(envelope), _) => self.end_envelope(envelope)?,
                (_, Token::ObjectEnd | Token::ArrayEnd) => {
                    if self.assembly.end() {
                        let size = self.assembly.len();
                        self.lexer.pack(size)?;
                    }
                }
                (_, value) => {
                    self.frames.push(frame);
                    self.assembly.item();
                    self.value(&value)?;
                }
            }
        }
        Ok(())
    }

    /// Begins the typed value that starts with `token`.
    fn value(&mut self, token: &Token<'a>) -> Result<(), InputError> {
        match token {
            Token::ObjectStart => {
                self.frames.push(Frame::Envelope(Envelope {
                    offset: self.lexer.offset(),
                    kind: None,
                    type_seen: false,
                    value_seen: false,
                }));
                Ok(())
            }
            Token::Null if self.frames.len() == 1 => {
                self.assembly.writer().null();
                Ok(())
            }
            _ => Err(self.refused(
                "a bare value in a typed request; wrap it as {\"$type\": …, \"_value\": …}, or send the request as \
                 application/json",
            )),
        }
    }

    /// Reads a member of a typed value's object, whose key has been read.
    fn member(&mut self, mut envelope: Envelope, key: &str) -> Result<(), InputError> {
        match key {
            "$type" if !envelope.type_seen => {
                envelope.type_seen = true;
                let name = TypeName::of(self.lexer.token()?);
                if envelope.kind.is_none() {
                    envelope.kind = Some(self.kind(name)?);
                }
                self.frames.push(Frame::Envelope(envelope));
                Ok(())
            }
            "_value" if !envelope.value_seen => {
                envelope.value_seen = true;
                let kind = match envelope.kind {
                    Some(kind) => kind,
                    None => {
                        let name = self.lookahead.type_at(envelope.offset, self.lexer)?;
                        self.kind(name)?
                    }
                };
                envelope.kind = Some(kind);
                self.frames.push(Frame::Envelope(envelope));
                let value = self.lexer.token()?;
                self.write(kind, value)
            }
            _ => Err(self.refused(format!(
                "unexpected or repeated key `{}`; a typed value has `$type` and `_value`, once each",
                shortened(key, 40)
            ))),
        }
    }

    fn end_envelope(&mut self, envelope: Envelope) -> Result<(), InputError> {
        match envelope.kind {
            None => Err(InputError::UnsupportedType("null".to_owned())),
            Some(_) if envelope.value_seen => Ok(()),
            Some(Kind::Null) => {
                self.assembly.writer().null();
                Ok(())
            }
            Some(kind) => Err(self.refused(format!("`_value` is missing; {}", kind.expected()))),
        }
    }

    fn kind(&self, name: TypeName<'_>) -> Result<Kind, InputError> {
        match name {
            TypeName::Text(name) => {
                Kind::named(&name, self.version).ok_or_else(|| InputError::UnsupportedType(name.into_owned()))
            }
            TypeName::Collection => Err(self.refused("`$type` must be a string")),
        }
    }

    /// Writes the value of type `kind` that starts with `token`.
    fn write(&mut self, kind: Kind, token: Token<'a>) -> Result<(), InputError> {
        match (kind, token) {
            (Kind::List, Token::ArrayStart) => {
                self.assembly.begin_list();
                self.frames.push(Frame::List);
                Ok(())
            }
            (Kind::Map, Token::ObjectStart) => {
                self.assembly.begin_map();
                self.frames.push(Frame::Map);
                Ok(())
            }
            (Kind::Vector, Token::ObjectStart) => self.vector(),
            (Kind::Null, Token::Null) => {
                self.assembly.writer().null();
                Ok(())
            }
            (Kind::Boolean, Token::Null) => {
                self.assembly.writer().boolean(false);
                Ok(())
            }
            (_, Token::String(text)) => self.scalar(kind, &text),
            (_, Token::Number(text)) => self.scalar(kind, text),
            (_, Token::Boolean(value)) => self.scalar(kind, if value { "true" } else { "false" }),
            (_, Token::Null) => Err(self.not_of(kind, "null".into())),
            _ => Err(self.not_of(kind, "an object or array".into())),
        }
    }

    fn scalar(&mut self, kind: Kind, text: &str) -> Result<(), InputError> {
        match write_scalar(kind, text, &mut self.assembly) {
            Some(()) => Ok(()),
            None => Err(self.not_of(kind, format!("\"{}\"", shortened(text, 60)).into())),
        }
    }

    fn vector(&mut self) -> Result<(), InputError> {
        let written = VectorText::read(self.lexer).and_then(|vector| {
            let size = vector.size();
            // Checked before writing, because a vector may take four times the size of its text.
            self.lexer.may_pack(self.assembly.len() + size)?;
            vector.write(self.lexer, &mut self.assembly.writer_of(size))
        });
        written.map_err(|error| match error {
            VectorError::Syntax(error) => error.into(),
            VectorError::UnsupportedType(name) => InputError::UnsupportedType(name),
            VectorError::Malformed(reason) => self.refused(reason),
        })
    }

    fn not_of(&self, kind: Kind, found: Cow<'_, str>) -> InputError {
        self.refused(format!("{found} is not valid; {}", kind.expected()))
    }

    fn refused(&self, reason: impl Into<String>) -> InputError {
        InputError::Value { path: self.assembly.path(), reason: reason.into() }
    }
}

/// The largest encoding that `text` can have, in bytes. Only coordinates of vectors take more than their text: `1,` has
/// two bytes and becomes eight.
fn largest_encoding(text: &str) -> usize {
    let coordinates = text.bytes().filter(|byte| *byte == b',').count();
    text.len() + 6 * coordinates.min(text.len() / 2)
}

/// Writes `text` as a value of type `kind`. Returns `None` if it is not valid.
fn write_scalar(kind: Kind, text: &str, assembly: &mut Assembly<'_, '_>) -> Option<()> {
    let mut writer = assembly.writer();
    match kind {
        Kind::Boolean => writer.boolean(text.eq_ignore_ascii_case("true")),
        Kind::Integer => writer.integer(number::integer(text)?),
        Kind::Float => writer.float(number::float64(text)?),
        Kind::String => assembly.string(text),
        Kind::Base64 => {
            let bytes = scalar::base64(text)?;
            assembly.writer_of(bytes.len()).bytes(&bytes);
        }
        Kind::Uuid => writer.uuid(&scalar::uuid(text)?),
        Kind::Date => integers(&mut writer, tag::DATE, [temporal::date(text)?]),
        Kind::LocalTime => integers(&mut writer, tag::LOCAL_TIME, [temporal::local_time(text)?]),
        Kind::Time => {
            let (nanos, offset) = temporal::time(text)?;
            integers(&mut writer, tag::TIME, [nanos, offset]);
        }
        Kind::LocalDateTime => {
            let (seconds, nanos) = temporal::local_date_time(text)?;
            integers(&mut writer, tag::LOCAL_DATE_TIME, [seconds, nanos]);
        }
        Kind::OffsetDateTime => {
            let ((seconds, nanos), offset) = temporal::offset_date_time(text)?;
            integers(&mut writer, tag::DATE_TIME, [seconds, nanos, offset]);
        }
        Kind::ZonedDateTime => {
            let ((seconds, nanos), zone) = temporal::zoned_date_time(text)?;
            writer.structure(tag::DATE_TIME_ZONE, 3);
            writer.integer(seconds);
            writer.integer(nanos);
            writer.string(zone);
        }
        Kind::Duration => {
            let value = duration::duration(text)?;
            let parts = [value.months, value.days, value.seconds, value.nanos];
            integers(&mut writer, tag::DURATION, parts);
        }
        Kind::Point => {
            let point = point::point(text)?;
            match point.z {
                None => writer.structure(tag::POINT_2D, 3),
                Some(_) => writer.structure(tag::POINT_3D, 4),
            }
            writer.integer(point.srid);
            for coordinate in [Some(point.x), Some(point.y), point.z].into_iter().flatten() {
                writer.float(coordinate);
            }
        }
        Kind::Null | Kind::List | Kind::Map | Kind::Vector => return None,
    }
    Some(())
}

/// A value of the type that typed JSON calls `name`, from its text. Returns `None` if it is not valid.
#[must_use]
pub fn scalar(name: &str, text: &str) -> Option<Vec<u8>> {
    let kind = Kind::named(name, TypedVersion::V1_2)?;
    let mut map = Vec::new();
    let mut assembly = Assembly::begin("", Source { text, largest_encoding, limit: usize::MAX }, &mut map);
    write_scalar(kind, text, &mut assembly)?;
    // The place of the map's head.
    map.remove(0);
    Some(map)
}

/// Writes a structure of integers.
fn integers<const N: usize>(writer: &mut Writer<'_>, tag: u8, fields: [i64; N]) {
    writer.structure(tag, u8::try_from(N).unwrap_or_default());
    for field in fields {
        writer.integer(field);
    }
}
