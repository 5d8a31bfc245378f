//! A client stops reading: the database is not asked for more, and after a while the statement ends.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::support::{
    bolt::{
        control::Control,
        fake_memgraph::FakeMemgraph,
        fake_neo4j::{self, FakeNeo4j},
    },
    gateway,
    http::Connection,
};

/// More than any buffers between the database and the client hold.
const HUGE: &str = r#"{"statement":"ROWS 100000000 WIDE 1000"}"#;

/// Waits until no more is asked for, and gives how often it was.
async fn standstill(control: &Control) -> usize {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut pulls = control.count("PULL");
    loop {
        sleep(Duration::from_millis(300)).await;
        let now = control.count("PULL");
        if now == pulls && now > 0 {
            return now;
        }
        assert!(Instant::now() < deadline, "the database is asked for more and more: {now} times");
        pulls = now;
    }
}

#[tokio::test]
async fn stops_pulling_while_the_reader_pauses() {
    let fake = FakeNeo4j::start_with(fake_neo4j::Options::default().without_auth()).await;
    let gateway = gateway::start_for(&fake.uri()).await;
    let mut client = Connection::open(gateway.address()).await;
    client.post("/db/neo4j/query/v2", HUGE).await;
    let pulls = standstill(&fake.control).await;
    assert_eq!(fake.control.count("RESET"), 0);
    // It reads on, and the database is asked for more.
    assert_eq!(client.head().await.status, 202);
    let mut taken = 0;
    while fake.control.count("PULL") == pulls {
        taken += 1 << 20;
        client.wait_for_bytes(taken).await;
        assert!(taken < 1 << 28, "{taken} bytes were read and nothing more was asked for");
    }
}

#[tokio::test]
async fn cuts_off_a_reader_that_never_resumes() {
    let neo4j = FakeNeo4j::start_with(fake_neo4j::Options::default().without_auth()).await;
    let memgraph = FakeMemgraph::start().await;
    for (uri, control, database) in
        [(neo4j.uri(), &neo4j.control, "neo4j"), (memgraph.uri(), &memgraph.control, "memgraph")]
    {
        let gateway = gateway::start_for_with(&uri, &[("server.write_stall_timeout", "500ms")]).await;
        let mut client = Connection::open(gateway.address()).await;
        client.post(&format!("/db/{database}/query/v2"), HUGE).await;
        let ended = |counts: &crate::support::bolt::control::Counts| {
            counts.resets == 1 && counts.transactions == 0 && counts.running == 0
        };
        let counts = control.wait_for("the end of the statement", ended).await;
        assert!(counts.messages["PULL"] < 10_000, "all of it was fetched");
        let next = gateway.post(&format!("/db/{database}/query/v2"), r#"{"statement":"ECHO 7"}"#).await;
        assert_eq!(next.status, 202, "{next}");
        assert_eq!(control.violations(), [""; 0]);
    }
}

#[tokio::test]
async fn is_cancelled_at_the_end_of_a_stop_and_its_connection_closed_in_order() {
    let fake = FakeNeo4j::start_with(fake_neo4j::Options::default().without_auth()).await;
    let gateway = gateway::start_for_with(&fake.uri(), &[("server.shutdown_timeout", "200ms")]).await;
    let mut client = Connection::open(gateway.address()).await;
    client.post("/db/neo4j/query/v2", HUGE).await;
    assert_eq!(client.head().await.status, 202);
    gateway.shutdown().await;
    fake.control.wait_for("the good-bye", |counts| counts.messages.contains_key("GOODBYE")).await;
    assert_eq!((fake.control.count("RESET"), fake.control.violations()), (1, Vec::new()));
    client.end().await;
}
