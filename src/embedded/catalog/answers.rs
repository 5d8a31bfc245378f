//! What each table answers about a small graph.

use boltr::types::BoltValue;
use graphdblite::Database;

use crate::embedded::engine::query::Query;
use crate::embedded::ids::Ids;
use crate::embedded::values::Parameters;

fn graph() -> Database {
    let mut database = Database::open_memory().unwrap();
    database.execute("CREATE (:B {y: 1})-[:R {z: 1.5}]->(:A:C {x: 'a', t: [1]}), (:A:C {x: true}), (d:Gone)").unwrap();
    database.execute("MATCH (d:Gone) DELETE d").unwrap();
    database.execute("CREATE INDEX ON :A(x)").unwrap();
    database
}

/// The columns and rows of `statement`: each value as its Cypher text.
fn answer(statement: &str) -> (Vec<String>, Vec<String>) {
    let mut database = graph();
    let result = Query::new(statement, Parameters::new(), &Ids::new("u")).unwrap().run(&mut database).unwrap();
    let shown = |value: &BoltValue| match value {
        BoltValue::String(text) => text.clone(),
        BoltValue::Null => "null".to_owned(),
        BoltValue::Boolean(value) => value.to_string(),
        BoltValue::Integer(value) => value.to_string(),
        BoltValue::Float(value) => format!("{value:?}"),
        BoltValue::List(items) => format!("{:?}", items.iter().map(BoltValue::as_str).collect::<Vec<_>>())
            .replace("Some(", "")
            .replace(')', ""),
        other => format!("{other:?}"),
    };
    let rows = result.records.iter().map(|row| row.values.iter().map(shown).collect::<Vec<_>>().join(" | "));
    (result.metadata.columns, rows.collect())
}

#[test]
fn tables_have_the_columns_and_rows_of_their_database() {
    for (statement, columns, rows) in [
        ("CALL db.labels()", "label", "A\nB\nC"),
        ("CALL db.relationshipTypes()", "relationshipType", "R"),
        ("CALL db.propertyKeys()", "propertyKey", "t\nx\ny\nz"),
        (
            "CALL db.schema.nodeTypeProperties()",
            "nodeType, nodeLabels, propertyName, propertyTypes, mandatory",
            ":`A`:`C` | [\"A\", \"C\"] | t | [\"LongArray\"] | false\n\
             :`A`:`C` | [\"A\", \"C\"] | x | [\"Boolean\", \"String\"] | true\n\
             :`B` | [\"B\"] | y | [\"Long\"] | true",
        ),
        (
            "CALL db.schema.relTypeProperties()",
            "relType, propertyName, propertyTypes, mandatory",
            ":`R` | z | [\"Double\"] | true",
        ),
        ("CALL db.ping()", "success", "true"),
        ("CALL db.info() YIELD name", "name", "neo4j"),
        ("CALL dbms.components() YIELD name, edition", "name, edition", "Neo4j Kernel | community"),
        (
            "CALL schema.node_type_properties() YIELD nodeType, propertyName, propertyTypes, mandatory",
            "nodeType, propertyName, propertyTypes, mandatory",
            ":`A`:`C` | t | [\"List[Any]\"] | false\n\
             :`A`:`C` | x | [\"Bool\", \"String\"] | true\n\
             :`B` | y | [\"Int\"] | true",
        ),
        (
            "CALL schema.rel_type_properties()",
            "mandatory, propertyName, propertyTypes, relType, sourceNodeLabels, targetNodeLabels",
            "true | z | [\"Double\"] | :`R` | [\"B\"] | [\"A\", \"C\"]",
        ),
        ("CALL mg.functions()", "is_editable, name, path, signature", ""),
        ("CALL mg.get_module_files()", "is_editable, path", ""),
        (
            "CALL mg.procedures() YIELD name, signature, is_write WHERE name = 'db.ping' RETURN *",
            "is_write, name, signature",
            "false | db.ping | db.ping() :: (success)",
        ),
        ("SHOW DATABASES YIELD name, aliases", "name, aliases", "neo4j | [\"memgraph\"]"),
        ("SHOW DATABASE other YIELD name", "name", ""),
        ("SHOW HOME DATABASE YIELD name, currentStatus", "name, currentStatus", "neo4j | online"),
        ("SHOW CURRENT DATABASE", "Name", "memgraph"),
        ("SHOW VERSION", "version", "5.26.0"),
        (
            "SHOW INDEX INFO",
            "index type, label, property, count",
            "label+property | A | [\"x\"] | 2\nlabel | A | null | 2\nlabel | B | null | 1\nlabel | C | null | 2",
        ),
        ("SHOW CONSTRAINT INFO", "constraint type, label, properties, data_type", ""),
        (
            "SHOW STORAGE INFO",
            "storage info, value",
            "name | memgraph\nvertex_count | 3\nedge_count | 1\naverage_degree | 0.6666666666666666\n\
             global_isolation_level | SNAPSHOT_ISOLATION\nstorage_mode | ON_DISK_TRANSACTIONAL",
        ),
        (
            "SHOW INDEXES",
            "id, name, state, populationPercent, type, entityType, labelsOrTypes, properties, indexProvider, \
             owningConstraint, lastRead, readCount",
            "1 | index_A_x | ONLINE | 100.0 | RANGE | NODE | [\"A\"] | [\"x\"] | range-1.0 | null | null | null",
        ),
        (
            "SHOW RANGE INDEXES YIELD name AS n, createStatement WHERE n = 'index_A_x' RETURN createStatement",
            "createStatement",
            "CREATE RANGE INDEX index_A_x FOR (n:A) ON (n.x)",
        ),
        ("SHOW VECTOR INDEXES YIELD name", "name", ""),
        ("SHOW CONSTRAINTS", "id, name, type, entityType, labelsOrTypes, properties, ownedIndex, propertyType", ""),
        (
            "SHOW PROCEDURES YIELD * WHERE name STARTS WITH 'fts'",
            "name, description, mode, worksOnSystem, signature",
            "fts.search |  | READ | false | fts.search(label :: STRING, property :: STRING, query :: STRING) :: \
             (node :: NODE, score :: FLOAT)",
        ),
        ("SHOW FUNCTIONS YIELD name WHERE name STARTS WITH 'a' RETURN name", "name", "abs\nall\nany\navg"),
        ("SHOW CURRENT USER", "user, roles, passwordChangeRequired, suspended, home", ""),
    ] {
        let (found, lines) = answer(statement);
        assert_eq!((found.join(", ").as_str(), lines.join("\n").as_str()), (columns, rows), "{statement}");
    }
}

