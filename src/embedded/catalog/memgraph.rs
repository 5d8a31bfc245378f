//! The tables of Memgraph: `mg.*`, `schema.*` and `SHOW … INFO`.
//!
//! Owns their columns, in Memgraph's order, and what stands in them. Promises that a row that is named has Memgraph's
//! meaning; rows about memory that the engine does not measure are left out. Knows nothing of statement text.

use graphdblite::{Database, GraphError, Value};
use serde_json::{Value as Json, json};

use crate::embedded::catalog::census::{Census, Group};
use crate::embedded::catalog::indexes::indexes;
use crate::embedded::catalog::neo4j::{names_in_use, quoted};
use crate::embedded::catalog::tables::{Row, Table, no_rows, signatures, text, texts};
use crate::embedded::{ALIAS, VERSION};

pub(in crate::embedded) static PROCEDURES: [Table; 5] = [
    Table {
        name: "mg.procedures",
        columns: &["is_editable", "is_write", "name", "path", "signature"],
        shown: 5,
        rows: |_| {
            let no = || Value::Bool(false);
            let row = |(name, signature)| vec![no(), no(), text(name), text("builtin"), text(signature)];
            Ok(signatures().into_iter().map(row).collect())
        },
    },
    Table {
        name: "mg.functions",
        columns: &["is_editable", "name", "path", "signature"],
        shown: 4,
        // As in Memgraph, this lists the functions of modules; the embedded database has no modules.
        rows: no_rows,
    },
    Table { name: "mg.get_module_files", columns: &["is_editable", "path"], shown: 2, rows: no_rows },
    Table {
        name: "schema.node_type_properties",
        columns: &["mandatory", "nodeLabels", "nodeType", "propertyName", "propertyTypes"],
        shown: 5,
        rows: node_type_properties,
    },
    Table {
        name: "schema.rel_type_properties",
        columns: &["mandatory", "propertyName", "propertyTypes", "relType", "sourceNodeLabels", "targetNodeLabels"],
        shown: 6,
        rows: rel_type_properties,
    },
];

/// `SHOW SCHEMA INFO`.
pub(in crate::embedded) static SCHEMA_INFO: Table =
    Table { name: "SHOW SCHEMA INFO", columns: &["schema"], shown: 1, rows: schema_info };

/// `SHOW INDEX INFO`. The engine finds nodes by label without being told to, so every label is listed.
pub(in crate::embedded) static INDEX_INFO: Table = Table {
    name: "SHOW INDEX INFO",
    columns: &["index type", "label", "property", "count"],
    shown: 4,
    rows: index_info,
};

/// `SHOW CONSTRAINT INFO`.
pub(in crate::embedded) static CONSTRAINT_INFO: Table = Table {
    name: "SHOW CONSTRAINT INFO",
    columns: &["constraint type", "label", "properties", "data_type"],
    shown: 4,
    rows: no_rows,
};

/// `SHOW STORAGE INFO`.
pub(in crate::embedded) static STORAGE_INFO: Table =
    Table { name: "SHOW STORAGE INFO", columns: &["storage info", "value"], shown: 2, rows: storage_info };

/// `SHOW VERSION`.
pub(in crate::embedded) static SHOW_VERSION: Table =
    Table { name: "SHOW VERSION", columns: &["version"], shown: 1, rows: |_| Ok(vec![vec![text(VERSION)]]) };

/// `SHOW CURRENT DATABASE`.
pub(in crate::embedded) static CURRENT_DATABASE: Table =
    Table { name: "SHOW CURRENT DATABASE", columns: &["Name"], shown: 1, rows: |_| Ok(vec![vec![text(ALIAS)]]) };

fn node_type_properties(database: &mut Database) -> Result<Vec<Row>, GraphError> {
    let mut rows = Vec::new();
    for (labels, group) in &Census::take(database)?.nodes {
        for [mandatory, name, types] in property_rows(group) {
            rows.push(vec![mandatory, texts(labels.clone()), text(quoted(labels)), name, types]);
        }
    }
    Ok(rows)
}

fn rel_type_properties(database: &mut Database) -> Result<Vec<Row>, GraphError> {
    let mut rows = Vec::new();
    for ((from, name, to), group) in &Census::take(database)?.relationships {
        for [mandatory, property, types] in property_rows(group) {
            let ends = [texts(from.clone()), texts(to.clone())];
            rows.push([vec![mandatory, property, types, text(format!(":`{name}`"))], ends.to_vec()].concat());
        }
    }
    Ok(rows)
}

