//! Many requests of one caller, and the single one of another.

use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinSet;

use super::stand::{ALICE, BOB, BOTH, Caller, Stand};
use crate::support::{
    bolt::{control::Control, value::Value},
    http::Connection,
    query::values,
};

/// The texts of the statements of callers, in the order in which they reached the database.
fn statements(control: &Control) -> Vec<String> {
    let runs = control.seen().into_iter().filter(|seen| seen.name() == "RUN");
    let texts = runs.filter_map(|seen| seen.field(0).and_then(Value::as_str).map(str::to_owned));
    texts.filter(|text| ["RETURN 1", "WHOAMI"].contains(&text.as_str())).collect()
}

#[tokio::test]
async fn serves_a_single_request_before_another_callers_queue() {
    for kind in BOTH {
        let settings = [
            ("database.max_connections", "2"),
            ("transactions.max", "1"),
            ("database.caller_share", "100"),
            ("database.acquire_timeout", "60s"),
        ];
        let stand = Arc::new(Stand::start(kind, &settings).await);
        // Both are known, so that neither waits in the login lane.
        stand.serves(ALICE).await;
        stand.serves(BOB).await;
        let (first, second) = (endless(&stand, ALICE).await, endless(&stand, ALICE).await);
        stand.control().wait_for("the first two", |counts| counts.running == 2).await;
        let mut queue = JoinSet::new();
        for _ in 0..8 {
            let stand = Arc::clone(&stand);
            queue.spawn(async move { stand.run(ALICE, "", "RETURN 1").await.status });
        }
        stand.queues(8).await;
        let single = tokio::spawn({
            let stand = Arc::clone(&stand);
            async move { stand.serves(BOB).await }
        });
        stand.queues(9).await;
        stand.control().forget_messages();
        drop(first);
        single.await.unwrap();
        let order = statements(stand.control());
        assert_eq!(order.first().map(String::as_str), Some("WHOAMI"), "{kind:?}: {order:?}");
        drop(second);
        assert_eq!(queue.join_all().await, [202; 8], "and the queue is served as well");
        stand.is_content().await;
    }
}

/// A client that waits for a statement without end.
async fn endless(stand: &Stand, who: Caller) -> Connection {
    let mut client = Connection::open(stand.gateway.address()).await;
    let authorization = who.authorization();
    let headers = [("Content-Type", "application/json"), ("Authorization", authorization.as_str())];
    client.request("POST", &stand.path(""), &headers, &json!({ "statement": "SLEEP 600000" }).to_string()).await;
    client
}

#[tokio::test]
async fn limits_the_connections_of_one_caller() {
    for kind in BOTH {
        let settings = [
            ("database.max_connections", "4"),
            ("transactions.max", "3"),
            ("database.caller_share", "50"),
            ("database.acquire_timeout", "60s"),
        ];
        let stand = Stand::start(kind, &settings).await;
        let mut greedy = Vec::new();
        for _ in 0..8 {
            greedy.push(endless(&stand, ALICE).await);
        }
        stand.control().wait_for("the share", |counts| counts.running == 2).await;
        stand.queues(6).await;
        assert_eq!(stand.control().counts().running, 2, "{kind:?}");
        // The other half is there for others.
        for _ in 0..10 {
            stand.serves(BOB).await;
        }
        let modest = [endless(&stand, BOB).await, endless(&stand, BOB).await];
        stand.control().wait_for("both halves", |counts| counts.running == 4).await;
        assert_eq!(stand.control().counts().open, 4, "{kind:?}");
        drop(modest);
        drop(greedy);
        stand.control().wait_for("the end of all", |counts| counts.running == 0 && counts.transactions == 0).await;
        stand.serves(ALICE).await;
        stand.is_content().await;
    }
}

#[tokio::test]
async fn counts_open_transactions_towards_the_share() {
    for kind in BOTH {
        let settings = |acquire_timeout| {
            [
                ("database.max_connections", "4"),
                ("transactions.max", "3"),
                ("database.caller_share", "50"),
                ("database.acquire_timeout", acquire_timeout),
            ]
        };
        let stand = Stand::start(kind, &settings("60s")).await;
        let paths = [stand.begin(ALICE).await, stand.begin(ALICE).await];
        // Only this request is meant to run out of time.
        stand.reload(&settings("1ms"));
        let refused = crate::support::query::refused(&stand.run(ALICE, "", "RETURN 1").await);
        assert_eq!(refused.status, 503);
        assert!(refused.message.contains("database.caller_share"), "{}", refused.message);
        stand.reload(&settings("60s"));
        stand.serves(BOB).await;
        for path in paths {
            assert_eq!(values(&stand.run(ALICE, &path, "RETURN 1").await), json!([[1]]));
            assert_eq!(stand.send(ALICE, "DELETE", &path, &json!({})).await.status, 200);
        }
        stand.serves(ALICE).await;
        stand.is_content().await;
    }
}
