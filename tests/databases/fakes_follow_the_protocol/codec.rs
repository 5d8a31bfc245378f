//! Values, frames and messages against recorded bytes.

use crate::support::{
    bolt::frame::{Frame, FrameReader, frame, frame_in},
    bolt::message::*,
    bolt::value::*,
};

/// Messages and their framed bytes, as replayed against an independent server.
fn vectors() -> Vec<(Value, &'static str)> {
    let agent = ("user_agent", v("gw/1"));
    let basic = [("scheme", v("basic")), ("principal", v("u")), ("credentials", v("p"))];
    let [scheme, principal, credentials] = basic.clone();
    let product = map([("product", v("gw/1"))]);
    let auth = "86736368656D65 856261736963 897072696E636970616C 8175 \
                8B63726564656E7469616C73 8170";
    assert_eq!(hex(auth)[..7], hex("86736368656D65"));
    vec![
        (
            hello_with(map([agent.clone(), ("bolt_agent", product)])),
            "002C B101 A2 8A757365725F6167656E74 8467772F31 8A626F6C745F6167656E74 A1 \
             8770726F64756374 8467772F31 0000",
        ),
        (hello_with(map([agent.clone()])), "0013 B101 A1 8A757365725F6167656E74 8467772F31 0000"),
        (
            hello_with(map([agent, scheme, principal, credentials])),
            "003A B101 A4 8A757365725F6167656E74 8467772F31 86736368656D65 856261736963 \
             897072696E636970616C 8175 8B63726564656E7469616C73 8170 0000",
        ),
        (
            logon(map(basic)),
            "002A B16A A3 86736368656D65 856261736963 897072696E636970616C 8175 \
             8B63726564656E7469616C73 8170 0000",
        ),
        (
            logon(map([("scheme", v("bearer")), ("credentials", v("tok"))])),
            "0021 B16A A2 86736368656D65 86626561726572 8B63726564656E7469616C73 83746F6B 0000",
        ),
        (logoff(), "0002B06B0000"),
        (reset(), "0002B00F0000"),
        (goodbye(), "0002B0020000"),
        (commit(), "0002B0120000"),
        (rollback(), "0002B0130000"),
        (begin(map([("db", v("neo4j"))])), "000C B111 A1 826462 856E656F346A 0000"),
        (
            begin(map([
                ("bookmarks", strings(&["bm1"])),
                ("tx_timeout", v(5000)),
                ("mode", v("r")),
                ("db", v("neo4j")),
                ("imp_user", v("bob")),
            ])),
            "003D B111 A5 89626F6F6B6D61726B73 91 83626D31 8A74785F74696D656F7574 C91388 \
             846D6F6465 8172 826462 856E656F346A 88696D705F75736572 83626F62 0000",
        ),
        (
            run("RETURN $x", map([("x", v(1))]), map([("db", v("neo4j"))])),
            "001A B310 8952455455524E202478 A1817801 A1826462856E656F346A 0000",
        ),
        (run_plain("RETURN 1"), "000D B310 8852455455524E2031 A0 A0 0000"),
        (
            run("RETURN 1", map([]), map([("db", v("memgraph")), ("bookmarks", list([]))])),
            "0024 B310 8852455455524E2031 A0 A2 826462 886D656D6772617068 \
             89626F6F6B6D61726B73 90 0000",
        ),
        (pull(1000), "0008B13FA1816EC903E80000"),
        (pull(-1), "0006B13FA1816EFF0000"),
        (discard(-1), "0006B12FA1816EFF0000"),
        (
            structure(ROUTE, [map([("address", v("h:7687"))]), list([]), map([("db", v("neo4j"))])]),
            "001D B366 A1 8761646472657373 86683A37363837 90 A1826462856E656F346A 0000",
        ),
        (telemetry(2), "0003B154020000"),
        (
            success(map([("fields", strings(&["x"])), ("t_first", v(5))])),
            "0016 B170 A2 866669656C6473 918178 87745F6669727374 05 0000",
        ),
        (record([v(1)]), "0004B17191010000"),
        (success(map([("has_more", v(true))])), "000D B170 A1 886861735F6D6F7265 C3 0000"),
        (ignored(), "0002B07E0000"),
        (
            success(map([("bookmark", v("bm2")), ("type", v("r")), ("t_last", v(1)), ("db", v("neo4j"))])),
            "0028 B170 A4 88626F6F6B6D61726B 83626D32 8474797065 8172 86745F6C617374 01 \
             826462 856E656F346A 0000",
        ),
        (
            failure("Neo.ClientError.Statement.SyntaxError", "bad"),
            "003B B17F A2 84636F6465 D0254E656F2E436C69656E744572726F722E53746174656D656E742E5379\
             6E7461784572726F72 876D657373616765 83626164 0000",
        ),
    ]
}

