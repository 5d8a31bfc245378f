//! The columns of a result, and where the engine's records hold them.
//!
//! Owns the names that clients see: spelled as in the statement, never the engine's internal ones, and the same for
//! empty results. Knows nothing of values.

use crate::embedded::cypher::projection::Columns;

/// The prefixes of columns that the engine and the bridge add to `RETURN *` for their own use.
const INTERNAL: [&str; 3] = ["_anon_", "_path_rel_", "_boltgate_"];

/// The columns of one result: their names, and the engine's key for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::embedded) struct Layout {
    pub(in crate::embedded) names: Vec<String>,
    /// As long as `names`, or empty if there are no records.
    pub(in crate::embedded) keys: Vec<String>,
}

impl Layout {
    /// Matches the columns of the statement with the keys of the first record, if there is one.
    pub(in crate::embedded) fn new(columns: Columns, first: Option<Vec<String>>) -> Layout {
        match (columns, first) {
            (Columns::None, _) => Layout { names: Vec::new(), keys: Vec::new() },
            (Columns::Named(names), None) => Layout { names, keys: Vec::new() },
            (Columns::All(scope), None) => Layout { names: visible(scope), keys: Vec::new() },
            (Columns::Named(names), Some(keys)) => named(names, keys),
            (Columns::All(scope), Some(keys)) => all(scope, keys),
        }
    }
}

/// Matches names with keys. The engine respells some expressions (`1+2` as `1 + 2`), so columns without an equal key
/// are matched by position.
fn named(names: Vec<String>, keys: Vec<String>) -> Layout {
    if names.len() != keys.len() {
        return Layout { names: keys.clone(), keys };
    }
    let (same, respelled): (Vec<String>, Vec<String>) = keys.into_iter().partition(|key| names.contains(key));
    let mut respelled = respelled.into_iter();
    let keys = names
        .iter()
        .filter_map(|name| if same.contains(name) { Some(name.clone()) } else { respelled.next() })
        .collect();
    Layout { names, keys }
}

fn all(scope: Vec<String>, keys: Vec<String>) -> Layout {
    let (scope, keys) = (visible(scope), visible(keys));
    let known = scope.len() == keys.len() && keys.iter().all(|key| scope.contains(key));
    let names = if known { scope } else { keys };
    Layout { keys: names.clone(), names }
}

fn visible(mut names: Vec<String>) -> Vec<String> {
    names.retain(|name| !INTERNAL.iter().any(|prefix| name.starts_with(prefix)));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn names_are_spelled_as_in_the_statement() {
        let columns = Columns::Named(strings(&["n.x+1", "b", "f( 1 )"]));
        let layout = Layout::new(columns, Some(strings(&["b", "n.x + 1", "f(1)"])));
        assert_eq!(layout.names, ["n.x+1", "b", "f( 1 )"]);
        assert_eq!(layout.keys, ["n.x + 1", "b", "f(1)"]);
    }

    #[test]
    fn an_empty_result_has_columns() {
        let layout = Layout::new(Columns::Named(strings(&["a"])), None);
        assert_eq!((layout.names, layout.keys), (strings(&["a"]), Vec::new()));
    }

    #[test]
    fn star_hides_internal_columns_and_sorts_the_rest() {
        let keys = strings(&["_path_rel_0", "n", "_anon_rel_1", "_boltgate_0", "m"]);
        let layout = Layout::new(Columns::All(strings(&["m", "n"])), Some(keys.clone()));
        assert_eq!(layout.names, ["m", "n"]);
        let unknown = Layout::new(Columns::All(Vec::new()), Some(keys));
        assert_eq!(unknown.names, ["n", "m"]);
    }

    #[test]
    fn a_statement_without_return_has_no_names_and_no_keys() {
        let layout = Layout::new(Columns::None, Some(strings(&["n"])));
        assert_eq!((layout.names, layout.keys), (Vec::new(), Vec::new()));
    }
}
