//! Any value, however deeply nested and however large, in one pass.
//!
//! What is open is kept in a list of frames instead of the call stack. So hostile nesting ends in an error, and the pass can
//! stop anywhere, hand its text over, and go on later from the same byte.

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

/// How many collections, nodes and relationships may be open at once.
pub(super) const DEPTH_LIMIT: usize = 2000;

/// Appends the value at the reader in a view, and moves the reader behind it.
///
/// # Errors
/// See [`RowError`]; `out` is then as it was, and where the reader stands is not defined.
#[inline]
pub fn value(out: &mut BytesMut, reader: &mut Reader<'_>, view: View) -> Result<(), RowError> {
    within(out, reader, view, usize::MAX)
}

/// As [`value`], for text that ends before `out` is longer than about `limit` bytes.
///
/// # Errors
/// Also [`RowError::TooLong`].
#[inline]
pub(super) fn within(out: &mut BytesMut, reader: &mut Reader<'_>, view: View, limit: usize) -> Result<(), RowError> {
    // The token is matched where it is: moving one that has just been written costs as much as writing most values.
    match &reader.token() {
        // The usual value has no parts, and needs none of what keeps track of them.
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

/// How far a walk has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing is open any more.
    Done,
    /// The text is as long as it may be; there is more.
    Full,
}

/// A value that is being written.
pub(super) struct Walk {
    pub(super) view: View,
    frames: SmallVec<[Frame; 16]>,
    /// Inside the properties of a node or a relationship, where neither can occur again.
    inside_entity: bool,
    /// Where the text of the open entity needs the element ids that follow its properties.
    ids_at: usize,
    /// The path that is open: there can be one only, since properties hold none.
    path: Option<Box<Path>>,
    /// Text may be taken away in the middle of a value, and values that make no sense become `null`.
    pub(super) piecewise: bool,
    /// Some of the text was taken away, so nothing of it can be taken back.
    pub(super) handed_over: bool,
    /// Why values became `null`, since somebody looked.
    pub(super) flaws: Vec<Cow<'static, str>>,
    /// What would have ended the row, had nothing of it been handed over.
    pub(super) late: Option<RowError>,
}

/// An open collection, or a value that is written in pieces.
#[derive(Clone, Copy)]
struct Frame {
    /// Items or pairs still to come.
    left: usize,
    kind: Kind,
    first: bool,
    /// A map's key is written, its value is not.
    keyed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Map,
    /// A map that is part of another object's text, so never wrapped.
    Bare,
    /// The properties of a node or relationship, the last part of its text.
    Properties(Trailing),
    /// The labels of a node, and the properties behind them.
    Labels(Trailing),
    /// The inside of a long value; `left` counts its bytes.
    Piece(Piece),
    /// The nodes and relationships of a path.
    Path,
}

impl Walk {
    /// A walk that writes a value at once, and ends with an error where one makes no sense.
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

    /// Whether the properties of a node or a relationship are open.
    pub(super) fn is_inside_entity(&self) -> bool {
        self.inside_entity
    }

    /// Whether a collection is open.
    pub(super) fn is_within(&self) -> bool {
        !self.frames.is_empty()
    }

    /// Writes a map's object without wrapping it, whatever the view; its values follow the view.
    pub(super) fn bare_map(&mut self, out: &mut BytesMut, reader: &mut Reader<'_>) -> Result<(), RowError> {
        let pairs = reader.expect_map()?;
        self.open(out, Kind::Bare, pairs)?;
        self.go_on(out, reader.rest(), reader, usize::MAX).map(drop)
    }

    /// Opens the properties of an entity; the element ids `trailing` behind them belong at `ids_at`.
    pub(super) fn open_properties(
        &mut self,
        out: &mut BytesMut,
        reader: &mut Reader<'_>,
        trailing: Trailing,
        ids_at: usize,
    ) -> Result<(), RowError> {
        if self.inside_entity {
            let reason = "a node or relationship among the properties of another";
            return Err(DecodeError::Value(reason).into());
        }
        let pairs = reader.expect_map()?;
        self.open(out, Kind::Properties(trailing), pairs)?;
        self.inside_entity = true;
        self.ids_at = ids_at;
        Ok(())
    }

    /// Opens the labels of a node whose text may be taken away while it is written.
    pub(super) fn open_labels(&mut self, labels: usize, trailing: Trailing) -> Result<(), RowError> {
        if self.inside_entity {
            let reason = "a node or relationship among the properties of another";
            return Err(DecodeError::Value(reason).into());
        }
        // The properties behind them take a frame of their own.
        self.push(Kind::Labels(trailing), labels)
    }

    /// Opens a path of so many nodes and relationships.
    pub(super) fn open_path(&mut self, path: Path, parts: usize) -> Result<(), RowError> {
        self.push(Kind::Path, parts)?;
        self.path = Some(Box::new(path));
        Ok(())
    }

    /// Opens a value of so many bytes, in front of which the reader stands, to be written in pieces.
    pub(super) fn open_piece(&mut self, out: &mut BytesMut, piece: Piece, bytes: usize) {
        pieces::open(out, self.view, piece);
        self.frames.push(Frame { left: bytes, kind: Kind::Piece(piece), first: true, keyed: false });
    }

    /// Writes what belongs to the open frames, until none is left or `out` is as long as `limit`. `fields` are the bytes
    /// that the reader is a part of.
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

    /// The usual way: nothing is taken away meanwhile, and the first value that makes no sense is an error. Only paths can
    /// be much longer than their records.
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
                // As in `within`: the usual value goes the short way.
                Ok(token) if scalar::plain(out, self.view, token) => {}
                Ok(token) => self.begin(out, fields, reader, token)?,
                Err(error) => return Err(error.clone().into()),
            }
        }
        Ok(Progress::Done)
    }

    /// The way of large rows: text may be taken away after any value, and inside of long ones; values that make no sense
    /// become `null`.
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
            // As in `within`: the usual value goes the short way.
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

    /// Puts `null` in place of a value that makes no sense, and notes the reason.
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
                self.flaws.push(format!("it is nested deeper than {DEPTH_LIMIT} levels").into());
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

    /// A key that is long, or no text.
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
                // An object has to have a key: the mark of what is no text.
                text::string(out, "\u{FFFD}");
                out.put_u8(b':');
                self.flaws.push(reason.into());
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Writes the next part of the path that is open, or opens it.
    fn step<'a>(&mut self, out: &mut BytesMut, fields: &'a [u8], reader: &mut Reader<'a>) -> Result<(), RowError> {
        let Some(path) = &mut self.path else {
            return Err(DecodeError::Value("a path that is not open").into());
        };
        let part = path.next(fields)?;
        graph::part_of_path(self, out, fields, reader, part)
    }

    /// Writes a value without parts, or opens one with parts. After an error nothing more is open than before.
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
