//! Writes any value, however deeply nested and however large, in one pass.
//!
//! Keeps open collections in a list of frames instead of on the call stack. Hostile nesting therefore ends in an error,
//! and the pass can stop anywhere, hand over its text, and resume later from the same byte.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};
use smallvec::SmallVec;

use super::error::RowError;
use super::graph::{self, Trailing};
use super::path::Path;
use super::pieces::{self, Piece};
use super::{scalar, structures, text};
use crate::bolt::packstream::{DecodeError, Reader, Token};
use crate::json::View;

/// The number of collections, nodes and relationships that may be open at the same time.
pub(super) const DEPTH_LIMIT: usize = 2000;

/// Appends the value at the reader in a view, and moves the reader past it.
///
/// # Errors
/// See [`RowError`]. After an error `out` is unchanged, and the reader's position is unspecified.
#[inline]
pub fn value(out: &mut BytesMut, reader: &mut Reader<'_>, view: View) -> Result<(), RowError> {
    within(out, reader, view, usize::MAX)
}

/// Like [`value`], but stops once `out` is longer than about `limit` bytes.
///
/// # Errors
/// Also returns [`RowError::TooLong`].
#[inline]
pub(super) fn within(out: &mut BytesMut, reader: &mut Reader<'_>, view: View, limit: usize) -> Result<(), RowError> {
    // Matched by reference: moving a token that has just been written costs as much as writing most values.
    match &reader.token() {
        // Most values are scalars, which need no bookkeeping for nesting.
        Ok(token) if scalar::plain(out, view, token) => Ok(()),
        Ok(token) => with_parts(out, reader, view, token, limit),
        Err(error) => Err(error.clone().into()),
    }
}

fn with_parts<'a>(
    out: &mut BytesMut,
    reader: &mut Reader<'a>,
    view: View,
    token: &Token<'a>,
    limit: usize,
) -> Result<(), RowError> {
    let start = out.len();
    let mut walk = Walk::new(view);
    let fields = reader.rest();
    let error = match walk.begin(out, fields, reader, token).and_then(|()| walk.go_on(out, fields, reader, limit)) {
        Ok(Progress::Done) => return Ok(()),
        Ok(Progress::Full) => RowError::TooLong,
        Err(error) => error,
    };
    let within = !walk.frames.is_empty();
    out.truncate(start);
    Err(match error {
        RowError::Unsupported { type_name, nested } => RowError::Unsupported { type_name, nested: nested || within },
        other => other,
    })
}

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
    pub(super) flaws: Vec<Cow<'static, str>>,
    /// The error that would have ended the row if none of it had been handed over.
    pub(super) late: Option<RowError>,
}

