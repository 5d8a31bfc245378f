//! The crash matrix: the connection to the database is cut at every point of every way to have something written.
//!
//! For each cell the client is told what is documented, and the data are what that means: done is once, rolled back is
//! never, and not known is never or once. Nothing is ever written twice, and the gateway serves on with all it has.
//!
//! Runs against the fakes and the embedded database, and against the real servers where there are any. The tables that
//! it prints say for each cell what the client was told, and how often the write was found.

mod play;
mod show;
mod stand;
mod table;
mod verdict;

use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::future::join_all;

use crate::support::{
    bolt::{
        fake_memgraph::{FakeMemgraph, Options as MemgraphOptions},
        fake_neo4j::{FakeNeo4j, Options as Neo4jOptions},
    },
    cut::{Cutter, Stream},
    gateway::start_for,
    servers::variable,
};
use play::play;
use show::show;
use stand::Stand;

/// Plays the matrix, shows it, and fails when something is not as promised. `precise` has the statuses to ask for.
async fn holds(stand: Stand, precise: &[bool]) {
    all_hold(&[stand], precise).await;
}

/// Plays several parts concurrently, each with a gateway of its own.
async fn all_hold(parts: &[Stand], precise: &[bool]) {
    let played = join_all(parts.iter().map(|part| play(part, precise))).await;
    println!("{}", show(parts, &played));
    let differences: Vec<_> = played.into_iter().flat_map(|played| played.differences).collect();
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// Of a matrix whose cells wait for something.
const PARTS: usize = 5;

#[tokio::test]
async fn holds_on_neo4j() {
    let Some(uri) = variable("BOLTGATE_TEST_NEO4J_BOLT") else { return };
    let (cutter, observer) = (Cutter::before(&uri).await, start_for(&uri).await);
    holds(Stand::new("Neo4j", cutter, observer, "neo4j").await.in_cypher(), &[false]).await;
}

#[tokio::test]
async fn holds_on_arcadedb() {
    let Some(uri) = variable("BOLTGATE_TEST_ARCADEDB_BOLT") else { return };
    let (cutter, observer) = (Cutter::before(&uri).await, start_for(&uri).await);
    let stand = Stand::new("ArcadeDB", cutter, observer, "neo4j").await.in_cypher().without_batches();
    let authorization = format!("Basic {}", STANDARD.encode("root:playwithdata"));
    holds(stand.with_login(authorization), &[false]).await;
}

mod without_servers {
    use super::*;

    #[tokio::test]
    async fn holds_on_a_fake_neo4j() {
        let fake = FakeNeo4j::start_with(Neo4jOptions::default().without_auth()).await;
        let (cutter, observer) = (Cutter::before(&fake.uri()).await, start_for(&fake.uri()).await);
        holds(Stand::new("a fake of Neo4j", cutter, observer, "neo4j").await, &[false, true]).await;
        fake.control.wait_for("the end of all transactions", |counts| counts.transactions == 0).await;
        assert_eq!(fake.control.violations(), [""; 0]);
    }

    #[tokio::test]
    async fn holds_on_a_fake_neo4j_with_a_login_per_request() {
        let fake = FakeNeo4j::start_with(Neo4jOptions::default().without_auth()).await;
        let (cutter, observer) = (Cutter::before(&fake.uri()).await, start_for(&fake.uri()).await);
        let stand = Stand::new("a fake of Neo4j", cutter, observer, "neo4j").await.proving_logins().await;
        holds(stand, &[false]).await;
    }

    #[tokio::test]
    async fn holds_on_a_fake_memgraph() {
        let fake = FakeMemgraph::start_with(MemgraphOptions::default()).await;
        let mut parts = Vec::new();
        // After each cut the gateway looks for what may still run there, which takes its time.
        for number in 0..PARTS {
            let (cutter, observer) = (Cutter::before(&fake.uri()).await, start_for(&fake.uri()).await);
            let stand = Stand::new("a fake of Memgraph", cutter, observer, "memgraph").await;
            parts.push(stand.part(number, PARTS));
        }
        all_hold(&parts, &[false]).await;
        fake.control.wait_for("the end of all transactions", |counts| counts.transactions == 0).await;
        assert_eq!(fake.control.violations(), [""; 0]);
    }

    #[cfg(feature = "embedded")]
    #[tokio::test]
    async fn holds_on_the_embedded_database() {
        let database = boltgate::embedded::Embedded::open(None).expect("a temporary database opens");
        let database = std::sync::Arc::new(database);
        let other = std::sync::Arc::clone(&database);
        let dial = move || {
            let stream: Box<dyn Stream> = Box::new(other.connect());
            Box::pin(std::future::ready(Ok(stream))) as crate::support::cut::Dialling
        };
        let observer = crate::support::gateway::start_memory(move || database.connect(), &[]).await;
        let stand = Stand::new("the embedded database", Cutter::start(dial).await, observer, "neo4j").await;
        holds(stand.in_cypher().without_batches(), &[true]).await;
    }
}
