//! Counters, notifications and plans.

use bytes::BytesMut;

use super::packed;
use crate::bolt::packstream::{DecodeError, Writer};
use crate::json::TypedVersion::V1_0;
use crate::json::View::{Plain, Typed};
use crate::json::output::{RowError, counters, notifications, plan, profile};

fn counters_text(stats: Option<&[u8]>) -> Result<String, DecodeError> {
    let mut out = BytesMut::new();
    counters(&mut out, stats)?;
    Ok(String::from_utf8(out.to_vec()).unwrap())
}

fn stats(updates: Option<bool>, system: Option<bool>, counts: &[(&str, i64)]) -> Vec<u8> {
    packed(|out| {
        out.map(counts.len() + usize::from(updates.is_some()) + usize::from(system.is_some()));
        counts.iter().for_each(|(key, count)| {
            out.string(key);
            out.integer(*count);
        });
        for (key, value) in [("contains-updates", updates), ("contains-system-updates", system)] {
            value.into_iter().for_each(|value| {
                out.string(key);
                out.boolean(value);
            });
        }
    })
}

#[test]
fn counters_have_all_keys_in_the_order_of_the_api() {
    const NONE: &str = concat!(
        r#"{"containsUpdates":false,"nodesCreated":0,"nodesDeleted":0,"propertiesSet":0,"relationshipsCreated":0,"#,
        r#""relationshipsDeleted":0,"labelsAdded":0,"labelsRemoved":0,"indexesAdded":0,"indexesRemoved":0,"#,
        r#""constraintsAdded":0,"constraintsRemoved":0,"containsSystemUpdates":false,"systemUpdates":0}"#
    );
    assert_eq!(counters_text(None).as_deref(), Ok(NONE));
    assert_eq!(counters_text(Some(&[0xA0])).as_deref(), Ok(NONE));
    assert_eq!(counters_text(Some(&stats(None, None, &[("gqlstatus-unknown", 9)]))).as_deref(), Ok(NONE));
    let some = NONE.replace(r#""containsUpdates":false"#, r#""containsUpdates":true"#);
    let some = some.replace(r#""nodesCreated":0"#, r#""nodesCreated":3"#);
    let some = some.replace(r#""constraintsRemoved":0"#, r#""constraintsRemoved":4"#);
    let counts = [("constraints-removed", 4), ("nodes-created", 3)];
    assert_eq!(counters_text(Some(&stats(Some(true), None, &counts))), Ok(some.clone()));
    // Memgraph does not say whether anything changed.
    assert_eq!(counters_text(Some(&stats(None, None, &counts))), Ok(some));
    let system = NONE.replace(r#""containsSystemUpdates":false"#, r#""containsSystemUpdates":true"#);
    let system = system.replace(r#""systemUpdates":0"#, r#""systemUpdates":1"#);
    for said in [Some(true), None] {
        let counts = [("system-updates", 1)];
        assert_eq!(counters_text(Some(&stats(None, said, &counts))), Ok(system.clone()));
    }
    for broken in [&[0x01][..], &[0xA1, 0x01, 0x01], &[0xA1]] {
        assert!(counters_text(Some(broken)).is_err());
    }
}

fn strings(out: &mut Writer<'_>, pairs: &[(&str, &str)]) {
    for (key, value) in pairs {
        out.string(key);
        out.string(value);
    }
}

fn position(out: &mut Writer<'_>) {
    out.map(3);
    for (key, number) in [("column", 10), ("offset", 9), ("line", 1)] {
        out.string(key);
        out.integer(number);
    }
}

const UNKNOWN_LABEL: &str = concat!(
    r#"[{"code":"Neo.UnknownLabelWarning","description":"no \"Unknown1\"","severity":"WARNING","#,
    r#""title":"The label is missing.","position":{"offset":9,"line":1,"column":10},"category":"UNRECOGNIZED"}]"#
);

#[test]
fn only_statuses_with_a_code_are_notifications() {
    let statuses = packed(|out| {
        out.list(2);
        out.map(2);
        strings(out, &[("gql_status", "02000"), ("status_description", "note: no data")]);
        out.map(5);
        strings(out, &[("description", "no \"Unknown1\""), ("status_description", "another")]);
        strings(out, &[("neo4j_code", "Neo.UnknownLabelWarning"), ("title", "The label is missing.")]);
        out.string("diagnostic_record");
        out.map(4);
        strings(out, &[("_severity", "WARNING"), ("OPERATION", ""), ("_classification", "UNRECOGNIZED")]);
        out.string("_position");
        position(out);
    });
    let mut out = BytesMut::new();
    // The older list is ignored if the newer one is present.
    assert_eq!(notifications(&mut out, Some(&statuses), Some(&[0x91, 0xA0])), Ok(true));
    assert_eq!(out, UNKNOWN_LABEL);
    let mut out = BytesMut::new();
    assert_eq!(notifications(&mut out, Some(&[0x91, 0xA0]), None), Ok(false));
    assert!(out.is_empty());
}

#[test]
fn notifications_of_older_servers_and_of_memgraph() {
    let old = packed(|out| {
        out.list(1);
        out.map(6);
        strings(out, &[("code", "Neo.UnknownLabelWarning"), ("description", "no \"Unknown1\"")]);
        strings(out, &[("category", "UNRECOGNIZED"), ("title", "The label is missing."), ("severity", "WARNING")]);
        out.string("position");
        position(out);
    });
    let mut out = BytesMut::new();
    assert_eq!(notifications(&mut out, None, Some(&old)), Ok(true));
    assert_eq!(out, UNKNOWN_LABEL);
    let memgraph = packed(|out| {
        out.list(2);
        out.map(4);
        strings(
            out,
            &[("severity", "INFO"), ("code", "CreateIndex"), ("title", "Created index."), ("description", "")],
        );
        out.map(4);
        strings(out, &[("severity", "WARNING"), ("code", "IndexDoesNotExist")]);
        strings(out, &[("title", "No index."), ("description", "")]);
    });
    let mut out = BytesMut::new();
    assert_eq!(notifications(&mut out, None, Some(&memgraph)), Ok(true));
    assert_eq!(
        out,
        concat!(
            r#"[{"code":"CreateIndex","description":"","severity":"INFORMATION","title":"Created index.","#,
            r#""position":null,"category":"GENERIC"},"#,
            r#"{"code":"IndexDoesNotExist","description":"","severity":"WARNING","title":"No index.","#,
            r#""position":null,"category":"GENERIC"}]"#
        )
    );
    for (statuses, list) in [(None, None), (None, Some(&[0x90][..])), (Some(&[0x90][..]), None)] {
        let mut out = BytesMut::new();
        assert_eq!(notifications(&mut out, statuses, list), Ok(false));
        assert!(out.is_empty());
    }
    for broken in [&[0x01][..], &[0x92, 0xA0, 0x01], &[0x91, 0xA1, 0x84, b'c', b'o', b'd', b'e', 0x01]] {
        let mut out = BytesMut::new();
        assert!(notifications(&mut out, None, Some(broken)).is_err());
        assert!(out.is_empty());
    }
}

/// Writes a root with two children, of which the first has one child. The members of an operator are in no particular
/// order.
fn operators() -> Vec<u8> {
    packed(|out| {
        out.map(9);
        out.string("children");
        out.list(2);
        out.map(2);
        strings(out, &[("operatorType", "A")]);
        out.string("children");
        out.list(1);
        out.map(1);
        strings(out, &[("operatorType", "AA")]);
        out.map(1);
        strings(out, &[("operatorType", "B")]);
        strings(out, &[("operatorType", "ProduceResults@neo4j"), ("unknown", "x")]);
        out.string("args");
        out.map(2);
        out.string("Id");
        out.integer(0);
        out.string("EstimatedRows");
        out.float(1.0);
        out.string("identifiers");
        out.list(1);
        out.string("n");
        for (key, number) in [("rows", 2), ("dbHits", 5), ("pageCacheHits", 1)] {
            out.string(key);
            out.integer(number);
        }
        out.string("pageCacheHitRatio");
        out.float(0.0);
    })
}

#[test]
fn plans_have_a_fixed_order_of_members() {
    let leaf = |name| format!(r#"{{"operatorType":"{name}","arguments":{{}},"identifiers":[],"children":[]}}"#);
    let first = format!(r#"{{"operatorType":"A","arguments":{{}},"identifiers":[],"children":[{}]}}"#, leaf("AA"));
    let children = format!("[{first},{}]", leaf("B"));
    let root = |arguments| {
        let head = format!(r#"{{"operatorType":"ProduceResults@neo4j","arguments":{arguments},"identifiers":["n"]"#);
        format!(r#"{head},"children":{children}}}"#)
    };
    let plain = r#"{"Id":0,"EstimatedRows":1.0}"#;
    let typed = r#"{"Id":{"$type":"Integer","_value":"0"},"EstimatedRows":{"$type":"Float","_value":"1.0"}}"#;
    for (view, arguments) in [(Plain, plain), (Typed(V1_0), typed)] {
        let mut out = BytesMut::new();
        assert_eq!(plan(&mut out, &operators(), view), Ok(true));
        assert_eq!(out, root(arguments));
    }
}

#[test]
fn profiles_add_measurements() {
    let mut out = BytesMut::new();
    assert_eq!(profile(&mut out, &operators(), Plain), Ok(true));
    let out = String::from_utf8(out.to_vec()).unwrap();
    let measures = concat!(
        r#""identifiers":["n"],"dbHits":5,"records":2,"pageCacheHits":1,"pageCacheHitRatio":0.0,"#,
        r#""hasPageCacheStats":true,"children":["#
    );
    assert!(out.contains(measures), "{out}");
    let leaf = r#"{"operatorType":"B","arguments":{},"identifiers":[],"hasPageCacheStats":false,"children":[]}]}"#;
    assert!(out.ends_with(leaf), "{out}");
    // Memgraph's own form.
    let json = packed(|out| out.string("{\"actual_hits\":1}"));
    let mut out = BytesMut::new();
    assert_eq!(profile(&mut out, &json, Plain), Ok(false));
    assert!(out.is_empty());
}

#[test]
fn the_depth_of_plans_is_limited() {
    let chain = |depth: usize| {
        let head = packed(|out| {
            out.map(1);
            out.string("children");
            out.list(1);
        });
        let mut bytes = head.repeat(depth);
        bytes.push(0xA0);
        bytes
    };
    let mut out = BytesMut::new();
    assert_eq!(plan(&mut out, &chain(1000), Plain), Ok(true));
    assert_eq!(out.iter().filter(|&&byte| byte == b'[').count(), 2 * 1001);
    let mut out = BytesMut::new();
    assert_eq!(plan(&mut out, &chain(100_000), Plain), Err(RowError::TooDeep));
    for broken in [&[0xA1][..], &[0xA1, 0x84, b't', b'i', b'm', b'e', 0x80], &[]] {
        assert!(plan(&mut out, broken, Plain).is_err());
        assert!(out.is_empty());
    }
}
