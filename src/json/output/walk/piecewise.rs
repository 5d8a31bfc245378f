//! Writing large values: text may be taken away after any item and inside of long values.
//!
//! An invalid value becomes `null`, because what has been taken away cannot be undone.

use bytes::{BufMut, BytesMut};

use super::{DEPTH_LIMIT, Kind, Progress, Walk};
use crate::bolt::packstream::{DecodeError, Reader};
use crate::json::output::error::RowError;
use crate::json::output::pieces::{self, LongValue};
use crate::json::output::{graph, scalar, text};

impl Walk {
    /// Writes until no frame is open or `out` is `limit` bytes long.
    pub(super) fn write_piecewise<'a>(
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
            if let Kind::LongValue(value) = frame.kind
                && frame.left > 0
            {
                let (first, length) = (std::mem::take(&mut frame.first), frame.left.min(pieces::PIECE));
                frame.left -= length;
                pieces::write(out, self.view, value, first, reader, length)?;
                continue;
            }
            if !std::mem::take(&mut frame.key_written) {
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
                    Kind::List | Kind::LongValue(_) => {}
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
                            Ok(key) if key.len() <= pieces::LONGEST_WHOLE => {
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
            Err(error) => self.replace_with_null(out, at, reader, start, error.into())?,
        }
        Ok(())
    }

    /// Writes the value at the reader, or opens it.
    #[inline]
    pub(in crate::json::output) fn item<'a>(
        &mut self,
        out: &mut BytesMut,
        fields: &'a [u8],
        reader: &mut Reader<'a>,
    ) -> Result<(), RowError> {
        let (at, start) = (out.len(), reader.clone());
        let begun = match &reader.token() {
            // As in `value::within`, scalars take the short way.
            Ok(token) if !(self.piecewise && pieces::is_long(token)) && scalar::append(out, self.view, token) => {
                return Ok(());
            }
            Ok(token) => self.begin(out, fields, reader, token),
            Err(error) => Err(error.clone().into()),
        };
        match begun {
            Ok(()) => Ok(()),
            Err(error) => self.replace_with_null(out, at, reader, start, error),
        }
    }

    /// Replaces an invalid value by `null` and notes the reason.
    #[cold]
    fn replace_with_null<'a>(
        &mut self,
        out: &mut BytesMut,
        at: usize,
        reader: &mut Reader<'a>,
        start: Reader<'a>,
        error: RowError,
    ) -> Result<(), RowError> {
        match error {
            RowError::Decode(DecodeError::Value(reason)) if self.piecewise => self.reasons.push(reason.into()),
            RowError::TooDeep if self.piecewise => {
                self.reasons.push(format!("a value nested deeper than {DEPTH_LIMIT} levels").into());
            }
            RowError::Unsupported { .. } if self.handed_over => self.late_error = Some(error),
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
            frame.key_written = true;
        }
        match key {
            Ok(key) => {
                pieces::step_back(reader, start.rest(), key.len());
                self.open_long(out, LongValue::Key, key.len());
            }
            Err(DecodeError::Value(reason)) if self.piecewise => {
                *reader = start;
                reader.skip()?;
                // An object needs a key: the replacement character.
                text::string(out, "\u{FFFD}");
                out.put_u8(b':');
                self.reasons.push(reason.into());
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}
