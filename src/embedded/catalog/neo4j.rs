//! The tables of Neo4j: `db.*`, `dbms.*` and its `SHOW` commands.
//!
//! Owns their columns, in Neo4j's order, and what stands in them. Promises that a column that is named has Neo4j's
//! meaning. Knows nothing of statement text.

use std::collections::{BTreeMap, HashMap};

use graphdblite::{Database, Edge, GraphError, Node, NodeId, Value};

use crate::embedded::catalog::census::{Census, Group, TypeNames};
use crate::embedded::catalog::indexes::{Index, indexes};
use crate::embedded::catalog::tables::{Row, Table, no_rows, one_column, signatures, text, texts};
use crate::embedded::cypher::functions::functions;
use crate::embedded::{ALIAS, DATABASE, VERSION};

/// The ids of the nodes that stand for a label begin here, above those of all nodes, below what JavaScript can count to.
const FIRST_SCHEMA_NODE: u64 = 1 << 50;

pub(in crate::embedded) static PROCEDURES: [Table; 9] = [
    Table { name: "db.labels", columns: &["label"], shown: 1, rows: |db| names_in_use(db, "label").map(one_column) },
    Table {
        name: "db.relationshipTypes",
        columns: &["relationshipType"],
        shown: 1,
        rows: |db| names_in_use(db, "edge_type").map(one_column),
    },
    Table {
        name: "db.propertyKeys",
        columns: &["propertyKey"],
        shown: 1,
        rows: |db| property_keys(db).map(one_column),
    },
    Table {
        name: "db.schema.nodeTypeProperties",
        columns: &["nodeType", "nodeLabels", "propertyName", "propertyTypes", "mandatory"],
        shown: 5,
        rows: node_type_properties,
    },
    Table {
        name: "db.schema.relTypeProperties",
        columns: &["relType", "propertyName", "propertyTypes", "mandatory"],
        shown: 4,
        rows: rel_type_properties,
    },
    Table { name: "db.schema.visualization", columns: &["nodes", "relationships"], shown: 2, rows: visualization },
    Table { name: "db.ping", columns: &["success"], shown: 1, rows: |_| Ok(vec![vec![Value::Bool(true)]]) },
    Table {
        name: "db.info",
        columns: &["id", "name", "creationDate"],
        shown: 3,
        rows: |_| Ok(vec![vec![text(DATABASE), text(DATABASE), Value::Null]]),
    },
    Table {
        name: "dbms.components",
        columns: &["name", "versions", "edition"],
        shown: 3,
        rows: |_| Ok(vec![vec![text("Neo4j Kernel"), texts([VERSION]), text("community")]]),
    },
];

const DATABASE_COLUMNS: [&str; 13] = [
    "name",
    "type",
    "aliases",
    "access",
    "address",
    "role",
    "writer",
    "requestedStatus",
    "currentStatus",
    "statusMessage",
    "default",
    "home",
    "constituents",
];

/// `SHOW DATABASES`.
pub(in crate::embedded) static DATABASES: Table =
    Table { name: "SHOW DATABASES", columns: &DATABASE_COLUMNS, shown: 13, rows: |_| Ok(vec![database_row()]) };

/// `SHOW DATABASE` with a name that no database has.
pub(in crate::embedded) static NO_DATABASES: Table =
    Table { name: "SHOW DATABASE", columns: &DATABASE_COLUMNS, shown: 13, rows: no_rows };

/// `SHOW HOME DATABASE` and `SHOW DEFAULT DATABASE`.
pub(in crate::embedded) static HOME_DATABASE: Table = Table {
    name: "SHOW HOME DATABASE",
    columns: &[
        "name",
        "type",
        "aliases",
        "access",
        "address",
        "role",
        "writer",
        "requestedStatus",
        "currentStatus",
        "statusMessage",
        "constituents",
    ],
    shown: 11,
    rows: |_| {
        let mut row = database_row();
        // `default` and `home`.
        row.drain(10..12);
        Ok(vec![row])
    },
};

