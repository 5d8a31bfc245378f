//! What tools send to a database before their user does anything, on the embedded one: Memgraph Lab, mgconsole,
//! gqlalchemy, langchain-memgraph, memgraph-toolbox, langchain-neo4j, neo4j-graphrag, neomodel, JDBC.
//!
//! Each either works or is refused by name; nobody sees a parser's guess.
#![cfg(feature = "embedded")]

use crate::support::{
    gateway::start_embedded,
    query::{refused, values},
};

const WORK: &[&str] = &[
    "CALL db.ping()",
    "SHOW STORAGE INFO;",
    "SHOW INDEX INFO;",
    "SHOW CONSTRAINT INFO;",
    "SHOW SCHEMA INFO;",
    "SHOW VERSION;",
    "SHOW DATABASES;",
    "SHOW DATABASE;",
    "SHOW CURRENT DATABASE;",
    "SHOW CURRENT USER;",
    "CREATE INDEX ON :Person(name);",
    "CREATE INDEX person_age IF NOT EXISTS FOR (n:Person) ON (n.age)",
    "SHOW INDEXES",
    "SHOW INDEXES YIELD name, type, labelsOrTypes, properties WHERE type = 'VECTOR'",
    "SHOW CONSTRAINTS",
    "SHOW PROCEDURES",
    "SHOW FUNCTIONS",
    "CALL mg.procedures() YIELD name, signature, is_write RETURN name, signature, is_write",
    "CALL mg.functions() YIELD *;",
    "CALL schema.node_type_properties() YIELD nodeType, nodeLabels, propertyName, propertyTypes RETURN *",
    "CALL schema.rel_type_properties() YIELD * RETURN *",
    "CALL db.labels()",
    "CALL db.relationshipTypes()",
    "CALL db.propertyKeys()",
    "CALL db.schema.visualization()",
    "CALL db.schema.nodeTypeProperties()",
    "CALL db.schema.relTypeProperties()",
    "CALL dbms.components() YIELD name, versions, edition UNWIND versions AS version RETURN version, edition",
    "MATCH (n) RETURN count(n) AS nodes",
    "MATCH ()-[r]->() RETURN count(r) AS relationships",
];

const REFUSED: &[(&str, &str)] = &[
    ("SHOW TRIGGERS;", "`SHOW TRIGGERS`"),
    ("SHOW STREAMS;", "`SHOW STREAMS`"),
    ("SHOW CONFIG;", "`SHOW CONFIG`"),
    ("SHOW USERS;", "`SHOW USERS`"),
    ("SHOW ROLES;", "`SHOW ROLES`"),
    ("SHOW LICENSE INFO;", "`SHOW LICENSE INFO`"),
    ("SHOW TRANSACTIONS;", "`SHOW TRANSACTIONS`"),
    ("SHOW ENUMS;", "`SHOW ENUMS`"),
    ("SHOW METRICS INFO;", "`SHOW METRICS INFO`"),
    ("SHOW REPLICATION ROLE;", "`SHOW REPLICATION ROLE`"),
    ("SHOW BUILD INFO;", "`SHOW BUILD INFO`"),
    ("SHOW SETTINGS", "`SHOW SETTINGS`"),
    ("STORAGE MODE IN_MEMORY_ANALYTICAL;", "`STORAGE MODE`"),
    ("ANALYZE GRAPH;", "`ANALYZE GRAPH`"),
    ("DUMP DATABASE;", "`DUMP DATABASE`"),
    ("CREATE SNAPSHOT;", "`CREATE SNAPSHOT`"),
    ("CREATE USER alice IDENTIFIED BY 'wonderland';", "A user"),
    ("LOAD CSV FROM '/people.csv' WITH HEADER AS row CREATE (:Person {name: row.name});", "`LOAD CSV`"),
    ("CREATE CONSTRAINT ON (n:Person) ASSERT n.name IS UNIQUE;", "A constraint"),
    ("CREATE CONSTRAINT person IF NOT EXISTS FOR (n:Person) REQUIRE n.name IS UNIQUE", "A constraint"),
    ("CREATE VECTOR INDEX e IF NOT EXISTS FOR (n:Chunk) ON (n.embedding)", "A vector index"),
    ("CREATE FULLTEXT INDEX t IF NOT EXISTS FOR (n:Chunk) ON EACH [n.text]", "A full-text index"),
    ("CREATE EDGE INDEX ON :KNOWS(since);", "An index on relationships"),
    ("CALL apoc.meta.graph()", "The procedure `apoc.meta.graph`"),
    ("CALL dbms.procedures() YIELD name", "The procedure `dbms.procedures`"),
    ("CALL gds.version()", "The procedure `gds.version`"),
    (
        "CALL db.index.vector.queryNodes('e', 2, [1.0]) YIELD node RETURN node",
        "The procedure `db.index.vector.queryNodes`",
    ),
    ("RETURN apoc.version() AS version", "The function `apoc.version()`"),
];

#[tokio::test]
async fn work_or_are_refused_by_name() {
    let gateway = start_embedded(&[]).await;
    for statement in WORK {
        let answer = gateway.query(statement).await;
        assert_eq!(answer.status, 202, "{statement}\n{answer}");
        values(&answer);
    }
    for (statement, feature) in REFUSED {
        let answer = refused(&gateway.query(statement).await);
        let due = format!("{feature} is not supported by the embedded database, see docs/embedded.md");
        assert_eq!((answer.status, answer.message), (400, due), "{statement}");
    }
}