#[test]
fn the_schema_is_one_json_text_that_python_can_read() {
    let (columns, rows) = answer("SHOW SCHEMA INFO");
    assert_eq!(columns, ["schema"]);
    let [schema] = rows.as_slice() else { panic!("{rows:?}") };
    let text = |key: &str, kind: &str, count: i64, of: f64, share: f64| {
        serde_json::json!({"key": key, "count": count, "filling_factor": of,
            "types": [{"type": kind, "count": count, "filling_factor": share}]})
    };
    let expected = serde_json::json!({
        "nodes": [
            {"labels": ["A", "C"], "count": 2, "properties": [
                text("t", "List", 1, 50.0, 100.0),
                {"key": "x", "count": 2, "filling_factor": 100.0, "types": [
                    {"type": "Boolean", "count": 1, "filling_factor": 50.0},
                    {"type": "String", "count": 1, "filling_factor": 50.0},
                ]},
            ]},
            {"labels": ["B"], "count": 1, "properties": [text("y", "Integer", 1, 100.0, 100.0)]},
        ],
        "edges": [{
            "type": "R", "start_node_labels": ["B"], "end_node_labels": ["A", "C"], "count": 1,
            "properties": [text("z", "Float", 1, 100.0, 100.0)],
        }],
        "node_indexes": [{"labels": ["A"], "properties": ["x"], "count": 2}],
        "edge_indexes": [],
        "node_constraints": [],
        "enums": [],
    });
    assert_eq!(serde_json::from_str::<serde_json::Value>(schema).unwrap(), expected);
    assert!(["true", "false", "null"].iter().all(|word| !schema.contains(word)), "{schema}");
}

#[test]
fn the_visible_schema_has_a_node_for_each_label() {
    let mut database = graph();
    let statement = "CALL db.schema.visualization() YIELD nodes, relationships \
                     RETURN [n IN nodes | n.name] AS nodes, [r IN relationships | type(r)] AS types";
    let result = Query::new(statement, Parameters::new(), &Ids::new("u")).unwrap().run(&mut database).unwrap();
    let list = |texts: &[&str]| BoltValue::List(texts.iter().map(|text| BoltValue::from(*text)).collect());
    assert_eq!(result.records[0].values, [list(&["A", "B", "C"]), list(&["R", "R"])]);
    let nodes = Query::new("CALL db.schema.visualization() YIELD nodes", Parameters::new(), &Ids::new("u")).unwrap();
    let BoltValue::List(nodes) = &nodes.run(&mut database).unwrap().records[0].values[0] else { panic!() };
    let BoltValue::Node(node) = &nodes[0] else { panic!("{nodes:?}") };
    assert_eq!((node.labels.clone(), node.properties["indexes"].clone()), (vec!["A".to_owned()], list(&["x"])));
}
