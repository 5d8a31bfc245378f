//! `get_schema`: what is in a database, found out with Cypher that every server understands.
//!
//! Promises that nothing but Cypher is needed, that all that is collected has limits, and that a caller sees what its own
//! rights let it see. Labels and types come from the database's lists, or where it has none from the first nodes and
//! relationships; properties from a sample of each.

mod cache;
mod observed;

use std::{borrow::Cow, fmt::Write as _, sync::Arc};

use serde::Serialize;
use serde_json::{Map, Value};

pub(super) use self::cache::Cache;
use self::{
    cache::Key,
    observed::{Counts, Firsts, Look, Property, Seen},
};
use super::{
    arguments,
    asked::Asked,
    table::{Room, Table},
};
use crate::query::Error;

/// The most labels, and the most types, that are shown.
const MOST_NAMES: usize = 300;
/// How many labels or types one statement looks at.
const AT_A_TIME: usize = 40;
/// How many nodes or relationships are examined for their names, where the database has no list of them.
const NAMES_SAMPLE: usize = 10_000;
/// The most indexes that are shown.
const MOST_INDEXES: u32 = 500;

/// A schema, as it is shown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Schema<'a> {
    database: Option<&'a str>,
    node_labels: Vec<NodeLabel<'a>>,
    relationship_types: Vec<RelationshipType<'a>>,
    indexes: &'a [Value],
    truncated: bool,
}

#[derive(Serialize)]
struct NodeLabel<'a> {
    label: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<i64>,
    properties: Vec<Property<'a>>,
}

#[derive(Serialize)]
struct RelationshipType<'a> {
    #[serde(rename = "type")]
    name: &'a str,
    from: Vec<&'a str>,
    to: Vec<&'a str>,
    properties: Vec<Property<'a>>,
}

/// Names and what was seen of each.
struct Names {
    names: Vec<String>,
    seen: Vec<Seen>,
    /// The database has a list of them, so it is likely to count them without looking at each.
    is_listed: bool,
    is_cut: bool,
}

impl Names {
    /// Whether the database lists a name that is no longer in use.
    fn is_left_over(&self, name: &str, seen: &Seen) -> bool {
        self.is_listed && !seen.is_there && quoted(name).is_some()
    }
}

/// Collects the schema, or takes the one that was collected within the last minute. Returns the text of a JSON object.
pub(super) async fn get(asked: &Asked, arguments: &arguments::Schema, cache: &Cache) -> Result<Arc<str>, Error> {
    let key = Key {
        caller: asked.exchange.caller.owner(),
        user: asked.options.impersonated_user.clone(),
        database: arguments.database.clone(),
        sample: arguments.sample,
    };
    if let Some(schema) = cache.get(&key) {
        return Ok(schema);
    }
    let schema: Arc<str> = collect(asked, arguments).await?.into();
    cache.put(key, Arc::clone(&schema));
    Ok(schema)
}

async fn collect(asked: &Asked, arguments: &arguments::Schema) -> Result<String, Error> {
    let database = &*arguments.database;
    let listed =
        ("CALL db.labels() YIELD label RETURN label", "MATCH (n)", "UNWIND labels(n) AS name RETURN DISTINCT name");
    let mut labels = names(asked, database, listed).await?;
    let listed = (
        "CALL db.relationshipTypes() YIELD relationshipType RETURN relationshipType",
        "MATCH ()-[n]->()",
        "RETURN DISTINCT type(n) AS name",
    );
    let mut types = names(asked, database, listed).await?;
    look_at(asked, database, &mut labels, arguments.sample, |position, label, each| {
        format!("MATCH (n:{label}) RETURN {position} AS i, n AS n LIMIT {each}")
    })
    .await?;
    look_at(asked, database, &mut types, arguments.sample, |position, name, each| {
        format!("MATCH (a)-[n:{name}]->(b) RETURN {position} AS i, n AS n, labels(a) AS f, labels(b) AS t LIMIT {each}")
    })
    .await?;
    let counts = count(asked, database, &labels).await?;
    let (indexes, more_indexes) = indexes(asked, database).await?;
    let name = database_name(asked, database).await;
    let is_cut = labels.is_cut || types.is_cut || more_indexes;
    Ok(write(name.as_deref(), (&labels, &counts), &types, &indexes, is_cut, asked.room().bytes))
}

/// The names that the database lists, or else those among the first nodes or relationships.
async fn names(asked: &Asked, database: &str, (list, matches, returns): (&str, &str, &str)) -> Result<Names, Error> {
    let mut found = Firsts::new(MOST_NAMES);
    let most = u32::try_from(MOST_NAMES).unwrap_or(u32::MAX);
    let is_listed = asked.excerpt(database, list.to_owned(), most, &mut found).await.is_ok();
    if !is_listed {
        found = Firsts::new(MOST_NAMES);
        let statement = format!("{matches} WITH n LIMIT {NAMES_SAMPLE} {returns}");
        asked.excerpt(database, statement, most, &mut found).await?;
    }
    found.texts.sort_unstable();
    let seen = vec![Seen::default(); found.texts.len()];
    Ok(Names { names: found.texts, seen, is_listed, is_cut: found.is_cut })
}