/// An open collection, or a long value that is written in pieces.
#[derive(Clone, Copy)]
struct Frame {
    /// The number of remaining items or pairs.
    left: usize,
    kind: Kind,
    first: bool,
    /// The key of a map's pair has been written, but not its value.
    keyed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Map,
    /// A map inside another object's text, which is never wrapped.
    Bare,
    /// The properties of a node or relationship, the last part of its text.
    Properties(Trailing),
    /// The labels of a node, which its properties follow.
    Labels(Trailing),
    /// The content of a long value; `left` counts its bytes.
    Piece(Piece),
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
            flaws: Vec::new(),
            late: None,
        }
    }

    /// Whether the properties of a node or relationship are open.
    pub(super) fn is_inside_entity(&self) -> bool {
        self.inside_entity
    }

    /// Whether a collection is open.
    pub(super) fn is_within(&self) -> bool {
        !self.frames.is_empty()
    }

    /// Writes a map's object without wrapping it in any view. Its values follow the view.
    pub(super) fn bare_map(&mut self, out: &mut BytesMut, reader: &mut Reader<'_>) -> Result<(), RowError> {
        let pairs = reader.expect_map()?;
        self.open(out, Kind::Bare, pairs)?;
        self.go_on(out, reader.rest(), reader, usize::MAX).map(drop)
    }

    /// Opens the properties of an entity. The element ids `trailing` that follow them belong at `ids_at`.
    pub(super) fn open_properties(
        &mut self,
        out: &mut BytesMut,
        reader: &mut Reader<'_>,
        trailing: Trailing,
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
    pub(super) fn open_labels(&mut self, labels: usize, trailing: Trailing) -> Result<(), RowError> {
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
    pub(super) fn open_piece(&mut self, out: &mut BytesMut, piece: Piece, bytes: usize) {
        pieces::open(out, self.view, piece);
        self.frames.push(Frame { left: bytes, kind: Kind::Piece(piece), first: true, keyed: false });
    }

    /// Writes until no frame is open or `out` is `limit` bytes long. `fields` is the record that the reader is inside
    /// of.
    pub(super) fn go_on<'a>(
        &mut self,
        out: &mut BytesMut,
        fields: &'a [u8],
        reader: &mut Reader<'a>,
        limit: usize,
    ) -> Result<Progress, RowError> {
        if self.piecewise {
            self.in_pieces(out, fields, reader, limit)
        } else {
            self.at_once(out, fields, reader, limit)
        }
    }

    /// Writes a value as a whole: no text is taken away meanwhile, and the first invalid value is an error. Only paths
    /// can be much longer than their records.
    fn at_once<'a>(
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
                // As in `within`, scalars take the short way.
                Ok(token) if scalar::plain(out, self.view, token) => {}
                Ok(token) => self.begin(out, fields, reader, token)?,
                Err(error) => return Err(error.clone().into()),
            }
        }
        Ok(Progress::Done)
    }

    /// Writes a large value: text may be taken away after any item and inside of long values, and invalid values become
    /// `null`.
    fn in_pieces<'a>(
        &mut self,
        out: &mut BytesMut,
        fields: &'a [u8],
        reader: &mut Reader<'a>,
        limit: usize,
    ) -> Result<Progress, RowError> {
        while let Some(frame) = self.frames.last_mut() {
            if out.len() >= limit {
                return Ok(Progress::Full);
            }
            if let Kind::Piece(piece) = frame.kind
                && frame.left > 0
            {
                let (first, length) = (std::mem::take(&mut frame.first), frame.left.min(pieces::PART));
                frame.left -= length;
                pieces::write(out, self.view, piece, first, reader, length)?;
                continue;
            }
            if !std::mem::take(&mut frame.keyed) {
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
                    Kind::List | Kind::Piece(_) => {}
                    Kind::Path => {
                        self.step(out, fields, reader)?;
                        continue;
                    }
                    Kind::Labels(_) => {
                        self.label(out, reader)?;
                        continue;
                    }
                    Kind::Map | Kind::Bare | Kind::Properties(_) => {
                        let start = reader.clone();
                        match reader.expect_string() {
                            Ok(key) if key.len() <= pieces::SHORT => {
                                text::string(out, key);
                                out.put_u8(b':');
                            }
                            key => {
                                self.unusual_key(out, reader, start, key)?;
                                continue;
                            }
                        }
                    }
                }
            }
            self.item(out, fields, reader)?;
        }
        Ok(Progress::Done)
    }

    fn label<'a>(&mut self, out: &mut BytesMut, reader: &mut Reader<'a>) -> Result<(), RowError> {
        let (at, start) = (out.len(), reader.clone());
        match graph::name(reader) {
            Ok(label) => text::string(out, label),
            Err(error) => self.pass_over(out, at, reader, start, error.into())?,
        }
        Ok(())
    }

    /// Writes the value at the reader, or opens it.
    #[inline]
    pub(super) fn item<'a>(
        &mut self,
        out: &mut BytesMut,
        fields: &'a [u8],
        reader: &mut Reader<'a>,
    ) -> Result<(), RowError> {
        let (at, start) = (out.len(), reader.clone());
        let begun = match &reader.token() {
            // As in `within`, scalars take the short way.
            Ok(token) if !(self.piecewise && pieces::is_long(token)) && scalar::plain(out, self.view, token) => {
                return Ok(());
            }
            Ok(token) => self.begin(out, fields, reader, token),
            Err(error) => Err(error.clone().into()),
        };
        match begun {
            Ok(()) => Ok(()),
            Err(error) => self.pass_over(out, at, reader, start, error),
        }
    }

    /// Replaces an invalid value by `null` and notes the reason.
    #[cold]
    fn pass_over<'a>(
        &mut self,
        out: &mut BytesMut,
        at: usize,
        reader: &mut Reader<'a>,
        start: Reader<'a>,
        error: RowError,
    ) -> Result<(), RowError> {
        match error {
            RowError::Decode(DecodeError::Value(reason)) if self.piecewise => self.flaws.push(reason.into()),
            RowError::TooDeep if self.piecewise => {
                self.flaws.push(format!("a value nested deeper than {DEPTH_LIMIT} levels").into());
            }
            RowError::Unsupported { .. } if self.handed_over => self.late = Some(error),
            error => return Err(error),
        }
        out.truncate(at);
        *reader = start;
        reader.skip()?;
        scalar::null(out, self.view);
        Ok(())
    }

    /// Handles a key that is long or invalid.
    #[cold]
    fn unusual_key<'a>(
        &mut self,
        out: &mut BytesMut,
        reader: &mut Reader<'a>,
        start: Reader<'a>,
        key: Result<&'a str, DecodeError>,
    ) -> Result<(), RowError> {
        if let Some(frame) = self.frames.last_mut() {
            frame.keyed = true;
        }
        match key {
            Ok(key) => {
                pieces::step_back(reader, start.rest(), key.len());
                self.open_piece(out, Piece::Key, key.len());
            }
            Err(DecodeError::Value(reason)) if self.piecewise => {
                *reader = start;
                reader.skip()?;
                // An object needs a key: the replacement character.
                text::string(out, "\u{FFFD}");
                out.put_u8(b':');
                self.flaws.push(reason.into());
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
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
                let (piece, bytes) = match *token {
                    Token::Bytes(bytes) => (Piece::Base64, bytes.len()),
                    Token::String(text) => (Piece::Text, text.len()),
                    _ => return Ok(()),
                };
                pieces::step_back(reader, fields, bytes);
                self.open_piece(out, piece, bytes);
                Ok(())
            }
            _ => {
                scalar::plain(out, self.view, token);
                Ok(())
            }
        }
    }

    fn push(&mut self, kind: Kind, left: usize) -> Result<(), RowError> {
        if self.frames.len() >= DEPTH_LIMIT {
            return Err(RowError::TooDeep);
        }
        self.frames.push(Frame { left, kind, first: true, keyed: false });
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
            Kind::Piece(piece) => {
                pieces::close(out, self.view, piece);
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
