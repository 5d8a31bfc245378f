//! Statements and servers that do not end when they are told to. Time passes by itself as soon as all wait.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::in_memory::{Answer, Fake, Kind, POOL, Stand};
use crate::support::{
    bolt::{
        control::{Control, Fault, User, When},
        fake_memgraph::{FakeMemgraph, Options},
    },
    gateway::start_memory,
    query::body,
};

const FOR_AGES: &str = "SLEEP 600000000";
const ONE: boltgate::pool::Settings = boltgate::pool::Settings { max: 1, share: 1, ..POOL };
const CLIENT: &str = "Memgraph.ClientError.MemgraphError.MemgraphError";

/// How often a statement of this beginning was sent.
fn sent(control: &Control, beginning: &str) -> usize {
    let seen = control.seen();
    let runs = seen.iter().filter(|seen| seen.name() == "RUN");
    runs.filter(|run| run.field(0).unwrap().as_str().unwrap().starts_with(beginning)).count()
}

/// One connection, a statement on it that runs for ages, and the client that waits for it.
struct Waiting {
    fake: Arc<Fake>,
    stand: Stand,
    client: JoinHandle<Answer>,
}

impl Waiting {
    async fn start(options: Options) -> Self {
        let fake = Arc::new(Fake::Memgraph(FakeMemgraph::start_with(options).await));
        let stand = Stand::new(&fake, 64 * 1024, ONE);
        let client = tokio::spawn(stand.send("POST", "", &json!({ "statement": FOR_AGES })));
        fake.control().wait_for("the statement", |counts| counts.running == 1).await;
        Self { fake, stand, client }
    }

    fn memgraph(&self) -> &FakeMemgraph {
        match &*self.fake {
            Fake::Memgraph(fake) => fake,
            Fake::Neo4j(_) => panic!("not the one"),
        }
    }

    fn sent(&self, beginning: &str) -> usize {
        sent(self.fake.control(), beginning)
    }

    /// The number of the connection that serves the next request, which is served.
    async fn next_connection(&self) -> Value {
        let answer = self.stand.run("", "WHOAMI").await;
        answer.values()[0][7].clone()
    }
}

#[tokio::test(start_paused = true)]
async fn does_not_terminate_a_statement_that_ends_in_time() {
    let fake = Fake::start(Kind::Memgraph).await;
    let stand = Stand::new(&fake, 64 * 1024, ONE);
    let client = tokio::spawn(stand.send("POST", "", &json!({ "statement": "SLEEP 100" })));
    fake.control().wait_for("the statement", |counts| counts.running == 1).await;
    client.abort();
    stand.quiet("the statement").await;
    assert_eq!(fake.control().counts().accepted, 1, "nobody came to end it");
    assert_eq!(stand.run("", "RETURN 1").await.values(), &json!([[1]]));
}

#[tokio::test(start_paused = true)]
async fn looks_again_for_an_unlisted_statement() {
    let waiting = Waiting::start(Options::default()).await;
    waiting.memgraph().hide_transactions(2);
    waiting.client.abort();
    waiting.fake.control().wait_for("its end", |counts| counts.running == 0 && counts.transactions == 0).await;
    assert_eq!((waiting.sent("SHOW"), waiting.sent("TERMINATE")), (3, 1));
    assert_eq!(waiting.next_connection().await, json!(0));
    assert_eq!(waiting.fake.control().violations(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn waits_for_a_slow_reset() {
    let waiting = Waiting::start(Options::default()).await;
    waiting.fake.control().on_next("RESET", Fault::Delay(Duration::from_millis(1500)));
    waiting.client.abort();
    assert_eq!(waiting.next_connection().await, json!(0), "the connection was brought back");
    assert_eq!((waiting.sent("TERMINATE"), waiting.fake.control().counts().accepted), (1, 2));
    assert_eq!(waiting.fake.control().violations(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn discards_the_connection_after_an_unanswered_reset() {
    let waiting = Waiting::start(Options::default()).await;
    waiting.fake.control().on_next("RESET", Fault::Hang);
    waiting.client.abort();
    assert_eq!(waiting.next_connection().await, json!(2), "behind the one that ended the statement");
    assert_eq!(waiting.fake.control().counts().running, 0);
    assert_eq!(waiting.fake.control().violations(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn discards_only_the_connection_when_listing_is_forbidden() {
    let waiting = Waiting::start(Options::default()).await;
    let refusal = "You are not authorized to execute this query! Please contact your database administrator.";
    waiting.fake.control().fail_statements("SHOW TRANSACTIONS", 100, When::Run, CLIENT, refusal);
    waiting.client.abort();
    assert_ne!(waiting.next_connection().await, json!(0));
    assert_eq!(waiting.sent("TERMINATE"), 0);
    assert_eq!(waiting.fake.control().violations(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn discards_only_the_connection_when_the_login_fails() {
    let waiting = Waiting::start(Options::default()).await;
    waiting.fake.control().set_user("root", User { password: "pw".into(), admin: true, ..User::default() });
    waiting.client.abort();
    waiting.stand.quiet("the connection").await;
    assert_eq!(waiting.sent("SHOW"), 0);
    waiting.fake.control().drop_user("root");
    assert_ne!(waiting.next_connection().await, json!(0));
    assert_eq!(waiting.fake.control().violations(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn discards_only_the_connection_when_termination_fails() {
    let waiting = Waiting::start(Options::default()).await;
    // A request for the running statements waits for ever.
    for _ in 0..10 {
        waiting.fake.control().on_next("TRANSACTIONS", Fault::Hang);
    }
    waiting.client.abort();
    for _ in 0..3 {
        let begun = tokio::time::Instant::now();
        let next = waiting.stand.send("POST", "", &json!({ "statement": FOR_AGES }));
        let next = tokio::spawn(next);
        let before = waiting.sent(FOR_AGES);
        waiting.fake.control().wait_for("the next one", |_| waiting.sent(FOR_AGES) > before).await;
        assert!(begun.elapsed() < Duration::from_secs(6), "after {:?}", begun.elapsed());
        next.abort();
    }
    waiting.stand.quiet("the last one").await;
    assert_eq!(waiting.sent("TERMINATE"), 0);
    assert_eq!(waiting.fake.control().counts().running, 4, "they run on, and hold nobody up");
}

/// Not all that a database does looks at the time.
#[tokio::test(start_paused = true)]
async fn terminates_a_statement_that_exceeds_its_time_limit() {
    let fake = FakeMemgraph::start_with(Options { heeds_timeouts: false, ..Options::default() }).await;
    let control = fake.control.clone();
    let gateway = start_memory(move || fake.connect(), &[]).await;
    let request = json!({ "statement": FOR_AGES, "maxExecutionTime": 5 });
    let answer = gateway.post("/db/memgraph/query/v2", &request.to_string()).await;
    let error = &body(&answer)["errors"][0];
    assert_eq!(error["code"], "Neo.ClientError.Transaction.TransactionTimedOut", "{answer}");
    assert!(
        error["message"].as_str().unwrap().starts_with("The database did not respond within the time limit"),
        "{answer}"
    );
    control.wait_for("its end", |counts| counts.running == 0 && counts.transactions == 0).await;
    assert_eq!((sent(&control, "SHOW"), sent(&control, "TERMINATE")), (1, 1));
    assert_eq!(control.violations(), [""; 0]);
}