/// Looks at some entities of each name: `sample` of all together, but at least one of each.
async fn look_at(
    asked: &Asked,
    database: &str,
    names: &mut Names,
    sample: u32,
    branch: impl Fn(usize, &str, u32) -> String,
) -> Result<(), Error> {
    let each = (sample / u32::try_from(names.names.len().max(1)).unwrap_or(u32::MAX)).max(1);
    let rows = each.saturating_mul(u32::try_from(AT_A_TIME).unwrap_or(u32::MAX));
    for (first, chunk) in chunks(&names.names) {
        let statement = union(chunk, |at, name| branch(first + at, name, each));
        let Some(statement) = statement else { continue };
        asked.excerpt(database, statement, rows, &mut Look(&mut names.seen)).await?;
    }
    names.is_cut |= names.seen.iter().any(|seen| seen.properties.is_cut);
    Ok(())
}

/// Counts the nodes of each label, where the database is likely to know without looking at each.
async fn count(asked: &Asked, database: &str, labels: &Names) -> Result<Vec<Option<i64>>, Error> {
    let mut counts = vec![None; labels.names.len()];
    if !labels.is_listed {
        return Ok(counts);
    }
    for (first, chunk) in chunks(&labels.names) {
        let statement =
            union(chunk, |at, label| format!("MATCH (n:{label}) RETURN {} AS i, count(n) AS n", first + at));
        let Some(statement) = statement else { continue };
        let rows = u32::try_from(AT_A_TIME).unwrap_or(u32::MAX);
        asked.excerpt(database, statement, rows, &mut Counts(&mut counts)).await?;
    }
    Ok(counts)
}

fn chunks(names: &[String]) -> impl Iterator<Item = (usize, &[String])> {
    names.chunks(AT_A_TIME).enumerate().map(|(chunk, names)| (chunk * AT_A_TIME, names))
}

/// One statement for several names; none if it would have none. Names that could mean something else in a statement than
/// they say are left out.
fn union(names: &[String], branch: impl Fn(usize, &str) -> String) -> Option<String> {
    let mut statement = String::new();
    for (at, name) in names.iter().enumerate() {
        if let Some(name) = quoted(name) {
            let separator = if statement.is_empty() { "" } else { " UNION ALL " };
            // Writing to a string cannot fail.
            let _ = write!(statement, "{separator}{}", branch(at, &name));
        }
    }
    (!statement.is_empty()).then_some(statement)
}

/// A name as it stands in a statement: in backticks only where it needs them, since the embedded database knows none. Some
/// servers resolve escapes within backticks, so that a name with a backslash could close them.
fn quoted(name: &str) -> Option<Cow<'_, str>> {
    if name.is_empty() || name.contains('\\') {
        return None;
    }
    let is_word = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    Some(if is_word { name.into() } else { format!("`{}`", name.replace('`', "``")).into() })
}

/// The indexes, as the database describes them; and whether there are more.
async fn indexes(asked: &Asked, database: &str) -> Result<(Vec<Value>, bool), Error> {
    let room = Room { rows: MOST_INDEXES, bytes: asked.room().bytes, to_the_end: false };
    for statement in ["SHOW INDEXES", "SHOW INDEX INFO"] {
        let mut table = Table::new(room);
        if asked.run_reading(database, statement, &mut table).await.is_ok() {
            let indexes = table.values().iter().filter_map(index).collect();
            return Ok((indexes, table.is_cut()));
        }
    }
    Ok((Vec::new(), false))
}

/// An index in the same words for all servers: what matters for a statement, and no more.
fn index(row: &Value) -> Option<Value> {
    const NAMES: [(&str, &[&str]); 5] = [
        ("name", &["name"]),
        ("type", &["type", "index type"]),
        ("entityType", &["entityType"]),
        ("labelsOrTypes", &["labelsOrTypes", "label"]),
        ("properties", &["properties", "property"]),
    ];
    let row = row.as_object()?;
    let mut index = Map::new();
    for (name, columns) in NAMES {
        let value = columns.iter().find_map(|column| row.get(*column)).filter(|value| !value.is_null());
        let Some(value) = value else { continue };
        let is_list = matches!(name, "labelsOrTypes" | "properties") && !value.is_array();
        index.insert(name.to_owned(), if is_list { Value::Array(vec![value.clone()]) } else { value.clone() });
    }
    (!index.is_empty()).then_some(Value::Object(index))
}

/// The name of the database: the one that was asked for, or what the server says.
async fn database_name(asked: &Asked, database: &str) -> Option<String> {
    if !database.is_empty() {
        return Some(database.to_owned());
    }
    let mut found = Firsts::new(1);
    let statement = "CALL db.info() YIELD name RETURN name".to_owned();
    asked.excerpt(database, statement, 1, &mut found).await.ok()?;
    found.texts.into_iter().next()
}

