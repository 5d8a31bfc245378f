//! What Neo4j counts for the same statements on the same graph, which the embedded database must count, too, or not at
//! all.

use graphdblite::{Database, Value};

use crate::embedded::engine::query::Query;
use crate::embedded::ids::Ids;
use crate::embedded::values::Parameters;

use boltr::types::BoltValue;

/// The graph before each statement. It has an index on `:A(w)`, too.
const GRAPH: &str = "CREATE (a:A {x: 1})-[:R {w: 1}]->(b:A:B {x: 2}), (b)-[:R]->(c:B {y: 1}), (a)-[:S]->(c), ({x: 3})";

fn parameters() -> Parameters {
    let map = |entries: &[(&str, Value)]| {
        Value::Map(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    };
    let row = |a: Value| map(&[("a", a)]);
    Parameters::from([
        ("one".to_owned(), Value::I64(1)),
        ("none".to_owned(), Value::Null),
        ("map".to_owned(), map(&[("a", Value::I64(1)), ("b", Value::Null), ("c", Value::String("x".to_owned()))])),
        ("rows".to_owned(), Value::List(vec![row(Value::I64(1)), row(Value::Null), row(Value::I64(1))])),
    ])
}

/// The counters as text such as `nodes-created 1, properties-set 2`, or `unknown`.
fn counted(statement: &str) -> String {
    let mut database = Database::open_memory().unwrap();
    database.execute(GRAPH).unwrap();
    database.execute("CREATE INDEX ON :A(w)").unwrap();
    let query = Query::new(statement, parameters(), &Ids::new("u")).unwrap();
    let result = query.run(&mut database).unwrap_or_else(|failure| panic!("{statement}: {failure}"));
    match result.summary.get("stats") {
        None => "nothing".to_owned(),
        Some(BoltValue::Dict(stats)) => {
            assert_eq!(stats["contains-updates"], BoltValue::Boolean(true));
            let mut counts: Vec<String> =
                stats.iter().filter_map(|(name, count)| Some(format!("{name} {}", count.as_int()?))).collect();
            counts.sort_unstable();
            counts.join(", ")
        }
        Some(_) => "unknown".to_owned(),
    }
}

/// Statements, and what Neo4j counts for each.
const KNOWN: &[(&str, &str)] = &[
    ("CREATE (:N)", "labels-added 1, nodes-created 1"),
    ("CREATE ()", "nodes-created 1"),
    (
        "CREATE (:N {a: 1, b: null, c: $one, d: $none, e: 'x', f: [1, 2], g: -1, h: true})",
        "labels-added 1, nodes-created 1, properties-set 6",
    ),
    (
        "CREATE (:N:N:M {a: 1 + 1, b: toInteger('x'), c: coalesce(null, 1)})",
        "labels-added 2, nodes-created 1, properties-set 2",
    ),
    (
        "CREATE (n:N {a: 1 + 1, b: toInteger('x')})-[r:T {w: 1 + 1}]->(n)",
        "labels-added 1, nodes-created 1, properties-set 2, relationships-created 1",
    ),
    ("CREATE (n:N $map) RETURN n", "labels-added 1, nodes-created 1, properties-set 2"),
    ("CREATE (:N $map)-[:T $map]->()", "labels-added 1, nodes-created 2, properties-set 4, relationships-created 1"),
    (
        "CREATE (a:N {x: 1}), (a)-[:T {w: 1}]->(b:M:O), (b)-[:T]->()",
        "labels-added 3, nodes-created 3, properties-set 2, relationships-created 2",
    ),
    (
        "CREATE (a:N {x: 1}) CREATE (b:N {x: 2}) CREATE (a)-[:T]->(b) RETURN a, b;",
        "labels-added 2, nodes-created 2, properties-set 2, relationships-created 1",
    ),
    ("CREATE (n:N {x: date('2020-01-01')}) RETURN n", "labels-added 1, nodes-created 1, properties-set 1"),
    ("CREATE (n {a: 1}) SET n.a = 1 SET n.b = 2, n.c = $one RETURN n", "nodes-created 1, properties-set 4"),
    ("CREATE (a:N {x: [1, 2]}) RETURN count(a)", "labels-added 1, nodes-created 1, properties-set 1"),
    ("CREATE (n:N {x: 1}) // the end", "labels-added 1, nodes-created 1, properties-set 1"),
    (
        "CREATE (n:N {x: datetime('2020-01-01T00:00Z'), y: date('2020-01-01')})",
        "labels-added 1, nodes-created 1, properties-set 2",
    ),
    ("UNWIND $rows AS row CREATE (:N {a: row.a})", "labels-added 3, nodes-created 3, properties-set 2"),
    ("UNWIND $rows AS row CREATE (n:N {a: row.a, b: 1})", "labels-added 3, nodes-created 3, properties-set 5"),
    ("UNWIND $rows AS row CREATE (n:N) SET n.b = 1", "labels-added 3, nodes-created 3, properties-set 3"),
    ("UNWIND [] AS row CREATE (:N {a: row.a})", "nothing"),
    ("MATCH (n) WITH [n, n] AS l UNWIND l AS n CREATE (:N)", "labels-added 8, nodes-created 8"),
    (
        "UNWIND [1, 2] AS i CREATE (:N {x: i})-[:T {w: i}]->(:M {y: i, z: null})",
        "labels-added 4, nodes-created 4, properties-set 6, relationships-created 2",
    ),
    ("CREATE (:N {x: randomUUID()})", "labels-added 1, nodes-created 1, properties-set 1"),
    ("MATCH (a:A {x: 1}) CREATE (a)-[:T]->(a)", "relationships-created 1"),
    ("UNWIND [1, 1] AS x CREATE (:Same)", "labels-added 2, nodes-created 2"),
    (
        "UNWIND range(1, 5) AS i CREATE (n:N {i: 1}) RETURN n ORDER BY n.i",
        "labels-added 5, nodes-created 5, properties-set 5",
    ),
    ("MATCH (a:A), (b:B) CREATE (a)-[:T {w: a.x}]->(b)", "properties-set 4, relationships-created 4"),
    ("MATCH (a:A), (b:B) CREATE (a)-[r:T {w: b.y}]->(b)", "properties-set 2, relationships-created 4"),
    (
        "MATCH (a:A) CREATE (a)-[:T]->(:New {x: 1}) RETURN a",
        "labels-added 2, nodes-created 2, properties-set 2, relationships-created 2",
    ),
    ("MATCH (n:Nope) CREATE (n)-[:T]->(:New)", "nothing"),
    ("MATCH (n) WITH n AS m CREATE (:N {x: m.x})", "labels-added 4, nodes-created 4, properties-set 3"),
    ("MATCH (n:A) SET n.z = 1", "properties-set 2"),
    ("MATCH (n:A) SET n.x = n.x + 1, n.z = 'a'", "properties-set 4"),
    ("MATCH (n:A) SET n.z = 1 RETURN n.z", "properties-set 2"),
    ("MATCH (n:A)-->(m) SET n.z = 1", "properties-set 3"),
    ("MATCH (a:A)-[r]->() SET r.w = 5, a.q = 1", "properties-set 6"),
    ("MATCH (n:Nope) SET n.z = 1", "nothing"),
    ("OPTIONAL MATCH (n:Nope) SET n.z = 1", "nothing"),
    ("MATCH (n:A) OPTIONAL MATCH (n)-[:S]->(m) SET m.z = 1", "properties-set 1"),
    ("MATCH (n:A) DETACH DELETE n", "nodes-deleted 2, relationships-deleted 3"),
    ("MATCH (n) DETACH DELETE n", "nodes-deleted 4, relationships-deleted 3"),
    ("MATCH (n:A)-->(m) DETACH DELETE n", "nodes-deleted 2, relationships-deleted 3"),
    ("MATCH ()-[r:R]->() DELETE r", "relationships-deleted 2"),
    ("MATCH (n:A)-[r]-() DELETE r", "relationships-deleted 3"),
    ("MATCH (n) WHERE n.x = 3 DELETE n", "nodes-deleted 1"),
    ("MATCH (c:B {y: 1})-[r]-() DELETE r, c", "nodes-deleted 1, relationships-deleted 2"),
    ("MATCH (n:Nope) DETACH DELETE n", "nothing"),
    ("OPTIONAL MATCH (n:Nope) DETACH DELETE n", "nothing"),
    ("MERGE (n:A {x: 1})", "nothing"),
    ("MERGE (n:A {x: 5}) RETURN n", "labels-added 1, nodes-created 1, properties-set 1"),
    (
        "MERGE (n:A {x: 5, y: $one}) ON CREATE SET n.z = 1, n.w = 'a'",
        "labels-added 1, nodes-created 1, properties-set 4",
    ),
    ("MERGE (n:A {x: 1}) ON CREATE SET n.z = 1", "nothing"),
    ("UNWIND [1, 7, 7] AS i MERGE (n:N {x: i}) RETURN count(n)", "labels-added 2, nodes-created 2, properties-set 2"),
    ("MATCH (a:A {x: 1}), (b:B) MERGE (a)-[:R {w: 1}]->(b)", "properties-set 1, relationships-created 1"),
    ("MATCH (a:A), (b:B) MERGE (a)-[r:T]->(b) ON CREATE SET r.w = 1", "properties-set 4, relationships-created 4"),
    (
        "MERGE (a:P {x: 1}) MERGE (b:P {x: 2}) MERGE (a)-[:KNOWS]->(b)",
        "labels-added 2, nodes-created 2, properties-set 2, relationships-created 1",
    ),
    ("MATCH (n) RETURN n", "nothing"),
    ("MATCH (n:A) CREATE (:N {x: rand()})", "labels-added 2, nodes-created 2, properties-set 2"),
    ("MATCH (n:A) FOREACH (x IN [1, 2] | CREATE (:N {x: x}))", "labels-added 4, nodes-created 4, properties-set 4"),
    ("MATCH (n:A) FOREACH (x IN [1, 2] | SET n.y = 1)", "properties-set 4"),
    ("MATCH (n:A) WHERE (n)-->(:B) SET n.q = 1", "properties-set 2"),
    ("MATCH (n) WHERE n:A OR n:B DETACH DELETE n", "nodes-deleted 3, relationships-deleted 3"),
    ("MATCH (a:A)--(b) WITH DISTINCT a SET a.deg = 1", "properties-set 2"),
    ("MATCH (a:A)-[:R]->(b) WITH a, count(b) AS c SET a.c = c", "properties-set 2"),
    ("MATCH (x {x: 3}) CREATE (x)-[:T]->({x: x.x})", "nodes-created 1, properties-set 1, relationships-created 1"),
    ("MATCH (a:A {x: 1})-[:R*1..2]->(b) SET b.seen = true", "properties-set 2"),
    ("MATCH (a:A), (b:B) WHERE a.x = 1 CREATE (a)-[:L]->(b), (b)-[:L]->(a) RETURN a.x, b.y", "relationships-created 4"),
    ("MATCH p = (a:A)-->(b) SET b.k = 1", "properties-set 3"),
    ("MATCH (a:A) OPTIONAL MATCH (a)-[r:S]->() DELETE r", "relationships-deleted 1"),
    ("MATCH (n:A) WITH n ORDER BY n.x SET n.rank = 1", "properties-set 2"),
];

/// Statements whose changes Neo4j counts and the embedded database does not.
const UNKNOWN: &[&str] = &[
    "CREATE p = (a:N)-[:T]->(b) RETURN p",
    "MATCH (n:A) WITH 1 AS x CREATE (n)",
    "MATCH (a)-[r]->(b) SET r.w = a.x",
    "UNWIND range(1, 5) AS i CREATE (n:N {i: i}) RETURN n",
    "MATCH (n:A) SET n.z = n.nope",
    "MATCH (n:A) SET n.z = null",
    "MATCH (n:A) SET n.x = 1, n.x = 2",
    "MATCH (n:A) SET n:New",
    "MATCH (n:A) SET n += {a: 1}",
    "MATCH (n:A) REMOVE n.x",
    "MATCH (n:A)-->(m) SET m.z = n.x",
    "MATCH (n:A)-->(m) DETACH DELETE n, m",
    "MATCH (n:A) WITH n LIMIT 1 DETACH DELETE n",
    "MATCH (n:A) CREATE (:N {x: n.x}) RETURN n",
    "MATCH (n:A) CREATE (:N) RETURN count(n)",
    "MATCH (n:A) CREATE (:N) RETURN n LIMIT 1",
    "MERGE (n:A {x: 1}) ON MATCH SET n.z = 1",
    "MERGE (a:A {x: 1})-[:T]->(b:B {y: 2})",
    "MATCH (n:A) CREATE (m:N {x: n.x}) SET m.y = 1",
    "UNWIND [{a: 1}, {a: null}] AS m CREATE (n:N) SET n.a = m.a",
    "CREATE (n:N) WITH n MATCH (m:A) CREATE (n)-[:T]->(m)",
    "UNWIND [1, 2] AS i MERGE (n:N {k: i}) ON CREATE SET n.v = i",
    "MATCH (n:A {x: 1}) SET n.x = n.x + 1 RETURN n.x",
    "MERGE (a:A {x: 1}) CREATE (b:N)",
];

#[test]
fn counters_are_those_of_neo4j() {
    let all: Vec<String> = KNOWN.iter().map(|(statement, _)| format!("{statement}: {}", counted(statement))).collect();
    let expected: Vec<String> = KNOWN.iter().map(|(statement, counts)| format!("{statement}: {counts}")).collect();
    assert_eq!(all, expected);
}

#[test]
fn counters_that_are_not_proven_are_unknown() {
    for statement in UNKNOWN {
        assert_eq!(counted(statement), "unknown", "{statement}");
    }
}

#[test]
fn an_error_is_where_the_user_wrote_it() {
    let statement = "UNWIND [1] AS i CREATE (:N {a: i})-[:R {b: i}]->(:N {c: i + nobody})";
    let mut database = Database::open_memory().unwrap();
    let failure = Query::new(statement, parameters(), &Ids::new("u")).unwrap().run(&mut database).unwrap_err();
    let expected = format!("(offset: {})", statement.find("nobody").unwrap());
    assert!(failure.message.contains(&expected), "{failure}");
}

#[test]
fn commands_count_the_indexes_that_they_change() {
    for (command, expected) in [
        ("CREATE INDEX ON :A(x)", "indexes-added 1"),
        ("CREATE INDEX named FOR (n:A) ON (n.x)", "indexes-added 1"),
        ("CREATE INDEX ON :A", "nothing"),
        ("DROP INDEX ON :A(w)", "indexes-removed 1"),
        ("DROP INDEX index_A_w", "indexes-removed 1"),
        ("CREATE INDEX IF NOT EXISTS FOR (n:A) ON (n.w)", "nothing"),
        ("SHOW INDEXES", "nothing"),
    ] {
        assert_eq!(counted(command), expected, "{command}");
    }
}
