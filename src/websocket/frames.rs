//! Frames: from a client's bytes to the data in them, and back.
//!
//! Promises that the data of a frame is passed on as it arrives: a frame of any length takes no memory. The library's own
//! reader waits for whole frames, so only its headers are used.

use std::io::Cursor;

use bytes::{BufMut as _, Bytes, BytesMut};
use smallvec::SmallVec;
use tokio_tungstenite::tungstenite::protocol::frame::{
    FrameHeader,
    coding::{CloseCode, Control as ControlCode, Data, OpCode},
};

/// The longest frame that is accepted, in bytes.
pub const MAX_FRAME: u64 = 64 * 1024 * 1024;
/// The most frames of one message. A browser makes a few thousand of its largest messages.
pub const MAX_FRAGMENTS: u32 = 16 * 1024;
/// The longest header: two bytes, a length of eight, a mask of four.
const MAX_HEADER: usize = 14;
/// The longest payload of a control frame.
const MAX_CONTROL: u64 = 125;

/// What a client may not send. The socket is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// A text message.
    Text,
    /// A frame of more than [`MAX_FRAME`].
    TooLong,
    /// A message of more than [`MAX_FRAGMENTS`].
    TooManyFragments,
    /// A frame that breaks the protocol, in words.
    Malformed(&'static str),
    /// A reason for closing that is not UTF-8.
    NotUtf8,
}

impl Violation {
    /// The code with which the socket is closed.
    #[must_use]
    pub fn code(self) -> CloseCode {
        match self {
            Self::Text => CloseCode::Unsupported,
            Self::TooLong | Self::TooManyFragments => CloseCode::Size,
            Self::Malformed(_) => CloseCode::Protocol,
            Self::NotUtf8 => CloseCode::Invalid,
        }
    }

    /// What the client is told.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Text => "Only binary messages are accepted here.",
            Self::TooLong => "A frame is longer than 64 MiB.",
            Self::TooManyFragments => "A message has more than 16384 fragments.",
            Self::Malformed(words) => words,
            Self::NotUtf8 => "The reason for closing is not UTF-8.",
        }
    }
}

/// A frame that is about the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// Has to be answered by a pong with the same bytes.
    Ping(Bytes),
    /// Answers a ping, or nothing.
    Pong,
    /// The client sends nothing more. It may have said why.
    Close(Option<CloseCode>),
}

/// Reads the frames of a client, however its bytes are divided.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The first bytes of a header.
    header: SmallVec<[u8; MAX_HEADER]>,
    frame: Option<Frame>,
    /// The frames so far of a message that has begun.
    fragments: Option<u32>,
}

/// A frame whose header was read.
#[derive(Debug)]
struct Frame {
    mask: [u8; 4],
    /// The bytes that are still to come.
    left: u64,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Data { is_last: bool },
    Control { code: ControlCode, payload: BytesMut },
}

impl Decoder {
    /// Takes from `arrived` what belongs to messages and appends it to `data`. Stops behind a control frame, and returns
    /// it; `None` once `arrived` is empty.
    ///
    /// # Errors
    /// The client has broken the rules. Nothing more can be read.
    pub fn decode(&mut self, arrived: &mut &[u8], data: &mut BytesMut) -> Result<Option<Control>, Violation> {
        loop {
            let Some(frame) = &mut self.frame else {
                if arrived.is_empty() || !self.read_header(arrived)? {
                    return Ok(None);
                }
                continue;
            };
            let length = usize::try_from(frame.left).map_or(arrived.len(), |left| left.min(arrived.len()));
            let (part, rest) = arrived.split_at(length);
            *arrived = rest;
            let into = match &mut frame.content {
                Content::Data { .. } => &mut *data,
                Content::Control { payload, .. } => payload,
            };
            let start = into.len();
            into.extend_from_slice(part);
            unmask(into.get_mut(start..).unwrap_or_default(), frame.mask);
            frame.mask.rotate_left(length % 4);
            frame.left -= length as u64;
            if frame.left > 0 {
                return Ok(None);
            }
            if let Some(control) = self.frame_ended()? {
                return Ok(Some(control));
            }
        }
    }

    /// Reads a header. Returns whether it is complete.
    fn read_header(&mut self, arrived: &mut &[u8]) -> Result<bool, Violation> {
        let known = self.header.len();
        let (more, _) = arrived.split_at(arrived.len().min(MAX_HEADER.saturating_sub(known)));
        self.header.extend_from_slice(more);
        let mut cursor = Cursor::new(&*self.header);
        let parsed = FrameHeader::parse(&mut cursor).map_err(|_| Violation::Malformed("A frame has no known type."))?;
        let read = usize::try_from(cursor.position()).unwrap_or(MAX_HEADER).saturating_sub(known);
        let (_, rest) = arrived.split_at(if parsed.is_some() { read.min(more.len()) } else { more.len() });
        *arrived = rest;
        let Some((header, length)) = parsed else { return Ok(false) };
        self.header.clear();
        self.frame = Some(self.begin(&header, length)?);
        Ok(true)
    }

