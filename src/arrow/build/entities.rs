//! Columns of nodes, relationships and paths.

use arrow_array::ArrayRef;
use arrow_schema::{ArrowError, DataType};

use super::{
    Gauge,
    buffers::{Nulls, Offsets, Text},
    lists::{item_type, list},
    structures::structure,
};
use crate::{
    arrow::misfit::Refused,
    bolt::packstream::Reader,
    json::output::parts::{ElementId, Path, PathPart, name},
};

/// Nodes.
#[derive(Default)]
pub(in crate::arrow) struct Nodes {
    ids: Text,
    label_names: Text,
    labels: Offsets,
    properties: Text,
    nulls: Nulls,
}

impl Nodes {
    /// Appends the node whose fields the reader has. The last of four is its element id.
    pub(super) fn push(&mut self, reader: &mut Reader<'_>, fields: usize, gauge: &mut Gauge) -> Result<(), Refused> {
        let number = reader.expect_integer()?;
        self.push_content(reader, gauge)?;
        match fields {
            3 => self.ids.push_number(number, gauge)?,
            _ => self.ids.push(name(reader)?.as_bytes(), gauge)?,
        }
        self.nulls.0.append_non_null();
        Ok(())
    }

    /// Appends labels and properties.
    fn push_content(&mut self, reader: &mut Reader<'_>, gauge: &mut Gauge) -> Result<(), Refused> {
        for _ in 0..reader.expect_list()? {
            self.label_names.push(reader.expect_string()?.as_bytes(), gauge)?;
        }
        self.labels.push(self.label_names.len(), gauge)?;
        self.properties.push_properties(reader, gauge)
    }

    pub(super) fn push_null(&mut self, gauge: &mut Gauge) -> Result<(), Refused> {
        self.ids.push_null(gauge)?;
        self.labels.push_empty(gauge)?;
        self.properties.push_null(gauge)?;
        self.nulls.0.append_null();
        Ok(())
    }

    pub(super) fn finish(&mut self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        let names = self.label_names.finish_text()?;
        let labels = list(part_type(data_type, 1), self.labels.finish(), names, None)?;
        let parts = vec![self.ids.finish_text()?, labels, self.properties.finish_text()?];
        structure(data_type, parts, self.nulls.0.finish())
    }
}

/// Relationships.
#[derive(Default)]
pub(in crate::arrow) struct Relationships {
    ids: Text,
    starts: Text,
    ends: Text,
    types: Text,
    properties: Text,
    nulls: Nulls,
}

impl Relationships {
    /// Appends the relationship whose fields the reader has. The last three of eight are element ids.
    pub(super) fn push(&mut self, reader: &mut Reader<'_>, fields: usize, gauge: &mut Gauge) -> Result<(), Refused> {
        let numbers = [reader.expect_integer()?, reader.expect_integer()?, reader.expect_integer()?];
        let kind = name(reader)?;
        self.types.push(kind.as_bytes(), gauge)?;
        self.properties.push_properties(reader, gauge)?;
        let [id, start, end] = match fields {
            8 => [name(reader)?, name(reader)?, name(reader)?].map(ElementId::Text),
            // Only a relationship that the same statement deleted has no type, and it has no nodes either.
            _ if kind.is_empty() => {
                let [id, ..] = numbers;
                [ElementId::Number(id), ElementId::Text(""), ElementId::Text("")]
            }
            _ => numbers.map(ElementId::Number),
        };
        self.push_ids(id, [start, end], gauge)
    }

    fn push_ids(
        &mut self,
        id: ElementId<'_>,
        [start, end]: [ElementId<'_>; 2],
        gauge: &mut Gauge,
    ) -> Result<(), Refused> {
        push_id(&mut self.ids, id, gauge)?;
        push_id(&mut self.starts, start, gauge)?;
        push_id(&mut self.ends, end, gauge)?;
        self.nulls.0.append_non_null();
        Ok(())
    }

    pub(super) fn push_null(&mut self, gauge: &mut Gauge) -> Result<(), Refused> {
        for part in [&mut self.ids, &mut self.starts, &mut self.ends, &mut self.types, &mut self.properties] {
            part.push_null(gauge)?;
        }
        self.nulls.0.append_null();
        Ok(())
    }

    pub(super) fn finish(&mut self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        let parts = vec![
            self.ids.finish_text()?,
            self.starts.finish_text()?,
            self.ends.finish_text()?,
            self.types.finish_text()?,
            self.properties.finish_text()?,
        ];
        structure(data_type, parts, self.nulls.0.finish())
    }
}

/// Paths: nodes and relationships in the order in which the path passes them.
#[derive(Default)]
pub(in crate::arrow) struct Paths {
    nodes: Nodes,
    node_ends: Offsets,
    relationships: Relationships,
    relationship_ends: Offsets,
    nulls: Nulls,
}

impl Paths {
    pub(super) fn push<'a>(
        &mut self,
        reader: &mut Reader<'a>,
        record: &'a [u8],
        gauge: &mut Gauge,
    ) -> Result<(), Refused> {
        let (mut path, parts) = Path::read(record, reader)?;
        for _ in 0..parts {
            match path.next(record)? {
                PathPart::Node(node) => {
                    let mut fields = node.reader(record);
                    fields.skip()?;
                    self.nodes.push_content(&mut fields, gauge)?;
                    push_id(&mut self.nodes.ids, node.id(record)?, gauge)?;
                    self.nodes.nulls.0.append_non_null();
                }
                PathPart::Relationship { relationship, start, end } => {
                    let mut fields = relationship.reader(record);
                    fields.skip()?;
                    self.relationships.types.push(name(&mut fields)?.as_bytes(), gauge)?;
                    self.relationships.properties.push_properties(&mut fields, gauge)?;
                    let ends = [start.id(record)?, end.id(record)?];
                    self.relationships.push_ids(relationship.id(record)?, ends, gauge)?;
                }
            }
        }
        path.skip(record, reader);
        self.node_ends.push(self.nodes.ids.len(), gauge)?;
        self.relationship_ends.push(self.relationships.ids.len(), gauge)?;
        self.nulls.0.append_non_null();
        Ok(())
    }

    pub(super) fn push_null(&mut self, gauge: &mut Gauge) -> Result<(), Refused> {
        self.node_ends.push_empty(gauge)?;
        self.relationship_ends.push_empty(gauge)?;
        self.nulls.0.append_null();
        Ok(())
    }

    pub(super) fn finish(&mut self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        let (nodes, relationships) = (part_type(data_type, 0), part_type(data_type, 1));
        let node_items = self.nodes.finish(item_type(nodes))?;
        let relationship_items = self.relationships.finish(item_type(relationships))?;
        let parts = vec![
            list(nodes, self.node_ends.finish(), node_items, None)?,
            list(relationships, self.relationship_ends.finish(), relationship_items, None)?,
        ];
        structure(data_type, parts, self.nulls.0.finish())
    }
}

fn push_id(out: &mut Text, id: ElementId<'_>, gauge: &mut Gauge) -> Result<(), Refused> {
    match id {
        ElementId::Text(text) => out.push(text.as_bytes(), gauge),
        ElementId::Number(number) => out.push_number(number, gauge),
    }
}

/// The type of a part of a structure.
fn part_type(data_type: &DataType, position: usize) -> &DataType {
    match data_type {
        DataType::Struct(fields) => fields.get(position).map_or(data_type, |field| field.data_type()),
        other => other,
    }
}