/// Writes the schema. What exceeds `bytes` is left out.
fn write(
    database: Option<&str>,
    (labels, counts): (&Names, &[Option<i64>]),
    types: &Names,
    indexes: &[Value],
    is_cut: bool,
    bytes: usize,
) -> String {
    let mut left = bytes;
    let mut schema =
        Schema { database, node_labels: Vec::new(), relationship_types: Vec::new(), indexes: &[], truncated: is_cut };
    for ((label, seen), count) in labels.names.iter().zip(&labels.seen).zip(counts) {
        if labels.is_left_over(label, seen) {
            continue;
        }
        let label = NodeLabel { label, count: *count, properties: seen.properties.each() };
        if fits(&label, &mut left) {
            schema.node_labels.push(label);
        } else {
            schema.truncated = true;
        }
    }
    for (name, seen) in types.names.iter().zip(&types.seen) {
        if types.is_left_over(name, seen) {
            continue;
        }
        let (from, to) = (seen.from.iter().map(String::as_str).collect(), seen.to.iter().map(String::as_str).collect());
        let kind = RelationshipType { name, from, to, properties: seen.properties.each() };
        if fits(&kind, &mut left) {
            schema.relationship_types.push(kind);
        } else {
            schema.truncated = true;
        }
    }
    if fits(&indexes, &mut left) {
        schema.indexes = indexes;
    } else {
        schema.truncated = true;
    }
    text(&schema)
}

/// Whether a part's text fits into what is `left`, in bytes, from which it is then taken.
fn fits(part: &impl Serialize, left: &mut usize) -> bool {
    let rest = left.checked_sub(text(part).len() + 1);
    *left = rest.unwrap_or(*left);
    rest.is_some()
}

fn text(part: &impl Serialize) -> String {
    // Texts, numbers and lists of them cannot fail to be written.
    serde_json::to_string(part).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Names {
        let seen = vec![Seen { is_there: true, ..Seen::default() }; names.len()];
        Names { names: names.iter().map(|&name| name.to_owned()).collect(), seen, is_listed: true, is_cut: false }
    }

    #[test]
    fn names_cannot_end_their_quotes() {
        let labels = ["A", "b`) DETACH DELETE n //", r"\u0060", ""].map(str::to_owned);
        let statement = union(&labels, |at, label| format!("MATCH (n:{label}) RETURN {at}")).unwrap();
        assert_eq!(statement, "MATCH (n:A) RETURN 0 UNION ALL MATCH (n:`b``) DETACH DELETE n //`) RETURN 1");
        assert_eq!(union(&labels[2..], |_, label| label.to_owned()), None);
    }

    #[test]
    fn indexes_of_all_servers_look_alike() {
        let neo4j = serde_json::json!({
            "id": 1, "name": "i", "state": "ONLINE", "type": "RANGE", "entityType": "NODE",
            "labelsOrTypes": ["A"], "properties": ["x"],
        });
        let shown = serde_json::json!({
            "name": "i", "type": "RANGE", "entityType": "NODE", "labelsOrTypes": ["A"], "properties": ["x"],
        });
        assert_eq!(index(&neo4j), Some(shown));
        let memgraph = serde_json::json!({"index type": "label+property", "label": "A", "property": "x", "count": 3});
        let shown = serde_json::json!({"type": "label+property", "labelsOrTypes": ["A"], "properties": ["x"]});
        assert_eq!(index(&memgraph), Some(shown));
        assert_eq!(index(&serde_json::json!({"x": 1})), None);
    }

    #[test]
    fn names_that_nothing_has_any_more_are_left_out() {
        let mut labels = names(&["A", "B"]);
        labels.seen[0].is_there = false;
        let schema = write(None, (&labels, &[Some(0), None]), &names(&[]), &[], false, 10_000);
        assert!(schema.contains(r#""nodeLabels":[{"label":"B","properties":[]}]"#), "{schema}");
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_said_so() {
        let whole = write(None, (&names(&["A", "B"]), &[Some(2), None]), &names(&["T"]), &[], false, 10_000);
        let expected = concat!(
            r#"{"database":null,"nodeLabels":[{"label":"A","count":2,"properties":[]},{"label":"B","properties":[]}],"#,
            r#""relationshipTypes":[{"type":"T","from":[],"to":[],"properties":[]}],"indexes":[],"truncated":false}"#
        );
        assert_eq!(whole, expected);
        let cut = write(Some("d"), (&names(&["A", "B"]), &[Some(2), None]), &names(&["T"]), &[], false, 45);
        let expected = concat!(
            r#"{"database":"d","nodeLabels":[{"label":"A","count":2,"properties":[]}],"relationshipTypes":[],"#,
            r#""indexes":[],"truncated":true}"#
        );
        assert_eq!(cut, expected);
    }
}
