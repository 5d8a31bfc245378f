//! The ids of nodes and relationships in the shape of Neo4j 5: `4:<uuid>:<number>` and `5:<uuid>:<number>`.
//!
//! Owns the text of element ids. The uuid is that of the database, and the number is the integer id: the engine's own
//! for a node, and the engine's count of all relationships ever created for a relationship, which in a statement is
//! `r.__edge_seq`. Promises that a thing keeps its id as long as the file exists. Knows nothing of storage.

use std::sync::Arc;

/// What an id identifies. Neo4j begins the id with this digit.
const NODE: &str = "4";
const RELATIONSHIP: &str = "5";

/// The ids of one database. Clones are cheap.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    uuid: Arc<str>,
}

impl Ids {
    /// The ids of the database whose uuid is `uuid`.
    pub(super) fn new(uuid: &str) -> Ids {
        Ids { uuid: uuid.into() }
    }

    /// Creates the uuid of a new database: random, version 4.
    ///
    /// # Errors
    /// Returns an error if the system has no random numbers.
    pub(super) fn new_uuid() -> Result<String, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        let random = u128::from_be_bytes(bytes);
        let versioned = (random & !(0xf << 76) & !(0b11 << 62)) | (4 << 76) | (0b10 << 62);
        let digits = format!("{versioned:032x}");
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| digits.get(part).unwrap_or_default());
        Ok(parts.join("-"))
    }

    pub(super) fn node(&self, number: u64) -> String {
        format!("{}{number}", self.node_prefix())
    }

    pub(super) fn relationship(&self, number: u64) -> String {
        format!("{}{number}", self.relationship_prefix())
    }

    /// The number in the id of a node. `None`: a relationship's id, or no id of this database.
    pub(super) fn node_number(&self, id: &str) -> Option<i64> {
        number_after(&self.node_prefix(), id)
    }

    /// The number in the id of a relationship. `None`: a node's id, or no id of this database.
    pub(super) fn relationship_number(&self, id: &str) -> Option<i64> {
        number_after(&self.relationship_prefix(), id)
    }

    /// What stands before the number in the id of a node.
    pub(super) fn node_prefix(&self) -> String {
        format!("{NODE}:{}:", self.uuid)
    }

    /// What stands before the number in the id of a relationship.
    pub(super) fn relationship_prefix(&self) -> String {
        format!("{RELATIONSHIP}:{}:", self.uuid)
    }
}

fn number_after(prefix: &str, id: &str) -> Option<i64> {
    let number = id.strip_prefix(prefix)?;
    // Only as it is written here: `+7` and `07` are no ids.
    number.parse().ok().filter(|parsed: &i64| *parsed >= 0 && parsed.to_string() == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_shape_of_neo4j() {
        let ids = Ids::new("u-1");
        assert_eq!((ids.node(7).as_str(), ids.relationship(0).as_str()), ("4:u-1:7", "5:u-1:0"));
    }

    #[test]
    fn numbers_are_read_back() {
        let ids = Ids::new("u-1");
        assert_eq!((ids.node_number("4:u-1:7"), ids.relationship_number("5:u-1:0")), (Some(7), Some(0)));
        for id in ["4:other:7", "5:u-1:7", "4:u-1:", "4:u-1:07", "4:u-1:+7", "4:u-1:-1", "7", ""] {
            assert_eq!(ids.node_number(id), None, "{id}");
        }
    }

    #[test]
    fn uuids_are_random_and_say_so() {
        let uuid = Ids::new_uuid().unwrap();
        let parts: Vec<&str> = uuid.split('-').collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']), "{uuid}");
        assert_ne!(uuid, Ids::new_uuid().unwrap());
    }
}
