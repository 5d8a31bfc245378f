//! Properties that hold for any value and any bytes.

use std::collections::HashSet;

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value as Json;

use super::{
    Elements, GraphLimits, GraphShape, RowError, RowWriter, Written, counters, notifications, plan, profile, row, value,
};
use crate::bolt::packstream::{DecodeError, Reader, Writer, tag};
use crate::json::{TypedVersion, View};

const VIEWS: [View; 4] =
    [View::Plain, View::Typed(TypedVersion::V1_0), View::Typed(TypedVersion::V1_1), View::Typed(TypedVersion::V1_2)];

/// A PackStream value, its plain JSON where that is obvious, and whether it contains a type that typed JSON 1.0 lacks.
#[derive(Clone, Debug)]
struct Sample {
    bytes: Vec<u8>,
    plain: Option<Json>,
    modern: bool,
}

fn sample(plain: Option<Json>, write: impl FnOnce(&mut Writer<'_>)) -> Sample {
    let mut bytes = Vec::new();
    write(&mut Writer::new(&mut bytes));
    Sample { bytes, plain, modern: false }
}

fn structure(tag: u8, fields: &[i64]) -> Sample {
    sample(None, |out| {
        out.structure(tag, u8::try_from(fields.len()).unwrap());
        fields.iter().for_each(|&field| out.integer(field));
    })
}

fn scalar() -> impl Strategy<Value = Sample> {
    let vectors = (prop::sample::select(vec![0xC8, 0xC9, 0xCA, 0xCB, 0xC6, 0xC1]), vec(any::<[u8; 8]>(), 0..5));
    prop_oneof![
        Just(sample(Some(Json::Null), |out| out.null())),
        any::<bool>().prop_map(|value| sample(Some(value.into()), |out| out.boolean(value))),
        any::<i64>().prop_map(|value| sample(Some(value.into()), |out| out.integer(value))),
        any::<f64>().prop_map(|value| sample(None, |out| out.float(value))),
        any::<u64>().prop_map(|bits| sample(None, |out| out.float(f64::from_bits(bits)))),
        ".*".prop_map(|text| sample(Some(text.clone().into()), |out| out.string(&text))),
        "[\\x00-\\x40\"\\\\]{0,40}".prop_map(|text| sample(Some(text.clone().into()), |out| out.string(&text))),
        vec(any::<u8>(), 0..40).prop_map(|bytes| sample(None, |out| out.bytes(&bytes))),
        any::<[u8; 16]>().prop_map(|uuid| Sample { modern: true, ..sample(None, |out| out.uuid(&uuid)) }),
        vectors.prop_map(|(kind, data)| Sample {
            modern: true,
            ..sample(None, |out| {
                out.structure(tag::VECTOR, 2);
                out.bytes(&[kind]);
                out.bytes(data.as_flattened());
            })
        }),
        temporal(),
        [any::<f64>(), any::<f64>(), any::<f64>()].prop_map(|place| sample(None, |out| {
            out.structure(tag::POINT_3D, 4);
            out.integer(9157);
            place.into_iter().for_each(|coordinate| out.float(coordinate));
        })),
    ]
}

fn temporal() -> impl Strategy<Value = Sample> {
    let second = -31_557_014_167_219_200_i64 + 86_400..31_556_889_864_403_200 - 86_400;
    let nano = -999_999_999..1_000_000_000_i64;
    let nano_of_day = 0..86_400_000_000_000_i64;
    let offset = -64_800..=64_800_i64;
    let zones = prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC-03:30"]);
    let zoned_tag = prop::sample::select(vec![tag::DATE_TIME_ZONE, tag::LEGACY_DATE_TIME_ZONE]);
    prop_oneof![
        (-365_243_219_162..=365_241_780_471_i64).prop_map(|days| structure(tag::DATE, &[days])),
        nano_of_day.clone().prop_map(|nanos| structure(tag::LOCAL_TIME, &[nanos])),
        (nano_of_day, offset.clone()).prop_map(|(nanos, offset)| structure(tag::TIME, &[nanos, offset])),
        (second.clone(), nano.clone()).prop_map(|(second, nano)| structure(tag::LOCAL_DATE_TIME, &[second, nano])),
        (second.clone(), nano.clone(), offset.clone()).prop_map(|(s, n, o)| structure(tag::DATE_TIME, &[s, n, o])),
        (second.clone(), nano.clone(), offset).prop_map(|(s, n, o)| structure(tag::LEGACY_DATE_TIME, &[s, n, o])),
        (zoned_tag, second, nano.clone(), zones).prop_map(|(tag, second, nano, zone)| sample(None, |out| {
            out.structure(tag, 3);
            out.integer(second);
            out.integer(nano);
            out.string(zone);
        })),
        (any::<i64>(), any::<i64>(), -1_000_000_000_000..1_000_000_000_000_i64, nano)
            .prop_map(|(months, days, second, nano)| structure(tag::DURATION, &[months, days, second, nano])),
    ]
}

fn pairs_json(pairs: &[(String, Sample)]) -> Option<Json> {
    let plain = pairs.iter().map(|(key, value)| Some((key.clone(), value.plain.clone()?)));
    plain.collect::<Option<serde_json::Map<_, _>>>().map(Json::Object)
}

fn write_pairs(out: &mut Writer<'_>, pairs: &[(String, Sample)]) {
    out.map(pairs.len());
    for (key, value) in pairs {
        out.string(key);
        out.raw(&value.bytes);
    }
}

/// Generates lists and maps without graph entities, as properties are.
fn property() -> impl Strategy<Value = Sample> {
    scalar().prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(|items| Sample {
                modern: items.iter().any(|item| item.modern),
                ..sample(items.iter().map(|item| item.plain.clone()).collect(), |out| {
                    out.list(items.len());
                    items.iter().for_each(|item| out.raw(&item.bytes));
                })
            }),
            vec((".*", inner), 0..6).prop_map(|pairs| Sample {
                modern: pairs.iter().any(|(_, value)| value.modern),
                ..sample(pairs_json(&pairs), |out| write_pairs(out, &pairs))
            }),
        ]
    })
}

