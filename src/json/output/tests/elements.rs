//! The elements of a graph.

use bytes::BytesMut;
use serde_json::{Value, json};

use super::{node, packed, path, properties};
use crate::bolt::packstream::{Writer, tag};
use crate::json::output::{Elements, GraphLimits, GraphShape, RowError};

const ANY: GraphLimits = GraphLimits { elements: usize::MAX, waiting: usize::MAX };

/// Writes a relationship with the id `5:x:ID`.
fn relationship(out: &mut Writer<'_>, id: i64, kind: &str, ends: [&str; 2]) {
    out.structure(tag::RELATIONSHIP, 8);
    [id, 0, 0].into_iter().for_each(|id| out.integer(id));
    out.string(kind);
    properties(out, None);
    out.string(&format!("5:x:{id}"));
    ends.into_iter().for_each(|id| out.string(id));
}

fn person(out: &mut Writer<'_>, id: i64) {
    node(out, id, Some(&format!("4:x:{id}")), &["Person", "Wo \"man"], Some(("age", id)));
}

/// A record of one value.
fn record(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    packed(|out| {
        out.list(1);
        write(out);
    })
}

struct Graph {
    elements: Elements,
    out: BytesMut,
}

impl Graph {
    fn open(shape: GraphShape, limits: GraphLimits) -> Self {
        let (mut elements, mut out) = (Elements::new(shape, limits), BytesMut::new());
        elements.open(&mut out);
        Self { elements, out }
    }

    fn add(&mut self, write: impl FnOnce(&mut Writer<'_>)) -> Result<(), RowError> {
        self.elements.row(&mut self.out, &record(write), 1)
    }

    fn close(&mut self) -> Value {
        self.elements.close(&mut self.out);
        self.out.extend_from_slice(b"}");
        serde_json::from_slice(&self.out).unwrap_or_else(|error| panic!("{error}: {:?}", self.out))
    }
}

#[test]
fn each_is_there_once_with_both_ends() {
    let mut graph = Graph::open(GraphShape::Lists, ANY);
    graph.add(|out| relationship(out, 1, "KNOWS", ["4:x:1", "4:x:9"])).unwrap();
    graph.add(|out| person(out, 1)).unwrap();
    graph.add(|out| out.integer(5)).unwrap();
    graph
        .add(|out| {
            out.map(1);
            out.string("deep");
            out.list(3);
            person(out, 1);
            path(true, &[1, 1])(out);
            relationship(out, 1, "KNOWS", ["4:x:1", "4:x:9"]);
        })
        .unwrap();
    graph.add(|out| relationship(out, 2, "SELF", ["4:x:8", "4:x:8"])).unwrap();
    let person = json!({ "elementId": "4:x:1", "labels": ["Person", "Wo \"man"], "properties": { "age": 1 } });
    let of_path = |id: i64| json!({ "elementId": format!("4:x:{id}"), "labels": ["N"], "properties": { "p": id } });
    let end = |id: &str| json!({ "elementId": id, "labels": [], "properties": {}, "partial": true });
    let related = |id: &str, start: &str, end: &str, kind: &str| json!({ "elementId": id, "startNodeElementId": start, "endNodeElementId": end, "type": kind, "properties": {} });
    assert_eq!(
        graph.close(),
        json!({
            "nodes": [person, of_path(10), of_path(11), end("4:x:9"), end("4:x:8")],
            "relationships": [
                related("5:x:1", "4:x:1", "4:x:9", "KNOWS"),
                related("5:x:20", "4:x:10", "4:x:11", "KNOWS"),
                related("5:x:2", "4:x:8", "4:x:8", "SELF"),
            ],
        })
    );
    assert_eq!(graph.elements.rows(), 5);
}

#[test]
fn cytoscape_gets_one_list() {
    let mut graph = Graph::open(GraphShape::Cytoscape, ANY);
    graph.add(|out| relationship(out, 1, "KNOWS", ["4:x:1", "4:x:2"])).unwrap();
    graph.add(|out| relationship(out, 2, "", ["", ""])).unwrap();
    graph.add(|out| person(out, 1)).unwrap();
    let labels = json!(["Person", "Wo \"man"]);
    let data = json!({ "id": "5:x:1", "source": "4:x:1", "target": "4:x:2", "type": "KNOWS", "properties": {} });
    assert_eq!(
        graph.close(),
        json!({ "elements": [
            {
                "group": "nodes",
                "data": { "id": "4:x:1", "labels": labels, "properties": { "age": 1 } },
                "classes": "Person Wo \"man",
            },
            {
                "group": "nodes",
                "data": { "id": "4:x:2", "labels": [], "properties": {}, "partial": true },
                "classes": "",
            },
            { "group": "edges", "data": data, "classes": "KNOWS" },
        ]})
    );
    assert_eq!(Graph::open(GraphShape::Cytoscape, ANY).close(), json!({ "elements": [] }));
}

#[test]
fn edges_have_other_ids_than_nodes() {
    let mut graph = Graph::open(GraphShape::Cytoscape, ANY);
    for modern in [false, true] {
        let id = |out: &mut Writer<'_>| {
            if modern {
                ["1", "1", "2"].into_iter().for_each(|id| out.string(id))
            }
        };
        graph
            .add(|out| {
                out.structure(tag::RELATIONSHIP, if modern { 8 } else { 5 });
                [1, 1, 2].into_iter().for_each(|id| out.integer(id));
                out.string("R");
                properties(out, None);
                id(out);
            })
            .unwrap();
    }
    let ids = |graph: Value| graph["elements"].as_array().unwrap().iter().map(|e| e["data"]["id"].clone()).collect();
    let ids: Vec<Value> = ids(graph.close());
    assert_eq!(ids, ["1", "2", "r1"]);
}

