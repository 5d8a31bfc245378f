//! Writes any value, however deeply nested and however large, in one pass.
//!
//! Keeps open collections in a list of frames instead of on the call stack. Hostile nesting therefore ends in an error,
//! and the pass can stop anywhere, hand over its text, and resume later from the same byte.

mod piecewise;

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};
use smallvec::SmallVec;

use super::error::RowError;
use super::graph::{self, TrailingIds};
use super::path::Path;
use super::pieces::{self, LongValue};
use super::{scalar, structures, text};
use crate::bolt::packstream::{DecodeError, Reader, Token};
use crate::json::View;

/// The number of collections, nodes and relationships that may be open at the same time.
pub(super) const DEPTH_LIMIT: usize = 2000;

/// The state of a walk after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// The value is complete.
    Done,
    /// The text has reached its limit, and more is to come.
    Full,
}

/// The state of a value that is being written.
pub(super) struct Walk {
    pub(super) view: View,
    frames: SmallVec<[Frame; 16]>,
    /// Inside the properties of a node or relationship, which can contain neither.
    inside_entity: bool,
    /// The offset in the text at which to insert the element ids that follow the entity's properties.
    ids_at: usize,
    /// The open path. There is at most one, because properties cannot contain paths.
    path: Option<Box<Path>>,
    /// The caller may take text away in the middle of a value, and invalid values become `null`.
    pub(super) piecewise: bool,
    /// Part of the text has been taken away, so the value cannot be undone any more.
    pub(super) handed_over: bool,
    /// The reasons why values became `null` since the caller last took them.
    pub(super) reasons: Vec<Cow<'static, str>>,
    /// The error that would have ended the row if none of it had been handed over.
    pub(super) late_error: Option<RowError>,
}

/// An open collection, or a long value that is written in pieces.
#[derive(Clone, Copy)]
struct Frame {
    /// The number of remaining items or pairs.
    left: usize,
    kind: Kind,
    first: bool,
    /// The key of a map's pair has been written, but not its value.
    key_written: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Map,
    /// A map inside another object's text, which is never wrapped.
    Bare,
    /// The properties of a node or relationship, the last part of its text.
    Properties(TrailingIds),
    /// The labels of a node, which its properties follow.
    Labels(TrailingIds),
    /// The content of a long value; `left` counts its bytes.
    LongValue(LongValue),
    /// The nodes and relationships of a path.
    Path,
}

impl Walk {
    /// Returns a walk that writes a value as a whole and fails if it is invalid.
    pub(super) fn new(view: View) -> Self {
        Self {
            view,
            frames: SmallVec::new(),
            inside_entity: false,
            ids_at: 0,
            path: None,
            piecewise: false,
            handed_over: false,
            reasons: Vec::new(),
            late_error: None,
        }
    }

    /// Whether the properties of a node or relationship are open.
    pub(super) fn is_inside_entity(&self) -> bool {
        self.inside_entity
    }

    /// Whether a collection is open.
    pub(super) fn is_nested(&self) -> bool {
        !self.frames.is_empty()
    }

    /// Writes a map's object without wrapping it in any view. Its values follow the view.
    pub(super) fn bare_map(&mut self, out: &mut BytesMut, reader: &mut Reader<'_>) -> Result<(), RowError> {
        let pairs = reader.expect_map()?;
        self.open(out, Kind::Bare, pairs)?;
        self.resume(out, reader.rest(), reader, usize::MAX).map(drop)
    }

    /// Opens the properties of an entity. The element ids `trailing` that follow them belong at `ids_at`.
    pub(super) fn open_properties(
        &mut self,
        out: &mut BytesMut,
        reader: &mut Reader<'_>,
        trailing: TrailingIds,
        ids_at: usize,
    ) -> Result<(), RowError> {
        if self.inside_entity {
            let reason = "a node or relationship inside the properties of another";
            return Err(DecodeError::Value(reason).into());
        }
        let pairs = reader.expect_map()?;
        self.open(out, Kind::Properties(trailing), pairs)?;
        self.inside_entity = true;
        self.ids_at = ids_at;
        Ok(())
    }

    /// Opens the labels of a node that is written piecewise.
    pub(super) fn open_labels(&mut self, labels: usize, trailing: TrailingIds) -> Result<(), RowError> {
        if self.inside_entity {
            let reason = "a node or relationship inside the properties of another";
            return Err(DecodeError::Value(reason).into());
        }
        // The properties that follow the labels get a frame of their own.
        self.push(Kind::Labels(trailing), labels)
    }

    /// Opens a path of `parts` nodes and relationships.
    pub(super) fn open_path(&mut self, path: Path, parts: usize) -> Result<(), RowError> {
        self.push(Kind::Path, parts)?;
        self.path = Some(Box::new(path));
        Ok(())
    }

    /// Opens a value of `bytes` bytes, which come next in the reader, to be written in pieces.
    pub(super) fn open_long(&mut self, out: &mut BytesMut, value: LongValue, bytes: usize) {
        pieces::open(out, self.view, value);
        self.frames.push(Frame { left: bytes, kind: Kind::LongValue(value), first: true, key_written: false });
    }