#[test]
fn encodes_messages_as_recorded_and_decodes_them() {
    for (message, bytes) in vectors() {
        assert_eq!(show_hex(&frame(&message.encode()), 999), show_hex(&hex(bytes), 999));
        assert_eq!(Value::decode(&message.encode()), Ok(message));
    }
}

#[test]
fn encodes_integers_in_their_smallest_form() {
    let forms = [
        (0, "00"),
        (127, "7F"),
        (-16, "F0"),
        (-17, "C8EF"),
        (-128, "C880"),
        (128, "C90080"),
        (-129, "C9FF7F"),
        (32_768, "CA00008000"),
        (i64::from(i32::MIN), "CA80000000"),
        (i64::from(i32::MAX) + 1, "CB0000000080000000"),
        (i64::MIN, "CB8000000000000000"),
    ];
    for (number, bytes) in forms {
        assert_eq!(v(number).encode(), hex(bytes), "{number}");
        assert_eq!(Value::decode(&hex(bytes)), Ok(v(number)));
    }
    assert_eq!(Value::decode(&hex("CB 0000000000000001")), Ok(v(1)), "a wide form is read too");
}

#[test]
fn encodes_lengths_in_their_smallest_form() {
    for n in [0, 15, 16, 255, 256, 65_535, 65_536] {
        let text = v("x".repeat(n));
        let bytes = v(vec![7_u8; n]);
        let values = v(vec![Value::Null; n]);
        let pairs = Value::Map((0..n).map(|i| (i.to_string(), Value::Null)).collect());
        let header = |value: &Value| value.encode()[0];
        let wide = u8::from(n > 255) + u8::from(n > 65_535);
        let marker = |tiny: Option<u8>, first: u8| match tiny {
            Some(tiny) if n < 16 => tiny + n as u8,
            _ => first + wide,
        };
        assert_eq!(header(&text), marker(Some(0x80), 0xD0), "string of {n}");
        assert_eq!(header(&bytes), marker(None, 0xCC), "bytes of {n}");
        assert_eq!(header(&values), marker(Some(0x90), 0xD4), "list of {n}");
        assert_eq!(header(&pairs), marker(Some(0xA0), 0xD8), "map of {n}");
        for value in [text, bytes, values, pairs] {
            assert_eq!(Value::decode(&value.encode()).as_ref(), Ok(&value));
        }
    }
}

#[test]
fn rejects_hostile_bytes() {
    let cases = [
        ("", DecodeError::Truncated),
        ("D2 7FFFFFFF", DecodeError::Truncated),
        ("D6 7FFFFFFF", DecodeError::Truncated),
        ("DA 7FFFFFFF", DecodeError::Truncated),
        ("C1 00", DecodeError::Truncated),
        ("E0 00", DecodeError::Truncated),
        ("C7", DecodeError::Reserved(0xC7)),
        ("DC 00 44", DecodeError::Reserved(0xDC)),
        ("81 FF", DecodeError::Utf8),
        ("A1 01 01", DecodeError::KeyNotString),
        ("01 01", DecodeError::Trailing(1)),
    ];
    for (bytes, error) in cases {
        assert_eq!(Value::decode(&hex(bytes)), Err(error), "{bytes}");
    }
    let deep = [vec![0x91; 2000], vec![1]].concat();
    assert_eq!(Value::decode(&deep), Err(DecodeError::TooDeep));
}

#[test]
fn reads_frames_in_every_split_and_chunk_size() {
    let payload = run_plain("RETURN 1").encode();
    for chunk in 1..=payload.len() {
        let bytes = [frame_in(&payload, chunk), vec![0, 0], frame(&payload)].concat();
        for split in 0..=bytes.len() {
            let mut reader = FrameReader::default();
            reader.push(&bytes[..split]);
            let mut found: Vec<Frame> = std::iter::from_fn(|| reader.pop()).collect();
            reader.push(&bytes[split..]);
            found.extend(std::iter::from_fn(|| reader.pop()));
            let whole = vec![payload.len()];
            assert_eq!(found.len(), 3);
            assert!(matches!(&found[0], Frame::Message { payload: p, .. } if *p == payload));
            assert_eq!(found[1], Frame::Noop);
            assert_eq!(found[2], Frame::Message { payload: payload.clone(), chunks: whole });
            assert!(reader.is_empty());
        }
    }
}
