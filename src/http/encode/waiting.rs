//! Rows that wait for nodes: those at the ends of their relationships that they do not hold themselves.
//!
//! Promises that what waits, and the nodes for it, take no more than the limit, apart from the tables around them.

use std::collections::HashMap;

use crate::{
    bolt::packstream::{DecodeError, Reader},
    json::output::{
        RowError,
        older::{Graph, node_id},
    },
    query::MissingNode,
};

/// What a missing node takes in addition to its element id and itself, in bytes.
const NODE: usize = 96;

/// The rows of a result that wait, and the nodes that they wait for.
#[derive(Debug)]
pub(super) struct Waiting {
    /// The most bytes that may wait. `None`: no node can be looked up.
    limit: Option<usize>,
    /// The rows in PackStream, one after another.
    rows: Vec<u8>,
    /// The number of values of each row.
    columns: usize,
    /// How much of `rows` was given out.
    given: usize,
    /// The nodes by element id.
    nodes: HashMap<Box<str>, Awaited>,
    /// What the nodes take, in bytes.
    of_nodes: usize,
}

/// A node that rows wait for.
#[derive(Debug)]
struct Awaited {
    number: i64,
    /// The node in PackStream, once it was found.
    node: Option<Box<[u8]>>,
}

impl Waiting {
    pub(super) fn new(limit: Option<usize>) -> Self {
        Self { limit, rows: Vec::new(), columns: 0, given: 0, nodes: HashMap::new(), of_nodes: 0 }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.limit);
    }

    /// Whether a row has to wait, because nodes are missing or others wait before it. Keeps it if so.
    ///
    /// # Errors
    /// When the row is invalid, or too much would wait.
    pub(super) fn keeps(&mut self, fields: &[u8], columns: usize, graph: &Graph<'_>) -> Result<bool, RowError> {
        if self.rows.is_empty() && graph.ends().is_empty() {
            return Ok(false);
        }
        let limit = self.limit.ok_or(RowError::WithoutNodes)?;
        for end in graph.ends() {
            let id = end.element_id();
            if !self.nodes.contains_key(&*id) {
                self.of_nodes += NODE + id.len();
                self.within(limit, 0)?;
                self.nodes.insert(id.into(), Awaited { number: end.number(), node: None });
            }
        }
        let row = Reader::new(fields).raw()?;
        self.within(limit, row.len())?;
        self.rows.extend_from_slice(row);
        self.columns = columns;
        Ok(true)
    }

    fn within(&self, limit: usize, more: usize) -> Result<(), RowError> {
        let total = self.rows.len().saturating_add(self.of_nodes).saturating_add(more);
        if total <= limit { Ok(()) } else { Err(RowError::TooManyWait(limit)) }
    }

    /// The nodes that are missing.
    pub(super) fn missing(&self) -> Vec<MissingNode> {
        let missing = self.nodes.iter();
        missing.map(|(id, node)| MissingNode { number: node.number, element_id: id.clone() }).collect()
    }

    /// Keeps the node in a record of the look-up.
    ///
    /// # Errors
    /// When there is no node in it, or too much would wait.
    pub(super) fn found(&mut self, fields: &[u8]) -> Result<(), RowError> {
        let mut reader = Reader::new(fields);
        if reader.expect_list()? != 1 {
            return Err(DecodeError::Framing("a row that is not a node").into());
        }
        let node = reader.raw()?;
        let limit = self.limit.unwrap_or_default();
        self.within(limit, node.len())?;
        if let Some(Awaited { node: found @ None, .. }) = self.nodes.get_mut(&*node_id(node)?) {
            *found = Some(node.into());
            self.of_nodes += node.len();
        }
        Ok(())
    }

    /// What was found under an element id.
    pub(super) fn node(&self, element_id: &str) -> Option<&[u8]> {
        self.nodes.get(element_id)?.node.as_deref()
    }

    /// The next row, with the number of its values, and whatever follows it.
    pub(super) fn next(&self) -> Option<(&[u8], usize)> {
        let rest = self.rows.get(self.given..).filter(|rest| !rest.is_empty())?;
        Some((rest, self.columns))
    }

    /// Notes that the next row was given out.
    pub(super) fn advance(&mut self) -> Result<(), RowError> {
        let mut reader = Reader::new(self.rows.get(self.given..).unwrap_or_default());
        self.given += reader.raw()?.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bolt::packstream::{Writer, tag};

    /// A record with a relationship from node 1 to node 2.
    fn relationship() -> Vec<u8> {
        let mut fields = Vec::new();
        let mut writer = Writer::new(&mut fields);
        writer.list(1);
        writer.structure(tag::RELATIONSHIP, 5);
        [9, 1, 2].into_iter().for_each(|id| writer.integer(id));
        writer.string("R");
        writer.map(0);
        fields
    }

    /// A record with a node.
    fn node(id: i64) -> Vec<u8> {
        let mut fields = Vec::new();
        let mut writer = Writer::new(&mut fields);
        writer.list(1);
        writer.structure(tag::NODE, 3);
        writer.integer(id);
        writer.list(0);
        writer.map(0);
        fields
    }

    fn keeps(waiting: &mut Waiting, fields: &[u8]) -> Result<bool, RowError> {
        waiting.keeps(fields, 1, &Graph::of(fields, 1).unwrap())
    }

    #[test]
    fn rows_wait_from_the_first_that_misses_a_node_on() {
        let mut waiting = Waiting::new(Some(1000));
        assert_eq!(keeps(&mut waiting, &node(1)), Ok(false));
        assert_eq!(keeps(&mut waiting, &relationship()), Ok(true));
        assert_eq!(keeps(&mut waiting, &node(3)), Ok(true));
        let mut missing: Vec<_> = waiting.missing().iter().map(|node| node.number).collect();
        missing.sort_unstable();
        assert_eq!(missing, [1, 2]);
        for id in [2, 7] {
            waiting.found(&node(id)).unwrap();
        }
        assert!(waiting.node("2").is_some() && waiting.node("1").is_none() && waiting.node("7").is_none());
        let mut rows = Vec::new();
        while let Some((row, _)) = waiting.next() {
            rows.push(Reader::new(row).raw().unwrap().to_vec());
            waiting.advance().unwrap();
        }
        assert_eq!(rows, [relationship(), node(3)]);
    }

    #[test]
    fn what_waits_has_a_limit() {
        let mut waiting = Waiting::new(Some(2 * (NODE + 1) + relationship().len() + 3));
        assert_eq!(keeps(&mut waiting, &relationship()), Ok(true));
        assert!(matches!(keeps(&mut waiting, &relationship()), Err(RowError::TooManyWait(_))));
        assert!(matches!(waiting.found(&node(1)), Err(RowError::TooManyWait(_))));
        assert_eq!(keeps(&mut Waiting::new(None), &relationship()), Err(RowError::WithoutNodes));
    }
}