    /// Writes until no frame is open or `out` is `limit` bytes long. `fields` is the record that the reader is inside
    /// of.
    pub(super) fn resume<'a>(
        &mut self,
        out: &mut BytesMut,
        fields: &'a [u8],
        reader: &mut Reader<'a>,
        limit: usize,
    ) -> Result<Progress, RowError> {
        if self.piecewise {
            self.write_piecewise(out, fields, reader, limit)
        } else {
            self.write_whole(out, fields, reader, limit)
        }
    }

    /// Writes a value as a whole: no text is taken away meanwhile, and the first invalid value is an error. Only paths
    /// can be much longer than their records.
    fn write_whole<'a>(
        &mut self,
        out: &mut BytesMut,
        fields: &'a [u8],
        reader: &mut Reader<'a>,
        limit: usize,
    ) -> Result<Progress, RowError> {
        while let Some(frame) = self.frames.last_mut() {
            if frame.left == 0 {
                let kind = frame.kind;
                self.frames.pop();
                self.close(out, kind, fields, reader)?;
                continue;
            }
            frame.left -= 1;
            if !std::mem::take(&mut frame.first) {
                out.put_u8(b',');
            }
            match frame.kind {
                Kind::List => {}
                Kind::Path if out.len() >= limit => return Ok(Progress::Full),
                Kind::Path => {
                    self.step(out, fields, reader)?;
                    continue;
                }
                _ => {
                    text::string(out, reader.expect_string()?);
                    out.put_u8(b':');
                }
            }
            match &reader.token() {
                // As in `value::within`, scalars take the short way.
                Ok(token) if scalar::append(out, self.view, token) => {}
                Ok(token) => self.begin(out, fields, reader, token)?,
                Err(error) => return Err(error.clone().into()),
            }
        }
        Ok(Progress::Done)
    }

    /// Writes or opens the next part of the open path.
    fn step<'a>(&mut self, out: &mut BytesMut, fields: &'a [u8], reader: &mut Reader<'a>) -> Result<(), RowError> {
        let Some(path) = &mut self.path else {
            return Err(DecodeError::Value("a path that is not open").into());
        };
        let part = path.next(fields)?;
        graph::part_of_path(self, out, fields, reader, part)
    }

    /// Writes a scalar, or opens a value that has parts. After an error the open frames are as before.
    pub(super) fn begin<'a>(
        &mut self,
        out: &mut BytesMut,
        fields: &'a [u8],
        reader: &mut Reader<'a>,
        token: &Token<'a>,
    ) -> Result<(), RowError> {
        match *token {
            Token::List(items) => self.open(out, Kind::List, items),
            Token::Map(pairs) => self.open(out, Kind::Map, pairs),
            Token::Struct(tag, count) => structures::write(self, out, fields, reader, tag, count),
            Token::Uuid(value) => scalar::uuid(out, self.view, value),
            Token::String(_) | Token::Bytes(_) if self.piecewise && pieces::is_long(token) => {
                let (value, bytes) = match *token {
                    Token::Bytes(bytes) => (LongValue::Base64, bytes.len()),
                    Token::String(text) => (LongValue::Text, text.len()),
                    _ => return Ok(()),
                };
                pieces::step_back(reader, fields, bytes);
                self.open_long(out, value, bytes);
                Ok(())
            }
            _ => {
                scalar::append(out, self.view, token);
                Ok(())
            }
        }
    }

    fn push(&mut self, kind: Kind, left: usize) -> Result<(), RowError> {
        if self.frames.len() >= DEPTH_LIMIT {
            return Err(RowError::TooDeep);
        }
        self.frames.push(Frame { left, kind, first: true, key_written: false });
        Ok(())
    }

    fn open(&mut self, out: &mut BytesMut, kind: Kind, left: usize) -> Result<(), RowError> {
        self.push(kind, left)?;
        out.extend_from_slice(match (kind, self.view) {
            (Kind::List, View::Plain) => b"[",
            (Kind::List, View::Typed(_)) => br#"{"$type":"List","_value":["#,
            (Kind::Map, View::Typed(_)) => br#"{"$type":"Map","_value":{"#,
            _ => b"{",
        });
        Ok(())
    }

    fn close<'a>(
        &mut self,
        out: &mut BytesMut,
        kind: Kind,
        fields: &'a [u8],
        reader: &mut Reader<'a>,
    ) -> Result<(), RowError> {
        match kind {
            Kind::Properties(trailing) => {
                self.inside_entity = false;
                out.put_u8(b'}');
                graph::insert_ids(out, self.view, reader, trailing, self.ids_at)?;
            }
            Kind::List | Kind::Map | Kind::Bare => {}
            Kind::Labels(trailing) => return graph::close_labels(self, out, reader, trailing),
            Kind::LongValue(value) => {
                pieces::close(out, self.view, value);
                return Ok(());
            }
            Kind::Path => {
                if let Some(path) = self.path.take() {
                    path.close(out, self.view, fields, reader);
                }
                return Ok(());
            }
        }
        out.extend_from_slice(match (kind, self.view) {
            (Kind::List, View::Plain) => b"]",
            (Kind::List, View::Typed(_)) => b"]}",
            (Kind::Map | Kind::Properties(_), View::Typed(_)) => b"}}",
            _ => b"}",
        });
        Ok(())
    }
}
