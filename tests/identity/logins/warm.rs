//! What logins cost a caller who has logged in before.

use serde_json::json;

use super::stand::{ADMIN, ALICE, BOB, BOTH, Kind, Stand};
use crate::support::query::values;

/// Every request is re-authenticated.
const ALWAYS: [(&str, &str); 1] = [("database.login_age", "0s")];

#[tokio::test]
async fn adds_no_message_to_a_warm_request() {
    for kind in BOTH {
        let stand = Stand::start(kind, &[]).await;
        stand.serves(ALICE).await;
        stand.control().forget_messages();
        for _ in 0..99 {
            stand.serves(ALICE).await;
        }
        let counts = stand.control().counts();
        assert_eq!((counts.accepted, counts.logons), (1, 1), "{kind:?}");
        let messages: Vec<_> = counts.messages.into_iter().collect();
        assert_eq!(messages, [("PULL", 99), ("RUN", 99)], "{kind:?}: and nothing else");
        stand.is_content().await;
    }
}

#[tokio::test]
async fn adds_no_message_in_or_to_open_a_transaction() {
    for kind in BOTH {
        let stand = Stand::start(kind, &[]).await;
        stand.serves(ALICE).await;
        stand.control().forget_messages();
        let path = stand.begin(ALICE).await;
        assert_eq!(stand.run(ALICE, &path, "RETURN 1").await.status, 202);
        assert_eq!(stand.send(ALICE, "POST", &format!("{path}/commit"), &json!({})).await.status, 202);
        // A handle that is not there, and a body that is wrong: both need a caller whom the database knows.
        assert_eq!(stand.send(ALICE, "DELETE", &path, &json!({})).await.status, 404);
        assert_eq!(stand.send(ALICE, "POST", "", &json!({ "statemant": 1 })).await.status, 400);
        assert_eq!(stand.journal(), ["BEGIN", "RUN", "PULL", "COMMIT"], "{kind:?}");
        stand.is_content().await;
    }
}

#[tokio::test]
async fn adds_two_messages_without_a_round_trip_when_re_authenticating() {
    let stand = Stand::start(Kind::Neo4j, &ALWAYS).await;
    stand.serves(ALICE).await;
    let mut journal = vec!["HELLO", "LOGON", "RUN", "PULL"];
    for _ in 0..20 {
        stand.serves(ALICE).await;
        journal.extend(["LOGOFF", "LOGON", "RUN", "PULL"]);
    }
    assert_eq!(stand.journal(), journal);
    let path = stand.begin(ALICE).await;
    assert_eq!(stand.run(ALICE, &path, "RETURN 1").await.status, 202);
    assert_eq!(stand.send(ALICE, "POST", &format!("{path}/commit"), &json!({})).await.status, 202);
    // A server accepts no login inside a transaction, so another connection re-authenticates.
    journal.extend(["LOGOFF", "LOGON", "BEGIN"]);
    journal.extend(["HELLO", "LOGON", "GOODBYE", "RUN", "PULL"]);
    journal.extend(["HELLO", "LOGON", "GOODBYE", "COMMIT"]);
    assert_eq!(stand.journal(), journal);
    assert_eq!(stand.control().counts().accepted, 3);
    stand.is_content().await;
}

#[tokio::test]
async fn opens_a_connection_when_the_server_cannot_re_authenticate() {
    let stand = Stand::start(Kind::Memgraph, &ALWAYS).await;
    for requests in 1..=10 {
        stand.serves(ALICE).await;
        let counts = stand.control().counts();
        assert_eq!((counts.accepted, counts.logons), (requests, requests));
        assert_eq!(stand.control().count("LOGOFF"), 0);
    }
    stand.control().wait_for("the end of those before", |counts| counts.open <= 1).await;
    stand.is_content().await;
}

#[tokio::test]
async fn waits_for_the_login_with_a_large_statement() {
    let stand = Stand::start(Kind::Neo4j, &ALWAYS).await;
    stand.serves(ALICE).await;
    // Neo4j accepts none of these before a login.
    let wide: Vec<_> = (0..70).collect();
    let long = "x".repeat(100_000);
    let deep = (0..50).fold(json!(1), |inner, _| json!([inner]));
    for value in [json!(wide), json!(long), json!(deep), json!(1)] {
        let body = json!({ "statement": "RETURN $value", "parameters": { "value": value } });
        let answer = stand.send(ALICE, "POST", "", &body).await;
        assert_eq!(values(&answer), json!([[value]]));
        let opened = stand.send(ALICE, "POST", "/tx", &body).await;
        assert_eq!(values(&opened), json!([[value]]));
        let path = format!("/tx/{}/commit", crate::support::query::transaction_id(&opened));
        assert_eq!(values(&stand.send(ALICE, "POST", &path, &body).await), json!([[value]]));
    }
    let counts = stand.control().counts();
    // The commits prove their login on connections of their own.
    assert_eq!((counts.accepted, counts.logons, counts.failed_logons), (1 + 4, 1 + 3 * 4, 0));
    stand.is_content().await;
}

#[tokio::test]
async fn logs_each_caller_in_separately() {
    for kind in BOTH {
        let stand = Stand::start(kind, &[]).await;
        for _ in 0..5 {
            for who in [ALICE, BOB, ADMIN] {
                stand.serves(who).await;
            }
        }
        let counts = stand.control().counts();
        assert_eq!((counts.accepted, counts.logons), (3, 3), "{kind:?}");
        stand.is_content().await;
    }
}
