//! What is seen of a graph in its rows: which labels and types have which properties, of which types.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    bolt::{
        Columns,
        packstream::{DecodeError, Reader, Token, tag},
    },
    query::{Flow, RowRefused, RowSink},
};

/// The most properties of a label or type.
const MOST_PROPERTIES: usize = 200;
/// The most labels at one end of a type.
const MOST_ENDS: usize = 100;
/// The most text of a value that is collected, in bytes.
const LONGEST_TEXT: usize = 64 * 1024;

/// Properties and the types of their values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Properties {
    types: BTreeMap<String, BTreeSet<&'static str>>,
    /// Whether some were left out.
    pub(super) is_cut: bool,
}

/// A property of nodes or relationships.
#[derive(Debug, Serialize)]
pub(super) struct Property<'a> {
    name: &'a str,
    types: &'a BTreeSet<&'static str>,
}

impl Properties {
    pub(super) fn each(&self) -> Vec<Property<'_>> {
        self.types.iter().map(|(name, types)| Property { name, types }).collect()
    }

    /// Notes the properties in a map.
    fn note(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        for _ in 0..reader.expect_map()? {
            let name = reader.expect_string()?;
            let kind = kind(reader)?;
            if let Some(types) = self.types.get_mut(name) {
                types.extend(kind);
            } else if self.types.len() < MOST_PROPERTIES && name.len() <= LONGEST_TEXT {
                self.types.insert(name.to_owned(), kind.into_iter().collect());
            } else {
                self.is_cut = true;
            }
        }
        Ok(())
    }
}

/// What is seen of the entities of one label or type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Whether there are any.
    pub(super) is_there: bool,
    pub(super) properties: Properties,
    pub(super) from: BTreeSet<String>,
    pub(super) to: BTreeSet<String>,
}

/// Looks at the rows `i`, entity, and for relationships the labels at both ends. `i` is the position in the list.
pub(super) struct Look<'a>(pub(super) &'a mut [Seen]);

impl Look<'_> {
    fn look(&mut self, fields: &[u8]) -> Result<(), DecodeError> {
        let mut reader = Reader::new(fields);
        let columns = reader.expect_list()?;
        let position = usize::try_from(reader.expect_integer()?).unwrap_or(usize::MAX);
        let Some(seen) = self.0.get_mut(position) else { return Ok(()) };
        let Token::Struct(kind, _) = reader.token()? else { return Ok(()) };
        // Before the properties: id and labels of a node; id, ends and type of a relationship.
        let before = if kind == tag::NODE { 2 } else { 4 };
        for _ in 0..before {
            reader.skip()?;
        }
        seen.is_there = true;
        seen.properties.note(&mut reader)?;
        if columns == 4 {
            let mut ends = Reader::new(fields);
            ends.expect_list()?;
            ends.skip()?;
            ends.skip()?;
            note_labels(&mut seen.from, &mut ends)?;
            note_labels(&mut seen.to, &mut ends)?;
        }
        Ok(())
    }
}

fn note_labels(labels: &mut BTreeSet<String>, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    for _ in 0..reader.expect_list()? {
        let label = reader.expect_string()?;
        if labels.len() < MOST_ENDS && label.len() <= LONGEST_TEXT {
            labels.insert(label.to_owned());
        }
    }
    Ok(())
}

impl RowSink for Look<'_> {
    fn open(&mut self, _: &Columns) {}

    fn row(&mut self, fields: &[u8], _: usize) -> Result<Flow, RowRefused> {
        self.look(fields).map_err(|error| RowRefused::Malformed(error.to_string()))?;
        Ok(Flow::Continue)
    }

    fn has_replaced_values(&self) -> bool {
        false
    }

    // What was seen stays true.
    fn restart(&mut self) {}
}

