//! Streams in gzip and zstd, unpacked in steps.
//!
//! Promises that a step writes no more than it is told to, however much its input unpacks to, and that a stream counts as
//! whole only if it ends where it says so itself. Knows nothing of where the bytes come from.

use std::io::{self, BufRead, ErrorKind, Read};

use bytes::{Buf as _, Bytes, BytesMut};
use flate2::bufread::MultiGzDecoder;
use thiserror::Error;
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer};

/// The largest window of a zstd frame, as a power of two: what every decoder of HTTP supports (RFC 9659).
const WINDOW_LOG: u32 = 23;
/// The memory that a decoder takes in addition to its window, in bytes.
const GZIP_STATE: usize = 64 * 1024;
const ZSTD_STATE: usize = 256 * 1024;

/// How a stream is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// RFC 1952, one member or several.
    Gzip,
    /// RFC 8878, one frame or several, with windows of at most 8 MiB.
    Zstd,
}

/// Why a stream cannot be unpacked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnpackError {
    /// The bytes are no such stream.
    #[error("it is not valid {0}: {1}")]
    Corrupt(&'static str, String),
    /// The stream ended too early.
    #[error("the {0} stream is cut off")]
    CutOff(&'static str),
}

/// A stream that is being unpacked.
pub struct Unpacker {
    decoder: Decoder,
    /// Whether nothing can be unpacked before there is more input.
    is_hungry: bool,
    /// The bytes that were unpacked.
    unpacked: usize,
}

enum Decoder {
    Gzip(Box<MultiGzDecoder<Input>>),
    Zstd {
        context: DCtx<'static>,
        input: Bytes,
        /// Whether the input so far ends with a frame.
        is_whole: bool,
    },
}

/// The bytes that have arrived and were not unpacked yet.
#[derive(Default)]
struct Input {
    bytes: Bytes,
    has_ended: bool,
}

impl Coding {
    /// The coding that HTTP calls `name`.
    #[must_use]
    pub fn named(name: &[u8]) -> Option<Self> {
        match () {
            () if name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip") => Some(Self::Gzip),
            () if name.eq_ignore_ascii_case(b"zstd") => Some(Self::Zstd),
            () => None,
        }
    }

    /// The memory that a decoder takes at first, in bytes.
    #[must_use]
    pub fn memory(self) -> usize {
        match self {
            Self::Gzip => GZIP_STATE,
            Self::Zstd => ZSTD_STATE,
        }
    }

    /// What HTTP calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

impl Unpacker {
    /// A stream of which nothing has arrived.
    ///
    /// # Errors
    /// When there is no memory for the decoder.
    pub fn new(coding: Coding) -> io::Result<Self> {
        let decoder = match coding {
            Coding::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(Input::default()))),
            Coding::Zstd => {
                let mut context = DCtx::try_create().ok_or(ErrorKind::OutOfMemory)?;
                let bounded = context.set_parameter(DParameter::WindowLogMax(WINDOW_LOG));
                bounded.map_err(|code| io::Error::other(zstd_safe::get_error_name(code)))?;
                Decoder::Zstd { context, input: Bytes::new(), is_whole: false }
            }
        };
        Ok(Self { decoder, is_hungry: true, unpacked: 0 })
    }

    fn coding(&self) -> Coding {
        match self.decoder {
            Decoder::Gzip(_) => Coding::Gzip,
            Decoder::Zstd { .. } => Coding::Zstd,
        }
    }

    /// The memory that the decoder takes, in bytes. A window is filled as the stream is unpacked.
    #[must_use]
    pub fn memory(&self) -> usize {
        let window = match self.decoder {
            // Part of its state.
            Decoder::Gzip(_) => 0,
            Decoder::Zstd { .. } => self.unpacked.min(1 << WINDOW_LOG),
        };
        self.coding().memory() + window
    }

    /// Whether nothing can be unpacked before there is more input.
    #[must_use]
    pub fn is_hungry(&self) -> bool {
        self.is_hungry
    }

    /// Adds the bytes that have arrived. To be called while the stream [is hungry](Self::is_hungry).
    pub fn feed(&mut self, bytes: Bytes) {
        self.is_hungry &= bytes.is_empty();
        match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.get_mut().bytes = bytes,
            Decoder::Zstd { input, .. } => *input = bytes,
        }
    }

    /// Unpacks the next bytes, at most `room` of them, and appends them to `out`.
    ///
    /// # Errors
    /// [`UnpackError::Corrupt`].
    pub fn step(&mut self, out: &mut BytesMut, room: usize) -> Result<(), UnpackError> {
        let start = out.len();
        out.resize(start + room, 0);
        let written = self.decoder.write(out.split_at_mut(start).1);
        let count = written.as_ref().ok().copied().flatten().unwrap_or(0);
        out.truncate(start + count);
        self.unpacked = self.unpacked.saturating_add(count);
        self.is_hungry = written.map_err(|reason| UnpackError::Corrupt(self.coding().name(), reason))?.is_none();
        Ok(())
    }

    /// Checks that the stream may end here. To be called while the stream [is hungry](Self::is_hungry).
    ///
    /// # Errors
    /// [`UnpackError::CutOff`].
    pub fn end(&mut self) -> Result<(), UnpackError> {
        let is_whole = match &mut self.decoder {
            Decoder::Gzip(decoder) => {
                decoder.get_mut().has_ended = true;
                matches!(decoder.read(&mut [0]), Ok(0))
            }
            Decoder::Zstd { is_whole, .. } => *is_whole,
        };
        if is_whole { Ok(()) } else { Err(UnpackError::CutOff(self.coding().name())) }
    }
}

