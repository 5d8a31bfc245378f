//! Any bytes as a body in gzip or zstd, in pieces of any size.
#![no_main]

use boltgate::unpack::{Coding, Unpacker};
use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;

/// The most that is unpacked: a gateway has a limit, too.
const LIMIT: usize = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let [coding, piece, room, packed @ ..] = data else {
        return;
    };
    let coding = if coding % 2 == 0 { Coding::Gzip } else { Coding::Zstd };
    let (piece, room) = (usize::from(*piece) + 1, 16 * usize::from(*room) + 1);
    let in_pieces = unpacked(coding, packed, piece, room);
    let at_once = unpacked(coding, packed, packed.len().max(1), LIMIT);
    if let (Some(one), Some(other)) = (in_pieces, at_once) {
        assert_eq!(one, other, "how the bytes arrive makes a difference");
    }
});

/// What the bytes unpack to; `None` if they are no stream, or unpack to too much.
fn unpacked(coding: Coding, packed: &[u8], piece: usize, room: usize) -> Option<BytesMut> {
    let mut unpacker = Unpacker::new(coding).expect("there is memory for a decoder");
    let mut out = BytesMut::new();
    for piece in packed.chunks(piece) {
        unpacker.feed(Bytes::copy_from_slice(piece));
        while !unpacker.is_hungry() {
            let before = out.len();
            unpacker.step(&mut out, room).ok()?;
            assert!(out.len() - before <= room, "a step writes more than it may");
            if out.len() > LIMIT {
                return None;
            }
        }
    }
    unpacker.end().ok()?;
    Some(out)
}
