//! The counters of a statement: how many nodes, relationships, labels and properties it has changed.
//!
//! Owns the reasons why a number is known although the engine does not count. Promises the numbers of Neo4j, or none at
//! all: what is not proven is unknown. A statement of a form that is not known here runs as it is.

mod census;
mod clauses;
mod created;
mod deleted;
mod merged;
mod rows;
mod values;

use boltr::types::{BoltDict, BoltValue};
use graphdblite::{Database, GraphError, Record};

use crate::embedded::cypher::lexer::tokens;
use crate::embedded::values::Parameters;

use clauses::Clauses;
use deleted::Deleted;
use merged::Merged;
use rows::Rows;

/// What was changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::embedded) struct Changes {
    pub(in crate::embedded) nodes_created: i64,
    pub(in crate::embedded) nodes_deleted: i64,
    pub(in crate::embedded) relationships_created: i64,
    pub(in crate::embedded) relationships_deleted: i64,
    pub(in crate::embedded) labels_added: i64,
    pub(in crate::embedded) properties_set: i64,
    pub(in crate::embedded) indexes_added: i64,
    pub(in crate::embedded) indexes_removed: i64,
}

impl Changes {
    /// The counters as a summary has them. `None` if nothing was changed: then a summary has none.
    pub(in crate::embedded) fn to_bolt(self) -> Option<BoltValue> {
        let counts = [
            ("nodes-created", self.nodes_created),
            ("nodes-deleted", self.nodes_deleted),
            ("relationships-created", self.relationships_created),
            ("relationships-deleted", self.relationships_deleted),
            ("labels-added", self.labels_added),
            ("properties-set", self.properties_set),
            ("indexes-added", self.indexes_added),
            ("indexes-removed", self.indexes_removed),
        ];
        let counted = counts.iter().filter(|(_, count)| *count != 0);
        let mut stats: BoltDict =
            counted.map(|(name, count)| ((*name).to_owned(), BoltValue::Integer(*count))).collect();
        if stats.is_empty() {
            return None;
        }
        stats.insert("contains-updates".to_owned(), BoltValue::Boolean(true));
        Some(BoltValue::Dict(stats))
    }
}

/// How the changes of a statement can be counted.
#[derive(Debug)]
enum Rule {
    Rows(Rows),
    Deleted(Deleted),
    Merged(Merged),
}

/// Runs the statement `text` that writes, and counts its changes, if that is possible. `returns` says whether it
/// returns rows. Rows that only serve to count are not returned.
///
/// # Errors
/// As the engine does for the statement itself.
pub(in crate::embedded) fn run(
    database: &mut Database,
    text: &str,
    parameters: &Parameters,
    returns: bool,
) -> Result<(Vec<Record>, Option<Changes>), GraphError> {
    match rule(text, parameters, returns) {
        None => Ok((database.execute_with_params(text, Some(parameters))?, None)),
        Some(Rule::Rows(rule)) => rule.run(database, text, parameters),
        Some(Rule::Deleted(rule)) => rule.run(database, text, parameters),
        Some(Rule::Merged(rule)) => rule.run(database, text, parameters),
    }
}

fn rule(text: &str, parameters: &Parameters, returns: bool) -> Option<Rule> {
    let tokens = tokens(text);
    let clauses = Clauses::new(&tokens)?;
    if clauses.updates.iter().all(|clause| ["CREATE", "SET"].iter().any(|word| clause.word.is_word(word))) {
        return Rows::new(text, &clauses, parameters, returns).map(Rule::Rows);
    }
    if clauses.updates.iter().all(|clause| ["DETACH", "DELETE"].iter().any(|word| clause.word.is_word(word))) {
        return Deleted::new(text, &clauses, returns).map(Rule::Deleted);
    }
    Merged::new(&clauses, parameters).map(Rule::Merged)
}

#[cfg(test)]
mod tests;