impl Decoder {
    /// Unpacks into `out`, and returns the number of bytes; `None` if there is not enough input for any.
    fn write(&mut self, out: &mut [u8]) -> Result<Option<usize>, String> {
        match self {
            Self::Gzip(decoder) => match decoder.read(out) {
                Ok(0) => Ok(None),
                Ok(written) => Ok(Some(written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
                Err(error) => Err(error.to_string()),
            },
            Self::Zstd { context, input, is_whole } => {
                // Asked without input, the decoder would begin another frame.
                if input.is_empty() && *is_whole {
                    return Ok(None);
                }
                let (mut source, mut target) = (InBuffer::around(input), OutBuffer::around(out));
                let missing = context.decompress_stream(&mut target, &mut source);
                let missing = missing.map_err(|code| zstd_safe::get_error_name(code).to_owned())?;
                let (consumed, written) = (source.pos(), target.pos());
                input.advance(consumed);
                *is_whole = missing == 0;
                Ok((consumed + written > 0).then_some(written))
            }
        }
    }
}

impl Read for Input {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(out)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.bytes.is_empty() && !self.has_ended { Err(ErrorKind::WouldBlock.into()) } else { Ok(&self.bytes) }
    }

    fn consume(&mut self, count: usize) {
        self.bytes.advance(count);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    const CODINGS: [Coding; 2] = [Coding::Gzip, Coding::Zstd];

    fn packed(coding: Coding, text: &[u8]) -> Vec<u8> {
        match coding {
            Coding::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(text).unwrap();
                encoder.finish().unwrap()
            }
            Coding::Zstd => {
                let mut out = Vec::with_capacity(zstd_safe::compress_bound(text.len()));
                zstd_safe::compress(&mut out, text, 3).unwrap();
                out
            }
        }
    }

    /// Unpacks a stream that arrives in pieces of `piece` bytes, in steps of `room`.
    fn unpacked(coding: Coding, packed: &[u8], piece: usize, room: usize) -> Result<BytesMut, UnpackError> {
        let (mut unpacker, mut out) = (Unpacker::new(coding).unwrap(), BytesMut::new());
        for piece in packed.chunks(piece) {
            unpacker.feed(Bytes::copy_from_slice(piece));
            while !unpacker.is_hungry() {
                let before = out.len();
                unpacker.step(&mut out, room)?;
                assert!(out.len() - before <= room);
            }
        }
        unpacker.end().map(|()| out)
    }

    /// Text that packs neither well nor badly.
    fn text(size: usize) -> Vec<u8> {
        (0_u64..).flat_map(|number| (number * number).to_string().into_bytes()).take(size).collect()
    }

    #[test]
    fn streams_are_unpacked_however_they_arrive() {
        for coding in CODINGS {
            for size in [0, 1, 1000, 300_000] {
                let text = text(size);
                for (piece, room) in [(1, 1000), (7, 1), (1000, 333), (usize::MAX, 65_536)] {
                    assert_eq!(
                        unpacked(coding, &packed(coding, &text), piece, room).unwrap(),
                        text,
                        "{coding:?} {size}"
                    );
                }
            }
            let twice = [packed(coding, b"one "), packed(coding, b"two")].concat();
            assert_eq!(unpacked(coding, &twice, 3, 2).unwrap(), &b"one two"[..], "{coding:?}");
        }
    }

    #[test]
    fn a_stream_that_is_cut_off_is_not_whole() {
        for coding in CODINGS {
            let packed = packed(coding, &text(2000));
            for length in 0..packed.len() {
                let cut = unpacked(coding, &packed[..length], 11, 64);
                assert_eq!(cut, Err(UnpackError::CutOff(coding.name())), "{coding:?} {length}");
            }
        }
    }

    #[test]
    fn what_is_no_stream_is_refused() {
        for coding in CODINGS {
            let whole = packed(coding, &text(2000));
            let mut wrong_sum = whole.clone();
            let middle = whole.len() / 2;
            wrong_sum[middle] ^= 0x55;
            for bytes in [&b"{\"statement\":\"RETURN 1\"}"[..], &[0; 50], &[&whole[..], b"more"].concat(), &wrong_sum] {
                let refused = unpacked(coding, bytes, 11, 64);
                // What came out of it differs, or nobody would notice.
                assert!(refused.as_ref().is_err() || refused.unwrap() != text(2000), "{coding:?}");
            }
            assert!(matches!(unpacked(coding, b"nothing of the kind", 5, 9), Err(UnpackError::Corrupt(..))));
        }
    }

    #[test]
    fn a_frame_that_asks_for_a_large_window_is_refused() {
        let mut context = zstd_safe::CCtx::create();
        context.set_parameter(zstd_safe::CParameter::WindowLog(24)).unwrap();
        let mut out = Vec::with_capacity(1000);
        let mut target = OutBuffer::around(&mut out);
        context.compress_stream(&mut target, &mut InBuffer::around(b"x")).unwrap();
        context.end_stream(&mut target).unwrap();
        let refused = unpacked(Coding::Zstd, &out, 100, 100).unwrap_err();
        assert!(refused.to_string().contains("too much memory"), "{refused}");
    }

    #[test]
    fn a_step_of_a_bomb_is_as_small_as_any() {
        for coding in CODINGS {
            let bomb = Bytes::from(packed(coding, &vec![b' '; 10_000_000]));
            let (mut unpacker, mut out) = (Unpacker::new(coding).unwrap(), BytesMut::new());
            unpacker.feed(bomb);
            for _ in 0..3 {
                unpacker.step(&mut out, 1000).unwrap();
                assert!(!unpacker.is_hungry());
            }
            assert!(out.len() <= 3000 && out.capacity() < 100_000, "{coding:?}");
        }
    }
}
