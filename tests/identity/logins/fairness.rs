//! Many requests of one caller, and the single one of another.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::{task::JoinSet, time::sleep};

use super::stand::{ALICE, BOB, BOTH, Caller, Stand};
use crate::support::{
    bolt::{control::Control, value::Value},
    http::Connection,
    query::values,
};

/// The statements in the order in which they reached the database.
fn statements(control: &Control) -> Vec<String> {
    let runs = control.seen().into_iter().filter(|seen| seen.name() == "RUN");
    runs.filter_map(|seen| seen.field(0).and_then(Value::as_str).map(str::to_owned)).collect()
}

#[tokio::test]
async fn serves_a_single_request_before_another_callers_queue() {
    for kind in BOTH {
        let settings = [("database.max_connections", "2"), ("transactions.max", "1"), ("database.caller_share", "100")];
        let stand = Arc::new(Stand::start(kind, &settings).await);
        let mut queue = JoinSet::new();
        for _ in 0..10 {
            let stand = Arc::clone(&stand);
            queue.spawn(async move { stand.run(ALICE, "", "SLEEP 500").await.status });
        }
        stand.control().wait_for("the first two", |counts| counts.running == 2).await;
        // Time for the others to get in line; if it is too short, this shows less than it could.
        sleep(Duration::from_millis(100)).await;
        stand.serves(BOB).await;
        let statuses = queue.join_all().await;
        assert_eq!(statuses, [202; 10], "and the queue is served as well");
        let order = statements(stand.control());
        let place = order.iter().position(|text| text == "WHOAMI").unwrap();
        assert!(place <= 5, "{kind:?}: {order:?}");
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
        sleep(Duration::from_millis(200)).await;
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
        let settings = [
            ("database.max_connections", "4"),
            ("transactions.max", "3"),
            ("database.caller_share", "50"),
            ("database.acquire_timeout", "300ms"),
        ];
        let stand = Stand::start(kind, &settings).await;
        let paths = [stand.begin(ALICE).await, stand.begin(ALICE).await];
        let refused = crate::support::query::refused(&stand.run(ALICE, "", "RETURN 1").await);
        assert_eq!(refused.status, 503);
        assert!(refused.message.contains("database.caller_share"), "{}", refused.message);
        stand.serves(BOB).await;
        for path in paths {
            assert_eq!(values(&stand.run(ALICE, &path, "RETURN 1").await), json!([[1]]));
            assert_eq!(stand.send(ALICE, "DELETE", &path, &json!({})).await.status, 200);
        }
        stand.serves(ALICE).await;
        stand.is_content().await;
    }
}