    /// Checks the header of a frame, as one of the message that has begun.
    fn begin(&mut self, header: &FrameHeader, length: u64) -> Result<Frame, Violation> {
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(Violation::Malformed("A frame needs an extension, and none was agreed on."));
        }
        let mask = header.mask.ok_or(Violation::Malformed("A frame is not masked."))?;
        let content = match header.opcode {
            OpCode::Control(code) => {
                if !header.is_final || length > MAX_CONTROL {
                    return Err(Violation::Malformed("A control frame is too long, or fragmented."));
                }
                Content::Control { code, payload: BytesMut::new() }
            }
            OpCode::Data(kind) => {
                self.fragments = Some(match (kind, self.fragments) {
                    (Data::Text, _) => return Err(Violation::Text),
                    (Data::Continue, Some(fragments)) => fragments + 1,
                    (Data::Continue, None) => return Err(Violation::Malformed("There is no message to continue.")),
                    (_, Some(_)) => return Err(Violation::Malformed("A message begins within another one.")),
                    (_, None) => 1,
                });
                if self.fragments > Some(MAX_FRAGMENTS) {
                    return Err(Violation::TooManyFragments);
                }
                Content::Data { is_last: header.is_final }
            }
        };
        if length > MAX_FRAME {
            return Err(Violation::TooLong);
        }
        Ok(Frame { mask, left: length, content })
    }

    /// Notes that all of a frame was read, and returns it if it is about the socket.
    fn frame_ended(&mut self) -> Result<Option<Control>, Violation> {
        match self.frame.take().map(|frame| frame.content) {
            None | Some(Content::Data { is_last: false }) => Ok(None),
            Some(Content::Data { is_last: true }) => {
                self.fragments = None;
                Ok(None)
            }
            Some(Content::Control { code: ControlCode::Ping, payload }) => Ok(Some(Control::Ping(payload.freeze()))),
            Some(Content::Control { code: ControlCode::Close, payload }) => Ok(Some(Control::Close(reason(&payload)?))),
            Some(Content::Control { .. }) => Ok(Some(Control::Pong)),
        }
    }
}

/// Why the client closes the socket.
fn reason(payload: &[u8]) -> Result<Option<CloseCode>, Violation> {
    match payload.split_first_chunk() {
        None if payload.is_empty() => Ok(None),
        None => Err(Violation::Malformed("The code for closing has one byte.")),
        Some((code, reason)) => {
            let code = CloseCode::from(u16::from_be_bytes(*code));
            if !code.is_allowed() {
                return Err(Violation::Malformed("The code for closing may not be sent."));
            }
            std::str::from_utf8(reason).map_err(|_| Violation::NotUtf8)?;
            Ok(Some(code))
        }
    }
}

/// Masks or unmasks bytes, the first of which is masked by the first byte of `mask`.
fn unmask(bytes: &mut [u8], mask: [u8; 4]) {
    let (words, rest) = bytes.as_chunks_mut::<4>();
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(mask)).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

/// Appends a binary message.
pub fn binary(payload: &[u8], out: &mut BytesMut) {
    encode(OpCode::Data(Data::Binary), payload, out);
}

/// Appends the answer to a ping.
pub fn pong(payload: &[u8], out: &mut BytesMut) {
    encode(OpCode::Control(ControlCode::Pong), payload, out);
}

/// Appends the end, and why it is the end. A `reason` of more than 123 bytes is left out.
pub fn close(code: Option<CloseCode>, reason: &str, out: &mut BytesMut) {
    let mut payload = SmallVec::<[u8; MAX_CONTROL as usize]>::new();
    if let Some(code) = code {
        payload.extend_from_slice(&u16::from(code).to_be_bytes());
        if payload.len() + reason.len() <= MAX_CONTROL as usize {
            payload.extend_from_slice(reason.as_bytes());
        }
    }
    encode(OpCode::Control(ControlCode::Close), &payload, out);
}

fn encode(opcode: OpCode, payload: &[u8], out: &mut BytesMut) {
    out.reserve(MAX_HEADER + payload.len());
    // Writing to memory does not fail.
    let _ = FrameHeader { opcode, ..FrameHeader::default() }.format(payload.len() as u64, &mut out.writer());
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests;