/// `SHOW INDEXES`.
pub(in crate::embedded) static INDEXES: Table = Table {
    name: "SHOW INDEXES",
    columns: &[
        "id",
        "name",
        "state",
        "populationPercent",
        "type",
        "entityType",
        "labelsOrTypes",
        "properties",
        "indexProvider",
        "owningConstraint",
        "lastRead",
        "readCount",
        "trackedSince",
        "options",
        "failureMessage",
        "createStatement",
    ],
    shown: 12,
    rows: index_rows,
};

/// `SHOW FULLTEXT INDEXES` and the like: indexes of kinds that do not exist here.
pub(in crate::embedded) static NO_INDEXES: Table =
    Table { name: "SHOW OTHER INDEXES", columns: INDEXES.columns, shown: 12, rows: no_rows };

/// `SHOW CONSTRAINTS`.
pub(in crate::embedded) static CONSTRAINTS: Table = Table {
    name: "SHOW CONSTRAINTS",
    columns: &[
        "id",
        "name",
        "type",
        "entityType",
        "labelsOrTypes",
        "properties",
        "ownedIndex",
        "propertyType",
        "options",
        "createStatement",
    ],
    shown: 8,
    rows: no_rows,
};

/// `SHOW PROCEDURES`.
pub(in crate::embedded) static SHOW_PROCEDURES: Table = Table {
    name: "SHOW PROCEDURES",
    columns: &["name", "description", "mode", "worksOnSystem", "signature"],
    shown: 4,
    rows: |_| {
        let row = |(name, signature)| vec![text(name), text(""), text("READ"), Value::Bool(false), text(signature)];
        Ok(signatures().into_iter().map(row).collect())
    },
};

/// `SHOW FUNCTIONS`.
pub(in crate::embedded) static SHOW_FUNCTIONS: Table = Table {
    name: "SHOW FUNCTIONS",
    columns: &["name", "category", "description", "isBuiltIn"],
    shown: 3,
    rows: |_| {
        let row = |name| vec![text(name), text(""), text(""), Value::Bool(true)];
        Ok(functions().map(row).collect())
    },
};

/// `SHOW CURRENT USER`: no user, as in a Neo4j without authentication.
pub(in crate::embedded) static CURRENT_USER: Table = Table {
    name: "SHOW CURRENT USER",
    columns: &["user", "roles", "passwordChangeRequired", "suspended", "home"],
    shown: 5,
    rows: no_rows,
};

fn database_row() -> Row {
    vec![
        text(DATABASE),
        text("standard"),
        texts([ALIAS]),
        text("read-write"),
        text(""),
        text("primary"),
        Value::Bool(true),
        text("online"),
        text("online"),
        text(""),
        Value::Bool(true),
        Value::Bool(true),
        Value::List(Vec::new()),
    ]
}

fn index_rows(database: &mut Database) -> Result<Vec<Row>, GraphError> {
    let row = |(id, index): (i64, Index)| {
        let Index { label, property } = &index;
        let name = index.name();
        let statement = format!("CREATE RANGE INDEX {name} FOR (n:{label}) ON (n.{property})");
        vec![
            Value::I64(id),
            text(name),
            text("ONLINE"),
            Value::F64(100.0),
            text("RANGE"),
            text("NODE"),
            texts([label]),
            texts([property]),
            text("range-1.0"),
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Map(BTreeMap::new()),
            text(""),
            text(statement),
        ]
    };
    Ok((1..).zip(indexes(database)?).map(row).collect())
}

/// The names of one kind that occur at least once in the engine's statistics, sorted.
pub(in crate::embedded) fn names_in_use(database: &mut Database, kind: &str) -> Result<Vec<String>, GraphError> {
    let rows = database.execute("CALL db.counts()")?;
    let in_use = rows.iter().filter(|row| match (row.get("kind"), row.get("count")) {
        (Some(Value::String(found)), Some(Value::I64(count))) => found == kind && *count > 0,
        _ => false,
    });
    Ok(sorted(in_use.filter_map(|row| row.get("name"))))
}

fn property_keys(database: &mut Database) -> Result<Vec<String>, GraphError> {
    let mut rows = database.execute("MATCH (n) UNWIND keys(n) AS k RETURN DISTINCT k")?;
    rows.extend(database.execute("MATCH ()-[r]->() UNWIND keys(r) AS k RETURN DISTINCT k")?);
    Ok(sorted(rows.iter().filter_map(|row| row.get("k"))))
}

