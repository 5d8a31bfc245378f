//! A small graph to look at: people and films, people who know each other, and a ledger of tokens.
//!
//! Owns the graph (`sample.cypher`) and how it gets into a database. Promises to load all of it or nothing, and never
//! to touch a database that has nodes. Knows nothing of connections.

use std::path::Path;

use graphdblite::{Database, GraphError};

use crate::embedded::cypher::lexer::tokens;

const SAMPLE: &str = include_str!("sample.cypher");

/// Loads the graph into the database at `path` if it has no nodes. Returns whether it did.
pub(super) fn load(path: &Path) -> Result<bool, GraphError> {
    fill(&mut Database::open(path)?)
}

fn fill(database: &mut Database) -> Result<bool, GraphError> {
    database.begin_write()?;
    if !database.execute("MATCH (n) RETURN 1 AS found LIMIT 1")?.is_empty() {
        database.rollback()?;
        return Ok(false);
    }
    for statement in statements(SAMPLE) {
        database.execute(statement)?;
    }
    database.commit()?;
    Ok(true)
}

/// The statements of `script`, which are separated by semicolons.
fn statements(script: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    for end in tokens(script).iter().filter(|token| token.is_symbol(";")) {
        found.extend(script.get(start..end.start));
        start = end.end();
    }
    found
}

#[cfg(test)]
mod tests {
    use boltr::types::BoltValue;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::embedded::engine::query::Query;
    use crate::embedded::ids::Ids;
    use crate::embedded::values::Parameters;

    fn filled() -> Database {
        let mut database = Database::open_memory().unwrap();
        assert!(fill(&mut database).unwrap());
        database
    }

    fn json(value: &BoltValue) -> Json {
        match value {
            BoltValue::String(text) => json!(text),
            BoltValue::Integer(number) => json!(number),
            BoltValue::List(items) => items.iter().map(json).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn answer(database: &mut Database, statement: &str) -> Json {
        let result = Query::new(statement, Parameters::new(), &Ids::new("u")).unwrap().run(database).unwrap();
        let values: Vec<Json> = result.records.iter().map(|row| row.values.iter().map(json).collect()).collect();
        json!({"fields": result.metadata.columns, "values": values})
    }

    #[test]
    fn a_database_with_data_is_left_alone() {
        let mut database = Database::open_memory().unwrap();
        database.execute("CREATE (:Mine)").unwrap();
        assert!(!fill(&mut database).unwrap());
        assert_eq!(answer(&mut database, "MATCH (n) RETURN count(n) AS c")["values"], json!([[1]]));
    }

    #[test]
    fn running_it_again_changes_nothing() {
        let mut database = filled();
        let count = "MATCH (n) OPTIONAL MATCH (n)-[r]->() RETURN count(DISTINCT n) AS nodes, count(r) AS relationships";
        let once = answer(&mut database, count);
        assert_eq!(once["values"], json!([[39, 49]]));
        for statement in statements(SAMPLE) {
            database.execute(statement).unwrap();
        }
        assert_eq!(answer(&mut database, count), once);
    }

    #[test]
    fn the_ledger_adds_up() {
        let mut database = filled();
        let sent = "MATCH (a:Account) OPTIONAL MATCH (a)-[s:TRANSFERRED]->() WITH a, sum(s.amount) AS sent \
                    OPTIONAL MATCH ()-[r:TRANSFERRED]->(a) WITH a, sent, sum(r.amount) AS received \
                    WHERE a.tokens <> 100 - sent + received RETURN a.id AS id";
        assert_eq!(answer(&mut database, sent)["values"], json!([]));
    }

    #[test]
    fn the_queries_of_the_guide_have_the_answers_that_it_shows() {
        let guide = include_str!("../../../docs/embedded.md");
        let mut database = filled();
        let block = |text: &'static str, language: &str| {
            let (_, rest) = text.split_once(&format!("```{language}\n"))?;
            rest.split_once("```")
        };
        let mut rest = guide;
        let mut checked = 0;
        while let Some((statement, after)) = block(rest, "cypher") {
            let (shown, after) = block(after, "json").expect("every query has an answer");
            let shown: Json = serde_json::from_str(shown).unwrap();
            assert_eq!(answer(&mut database, statement), shown, "{statement}");
            (rest, checked) = (after, checked + 1);
        }
        assert_eq!(checked, 5);
    }
}
