//! Streams packed into gzip and zstd, piece by piece.
//!
//! Promises that the reader of such a stream can unpack everything up to a pause, and that a packer takes less than a
//! megabyte. Knows nothing of where the bytes go.

use std::io::{self, ErrorKind, Write as _};

use flate2::{Compression, write::GzEncoder};
use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer, zstd_sys::ZSTD_EndDirective};

use crate::unpack::Coding;

/// The fastest levels of both: rows repeat themselves so much that they become small at any.
const GZIP_LEVEL: u32 = 1;
const ZSTD_LEVEL: i32 = 1;
/// The window of a zstd frame, as a power of two. What repeats in rows is close together; a larger window mostly takes
/// memory, of which every answer that is being sent has its own.
const WINDOW_LOG: u32 = 17;

/// A stream that is being packed.
pub struct Packer(Encoder);

enum Encoder {
    Gzip(Box<GzEncoder<Vec<u8>>>),
    Zstd(CCtx<'static>),
}

/// What follows a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Another piece, at once.
    More,
    /// Possibly nothing for a long time: everything so far comes out.
    Pause,
    /// Nothing: the stream ends as its coding says.
    End,
}

impl Packer {
    /// A stream without any bytes yet. If it is known how many bytes will come, the packer takes less memory for few.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn new(coding: Coding, length: Option<u64>) -> io::Result<Self> {
        Ok(Self(match coding {
            Coding::Gzip => Encoder::Gzip(Box::new(GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL)))),
            Coding::Zstd => {
                let mut context = CCtx::try_create().ok_or(ErrorKind::OutOfMemory)?;
                for parameter in [CParameter::CompressionLevel(ZSTD_LEVEL), CParameter::WindowLog(WINDOW_LOG)] {
                    context.set_parameter(parameter).map_err(failed)?;
                }
                context.set_pledged_src_size(length).map_err(failed)?;
                Encoder::Zstd(context)
            }
        }))
    }

    /// Packs the next piece, and returns what has come out. Not to be called again after [`Then::End`].
    ///
    /// # Errors
    /// When there is no memory, or the number of bytes differs from what was announced.
    pub fn pack(&mut self, piece: &[u8], then: Then) -> io::Result<Vec<u8>> {
        match &mut self.0 {
            Encoder::Gzip(encoder) => {
                encoder.write_all(piece)?;
                match then {
                    Then::More => {}
                    Then::Pause => encoder.flush()?,
                    Then::End => encoder.try_finish()?,
                }
                Ok(std::mem::take(encoder.get_mut()))
            }
            Encoder::Zstd(context) => pack_zstd(context, piece, then),
        }
    }
}

fn pack_zstd(context: &mut CCtx<'static>, piece: &[u8], then: Then) -> io::Result<Vec<u8>> {
    let then = match then {
        Then::More => ZSTD_EndDirective::ZSTD_e_continue,
        Then::Pause => ZSTD_EndDirective::ZSTD_e_flush,
        Then::End => ZSTD_EndDirective::ZSTD_e_end,
    };
    let (mut out, mut source) = (Vec::new(), InBuffer::around(piece));
    loop {
        // Enough at once for most text.
        out.reserve(piece.len() / 4 + 64);
        let start = out.len();
        let mut target = OutBuffer::around_pos(&mut out, start);
        let left = context.compress_stream2(&mut target, &mut source, then).map_err(failed)?;
        let is_done = if then == ZSTD_EndDirective::ZSTD_e_continue { source.pos() == piece.len() } else { left == 0 };
        if is_done {
            return Ok(out);
        }
    }
}

fn failed(code: usize) -> io::Error {
    io::Error::other(zstd_safe::get_error_name(code))
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};
    use proptest::prelude::*;

    use super::*;
    use crate::unpack::Unpacker;

    const CODINGS: [Coding; 2] = [Coding::Gzip, Coding::Zstd];

    /// Unpacks what has arrived.
    fn unpack(unpacker: &mut Unpacker, packed: Vec<u8>) -> BytesMut {
        let mut out = BytesMut::new();
        unpacker.feed(Bytes::from(packed));
        while !unpacker.is_hungry() {
            unpacker.step(&mut out, 65_536).unwrap();
        }
        out
    }

    fn rows(count: usize) -> Vec<u8> {
        (0..count).flat_map(|row| format!("[{row},\"name {}\",{}],", row * 7919, row % 10).into_bytes()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn everything_up_to_a_pause_can_be_unpacked(
            zstd: bool,
            pieces in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..2000), any::<bool>()), 0..20),
        ) {
            let coding = if zstd { Coding::Zstd } else { Coding::Gzip };
            let (mut packer, mut unpacker) = (Packer::new(coding, None).unwrap(), Unpacker::new(coding).unwrap());
            let (mut sent, mut received): (Vec<u8>, Vec<u8>) = Default::default();
            for (piece, pauses) in pieces {
                sent.extend(&piece);
                let packed = packer.pack(&piece, if pauses { Then::Pause } else { Then::More }).unwrap();
                received.extend(unpack(&mut unpacker, packed));
                prop_assert!(!pauses || received == sent);
            }
            received.extend(unpack(&mut unpacker, packer.pack(b"", Then::End).unwrap()));
            prop_assert_eq!(received, sent);
            prop_assert!(unpacker.end().is_ok());
        }
    }

    #[test]
    fn rows_become_small() {
        let rows = rows(50_000);
        for coding in CODINGS {
            let mut packer = Packer::new(coding, Some(rows.len() as u64)).unwrap();
            let (mut packed, mut rest) = (Vec::new(), rows.as_slice());
            while let Some((piece, others)) = rest.split_at_checked(65_536) {
                packed.extend(packer.pack(piece, Then::More).unwrap());
                rest = others;
            }
            packed.extend(packer.pack(rest, Then::End).unwrap());
            assert!(packed.len() * 2 < rows.len(), "{coding:?}: {} of {}", packed.len(), rows.len());
            assert_eq!(unpack(&mut Unpacker::new(coding).unwrap(), packed), rows);
        }
    }

    #[test]
    fn a_packer_takes_less_than_a_megabyte() {
        let rows = rows(50_000);
        for (length, most) in [(None, 1 << 20), (Some(2000), 100_000)] {
            let mut packer = Packer::new(Coding::Zstd, length).unwrap();
            let text = &rows[..length.map_or(rows.len(), |length| length as usize)];
            packer.pack(text, Then::End).unwrap();
            let Encoder::Zstd(context) = packer.0 else { unreachable!("it was asked for zstd") };
            let taken = context.sizeof();
            assert!(taken < most, "{length:?}: {taken}");
        }
    }
}
