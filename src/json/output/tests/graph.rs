//! Nodes, relationships and paths.

use super::{node, path, properties, refused, shows, text};
use crate::bolt::packstream::{Writer, tag};
use crate::json::TypedVersion::V1_0;
use crate::json::View::{Plain, Typed};

#[test]
fn nodes() {
    shows(
        |out| node(out, 9, Some("4:x:9"), &["Person", "A\"b"], Some(("age", 7))),
        r#"{"elementId":"4:x:9","labels":["Person","A\"b"],"properties":{"age":7}}"#,
        concat!(
            r#"{"$type":"Node","_value":{"_element_id":"4:x:9","_labels":["Person","A\"b"],"#,
            r#""_properties":{"age":{"$type":"Integer","_value":"7"}}}}"#
        ),
    );
    let deleted = r#"{"elementId":"12","labels":[],"properties":{}}"#;
    let deleted_typed = r#"{"$type":"Node","_value":{"_element_id":"12","_labels":[],"_properties":{}}}"#;
    shows(|out| node(out, 12, None, &[], None), deleted, deleted_typed);
    shows(|out| node(out, 3, Some("12"), &[], None), deleted, deleted_typed);
}

#[test]
fn relationships() {
    let write = |ids: [i64; 3], kind: &'static str, element_ids: Option<[&'static str; 3]>| {
        move |out: &mut Writer<'_>| {
            out.structure(tag::RELATIONSHIP, if element_ids.is_some() { 8 } else { 5 });
            ids.into_iter().for_each(|id| out.integer(id));
            out.string(kind);
            properties(out, Some(("since", 1)));
            element_ids.into_iter().flatten().for_each(|id| out.string(id));
        }
    };
    let plain = |id, start, end, kind| {
        format!(
            r#"{{"elementId":"{id}","startNodeElementId":"{start}","endNodeElementId":"{end}","type":"{kind}","properties":{{"since":1}}}}"#
        )
    };
    let typed = |id, start, end, kind| {
        let ends = format!(r#""_start_node_element_id":"{start}","_end_node_element_id":"{end}""#);
        let properties = r#""_properties":{"since":{"$type":"Integer","_value":"1"}}"#;
        let value = format!(r#"{{"_element_id":"{id}",{ends},"_type":"{kind}",{properties}}}"#);
        format!(r#"{{"$type":"Relationship","_value":{value}}}"#)
    };
    for (ids, kind, element_ids, id, start, end) in [
        ([1, 2, 3], "KNOWS", Some(["5:x:1", "4:x:2", "4:x:3"]), "5:x:1", "4:x:2", "4:x:3"),
        ([1, 2, 3], "KNOWS", None, "1", "2", "3"),
        ([1, -2, -1], "KNOWS", None, "1", "-2", "-1"),
        // A relationship that the same statement deleted.
        ([1, -1, -1], "", Some(["5:x:1", "", ""]), "5:x:1", "", ""),
        ([1, -1, -1], "", None, "1", "", ""),
    ] {
        shows(write(ids, kind, element_ids), &plain(id, start, end, kind), &typed(id, start, end, kind));
    }
}

#[test]
fn paths() {
    let node = |id, number| format!(r#"{{"elementId":"{id}","labels":["N"],"properties":{{"p":{number}}}}}"#);
    let relationship = |id, start, end, kind| {
        format!(
            r#"{{"elementId":"{id}","startNodeElementId":"{start}","endNodeElementId":"{end}","type":"{kind}","properties":{{}}}}"#
        )
    };
    for (modern, [a, b, c, r, s]) in
        [(true, ["4:x:10", "4:x:11", "4:x:12", "5:x:20", "5:x:21"]), (false, ["10", "11", "12", "20", "21"])]
    {
        let expected =
            [node(a, 10), relationship(r, a, b, "KNOWS"), node(b, 11), relationship(s, c, b, "LIKES"), node(c, 12)];
        assert_eq!(text(Plain, path(modern, &[1, 1, -2, 2])), Ok(format!("[{}]", expected.join(","))));
        assert_eq!(text(Plain, path(modern, &[])), Ok(format!("[{}]", node(a, 10))));
    }
    let typed = text(Typed(V1_0), path(true, &[-1, 1])).unwrap();
    let typed_node = |id, number| {
        let properties = format!(r#"{{"p":{{"$type":"Integer","_value":"{number}"}}}}"#);
        let value = format!(r#"{{"_element_id":"{id}","_labels":["N"],"_properties":{properties}}}"#);
        format!(r#"{{"$type":"Node","_value":{value}}}"#)
    };
    let ends = r#""_start_node_element_id":"4:x:11","_end_node_element_id":"4:x:10""#;
    let between = format!(
        r#"{{"$type":"Relationship","_value":{{"_element_id":"5:x:20",{ends},"_type":"KNOWS","_properties":{{}}}}}}"#
    );
    let items = [typed_node("4:x:10", 10), between, typed_node("4:x:11", 11)];
    assert_eq!(typed, format!(r#"{{"$type":"Path","_value":[{}]}}"#, items.join(",")));
}

#[test]
fn paths_with_indices_out_of_range_are_refused() {
    for indices in [&[1][..], &[0, 1], &[3, 1], &[-3, 1], &[1, 3], &[1, -1], &[i64::MIN, 0], &[i64::MAX, 0]] {
        refused(path(true, indices));
    }
    refused(|out| {
        out.structure(tag::PATH, 3);
        (0..3).for_each(|_| out.list(0));
    });
    refused(|out| {
        out.structure(tag::PATH, 3);
        out.list(1);
        out.integer(1);
        (0..2).for_each(|_| out.list(0));
    });
}

#[test]
fn graph_entities_inside_properties_are_refused() {
    refused(|out| {
        out.structure(tag::NODE, 3);
        out.integer(1);
        out.list(0);
        out.map(1);
        out.string("inner");
        node(out, 2, None, &[], None);
    });
    refused(|out| {
        out.structure(tag::NODE, 3);
        out.integer(1);
        out.list(0);
        out.map(1);
        out.string("inner");
        path(true, &[])(out);
    });
    // Next to each other they are fine, as in Memgraph's projected graphs.
    let both = |out: &mut Writer<'_>| {
        out.list(2);
        node(out, 1, None, &[], None);
        node(out, 2, None, &[], None);
    };
    assert_eq!(
        text(Plain, both).unwrap(),
        r#"[{"elementId":"1","labels":[],"properties":{}},{"elementId":"2","labels":[],"properties":{}}]"#
    );
}
