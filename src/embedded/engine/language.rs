//! What users of Neo4j and Memgraph write, run on the engine.

use boltr::types::BoltValue;
use graphdblite::{Database, Value};

use crate::embedded::engine::query::Query;
use crate::embedded::errors::Failure;
use crate::embedded::ids::Ids;
use crate::embedded::values::Parameters;

fn parameters() -> Parameters {
    let map = |entries: &[(&str, Value)]| {
        Value::Map(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    };
    Parameters::from([
        ("p".to_owned(), map(&[("name", Value::String("p".to_owned())), ("none", Value::Null)])),
        ("q".to_owned(), map(&[("w", Value::I64(2))])),
        ("day".to_owned(), Value::String("2020-01-01".to_owned())),
        ("node".to_owned(), Value::String("4:u:1".to_owned())),
        ("nodes".to_owned(), Value::List(vec![Value::String("4:u:1".to_owned()), Value::String("4:v:2".to_owned())])),
        ("relationship".to_owned(), Value::String("5:u:0".to_owned())),
    ])
}

/// Runs `text` on the graph (1:A {name: 'a', x: 1})-[0:R {w: 1}]->(2:A {name: 'b'})-[1:S]->(3:B {name: 'c'}).
fn run(text: &str) -> Result<(Vec<String>, Vec<Vec<BoltValue>>), Failure> {
    let mut database = Database::open_memory().unwrap();
    let graph = "CREATE (:A {name: 'a', x: 1})-[:R {w: 1}]->(:A {name: 'b'})-[:S]->(:B {name: 'c'})";
    let ids = Ids::new("u");
    Query::new(graph, Parameters::new(), &ids).unwrap().run(&mut database).unwrap();
    let result = Query::new(text, parameters(), &ids)?.run(&mut database)?;
    Ok((result.metadata.columns, result.records.into_iter().map(|record| record.values).collect()))
}

/// The only column of `text`, its values written like literals and joined.
fn column(text: &str) -> String {
    let (columns, rows) = run(text).unwrap_or_else(|failure| panic!("{text}: {failure}"));
    assert_eq!(columns.len(), 1, "{text}");
    rows.iter().map(|row| written(&row[0])).collect::<Vec<_>>().join(" ")
}

fn written(value: &BoltValue) -> String {
    match value {
        BoltValue::Null => "null".to_owned(),
        BoltValue::Boolean(value) => value.to_string(),
        BoltValue::Integer(value) => value.to_string(),
        BoltValue::Float(value) => format!("{value:?}"),
        BoltValue::String(value) => value.clone(),
        BoltValue::List(items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(",")),
        BoltValue::Dict(map) => {
            let mut pairs: Vec<String> = map.iter().map(|(key, value)| format!("{key}:{}", written(value))).collect();
            pairs.sort();
            format!("{{{}}}", pairs.join(","))
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn statements_of_other_databases_give_their_results() {
    for (text, expected) in [
        // Property maps.
        ("CREATE (n:N $p) RETURN properties(n) AS r", "{name:p}"),
        (
            "CREATE (a:N $p)-[r:T $q]->(b $q) RETURN [properties(a), properties(r), properties(b)]",
            "[{name:p},{w:2},{w:2}]",
        ),
        ("MATCH (a:B) CREATE (a)-[:T]->(n $p) RETURN n.name", "p"),
        ("MATCH (n:B) SET n = $q RETURN properties(n)", "{w:2}"),
        ("MATCH (n:B) SET n += $q RETURN properties(n)", "{name:c,w:2}"),
        ("UNWIND [{a: 1}, {a: 2}] AS row CREATE (n:N) SET n = row RETURN n.a", "1 2"),
        ("MERGE (n:N {a: 1}) ON CREATE SET n += $q RETURN n.w", "2"),
        // Paths.
        ("CREATE p = (a:N)-[:T]->(:N), (b) RETURN length(p)", "1"),
        ("MATCH (n:B) CREATE p = (n)<-[:T {w: 1}]-(:N) SET n.x = 5 WITH p RETURN [m IN nodes(p) | m.x]", "[5,null]"),
        // Options.
        ("CYPHER 25 runtime=slotted RETURN 1", "1"),
        // Functions.
        ("UNWIND range(1, 100) AS x CREATE (n {id: randomUUID()}) RETURN count(DISTINCT n.id)", "100"),
        ("RETURN randomUUID() =~ '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'", "true"),
        ("UNWIND [1, 2] AS x RETURN count(DISTINCT timestamp())", "1"),
        ("RETURN [isEmpty(''), isEmpty([1]), isEmpty(null), NOT isEmpty('a')]", "[true,false,null,true]"),
        ("RETURN [toIntegerOrNull('x'), toFloatOrNull('1.5'), toStringOrNull(1)]", "[null,1.5,1]"),
        ("RETURN [upper('a'), ln(1), degrees(pi()), char_length('é')]", "[A,0.0,180.0,1]"),
        // Temporal values.
        ("RETURN toString(datetime('2020-01-01'))", "2020-01-01T00:00Z"),
        ("RETURN toString(datetime($day))", "2020-01-01T00:00Z"),
        ("RETURN toString(localdatetime('2020-W02-3'))", "2020-01-08T00:00"),
        ("WITH date('2020-05-06') AS d RETURN d.quarterDay", "36"),
        ("MATCH (n:B) SET n.quarterDay = 7 RETURN n.quarterDay", "7"),
        ("RETURN date.truncate('month') = date.truncate('month', date())", "true"),
        // Ids.
        ("MATCH (n:B) RETURN elementId(n)", "4:u:3"),
        ("MATCH (n) WHERE elementId(n) = $node RETURN n.name", "a"),
        ("MATCH (n:A) WHERE elementId(n) IN $nodes RETURN n.name", "a"),
        ("MATCH (n) WHERE elementId(n) = $relationship RETURN n", ""),
        ("MATCH ()-[r]->() WHERE elementId(r) = $relationship RETURN type(r)", "R"),
        ("MATCH ()-[r:S]->() WITH r AS s RETURN [elementId(s), id(s), elementId(startNode(s))]", "[5:u:1,1,4:u:2]"),
        ("MATCH p = (:A)-[:S]->() RETURN [n IN nodes(p) | elementId(n)]", "[4:u:2,4:u:3]"),
        ("OPTIONAL MATCH (n:Nope)-[r]->() RETURN [elementId(n), elementId(r)]", "[null,null]"),
        // Labels and conditions.
        ("MATCH (n:A|B) RETURN n.name ORDER BY n.name", "a b c"),
        ("MATCH (n:!A)\nRETURN n.name", "c"),
        ("MATCH (:A|B)-[r]->(:(A|B)&!A) WHERE r.w = 1 OR true RETURN type(r)", "S"),
        ("MATCH (n:A&!B {name: 'a'}) RETURN n.name", "a"),
        ("MATCH (n) WHERE n:A|B AND n.x = 1 RETURN n.name", "a"),
        ("MATCH (n:A WHERE n.x = 1)-[r WHERE r.w = 1]->(m) RETURN m.name", "b"),
        ("MATCH (n:`A`)-[:`S`|`R`]->(`m`) RETURN `m`.name ORDER BY m.name", "b c"),
        ("WITH 1 AS `x` RETURN {b: `x`}", "{b:1}"),
        // Projections and subqueries.
        ("MATCH (n:B) RETURN n {.name, y: 1 + 1, z: [(m)-->(n) | m {.name}]}", "{name:c,y:2,z:[{name:b}]}"),
        ("MATCH (n:B) RETURN n {.*}", "{name:c}"),
        ("OPTIONAL MATCH (n:Nope) RETURN n {.name}", "null"),
        ("MATCH (n:A) WHERE COUNT { (n)-[:S]->() } = 1 RETURN n.name", "b"),
        ("RETURN COUNT { MATCH (n:A) WHERE n.x = 1 }", "1"),
        ("MATCH (n:A {x: 1}) RETURN COLLECT { MATCH (n)-->(m) RETURN m.name }", "[b]"),
        // Operators and clauses.
        ("RETURN 'a' || 'b' || 'c'", "abc"),
        ("RETURN 1 != 2", "true"),
        ("UNWIND [1, 2, 3] AS x RETURN x OFFSET 1 LIMIT 1", "2"),
        ("WITH 1 AS offset, 2 AS finish RETURN offset + finish", "3"),
    ] {
        assert_eq!(column(text), expected, "{text}");
    }
}

#[test]
fn loops_change_what_they_name() {
    let (columns, rows) = run("MATCH (n:A) FOREACH (x IN [1, 2] | SET n.y = x CREATE (:N {x: x}));").unwrap();
    assert_eq!((columns, rows), (vec![], vec![]));
    assert!(Query::new("FOREACH (x IN [1] | CREATE ())", Parameters::new(), &Ids::new("u")).unwrap().writes());
    assert!(!Query::new("MATCH (foreach) FINISH", Parameters::new(), &Ids::new("u")).unwrap().writes());
}

#[test]
fn columns_are_called_what_the_user_wrote() {
    for text in
        ["randomUUID()", "timestamp( )", "n {.name,  .x}", "isEmpty( '' /* c */ )", "COUNT { (n)-->() }", "'a'||'b'"]
    {
        let (columns, rows) = run(&format!("MATCH (n:B) RETURN {text}, n.name")).unwrap();
        assert_eq!((columns, rows.len()), (vec![text.to_owned(), "n.name".to_owned()], 1));
        let (columns, _) = run(&format!("MATCH (n:Nope) RETURN {text}, n.name")).unwrap();
        assert_eq!(columns, [text, "n.name"]);
    }
    assert_eq!(run("CREATE p = (a)-[:R]->() RETURN *").unwrap().0, ["a", "p"]);
}

#[test]
fn what_has_no_counterpart_is_named() {
    for (text, expected) in [
        (
            "CREATE (n {a: sin(1)})",
            "The function `sin()` is not supported by the embedded database, see docs/embedded.md",
        ),
        (
            "MATCH p = ()-->() RETURN [r IN relationships(p) | elementId(r)]",
            "`elementId()` of an element of a list is not supported by the embedded database, see docs/embedded.md",
        ),
        ("CREATE (n {a: nope(1)})", "Unknown function 'nope' (line 1, column 15 (offset: 14))"),
    ] {
        assert_eq!(run(text).unwrap_err().message, expected);
    }
}