/// A row for each property: whether every element has it, its name, its types. Without properties, one row of empty values.
fn property_rows(group: &Group) -> Vec<[Value; 3]> {
    if group.properties.is_empty() {
        return vec![[Value::Bool(false), text(""), Value::List(Vec::new())]];
    }
    let rows = group.properties.iter().map(|(key, types)| {
        let mandatory = types.values().sum::<i64>() == group.count;
        [Value::Bool(mandatory), text(key), texts(types.keys().map(|names| names.module))]
    });
    rows.collect()
}

fn index_info(database: &mut Database) -> Result<Vec<Row>, GraphError> {
    let census = Census::take(database)?;
    let count = |label: &str, property: Option<&str>| Value::I64(census.having(label, property));
    let mut rows: Vec<Row> = Vec::new();
    for index in indexes(database)? {
        let counted = count(&index.label, Some(&index.property));
        rows.push(vec![text("label+property"), text(index.label), texts([index.property]), counted]);
    }
    for label in names_in_use(database, "label")? {
        let counted = count(&label, None);
        rows.push(vec![text("label"), text(label), Value::Null, counted]);
    }
    Ok(rows)
}

fn storage_info(database: &mut Database) -> Result<Vec<Row>, GraphError> {
    let mut count = |statement: &str| -> Result<i64, GraphError> {
        match database.execute(statement)?.first().and_then(|row| row.get("c")) {
            Some(Value::I64(count)) => Ok(*count),
            _ => Ok(0),
        }
    };
    let nodes = count("MATCH (n) RETURN count(n) AS c")?;
    let relationships = count("MATCH ()-[r]->() RETURN count(r) AS c")?;
    #[expect(clippy::cast_precision_loss, reason = "an average")]
    let degree = if nodes == 0 { 0.0 } else { 2.0 * relationships as f64 / nodes as f64 };
    Ok(vec![
        vec![text("name"), text(ALIAS)],
        vec![text("vertex_count"), Value::I64(nodes)],
        vec![text("edge_count"), Value::I64(relationships)],
        vec![text("average_degree"), Value::F64(degree)],
        vec![text("global_isolation_level"), text("SNAPSHOT_ISOLATION")],
        vec![text("storage_mode"), text("ON_DISK_TRANSACTIONAL")],
    ])
}

/// One row with a JSON text. It has no `true`, `false` or `null`, because Memgraph's Python packages read it as Python.
fn schema_info(database: &mut Database) -> Result<Vec<Row>, GraphError> {
    let census = Census::take(database)?;
    let nodes = census
        .nodes
        .iter()
        .map(|(labels, group)| json!({"labels": labels, "count": group.count, "properties": properties_json(group)}));
    let edges = census.relationships.iter().map(|((from, name, to), group)| {
        json!({
            "type": name,
            "start_node_labels": from,
            "end_node_labels": to,
            "count": group.count,
            "properties": properties_json(group),
        })
    });
    let indexed = indexes(database)?.into_iter().map(|index| {
        let count = census.having(&index.label, Some(&index.property));
        json!({"labels": [index.label], "properties": [index.property], "count": count})
    });
    let schema = json!({
        "nodes": nodes.collect::<Vec<Json>>(),
        "edges": edges.collect::<Vec<Json>>(),
        "node_indexes": indexed.collect::<Vec<Json>>(),
        "edge_indexes": [],
        "node_constraints": [],
        "enums": [],
    });
    Ok(vec![vec![text(schema.to_string())]])
}

fn properties_json(group: &Group) -> Vec<Json> {
    #[expect(clippy::cast_precision_loss, reason = "a percentage")]
    let percent = |part: i64, whole: i64| 100.0 * part as f64 / whole as f64;
    let properties = group.properties.iter().map(|(key, types)| {
        let count: i64 = types.values().sum();
        let types = types.iter().map(|(names, of_type)| {
            json!({"type": names.schema_info, "count": of_type, "filling_factor": percent(*of_type, count)})
        });
        json!({
            "key": key,
            "count": count,
            "filling_factor": percent(count, group.count),
            "types": types.collect::<Vec<Json>>(),
        })
    });
    properties.collect()
}
