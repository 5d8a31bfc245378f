//! Many writers at once: the final state is exact, and every request succeeded or said that it did not.
//!
//! Against Neo4j and ArcadeDB where the environment names them (`eval "$(tests/servers/all start)"`), the embedded
//! database, and both fakes.

mod graph;
mod writer;

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::support::{bolt::fake_memgraph::FakeMemgraph, bolt::fake_neo4j, servers::Server};
use graph::Graph;
use writer::{Tally, Way, Writer};

/// Who writes, how often, and how.
struct Crowd {
    writers: usize,
    requests: usize,
    ways: &'static [Way],
}

/// Of a database on which writers run side by side.
const CROWDS: [Crowd; 4] = [
    Crowd { writers: 32, requests: 20, ways: &[Way::Automatic] },
    Crowd { writers: 32, requests: 6, ways: &[Way::Batch] },
    Crowd { writers: 32, requests: 3, ways: &[Way::Explicit] },
    Crowd { writers: 32, requests: 3, ways: &[Way::Automatic, Way::Batch, Way::Explicit] },
];

/// Of one that lets in one at a time.
#[cfg(feature = "embedded")]
const QUEUES: [Crowd; 4] = [
    Crowd { writers: 32, requests: 10, ways: &[Way::Automatic] },
    Crowd { writers: 16, requests: 10, ways: &[Way::Batch] },
    Crowd { writers: 8, requests: 5, ways: &[Way::Explicit] },
    Crowd { writers: 8, requests: 6, ways: &[Way::Automatic, Way::Batch, Way::Explicit] },
];

/// Lets all crowds loose on the graph, one after another, and looks at what they leave.
async fn are_exact(graph: Graph, crowds: &[Crowd]) -> Tally {
    let graph = Arc::new(graph);
    graph.create().await;
    let mut tally = Tally::default();
    for (number, crowd) in crowds.iter().enumerate() {
        let began = std::time::Instant::now();
        let mut writers = JoinSet::new();
        for writer in 0..crowd.writers {
            let writer = Writer::new(Arc::clone(&graph), format!("{number}-{writer}"));
            writers.spawn(writer.write(crowd.requests, crowd.ways));
        }
        let mut round = Tally::default();
        for written in writers.join_all().await {
            round.add(written);
        }
        let (ways, took) = (crowd.ways, began.elapsed());
        println!("{}: {ways:?}: {round} in {took:.1?}", graph.name);
        let told = round.done + round.refused + round.conflicts;
        assert_eq!(told, crowd.writers * crowd.requests, "each of {ways:?} was told what became of it: {round}");
        assert!(round.done > round.refused, "hardly any request of {ways:?} got through: {round}");
        tally.add(round);
        // Also in between, so that it is known whose fault it is.
        assert_eq!(graph.counters().await, tally.counters, "{ways:?} on {}", graph.name);
        assert_eq!(graph.links().await, tally.links(), "{ways:?} on {}", graph.name);
    }
    graph.remove().await;
    tally
}

#[tokio::test(flavor = "multi_thread")]
async fn neo4j() {
    let Some(server) = Server::neo4j() else { return };
    let tally = are_exact(Graph::of_server(server).await, &CROWDS).await;
    assert!(tally.retried > 0, "they never met: {tally}");
}

#[tokio::test(flavor = "multi_thread")]
async fn arcadedb() {
    let Some(server) = Server::arcadedb() else { return };
    let tally = are_exact(Graph::of_server(server).await, &CROWDS).await;
    assert!(tally.retried > 0, "they never met: {tally}");
}

mod without_servers {
    use super::*;

    #[cfg(feature = "embedded")]
    #[tokio::test(flavor = "multi_thread")]
    async fn embedded() {
        are_exact(Graph::embedded().await, &QUEUES).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn fake_neo4j() {
        let fake = fake_neo4j::FakeNeo4j::start_with(fake_neo4j::Options::default().without_auth()).await;
        let control = fake.control.clone();
        let tally = are_exact(Graph::of_fake_neo4j(fake).await, &CROWDS).await;
        assert!(tally.retried > 0, "they never met: {tally}");
        assert_eq!(control.violations(), [""; 0]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn fake_memgraph() {
        let fake = FakeMemgraph::start().await;
        let control = fake.control.clone();
        let tally = are_exact(Graph::of_fake_memgraph(fake).await, &CROWDS).await;
        assert!(tally.retried > 0, "they never met: {tally}");
        assert_eq!(control.violations(), [""; 0]);
    }
}
