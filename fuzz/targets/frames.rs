//! Any bytes as the frames of a WebSocket's client, in pieces of any size.
#![no_main]

use boltgate::websocket::frames::{Control, Decoder, Violation};
use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [piece, frames @ ..] = data else {
        return;
    };
    let in_pieces = decoded(frames, usize::from(*piece) + 1);
    let at_once = decoded(frames, frames.len().max(1));
    assert_eq!(in_pieces, at_once, "how the bytes arrive makes a difference");
    assert!(at_once.0.len() <= frames.len(), "nothing is made up");
});

fn decoded(frames: &[u8], piece: usize) -> (BytesMut, Vec<Control>, Option<Violation>) {
    let (mut decoder, mut data, mut controls) = (Decoder::default(), BytesMut::new(), Vec::new());
    for mut piece in frames.chunks(piece) {
        loop {
            match decoder.decode(&mut piece, &mut data) {
                Ok(None) => break,
                Ok(Some(control)) => controls.push(control),
                Err(violation) => return (data, controls, Some(violation)),
            }
        }
    }
    (data, controls, None)
}
