//! Frames of a client as RFC 6455 has them, whole, divided and faulty.

use proptest::{collection::vec, prelude::*};

use super::*;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const CONTINUE: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;
const LAST: u8 = 0x80;

/// A client's header: the first byte, and the length in its shortest form.
fn header(first: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    match length {
        0..126 => bytes.push(0x80 | length as u8),
        126..0x1_0000 => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes
}

/// A client's frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(first, payload.len() as u64);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// What a decoder makes of `bytes` that arrive in pieces of these lengths, and the rest at once.
fn decoded(bytes: &[u8], pieces: &[usize]) -> (Vec<u8>, Vec<Control>, Option<Violation>) {
    let (mut decoder, mut data, mut controls) = (Decoder::default(), BytesMut::new(), Vec::new());
    let mut rest = bytes;
    for length in pieces.iter().copied().chain([usize::MAX]) {
        let (mut piece, after) = rest.split_at(length.min(rest.len()));
        rest = after;
        loop {
            match decoder.decode(&mut piece, &mut data) {
                Ok(None) => break,
                Ok(Some(control)) => controls.push(control),
                Err(violation) => return (data.to_vec(), controls, Some(violation)),
            }
        }
        assert!(piece.is_empty(), "all of it was read");
    }
    (data.to_vec(), controls, None)
}

fn violation(frames: &[Vec<u8>]) -> Option<Violation> {
    decoded(&frames.concat(), &[]).2
}

#[test]
fn the_boundaries_of_messages_and_fragments_mean_nothing() {
    let frames = [
        frame(LAST | BINARY, b""),
        frame(BINARY, b"60"),
        frame(LAST | PING, b"in between"),
        frame(CONTINUE, b""),
        frame(LAST | PONG, b""),
        frame(LAST | CONTINUE, b"60b0"),
        frame(LAST | BINARY, b"17"),
    ];
    let controls = vec![Control::Ping(Bytes::from_static(b"in between")), Control::Pong];
    assert_eq!(decoded(&frames.concat(), &[]), (b"6060b017".to_vec(), controls, None));
}

#[test]
fn lengths_of_every_form_are_read() {
    for length in [0, 1, 125, 126, 127, 0xffff, 0x1_0000, 300_000] {
        let payload: Vec<u8> = (0..length).map(|at| at as u8).collect();
        assert_eq!(decoded(&frame(LAST | BINARY, &payload), &[]).0, payload, "{length}");
    }
}

#[test]
fn a_long_frame_is_passed_on_before_its_end() {
    let (mut decoder, mut data) = (Decoder::default(), BytesMut::new());
    let bytes = [header(LAST | BINARY, MAX_FRAME), vec![MASK[0], MASK[1]]].concat();
    assert_eq!(decoder.decode(&mut &bytes[..], &mut data), Ok(None));
    assert_eq!(&data[..], [0, 0]);
}

#[test]
fn what_breaks_the_rules_has_its_code() {
    let unmasked = vec![LAST | BINARY, 1, 0];
    let closing = |payload: &[u8]| frame(LAST | CLOSE, payload);
    let storm = [vec![frame(BINARY, b"")], vec![frame(CONTINUE, b""); MAX_FRAGMENTS as usize]].concat();
    for (frames, code) in [
        (vec![frame(LAST | TEXT, b"x")], 1003),
        (vec![frame(BINARY, b""), frame(LAST | TEXT, b"x")], 1003),
        (vec![header(LAST | BINARY, MAX_FRAME + 1)], 1009),
        (vec![header(LAST | BINARY, u64::MAX)], 1009),
        (storm, 1009),
        (vec![unmasked], 1002),
        (vec![frame(LAST | 0x40 | BINARY, b"")], 1002),
        (vec![frame(LAST | 0x20 | BINARY, b"")], 1002),
        (vec![frame(LAST | 0x10 | PING, b"")], 1002),
        (vec![frame(LAST | 0x3, b"")], 1002),
        (vec![frame(LAST | 0xb, b"")], 1002),
        (vec![frame(LAST | CONTINUE, b"")], 1002),
        (vec![frame(LAST | BINARY, b""), frame(LAST | CONTINUE, b"")], 1002),
        (vec![frame(BINARY, b""), frame(LAST | BINARY, b"")], 1002),
        (vec![frame(PING, b"")], 1002),
        (vec![frame(LAST | PING, &[0; 126])], 1002),
        (vec![frame(CLOSE, b"")], 1002),
        (vec![closing(&[3])], 1002),
        (vec![closing(&999_u16.to_be_bytes())], 1002),
        (vec![closing(&1005_u16.to_be_bytes())], 1002),
        (vec![closing(&1006_u16.to_be_bytes())], 1002),
        (vec![closing(&5000_u16.to_be_bytes())], 1002),
        (vec![closing(&[&1000_u16.to_be_bytes()[..], b"\xff"].concat())], 1007),
    ] {
        let found = violation(&frames).map(|violation| u16::from(violation.code()));
        assert_eq!(found, Some(code), "{:x?}", frames.first());
    }
}

#[test]
fn what_keeps_the_rules_is_accepted() {
    let many = [vec![frame(BINARY, b"")], vec![frame(CONTINUE, b""); MAX_FRAGMENTS as usize - 1]].concat();
    for frames in [
        many,
        vec![header(LAST | BINARY, MAX_FRAME)],
        vec![frame(LAST | PING, &[0xff; 125])],
        vec![frame(LAST | BINARY, b"\xff\xfe")],
    ] {
        assert_eq!(violation(&frames), None);
    }
    for (payload, code) in [
        (&b""[..], None),
        (&1000_u16.to_be_bytes(), Some(1000)),
        (&[&4000_u16.to_be_bytes()[..], "wörter".as_bytes()].concat(), Some(4000)),
    ] {
        let closed = Control::Close(code.map(CloseCode::from));
        assert_eq!(decoded(&frame(LAST | CLOSE, payload), &[]), (Vec::new(), vec![closed], None));
    }
}

#[test]
fn frames_for_the_client_are_whole_and_unmasked() {
    let mut out = BytesMut::new();
    binary(b"ab", &mut out);
    binary(&[7; 126], &mut out);
    pong(b"x", &mut out);
    close(Some(CloseCode::Away), "why", &mut out);
    close(None, "", &mut out);
    close(Some(CloseCode::Away), &"x".repeat(124), &mut out);
    let expected = [
        &[LAST | BINARY, 2, b'a', b'b'][..],
        &[LAST | BINARY, 126, 0, 126],
        &[7; 126],
        &[LAST | PONG, 1, b'x', LAST | CLOSE, 5, 3, 0xe9, b'w', b'h', b'y', LAST | CLOSE, 0],
        &[LAST | CLOSE, 2, 3, 0xe9],
    ];
    assert_eq!(&out[..], expected.concat());
}

/// Frames of a well-behaved client, and what they carry.
fn conversation() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let payload = || vec(any::<u8>(), 0..300);
    let message = vec(payload(), 1..5).prop_map(|parts| {
        let last = parts.len() - 1;
        let first = |at| if at == 0 { BINARY } else { CONTINUE } | if at == last { LAST } else { 0 };
        parts.iter().enumerate().map(|(at, part)| frame(first(at), part)).collect::<Vec<_>>().concat()
    });
    let ping = vec(any::<u8>(), 0..126).prop_map(|payload| frame(LAST | PING, &payload));
    vec(prop_oneof![message, ping], 0..8)
}

proptest! {
    #[test]
    fn bytes_may_be_divided_anywhere(frames in conversation(), pieces in vec(0_usize..200, 0..30)) {
        let bytes = frames.concat();
        let whole = decoded(&bytes, &[]);
        prop_assert_eq!(whole.2, None);
        prop_assert_eq!(&decoded(&bytes, &pieces), &whole);
        prop_assert_eq!(decoded(&bytes, &vec![1; bytes.len()]), whole);
    }

    #[test]
    fn any_bytes_are_read_alike_however_they_are_divided(bytes in vec(any::<u8>(), 0..200), pieces in vec(0_usize..9, 0..30)) {
        let whole = decoded(&bytes, &[]);
        prop_assert_eq!(decoded(&bytes, &pieces), whole);
    }
}
