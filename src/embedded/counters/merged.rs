//! Statements that only merge: nodes with a label, and relationships between nodes that exist.
//!
//! Owns the number of what did not exist before: labels and types are counted before and after.

use std::collections::{BTreeMap, HashSet};

use graphdblite::{Database, GraphError, Record};

use super::Changes;
use super::census::Census;
use super::clauses::{Clauses, Element};
use super::created::{Part, parts};
use super::values::{Known, known};
use crate::embedded::cypher::clauses::items;
use crate::embedded::values::Parameters;

#[derive(Debug)]
pub(super) struct Merged {
    /// By label: the number of properties of a new node.
    nodes: BTreeMap<String, i64>,
    /// By type: the number of properties of a new relationship.
    relationships: BTreeMap<String, i64>,
}

impl Merged {
    pub(super) fn new(clauses: &Clauses<'_, '_>, parameters: &Parameters) -> Option<Merged> {
        let mut merged = Merged { nodes: BTreeMap::new(), relationships: BTreeMap::new() };
        let mut bound = HashSet::new();
        let mut updates = clauses.updates.iter().peekable();
        while let Some(clause) = updates.next() {
            if !clause.word.is_word("MERGE") {
                return None;
            }
            let parts = parts(clause.body)?;
            let new = match parts.as_slice() {
                [node] if node.is_node => node,
                [from, relationship, to] => {
                    let exists = |node: &Part<'_, '_>| {
                        node.is_bare()
                            && node.name.is_some_and(|name| {
                                bound.contains(name)
                                    || !clauses.reads_word(&["WITH"]) && clauses.element(name) == Some(Element::Node)
                            })
                    };
                    (exists(from) && exists(to)).then_some(relationship)?
                }
                _ => return None,
            };
            let mut keys: HashSet<&str> = new.properties.iter().map(|(key, _)| *key).collect();
            while updates.next_if(|clause| clause.word.is_word("ON")).is_some() {
                updates.next().filter(|clause| clause.word.is_word("CREATE") && clause.body.is_empty())?;
                let set = updates.next().filter(|clause| clause.word.is_word("SET"))?;
                for item in items(set.body, 0) {
                    let [variable, dot, key, equals, value @ ..] = item else { return None };
                    let is_its_own = variable.name() == new.name && dot.is_symbol(".") && equals.is_symbol("=");
                    if !is_its_own || known(value, parameters) != Known::Set || !keys.insert(key.name()?) {
                        return None;
                    }
                }
            }
            let count = i64::try_from(keys.len()).ok()?;
            let [label] = new.labels.as_slice() else { return None };
            let groups = if new.is_node { &mut merged.nodes } else { &mut merged.relationships };
            if *groups.entry((*label).to_owned()).or_insert(count) != count {
                return None;
            }
            bound.extend(new.name.filter(|_| new.is_node));
        }
        Some(merged)
    }

    pub(super) fn run(
        &self,
        database: &mut Database,
        text: &str,
        parameters: &Parameters,
    ) -> Result<(Vec<Record>, Option<Changes>), GraphError> {
        let before = Census::take(database)?;
        let rows = database.execute_with_params(text, Some(parameters))?;
        let after = Census::take(database)?;
        let mut changes = Changes::default();
        for (label, properties) in &self.nodes {
            let created = after.nodes(label) - before.nodes(label);
            changes.nodes_created += created;
            changes.labels_added += created;
            changes.properties_set += created * properties;
        }
        for (name, properties) in &self.relationships {
            let created = after.relationships(name) - before.relationships(name);
            changes.relationships_created += created;
            changes.properties_set += created * properties;
        }
        Ok((rows, Some(changes)))
    }
}