/// Reads a value, and names its type in Cypher's words. Null has none.
fn kind(reader: &mut Reader<'_>) -> Result<Option<&'static str>, DecodeError> {
    let mut ahead = reader.clone();
    reader.skip()?;
    Ok(Some(match ahead.token() {
        Ok(Token::List(0)) => "LIST",
        Ok(Token::List(_)) => list_of(&mut ahead),
        Ok(token) => return Ok(scalar(token)),
        // Text that is not UTF-8.
        Err(_) => "STRING",
    }))
}

fn scalar(token: Token<'_>) -> Option<&'static str> {
    Some(match token {
        Token::Null => return None,
        Token::Boolean(_) => "BOOLEAN",
        Token::Integer(_) => "INTEGER",
        Token::Float(_) => "FLOAT",
        Token::Bytes(_) => "BYTES",
        Token::String(_) => "STRING",
        Token::List(_) => "LIST",
        Token::Map(_) => "MAP",
        Token::Uuid(_) => "UUID",
        Token::Struct(kind, _) => match kind {
            tag::DATE => "DATE",
            tag::TIME => "ZONED TIME",
            tag::LOCAL_TIME => "LOCAL TIME",
            tag::LOCAL_DATE_TIME => "LOCAL DATETIME",
            tag::DATE_TIME | tag::DATE_TIME_ZONE | tag::LEGACY_DATE_TIME | tag::LEGACY_DATE_TIME_ZONE => {
                "ZONED DATETIME"
            }
            tag::DURATION => "DURATION",
            tag::POINT_2D | tag::POINT_3D => "POINT",
            tag::VECTOR => "VECTOR",
            _ => "ANY",
        },
    })
}

/// The type of a list, by its first item: properties hold lists of one type.
fn list_of(items: &mut Reader<'_>) -> &'static str {
    match items.token().ok().and_then(scalar) {
        Some("BOOLEAN") => "LIST<BOOLEAN>",
        Some("INTEGER") => "LIST<INTEGER>",
        Some("FLOAT") => "LIST<FLOAT>",
        Some("STRING") => "LIST<STRING>",
        Some("DATE") => "LIST<DATE>",
        Some("ZONED DATETIME") => "LIST<ZONED DATETIME>",
        Some("LOCAL DATETIME") => "LIST<LOCAL DATETIME>",
        Some("DURATION") => "LIST<DURATION>",
        Some("POINT") => "LIST<POINT>",
        _ => "LIST",
    }
}

/// Collects the first column, of texts or of numbers, up to a number of rows.
pub(super) struct Firsts {
    pub(super) texts: Vec<String>,
    pub(super) most: usize,
    pub(super) is_cut: bool,
}

impl Firsts {
    pub(super) fn new(most: usize) -> Self {
        Self { texts: Vec::new(), most, is_cut: false }
    }
}

impl RowSink for Firsts {
    fn open(&mut self, _: &Columns) {}

    fn row(&mut self, fields: &[u8], _: usize) -> Result<Flow, RowRefused> {
        if self.texts.len() >= self.most {
            self.is_cut = true;
            return Ok(Flow::Full);
        }
        let mut reader = Reader::new(fields);
        let read = reader.expect_list().and_then(|_| reader.token());
        match read.map_err(|error| RowRefused::Malformed(error.to_string()))? {
            Token::String(text) if text.len() <= LONGEST_TEXT => self.texts.push(text.to_owned()),
            _ => self.is_cut = true,
        }
        Ok(Flow::Continue)
    }

    fn has_replaced_values(&self) -> bool {
        false
    }

    fn restart(&mut self) {
        self.texts.clear();
        self.is_cut = false;
    }
}

/// Collects rows of two integers: a position, and a count.
pub(super) struct Counts<'a>(pub(super) &'a mut [Option<i64>]);

impl RowSink for Counts<'_> {
    fn open(&mut self, _: &Columns) {}

    fn row(&mut self, fields: &[u8], _: usize) -> Result<Flow, RowRefused> {
        let mut reader = Reader::new(fields);
        let mut read = || {
            reader.expect_list()?;
            Ok((reader.expect_integer()?, reader.expect_integer()?))
        };
        let (position, count) = read().map_err(|error: DecodeError| RowRefused::Malformed(error.to_string()))?;
        if let Some(place) = usize::try_from(position).ok().and_then(|position| self.0.get_mut(position)) {
            *place = Some(count);
        }
        Ok(Flow::Continue)
    }

    fn has_replaced_values(&self) -> bool {
        false
    }

    fn restart(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bolt::packstream::Writer;

    type Write = fn(&mut Writer<'_>);

    fn entity(kind: u8, position: i64, properties: &[(&str, Write)]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        writer.list(if kind == tag::NODE { 2 } else { 4 });
        writer.integer(position);
        if kind == tag::NODE {
            writer.structure(kind, 3);
            writer.integer(1);
            writer.list(0);
        } else {
            writer.structure(kind, 5);
            [1, 2, 3].into_iter().for_each(|id| writer.integer(id));
            writer.string("T");
        }
        writer.map(properties.len());
        for (name, value) in properties {
            writer.string(name);
            value(&mut writer);
        }
        if kind != tag::NODE {
            for label in ["A", "B"] {
                writer.list(1);
                writer.string(label);
            }
        }
        out
    }

    #[test]
    fn properties_and_ends_are_seen() {
        let mut seen = vec![Seen::default(); 2];
        let mut look = Look(&mut seen);
        look.row(&entity(tag::NODE, 0, &[("a", |w| w.integer(1)), ("b", |w| w.null())]), 2).unwrap();
        look.row(&entity(tag::NODE, 0, &[("a", |w| w.string("x"))]), 2).unwrap();
        look.row(
            &entity(
                tag::RELATIONSHIP,
                1,
                &[("since", |w| {
                    w.list(1);
                    w.float(1.5)
                })],
            ),
            4,
        )
        .unwrap();
        look.row(&entity(tag::NODE, 7, &[]), 2).unwrap();
        let shown = |seen: &Seen| serde_json::to_value(seen.properties.each()).unwrap();
        let nodes = serde_json::json!([{"name": "a", "types": ["INTEGER", "STRING"]}, {"name": "b", "types": []}]);
        assert_eq!(shown(&seen[0]), nodes);
        assert_eq!(shown(&seen[1]), serde_json::json!([{"name": "since", "types": ["LIST<FLOAT>"]}]));
        assert_eq!(
            (seen[1].from.iter().next().unwrap(), seen[1].to.iter().next().unwrap()),
            (&"A".into(), &"B".into())
        );
    }

    #[test]
    fn what_is_not_such_a_row_is_refused_or_passed_over() {
        let mut seen = vec![Seen::default()];
        for fields in [&[][..], &[0x90], &[0x92, 0x81, b'x', 1], &[0x92, 0, 0xB3, 0x4E]] {
            assert!(Look(&mut seen).row(fields, 2).is_err(), "{fields:?}");
        }
        assert_eq!(Look(&mut seen).row(&[0x92, 0, 1], 2), Ok(Flow::Continue));
        assert_eq!(seen, [Seen::default()]);
    }
}
