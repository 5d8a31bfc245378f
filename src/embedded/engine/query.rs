//! One statement, from the text of a `RUN` to its result.
//!
//! Owns the order of the steps: rewrite, analyse, run, name the columns, convert. Promises not to affect the
//! transaction that the statement runs in. Knows nothing of connections and pools.

use boltr::server::{BoltRecord, ResultMetadata, ResultStream};
use boltr::types::{BoltDict, BoltValue};
use graphdblite::{Database, GraphError, Record, Value};

use crate::embedded::DATABASE;
use crate::embedded::catalog;
use crate::embedded::catalog::indexes::{Index, indexes};
use crate::embedded::catalog::tables::Table;
use crate::embedded::counters::{self, Changes};
use crate::embedded::cypher::columns::Layout;
use crate::embedded::cypher::projection::Columns;
use crate::embedded::cypher::statement::{StatementInfo, Type};
use crate::embedded::errors::{Failure, is_parameter_missing};
use crate::embedded::ids::Ids;
use crate::embedded::rewrite::index_commands::{IndexCommand, index_command};
use crate::embedded::rewrite::{self, Rewritten, Translation, options, parameters::unquote};
use crate::embedded::values::{self, Parameters};

/// A statement that is ready to run.
#[derive(Debug)]
pub(in crate::embedded) struct Query {
    text: String,
    info: StatementInfo,
    tables: Vec<&'static Table>,
    parameters: Parameters,
    ids: Ids,
    /// How the text differs from the user's, if it does.
    translation: Option<Translation>,
    index: Option<IndexCommand>,
}

impl Query {
    /// Prepares the statement `text`.
    ///
    /// # Errors
    /// Returns an error if the statement can be refused without the engine.
    pub(in crate::embedded) fn new(text: &str, parameters: Parameters, ids: &Ids) -> Result<Query, Failure> {
        let text = options::blank(text);
        let text = unquote(&text);
        if let Some(expansion) = catalog::expand(&text)? {
            let mut query = Query::translated(expansion.text, parameters, ids)?;
            if expansion.command {
                query.info.kind = Type::Schema;
            }
            return Ok(Query { tables: expansion.tables, ..query });
        }
        let index = index_command(&text);
        let text = match &index {
            Some(IndexCommand::Create { text, .. }) => text.clone(),
            _ => text.into_owned(),
        };
        Ok(Query { index, ..Query::translated(text, parameters, ids)? })
    }

    /// Analyses `text` in the user's words, and translates it to the engine's.
    fn translated(text: String, mut parameters: Parameters, ids: &Ids) -> Result<Query, Failure> {
        let info = StatementInfo::of(&text);
        let (text, translation) = match rewrite::rewrite(&text, &mut parameters, ids)? {
            Some(Rewritten { text: translated, translation }) => (translated, Some(translation)),
            None => (text, None),
        };
        Ok(Query { text, info, tables: Vec::new(), parameters, ids: ids.clone(), translation, index: None })
    }

    /// Whether the statement needs a transaction that may write.
    pub(in crate::embedded) fn writes(&self) -> bool {
        self.info.writes
    }

    /// Runs the statement in the transaction that is open on `database`.
    pub(in crate::embedded) fn run(mut self, database: &mut Database) -> Result<ResultStream, Failure> {
        for table in &self.tables {
            let rows = table.value(database).map_err(|error| Failure::of_engine(&error))?;
            self.parameters.insert(table.parameter(), rows);
        }
        if self.info.explain {
            // A plan does not depend on the values of parameters.
            for name in &self.info.parameters {
                self.parameters.entry(name.clone()).or_insert(Value::Null);
            }
        }
        let (rows, changes) = self.changes(database)?;
        Ok(self.result(rows, changes))
    }

    /// Runs the statement. Returns its rows, and what it has changed if that is known.
    fn changes(&self, database: &mut Database) -> Result<(Vec<Record>, Option<Changes>), Failure> {
        // Index commands; what a catalog command shows is of this kind, too, and does not write.
        if self.info.kind == Type::Schema && self.writes() {
            let count = |database: &mut Database| {
                let indexes = indexes(database).map_err(|error| Failure::of_engine(&error))?;
                Ok(i64::try_from(indexes.len()).unwrap_or(i64::MAX))
            };
            let before = count(database)?;
            let rows = self.rows(database)?;
            let added = count(database)? - before;
            let changes =
                Changes { indexes_added: added.max(0), indexes_removed: (-added).max(0), ..Changes::default() };
            return Ok((rows, Some(changes)));
        }
        if !self.writes() {
            return Ok((self.rows(database)?, Some(Changes::default())));
        }
        let returns = self.info.columns != Columns::None;
        counters::run(database, &self.text, &self.parameters, returns).map_err(|error| self.failure(error))
    }