fn sorted<'v>(values: impl Iterator<Item = &'v Value>) -> Vec<String> {
    let mut names: Vec<String> = values
        .filter_map(|value| match value {
            Value::String(name) => Some(name.clone()),
            _ => None,
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// `` :`A`:`B` ``, as Neo4j and Memgraph write the type of a node.
pub(in crate::embedded) fn quoted(labels: &[String]) -> String {
    labels.iter().map(|label| format!(":`{label}`")).collect()
}

fn node_type_properties(database: &mut Database) -> Result<Vec<Row>, GraphError> {
    let census = Census::take(database)?;
    let rows = census.nodes.iter().flat_map(|(labels, group)| {
        let with_type = |rest| [vec![text(quoted(labels)), texts(labels.clone())], rest].concat();
        property_rows(group).into_iter().map(with_type).collect::<Vec<Row>>()
    });
    Ok(rows.collect())
}

fn rel_type_properties(database: &mut Database) -> Result<Vec<Row>, GraphError> {
    let census = Census::take(database)?;
    let rows = by_type(census).into_iter().flat_map(|(name, group)| {
        let with_type = |rest| [vec![text(format!(":`{name}`"))], rest].concat();
        property_rows(&group).into_iter().map(with_type).collect::<Vec<Row>>()
    });
    Ok(rows.collect())
}

/// The relationships by type alone, whatever they connect.
fn by_type(census: Census) -> BTreeMap<String, Group> {
    let mut types: BTreeMap<String, Group> = BTreeMap::new();
    for ((_, name, _), group) in census.relationships {
        let all = types.entry(name).or_default();
        all.count += group.count;
        for (key, counts) in group.properties {
            let known = all.properties.entry(key).or_default();
            for (names, count) in counts {
                *known.entry(names).or_default() += count;
            }
        }
    }
    types
}

/// A row for each property: its name, its types, whether every element has it. Without properties, one row of nulls.
fn property_rows(group: &Group) -> Vec<Row> {
    if group.properties.is_empty() {
        return vec![vec![Value::Null, Value::Null, Value::Bool(false)]];
    }
    let row = |(key, types): (&String, &BTreeMap<TypeNames, i64>)| {
        let names = types.keys().map(|names| names.neo4j.clone());
        vec![text(key), texts(names), Value::Bool(types.values().sum::<i64>() == group.count)]
    };
    group.properties.iter().map(row).collect()
}

/// One node for each label, and one relationship for each type between two of them.
fn visualization(database: &mut Database) -> Result<Vec<Row>, GraphError> {
    let labels = names_in_use(database, "label")?;
    let ids: BTreeMap<String, NodeId> = labels.into_iter().zip((FIRST_SCHEMA_NODE..).map(NodeId)).collect();
    let mut known = indexes(database)?;
    let nodes = ids.iter().map(|(label, id)| {
        let indexed = known.extract_if(.., |index| index.label == *label).map(|index| text(index.property));
        let properties = HashMap::from([
            ("name".to_owned(), text(label)),
            ("indexes".to_owned(), Value::List(indexed.collect())),
            ("constraints".to_owned(), Value::List(Vec::new())),
        ]);
        Value::Node(Node { id: *id, labels: vec![label.clone()], properties })
    });
    let nodes: Vec<Value> = nodes.collect();
    let mut edges: BTreeMap<(u64, String, u64), Value> = BTreeMap::new();
    for (from, name, to) in Census::take(database)?.relationships.into_keys() {
        let ends = |labels: Vec<String>| labels.into_iter().filter_map(|label| ids.get(&label)).copied();
        let (sources, targets): (Vec<NodeId>, Vec<NodeId>) = (ends(from).collect(), ends(to).collect());
        for (src, dst) in sources.iter().flat_map(|src| targets.iter().map(move |dst| (*src, *dst))) {
            let properties = HashMap::from([("name".to_owned(), text(&name))]);
            let edge = Edge { src, dst, label: name.clone(), seq: 0, properties };
            edges.insert((src.0, name.clone(), dst.0), Value::Edge(edge));
        }
    }
    Ok(vec![vec![Value::List(nodes), Value::List(edges.into_values().collect())]])
}
