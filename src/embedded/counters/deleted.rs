//! Statements that only delete.
//!
//! Owns the number of nodes, which is counted before they are deleted, and of relationships, which is counted before
//! and after.

use graphdblite::{Database, GraphError, Record, Value};

use super::Changes;
use super::census::Census;
use super::clauses::{Clauses, Element};
use crate::embedded::cypher::clauses::items;
use crate::embedded::values::Parameters;

#[derive(Debug)]
pub(super) struct Deleted {
    /// Reads how many nodes will be deleted, if any.
    nodes: Option<String>,
}

impl Deleted {
    pub(super) fn new(text: &str, clauses: &Clauses<'_, '_>, returns: bool) -> Option<Deleted> {
        // Rows that depend on chance, or on the order of others, may differ the next time.
        if returns || clauses.reads_word(&["rand", "LIMIT", "SKIP", "OFFSET", "collect"]) {
            return None;
        }
        let mut node = None;
        for clause in &clauses.updates {
            if clause.word.is_word("DETACH") && clause.body.is_empty() {
                continue;
            }
            for item in items(clause.body, 0) {
                let [variable] = item else { return None };
                let name = variable.name()?;
                match clauses.element(name)? {
                    Element::Relationship => {}
                    Element::Node if node.is_none_or(|node| node == name) => node = Some(name),
                    // Two variables may have the same node.
                    Element::Node => return None,
                }
            }
        }
        let reading = text.get(..clauses.reading.last()?.end())?;
        Some(Deleted { nodes: node.map(|name| format!("{reading} RETURN count(DISTINCT id({name})) AS nodes")) })
    }

    pub(super) fn run(
        &self,
        database: &mut Database,
        text: &str,
        parameters: &Parameters,
    ) -> Result<(Vec<Record>, Option<Changes>), GraphError> {
        let nodes = match &self.nodes {
            // An error of what is read is the statement's own, which is about to be reported.
            Some(reading) => match database.execute_with_params(reading, Some(parameters)) {
                Ok(rows) => match rows.first().and_then(|row| row.get("nodes")) {
                    Some(Value::I64(nodes)) => Some(*nodes),
                    _ => None,
                },
                Err(_) => None,
            },
            None => Some(0),
        };
        let before = Census::take(database)?.all_relationships();
        let rows = database.execute_with_params(text, Some(parameters))?;
        let relationships_deleted = before - Census::take(database)?.all_relationships();
        let changes = nodes.map(|nodes_deleted| Changes { nodes_deleted, relationships_deleted, ..Changes::default() });
        Ok((rows, changes))
    }
}