fn entity() -> impl Strategy<Value = Sample> {
    let pairs = vec((".*", property()), 0..4);
    (any::<i64>(), any::<Option<String>>(), ".*", pairs, 0..4_u8).prop_map(|(id, element_id, name, pairs, shape)| {
        let extra = u8::from(element_id.is_some());
        let node = |out: &mut Writer<'_>| {
            out.structure(tag::NODE, 3 + extra);
            out.integer(id);
            out.list(2);
            out.string(&name);
            out.string("Label");
            write_pairs(out, &pairs);
            element_id.iter().for_each(|id| out.string(id));
        };
        let bytes = sample(None, |out| match shape {
            0 => node(out),
            1 => {
                out.structure(tag::RELATIONSHIP, 5 + 3 * extra);
                (0..3).for_each(|_| out.integer(id));
                out.string(&name);
                write_pairs(out, &pairs);
                (0..3).for_each(|_| element_id.iter().for_each(|id| out.string(id)));
            }
            _ => {
                out.structure(tag::PATH, 3);
                out.list(2);
                node(out);
                node(out);
                out.list(1);
                out.structure(tag::UNBOUND_RELATIONSHIP, 3 + extra);
                out.integer(id);
                out.string(&name);
                write_pairs(out, &pairs);
                element_id.iter().for_each(|id| out.string(id));
                out.list(4);
                [1, 1, -1, 0].into_iter().for_each(|index| out.integer(index));
            }
        });
        Sample { modern: pairs.iter().any(|(_, value)| value.modern), ..bytes }
    })
}

fn any_value() -> impl Strategy<Value = Sample> {
    prop_oneof![
        property(),
        entity(),
        vec(entity(), 0..3).prop_map(|items| Sample {
            modern: items.iter().any(|item| item.modern),
            ..sample(None, |out| {
                out.list(items.len());
                items.iter().for_each(|item| out.raw(&item.bytes));
            })
        })
    ]
}

/// Whether the JSON consists of objects with a type and a value at every level.
fn is_typed(json: &Json) -> bool {
    let Json::Object(object) = json else {
        return false;
    };
    let (Some(Json::String(name)), Some(value), 2) = (object.get("$type"), object.get("_value"), object.len()) else {
        return false;
    };
    match (name.as_str(), value) {
        ("Null", value) => value.is_null(),
        ("Boolean", value) => value.is_boolean(),
        ("List" | "Path", Json::Array(items)) => items.iter().all(is_typed),
        ("Map", Json::Object(pairs)) => pairs.values().all(is_typed),
        ("Node" | "Relationship", Json::Object(entity)) => {
            entity.get("_properties").and_then(Json::as_object).is_some_and(|pairs| pairs.values().all(is_typed))
        }
        ("Vector", Json::Object(vector)) => vector.contains_key("coordinatesType"),
        (_, value) => value.is_string(),
    }
}

