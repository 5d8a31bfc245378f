//! Every explicit transaction is reported once when it is opened, and once when it ends, with how it ended.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use boltgate::{
    query::{Aliases, ResultLimits, Settings, TransactionSettings},
    telemetry::{
        logs::LogControl,
        observer::{Observer, TransactionOutcome},
    },
};
use serde_json::json;
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{
    cancel::stand::{Answer, Fake, Kind, POOL, Stand},
    support::bolt::control::{Fault, PATIENCE},
};

/// Counts the transactions, and keeps how they ended.
#[derive(Default)]
struct Ends(Mutex<(usize, Vec<TransactionOutcome>)>);

impl Observer for Ends {
    fn transaction_opened(&self) {
        self.0.lock().unwrap().0 += 1;
    }

    fn transaction_ended(&self, outcome: TransactionOutcome, _duration: Duration) {
        self.0.lock().unwrap().1.push(outcome);
    }
}

struct Scene {
    fake: Arc<Fake>,
    stand: Stand,
    ends: Arc<Ends>,
}

impl Scene {
    async fn new() -> Self {
        let (fake, ends) = (Fake::start(Kind::Neo4j).await, Arc::new(Ends::default()));
        let stand = Stand::observed(&fake, 64 * 1024, POOL, Arc::<Ends>::clone(&ends));
        Self { fake, stand, ends }
    }

    /// All transactions so far have ended, in this way each.
    fn ended(&self, outcomes: &[TransactionOutcome]) {
        let (opened, ended) = self.ends.0.lock().unwrap().clone();
        assert_eq!((opened, &ended[..]), (outcomes.len(), outcomes));
        assert_eq!(self.stand.engine.open_transactions(), 0);
    }

    /// Starts a statement that runs for ages.
    async fn start_sleeping(&self, path: &str) -> JoinHandle<Answer> {
        let request = tokio::spawn(self.stand.send("POST", path, &json!({ "statement": "SLEEP 600000" })));
        self.fake.control().wait_for("the statement", |counts| counts.running == 1).await;
        request
    }

    async fn is_over(&self) {
        let over = async {
            while self.stand.engine.open_transactions() > 0 {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(PATIENCE, over).await.expect("no transaction stays open");
    }
}

#[tokio::test]
async fn by_its_owner() {
    let scene = Scene::new().await;
    let stand = &scene.stand;
    let path = stand.begin("RETURN 1").await;
    assert_eq!(stand.send("POST", &format!("{path}/commit"), &json!({})).await.status, 202);
    let path = stand.begin("RETURN 1").await;
    assert_eq!(stand.run(&format!("{path}/commit"), "RETURN 2").await.status, 202);
    let path = stand.begin("RETURN 1").await;
    assert_eq!(stand.send("DELETE", &path, &json!({})).await.status, 200);
    use TransactionOutcome::{Committed, RolledBack};
    scene.ended(&[Committed, Committed, RolledBack]);
}

#[tokio::test]
async fn by_a_failure() {
    let scene = Scene::new().await;
    let (stand, control) = (&scene.stand, scene.fake.control());
    // A statement fails, COMMIT fails, and a client leaves.
    let path = stand.begin("RETURN 1").await;
    assert_eq!(stand.run(&path, "NONSENSE").await.status, 400);
    let path = stand.begin("RETURN 1").await;
    control.fail_next("COMMIT", "Neo.ClientError.Transaction.TransactionValidationFailed", "no");
    assert_eq!(stand.send("POST", &format!("{path}/commit"), &json!({})).await.status, 400);
    let path = stand.begin("RETURN 1").await;
    let request = scene.start_sleeping(&path).await;
    request.abort();
    scene.is_over().await;
    // The connection is lost under a statement, and under COMMIT.
    let path = stand.begin("RETURN 1").await;
    control.on_next("RUN", Fault::CloseBefore);
    stand.run(&path, "RETURN 1").await;
    let path = stand.begin("RETURN 1").await;
    control.on_next("COMMIT", Fault::CloseBefore);
    stand.send("POST", &format!("{path}/commit"), &json!({})).await;
    use TransactionOutcome::{Failed, Lost};
    scene.ended(&[Failed, Failed, Failed, Lost, Lost]);
}

#[tokio::test(start_paused = true)]
async fn by_time() {
    let scene = Scene::new().await;
    let stand = &scene.stand;
    let limits = |idle, lifetime| {
        let [idle_timeout, max_lifetime, grace] = [idle, lifetime, 10].map(Duration::from_secs);
        let limit = Duration::from_secs(3600);
        let transactions = TransactionSettings { max: 4, share: 4, idle_timeout, max_lifetime, grace };
        let log = LogControl::detached(boltgate::config::Settings::default().log);
        Settings {
            max_execution_time: limit,
            termination_grace: limit,
            transactions,
            aliases: Aliases::default(),
            instance: None,
            result: ResultLimits::default(),
            log,
        }
    };
    let _ = stand.engine.with_settings(limits(30, 300));
    stand.begin("RETURN 1").await;
    scene.is_over().await;
    let _ = stand.engine.with_settings(limits(300, 30));
    stand.begin("RETURN 1").await;
    scene.is_over().await;
    let path = stand.begin("RETURN 1").await;
    stand.run(&path, "SLEEP 600000").await;
    use TransactionOutcome::{IdleTimeout, Lifetime};
    scene.ended(&[IdleTimeout, Lifetime, Lifetime]);
}

#[tokio::test]
async fn by_operators_and_at_the_end_of_the_gateway() {
    let scene = Scene::new().await;
    let stand = &scene.stand;
    stand.begin("RETURN 1").await;
    let path = stand.begin("RETURN 1").await;
    let busy = scene.start_sleeping(&path).await;
    for one in stand.engine.list_transactions() {
        assert_eq!(stand.engine.end_transaction(one.id).await, boltgate::query::Ending::Over);
    }
    busy.await.unwrap();
    stand.begin("RETURN 1").await;
    stand.engine.close().await;
    use TransactionOutcome::{Operator, Shutdown};
    scene.ended(&[Operator, Operator, Shutdown]);
}