    fn rows(&self, database: &mut Database) -> Result<Vec<Record>, Failure> {
        if self.index == Some(IndexCommand::OnLabel) {
            return Ok(Vec::new());
        }
        if let Some(IndexCommand::Drop { name, if_exists }) = &self.index {
            return drop_index(database, name, *if_exists);
        }
        let may_exist = matches!(self.index, Some(IndexCommand::Create { if_not_exists: true, .. }));
        match database.execute_with_params(&self.text, Some(&self.parameters)) {
            Ok(rows) => Ok(rows),
            Err(GraphError::IndexAlreadyExists { .. }) if may_exist => Ok(Vec::new()),
            Err(error) => Err(self.failure(error)),
        }
    }

    fn failure(&self, error: GraphError) -> Failure {
        if is_parameter_missing(&error) {
            self.missing_parameters()
        } else {
            let error = match &self.translation {
                Some(translation) => translation.located(error),
                None => error,
            };
            Failure::of_statement(&self.text, &error)
        }
    }

    fn missing_parameters(&self) -> Failure {
        let names = self.info.parameters.iter().map(String::as_str);
        let missing: Vec<&str> = names.filter(|name| !self.parameters.contains_key(*name)).collect();
        Failure::parameters_missing(&missing)
    }

    fn result(self, rows: Vec<Record>, changes: Option<Changes>) -> ResultStream {
        let mut summary = BoltDict::from([
            ("type".to_owned(), BoltValue::from(self.info.kind.code())),
            ("db".to_owned(), BoltValue::from(DATABASE)),
            ("t_last".to_owned(), BoltValue::Integer(0)),
        ]);
        // Null says that the counters are not known. A statement without changes has no counters.
        if let Some(stats) = changes.map_or(Some(BoltValue::Null), Changes::to_bolt) {
            summary.insert("stats".to_owned(), stats);
        }
        if self.info.explain {
            summary.insert("plan".to_owned(), plan(&rows));
            return stream(Layout::new(self.info.columns, None).names, Vec::new(), summary);
        }
        let without_rows = self.info.columns == Columns::None;
        let first = rows.first().map(|row| row.keys().cloned().collect());
        let layout = Layout::new(self.info.columns, first);
        let ids = &self.ids;
        let value = |value: Option<&Value>| value.map_or(BoltValue::Null, |value| values::to_bolt(value, ids));
        let values = |row: Record| layout.keys.iter().map(|key| value(row.get(key))).collect();
        let records = if without_rows {
            Vec::new()
        } else {
            rows.into_iter().map(|row| BoltRecord { values: values(row) }).collect()
        };
        stream(layout.names, records, summary)
    }
}

/// Drops the index that is shown as `name`.
fn drop_index(database: &mut Database, name: &str, if_exists: bool) -> Result<Vec<Record>, Failure> {
    let of_engine = |error: GraphError| Failure::of_engine(&error);
    match indexes(database).map_err(of_engine)?.into_iter().find(|index| index.name() == name) {
        Some(Index { label, property }) => {
            database.execute(&format!("DROP INDEX ON :{label}({property})")).map_err(of_engine)
        }
        None if if_exists => Ok(Vec::new()),
        None => Err(Failure::no_index_called(name)),
    }
}

fn stream(columns: Vec<String>, records: Vec<BoltRecord>, summary: BoltDict) -> ResultStream {
    ResultStream { metadata: ResultMetadata { columns, extra: BoltDict::new() }, records, summary }
}