proptest! {
    #[test]
    fn any_value_is_valid_json_in_every_view(values in vec(any_value(), 0..4)) {
        let row_sample = sample(None, |out| {
            out.list(values.len());
            values.iter().for_each(|value| out.raw(&value.bytes));
        });
        for view in VIEWS {
            let mut out = BytesMut::new();
            let result = row(&mut out, &row_sample.bytes, values.len(), view);
            let lacking =
                view == View::Typed(TypedVersion::V1_0) && values.iter().any(|value| value.modern);
            if lacking {
                let is_unsupported = matches!(result, Err(RowError::Unsupported { .. }));
                prop_assert!(is_unsupported, "{result:?}");
                let nested = matches!(result, Err(RowError::Unsupported { nested: true, .. }));
                prop_assert_eq!(nested, out.is_empty());
                if nested {
                    continue;
                }
            } else {
                prop_assert_eq!(result, Ok(()));
            }
            let cells: Vec<Json> = serde_json::from_slice(&out).unwrap();
            if !lacking {
                prop_assert_eq!(cells.len(), values.len());
            }
            for (cell, value) in cells.iter().zip(&values) {
                match (view, &value.plain) {
                    (View::Plain, Some(plain)) => prop_assert_eq!(cell, plain),
                    (View::Plain, None) => {}
                    (View::Typed(_), _) => prop_assert!(is_typed(cell), "{cell}"),
                }
            }
        }
    }

    #[test]
    fn a_row_in_parts_has_the_same_text(values in vec(any_value(), 0..4), limit in 1_usize..200) {
        let fields = sample(None, |out| {
            out.list(values.len());
            values.iter().for_each(|value| out.raw(&value.bytes));
        });
        for view in [View::Plain, View::Typed(TypedVersion::V1_2)] {
            let mut whole = BytesMut::new();
            row(&mut whole, &fields.bytes, values.len(), view).unwrap();
            let (parts, result, replaced) = in_parts(&fields.bytes, values.len(), view, limit);
            prop_assert_eq!((parts, result, replaced), (whole.to_vec(), Ok(()), 0));
        }
    }

    #[test]
    fn a_graph_has_each_element_once_and_both_ends(
        values in vec(any_value(), 0..8),
        limit in prop_oneof![Just(usize::MAX), 0..6_usize],
        cytoscape in any::<bool>(),
    ) {
        let shape = if cytoscape { GraphShape::Cytoscape } else { GraphShape::Lists };
        let rows: Vec<_> = values.iter().map(|value| sample(None, |out| {
            out.list(1);
            out.raw(&value.bytes);
        }).bytes).collect();
        let limits = GraphLimits { elements: limit, waiting: usize::MAX };
        let (graph, ended) = graph_of(shape, limits, rows.iter().map(|row| (&**row, 1)));
        prop_assert!(matches!(ended, Ok(()) | Err(RowError::TooManyElements(_))), "{ended:?}");
        check_graph(&graph, limit)?;
    }

    #[test]
    fn damaged_values_give_valid_json_or_an_error(
        original in any_value(),
        damages in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = original.bytes;
        for (place, byte) in damages {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        check_hostile(&bytes)?;
    }

    #[test]
    fn any_bytes_give_valid_json_or_an_error(
        bytes in vec(
            prop_oneof![any::<u8>(), 0x80..=0xBF_u8, Just(0xB3), Just(0x4E), Just(0x50), 0..4_u8],
            0..80,
        ),
    ) {
        check_hostile(&bytes)?;
    }
}

/// Writes a row whose text is taken away whenever it is `limit` bytes long. Also returns how many values became `null`.
fn in_parts(fields: &[u8], columns: usize, view: View, limit: usize) -> (Vec<u8>, Result<(), RowError>, u64) {
    let (mut writer, mut out, mut text) = (RowWriter::new(view), BytesMut::new(), Vec::new());
    loop {
        let written = writer.write_part(&mut out, fields, columns, limit);
        text.extend_from_slice(&out.split());
        match written {
            Ok(Written::Part) => {}
            Ok(Written::Whole) => return (text, Ok(()), writer.replaced().count),
            Err(error) => return (text, Err(error), writer.replaced().count),
        }
    }
}

/// The graph of these rows, as far as they could be written, and how they ended.
fn graph_of<'a>(
    shape: GraphShape,
    limits: GraphLimits,
    rows: impl Iterator<Item = (&'a [u8], usize)>,
) -> (Json, Result<(), RowError>) {
    let (mut elements, mut out) = (Elements::new(shape, limits), BytesMut::new());
    elements.open(&mut out);
    let ended = { rows }.try_for_each(|(fields, columns)| elements.row(&mut out, fields, columns));
    elements.close(&mut out);
    out.extend_from_slice(b"}");
    (serde_json::from_slice(&out).unwrap(), ended)
}

/// Checks that no id occurs twice and every end is there.
fn check_graph(graph: &Json, limit: usize) -> Result<(), TestCaseError> {
    let list = |name: &str| graph[name].as_array().cloned().unwrap_or_default();
    let (nodes, edges): (Vec<Json>, Vec<Json>) = if graph.get("elements").is_some() {
        list("elements").into_iter().partition(|element| element["group"] == "nodes")
    } else {
        (list("nodes"), list("relationships"))
    };
    prop_assert!(nodes.len() + edges.len() <= limit);
    let text = |element: &Json, names: [&str; 2]| {
        element[names[0]].as_str().or(element["data"][names[1]].as_str()).unwrap().to_owned()
    };
    let ids = |elements: &[Json]| elements.iter().map(|element| text(element, ["elementId", "id"])).collect::<Vec<_>>();
    let known: HashSet<String> = ids(&nodes).into_iter().collect();
    prop_assert_eq!(known.len(), nodes.len());
    prop_assert_eq!(ids(&edges).into_iter().collect::<HashSet<_>>().len(), edges.len());
    for edge in &edges {
        prop_assert!(known.contains(&text(edge, ["startNodeElementId", "source"])), "{graph}");
        prop_assert!(known.contains(&text(edge, ["endNodeElementId", "target"])), "{graph}");
    }
    Ok(())
}

fn check_hostile(bytes: &[u8]) -> Result<(), TestCaseError> {
    for shape in [GraphShape::Lists, GraphShape::Cytoscape] {
        let columns = Reader::new(bytes).expect_list().unwrap_or(1);
        let limits = GraphLimits { elements: usize::MAX, waiting: usize::MAX };
        let (graph, _) = graph_of(shape, limits, [(bytes, columns); 2].into_iter());
        check_graph(&graph, usize::MAX)?;
    }
    for view in VIEWS {
        let columns = Reader::new(bytes).expect_list().unwrap_or(1);
        let (text, result, _) = in_parts(bytes, columns, view, 50);
        if result.is_ok() {
            prop_assert!(serde_json::from_slice::<Json>(&text).is_ok(), "{}", String::from_utf8_lossy(&text));
        }
        let (text, result, replaced) = in_parts(bytes, columns, view, usize::MAX);
        match &result {
            Ok(()) | Err(RowError::Unsupported { nested: false, .. }) => {
                prop_assert!(serde_json::from_slice::<Json>(&text).is_ok(), "{}", String::from_utf8_lossy(&text));
                let mut whole = BytesMut::new();
                let at_once = row(&mut whole, bytes, columns, view);
                prop_assert_eq!(at_once == result && whole == text, replaced == 0);
            }
            Err(RowError::Decode(DecodeError::Value(_)) | RowError::TooDeep) => prop_assert!(false, "{result:?}"),
            Err(_) => prop_assert!(text.is_empty()),
        }
        let mut out = BytesMut::from(&b"1"[..]);
        match value(&mut out, &mut Reader::new(bytes), view) {
            Ok(()) => prop_assert!(serde_json::from_slice::<Json>(&out[1..]).is_ok()),
            Err(_) => prop_assert_eq!(&out[..], b"1"),
        }
        for tree in [plan, profile] {
            let mut out = BytesMut::new();
            if let Ok(true) = tree(&mut out, bytes, view) {
                prop_assert!(serde_json::from_slice::<Json>(&out).is_ok());
            } else {
                prop_assert!(out.is_empty());
            }
        }
        let mut out = BytesMut::new();
        let columns = Reader::new(bytes).expect_list().unwrap_or(1);
        match row(&mut out, bytes, columns, view) {
            Ok(()) | Err(RowError::Unsupported { nested: false, .. }) => {
                prop_assert!(serde_json::from_slice::<Json>(&out).is_ok());
            }
            Err(_) => prop_assert!(out.is_empty()),
        }
    }
    let mut out = BytesMut::new();
    match counters(&mut out, Some(bytes)) {
        Ok(()) => prop_assert!(serde_json::from_slice::<Json>(&out).is_ok()),
        Err(_) => prop_assert!(out.is_empty()),
    }
    for (statuses, list) in [(Some(bytes), None), (None, Some(bytes))] {
        let mut out = BytesMut::new();
        match notifications(&mut out, statuses, list) {
            Ok(true) => prop_assert!(serde_json::from_slice::<Json>(&out).is_ok()),
            Ok(false) | Err(_) => prop_assert!(out.is_empty()),
        }
    }
    Ok(())
}