#[test]
fn what_fits_is_there() {
    for (limit, nodes, relationships) in [(6, 4, 2), (5, 3, 2), (4, 3, 1), (3, 2, 1), (2, 1, 0), (1, 1, 0)] {
        let mut graph = Graph::open(GraphShape::Lists, GraphLimits { elements: limit, waiting: 10_000 });
        let mut full = graph.add(|out| person(out, 1));
        for id in 2..4 {
            full = full.and_then(|()| graph.add(|out| relationship(out, id, "R", ["4:x:1", "4:x:2"])));
            full = full.and_then(|()| graph.add(|out| person(out, 2 * id)));
        }
        // A seventh.
        full = full.and_then(|()| graph.add(|out| person(out, 7)));
        assert_eq!((full, graph.elements.is_full()), (Err(RowError::TooManyElements(limit)), true));
        let graph = graph.close();
        let counts = ["nodes", "relationships"].map(|name| graph[name].as_array().unwrap().len());
        assert_eq!(counts, [nodes, relationships], "{limit}: {graph}");
    }
}

#[test]
fn what_waits_has_a_limit() {
    let mut graph = Graph::open(GraphShape::Lists, GraphLimits { elements: 100, waiting: 250 });
    let one = |graph: &mut Graph, id: i64| graph.add(|out| relationship(out, id, "R", ["4:x:1", "4:x:2"]));
    assert_eq!([one(&mut graph, 1), one(&mut graph, 2)], [Ok(()), Ok(())]);
    assert_eq!(one(&mut graph, 3), Err(RowError::TooManyWait(250)));
    assert_eq!(graph.close()["relationships"].as_array().unwrap().len(), 2);
    let mut graph = Graph::open(GraphShape::Lists, GraphLimits { elements: 100, waiting: 250 });
    let long = "x".repeat(400);
    assert_eq!(graph.add(|out| node(out, 1, Some(&long), &[], None)), Err(RowError::TooManyWait(250)));
}

#[test]
fn a_row_can_be_taken_back() {
    let mut graph = Graph::open(GraphShape::Lists, ANY);
    graph.add(|out| relationship(out, 1, "R", ["4:x:1", "4:x:2"])).unwrap();
    let (kept, held) = (graph.out.len(), graph.elements.held());
    graph
        .add(|out| {
            out.list(3);
            person(out, 1);
            relationship(out, 2, "R", ["4:x:3", "4:x:4"]);
            person(out, 3);
        })
        .unwrap();
    graph.out.truncate(kept);
    graph.elements.abandon_row();
    assert_eq!((graph.elements.rows(), graph.elements.held()), (1, held));
    let graph = graph.close();
    let ids: Vec<_> = graph["nodes"].as_array().unwrap().iter().map(|node| node["elementId"].clone()).collect();
    assert_eq!((ids, graph["relationships"].as_array().unwrap().len()), (vec![json!("4:x:1"), json!("4:x:2")], 1));
}

#[test]
fn a_row_that_cannot_be_shown_leaves_nothing() {
    let mut graph = Graph::open(GraphShape::Lists, ANY);
    graph.add(|out| person(out, 1)).unwrap();
    let before = graph.out.clone();
    let broken = graph.add(|out| {
        out.list(3);
        person(out, 2);
        relationship(out, 2, "R", ["4:x:2", "4:x:3"]);
        out.structure(tag::NODE, 3);
        out.integer(3);
        out.list(0);
        out.map(1);
        out.string("day");
        // No such date.
        out.structure(tag::DATE, 1);
        out.integer(i64::MAX);
    });
    assert!(matches!(broken, Err(RowError::Decode(_))), "{broken:?}");
    assert_eq!((graph.out == before, graph.elements.held(), graph.elements.is_full()), (true, 0, false));
    let graph = graph.close();
    assert_eq!((graph["nodes"].as_array().unwrap().len(), &graph["relationships"]), (1, &json!([])));
}