/// Converts a plan. The engine explains it as text, so the Bolt plan has one operator that contains all of it.
fn plan(rows: &[Record]) -> BoltValue {
    let text = match rows.first().and_then(|row| row.value_at(0)) {
        Some(Value::String(text)) => text.as_str(),
        _ => "",
    };
    let operator = text.split_whitespace().next().unwrap_or("Plan");
    BoltValue::Dict(BoltDict::from([
        ("operatorType".to_owned(), BoltValue::from(operator)),
        (
            "args".to_owned(),
            BoltValue::Dict(BoltDict::from([("string-representation".to_owned(), BoltValue::from(text))])),
        ),
        ("identifiers".to_owned(), BoltValue::List(Vec::new())),
        ("children".to_owned(), BoltValue::List(Vec::new())),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(database: &mut Database, text: &str) -> Result<ResultStream, Failure> {
        Query::new(text, Parameters::new(), &Ids::new("u"))?.run(database)
    }

    fn columns_and_rows(result: ResultStream) -> (Vec<String>, Vec<Vec<BoltValue>>) {
        (result.metadata.columns, result.records.into_iter().map(|record| record.values).collect())
    }

    #[test]
    fn an_empty_result_has_the_same_columns() {
        let mut database = Database::open_memory().unwrap();
        let text = "MATCH (n:A) RETURN n.x+1, count( * ) AS `a b`, n.x";
        let empty = columns_and_rows(run(&mut database, text).unwrap());
        assert_eq!(empty, (vec!["n.x+1".to_owned(), "a b".to_owned(), "n.x".to_owned()], vec![]));
        run(&mut database, "CREATE (:A {x: 1})").unwrap();
        let full = columns_and_rows(run(&mut database, text).unwrap());
        assert_eq!(full, (empty.0, vec![vec![BoltValue::Integer(2), BoltValue::Integer(1), BoltValue::Integer(1)]]));
    }

    #[test]
    fn catalog_statements_return_rows() {
        let mut database = Database::open_memory().unwrap();
        run(&mut database, "CREATE (:B)-[:R]->(:A)").unwrap();
        let labels = run(&mut database, "CALL db.labels() YIELD label AS l WHERE l = 'A'").unwrap();
        assert_eq!(labels.summary["type"], BoltValue::from("r"));
        assert_eq!(columns_and_rows(labels), (vec!["l".to_owned()], vec![vec![BoltValue::from("A")]]));
        let shown = run(&mut database, "SHOW DATABASES YIELD name, default ORDER BY name LIMIT 1").unwrap();
        assert_eq!(shown.summary["type"], BoltValue::from("s"));
        let row = vec![BoltValue::from("neo4j"), BoltValue::Boolean(true)];
        assert_eq!(columns_and_rows(shown), (vec!["name".to_owned(), "default".to_owned()], vec![row]));
        let joined = run(&mut database, "MATCH (n:A) CALL dbms.components() YIELD edition RETURN *").unwrap();
        assert_eq!(joined.metadata.columns, ["edition", "n"]);
    }

    #[test]
    fn an_error_is_where_the_user_wrote_it() {
        let mut database = Database::open_memory().unwrap();
        let map = Value::Map([("a".to_owned(), Value::I64(1))].into());
        let parameters = Parameters::from([("p".to_owned(), map)]);
        let query = Query::new("CREATE (n:A $p)\nCREATE ($p)\n RETURN n.x m.y", parameters, &Ids::new("u")).unwrap();
        let failure = query.run(&mut database).unwrap_err();
        assert!(failure.message.contains("(line 3, column 13 (offset: 40))"), "{failure}");
    }

    #[test]
    fn every_missing_parameter_is_named() {
        let mut database = Database::open_memory().unwrap();
        let failure = run(&mut database, "RETURN $b, $a").unwrap_err();
        assert_eq!(failure, Failure::parameters_missing(&["b", "a"]));
    }

    #[test]
    fn an_existing_index_needs_if_not_exists() {
        let mut database = Database::open_memory().unwrap();
        run(&mut database, "CREATE INDEX i FOR (n:A) ON (n.x)").unwrap();
        run(&mut database, "CREATE INDEX i IF NOT EXISTS FOR (n:A) ON (n.x)").unwrap();
        let failure = run(&mut database, "CREATE INDEX i FOR (n:A) ON (n.x)").unwrap_err();
        assert_eq!(failure.code, "Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists");
    }

    #[test]
    fn an_index_is_dropped_by_the_name_that_it_is_shown_by() {
        let mut database = Database::open_memory().unwrap();
        run(&mut database, "CREATE INDEX ON :A(x)").unwrap();
        run(&mut database, "CREATE INDEX ON :A").unwrap();
        let shown = |database: &mut Database| columns_and_rows(run(database, "SHOW INDEXES YIELD name").unwrap()).1;
        assert_eq!(shown(&mut database), [[BoltValue::from("index_A_x")]]);
        run(&mut database, "DROP INDEX index_A_x").unwrap();
        assert!(shown(&mut database).is_empty());
        run(&mut database, "DROP INDEX index_A_x IF EXISTS").unwrap();
        let failure = run(&mut database, "DROP INDEX index_A_x").unwrap_err();
        assert_eq!(failure, Failure::no_index_called("index_A_x"));
        let failure = run(&mut database, "DROP INDEX ON :A").unwrap_err();
        assert_eq!(failure, Failure::not_supported("Dropping the index that every label has"));
    }

    #[test]
    fn what_the_engine_lacks_is_named() {
        let mut database = Database::open_memory().unwrap();
        for (text, refused) in [
            ("LOAD CSV FROM 'a' AS row RETURN row", "`LOAD CSV` is not supported by the embedded database"),
            ("CREATE CONSTRAINT FOR (n:L) REQUIRE n.p IS UNIQUE", "A constraint is not supported by the embedded"),
            ("CALL apoc.meta.data()", "The procedure `apoc.meta.data` is not supported by the embedded database"),
            ("CALL no.such() YIELD x RETURN x", "The procedure `no.such` is not supported by the embedded database"),
            ("RETRUN 1", "Invalid input: "),
            ("RETURN apoc.text.join(['a'], '')", "The function `apoc.text.join()` is not supported by the embedded"),
            ("RETURN sinh(1.0)", "The function `sinh()` is not supported by the embedded database"),
            ("RETURN nosuch(1)", "Unknown function 'nosuch' (line 1, column 8 (offset: 7))"),
        ] {
            let message = run(&mut database, text).unwrap_err().message;
            assert!(message.starts_with(refused), "{text}: {message}");
        }
    }

    #[test]
    fn explain_gives_a_plan_and_no_rows() {
        let mut database = Database::open_memory().unwrap();
        let explained = run(&mut database, "EXPLAIN MATCH (n:A {x: $x}) RETURN n AS m").unwrap();
        let BoltValue::Dict(plan) = &explained.summary["plan"] else { panic!("no plan") };
        assert_eq!(plan["operatorType"], BoltValue::from("Project"));
        assert_eq!(columns_and_rows(explained), (vec!["m".to_owned()], vec![]));
    }
}
