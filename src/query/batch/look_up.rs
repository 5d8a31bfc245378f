//! The look-up of nodes that the rows of a statement refer to and do not hold.

use super::request::MissingNode;
use crate::bolt::packstream::Writer;

/// Where numbers are the only ids.
const BY_NUMBER: &str = "UNWIND $ids AS id MATCH (n) WHERE id(n) = id RETURN n";
const BY_ELEMENT_ID: &str = "UNWIND $ids AS id MATCH (n) WHERE elementId(n) = id RETURN n";

/// The statement that returns these nodes, and its parameters.
pub(super) fn statement(missing: &[MissingNode]) -> (&'static str, Vec<u8>) {
    let by_number = missing.iter().all(|node| *node.element_id == *node.number.to_string());
    let mut parameters = Vec::new();
    let mut writer = Writer::new(&mut parameters);
    writer.map(1);
    writer.string("ids");
    writer.list(missing.len());
    for node in missing {
        if by_number {
            writer.integer(node.number);
        } else {
            writer.string(&node.element_id);
        }
    }
    (if by_number { BY_NUMBER } else { BY_ELEMENT_ID }, parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(element_id: &str) -> MissingNode {
        MissingNode { number: 7, element_id: element_id.into() }
    }

    #[test]
    fn nodes_are_found_by_the_ids_that_the_database_has() {
        let (text, parameters) = statement(&[missing("7")]);
        assert!(text.contains(" id(n)") && parameters.ends_with(&[0x91, 7]), "{text} {parameters:?}");
        let (text, parameters) = statement(&[missing("4:u:7"), missing("7")]);
        assert!(text.contains("elementId(n)") && parameters.ends_with(&[0x81, b'7']), "{text} {parameters:?}");
    }
}
