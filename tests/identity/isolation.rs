//! Nobody is ever served as somebody else.
//!
//! Some hundred identities share a few connections: single statements and transactions, on several databases, as
//! themselves and as others, from clients that break off at any point. Every answer says whom the database saw, and
//! that has to be who asked. 100 000 requests in all; `BOLTGATE_TEST_SEED` makes other ones.

mod client;
mod people;
mod random;
mod traffic;

use std::time::Duration;

use crate::support::{
    bolt::{
        control::Control,
        fake_memgraph::{self, FakeMemgraph},
        fake_neo4j::{self, FakeNeo4j},
    },
    gateway::{self, Gateway},
};
use people::{Person, tokens, users};
use traffic::{Tally, World};

/// Connections to the database.
const CAP: usize = 10;

/// Logins come of age in between. What clients leave behind is cleared away soon.
const SETTINGS: [(&str, &str); 6] = [
    ("database.max_connections", "10"),
    ("database.acquire_timeout", "60s"),
    ("database.login_age", "100ms"),
    ("transactions.max", "8"),
    ("transactions.idle_timeout", "300ms"),
    ("discovery.neo4j_edition", "enterprise"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn isolates_users_and_tokens_on_neo4j() {
    let options = fake_neo4j::Options { enterprise: true, lock_time: Duration::from_millis(50), ..Default::default() };
    let options = fake_neo4j::Options { databases: ["neo4j", "a", "b", "system"].map(Into::into).into(), ..options };
    let fake = FakeNeo4j::start_with(options).await;
    let world = World {
        people: [users(&fake.control, 200), tokens(&fake.control, 20)].concat(),
        strangers: Person::strangers(),
        databases: &["neo4j", "a", "b"],
    };
    let tally = run(world, &fake.uri(), &fake.control, 40_000).await;
    assert!(tally.impersonated > 1000 && tally.turned_away > 100, "{tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn isolates_named_and_anonymous_callers_on_neo4j_without_users() {
    let options = fake_neo4j::Options::default().without_auth();
    let options = fake_neo4j::Options { databases: ["neo4j", "a", "b", "system"].map(Into::into).into(), ..options };
    let fake = FakeNeo4j::start_with(options).await;
    // One in five requests is without credentials.
    let nobody = vec![Person::anonymous(); 50];
    let world =
        World { people: [Person::named(200), nobody].concat(), strangers: Vec::new(), databases: &["neo4j", "a", "b"] };
    run(world, &fake.uri(), &fake.control, 20_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn isolates_users_and_tokens_on_memgraph() {
    let options = fake_memgraph::Options::default().with_databases(["a", "b"]);
    let fake = FakeMemgraph::start_with(options).await;
    let world = World {
        people: [users(&fake.control, 200), tokens(&fake.control, 20)].concat(),
        strangers: Person::strangers(),
        databases: &["memgraph", "a", "b"],
    };
    let tally = run(world, &fake.uri(), &fake.control, 40_000).await;
    assert!(tally.impersonated > 1000 && tally.turned_away > 100, "{tally:?}");
}

/// Sends this number of requests, and checks what remains.
async fn run(world: World, uri: &str, control: &Control, requests: usize) -> Tally {
    let gateway = gateway::start_for_with(uri, &SETTINGS).await;
    let seed = random::seed();
    let tally = traffic::run(world, &gateway, control, requests, seed).await;
    println!("seed {seed}: {tally:?}");
    assert!(tally.verified > requests * 3 / 4, "too few answers were worth looking at: {tally:?}");
    assert!(tally.committed > requests / 400 && tally.rolled_back > requests / 400, "{tally:?}");
    assert!(tally.broken_off > requests / 100, "{tally:?}");
    nothing_is_left(&gateway, control).await;
    tally
}

async fn nothing_is_left(gateway: &Gateway, control: &Control) {
    let ended = |counts: &crate::support::bolt::control::Counts| {
        counts.transactions == 0 && counts.running == 0 && counts.open <= CAP
    };
    control.wait_for("the end of all", ended).await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while gateway.engine().open_transactions() > 0 || gateway.engine().pool_status().in_use > 0 {
        assert!(tokio::time::Instant::now() < deadline, "{:?}", gateway.engine());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(gateway.engine().pool_status().open <= CAP, "{:?}", gateway.engine());
    assert_eq!(control.violations(), [""; 0]);
}
