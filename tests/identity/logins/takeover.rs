//! All connections are open, and none of them is the caller's: an idle one makes room.

use serde_json::json;

use super::stand::{ADMIN, ALICE, BOB, Kind, Stand};

/// One connection besides that of an open transaction.
const TWO: [(&str, &str); 3] =
    [("database.max_connections", "2"), ("transactions.max", "1"), ("database.caller_share", "50")];

#[tokio::test]
async fn takes_over_an_idle_connection_by_another_login() {
    let stand = Stand::start(Kind::Neo4j, &TWO).await;
    let path = stand.begin(ADMIN).await;
    stand.serves(ALICE).await;
    stand.control().forget_messages();
    for _ in 0..10 {
        stand.serves(BOB).await;
        stand.serves(BOB).await;
        stand.serves(ALICE).await;
    }
    let counts = stand.control().counts();
    assert_eq!((counts.accepted, counts.open), (2, 2));
    let to_bob = ["LOGOFF", "LOGON", "RUN", "PULL", "RUN", "PULL"];
    let to_alice = ["LOGOFF", "LOGON", "RUN", "PULL"];
    assert_eq!(stand.journal(), [&to_bob[..], &to_alice].concat().repeat(10));
    assert_eq!(stand.send(ADMIN, "DELETE", &path, &json!({})).await.status, 200);
    stand.is_content().await;
}

#[tokio::test]
async fn takes_over_a_connection_slot_by_closing() {
    let stand = Stand::start(Kind::Memgraph, &TWO).await;
    let path = stand.begin(ADMIN).await;
    stand.serves(ALICE).await;
    for round in 1..=10 {
        stand.serves(BOB).await;
        stand.serves(BOB).await;
        stand.serves(ALICE).await;
        let counts = stand.control().wait_for("the end of bob's", |counts| counts.open == 2).await;
        assert_eq!((counts.accepted, counts.logons), (2 + 2 * round, 2 + 2 * round));
    }
    assert_eq!(stand.control().count("LOGOFF"), 0);
    assert_eq!(stand.send(ADMIN, "DELETE", &path, &json!({})).await.status, 200);
    stand.is_content().await;
}

#[tokio::test]
async fn takes_nothing_over_for_a_wrong_password() {
    for kind in super::stand::BOTH {
        let stand = Stand::start(kind, &TWO).await;
        let path = stand.begin(ADMIN).await;
        stand.serves(ALICE).await;
        stand.refuses(BOB.with("guess")).await;
        stand.serves(ALICE).await;
        stand.serves(BOB).await;
        assert_eq!(stand.control().counts().failed_logons, 1, "{kind:?}");
        assert_eq!(stand.send(ADMIN, "DELETE", &path, &json!({})).await.status, 200);
        stand.is_content().await;
    }
}

#[tokio::test]
async fn takes_over_with_a_failing_statement_without_trace() {
    for kind in super::stand::BOTH {
        let stand = Stand::start(kind, &TWO).await;
        let path = stand.begin(ADMIN).await;
        for (who, other) in [(ALICE, BOB), (BOB, ALICE)].repeat(5) {
            assert_eq!(stand.run(who, "", "NONSENSE").await.status, 400);
            stand.serves(other).await;
            stand.serves(who).await;
        }
        assert_eq!(stand.send(ADMIN, "DELETE", &path, &json!({})).await.status, 200);
        stand.is_content().await;
    }
}
