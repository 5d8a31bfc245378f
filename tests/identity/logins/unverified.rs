//! Many unverified callers at once: they cost others neither a permit nor a connection.

use std::{sync::Arc, time::Instant};

use serde_json::json;
use tokio::task::JoinSet;

use super::stand::{ALICE, BOB, BOTH, Stand};
use crate::support::{
    bolt::control::Fault,
    http::Response,
    query::{authorization, refused},
};

/// The number of concurrent unverified callers, each with a password of its own.
fn crowd(stand: &Arc<Stand>, strangers: usize, method: &'static str, path: &'static str) -> JoinSet<Response> {
    let mut crowd = JoinSet::new();
    for number in 0..strangers {
        let stand = Arc::clone(stand);
        crowd.spawn(async move {
            let who = authorization(&format!("stranger{number}"), &format!("guess {number}"));
            stand.send_with(&who, method, path, &json!({ "statement": "WHOAMI" })).await
        });
    }
    crowd
}

#[tokio::test]
async fn keeps_all_permits_free_from_hanging_logins() {
    for kind in BOTH {
        let settings = [
            ("database.max_connections", "20"),
            ("database.caller_share", "100"),
            ("database.connect_timeout", "60s"),
            ("database.acquire_timeout", "30s"),
            ("transactions.max", "19"),
            ("transactions.caller_share", "100"),
        ];
        let stand = Arc::new(Stand::start(kind, &settings).await);
        stand.serves(ALICE).await;
        // A tenth of the connections.
        for _ in 0..2 {
            stand.control().on_next("LOGON", Fault::Hang);
        }
        let strangers = crowd(&stand, 60, "POST", "");
        stand.control().wait_for("two strangers", |counts| counts.messages.get("LOGON") == Some(&3)).await;
        let mut transactions = Vec::new();
        for _ in 0..19 {
            transactions.push(stand.begin(ALICE).await);
        }
        stand.serves(ALICE).await;
        assert_eq!(stand.control().count("LOGON"), 3 + 19, "{kind:?}: the other strangers wait");
        drop(strangers);
        for path in transactions {
            assert_eq!(stand.send(ALICE, "DELETE", &path, &json!({})).await.status, 200);
        }
        stand.is_content().await;
    }
}

#[tokio::test]
async fn rejects_excess_unverified_callers_at_once() {
    for (method, path) in [("POST", ""), ("GET", "/running")] {
        let settings =
            [("database.max_connections", "2"), ("transactions.max", "1"), ("database.connect_timeout", "60s")];
        let stand = Arc::new(Stand::start(super::stand::Kind::Neo4j, &settings).await);
        stand.serves(ALICE).await;
        stand.control().on_next("LOGON", Fault::Hang);
        // One logs in, 100 wait.
        let mut strangers = crowd(&stand, 130, method, path);
        for _ in 0..29 {
            let answer = strangers.join_next().await.unwrap().unwrap();
            let error = refused(&answer);
            assert_eq!((error.status, answer.header("Retry-After")), (503, Some("1")), "{path}: {error:?}");
            assert!(error.message.starts_with("too many unverified logins"), "{error:?}");
        }
        stand.serves(ALICE).await;
        assert_eq!(stand.control().count("LOGON"), 2, "{path}");
    }
}

#[tokio::test]
async fn keeps_connections_of_others_during_guesses() {
    let settings = [("database.max_connections", "2"), ("transactions.max", "1"), ("database.caller_share", "50")];
    for kind in BOTH {
        let stand = Arc::new(Stand::start(kind, &settings).await);
        stand.serves(ALICE).await;
        stand.serves(BOB).await;
        let (before, begun) = (stand.control().counts().logons, Instant::now());
        for number in 0..20 {
            let who = authorization("nobody", &format!("guess {number}"));
            let answer = stand.send_with(&who, "POST", "", &json!({ "statement": "WHOAMI" })).await;
            assert!([401, 429].contains(&answer.status), "{answer}");
            stand.serves(ALICE).await;
            stand.serves(BOB).await;
        }
        // The first guess was taken for a good caller's login, and took the place of a connection; one more may have after
        // every ten seconds without a guess.
        let (lost, most) = (stand.control().counts().logons - before, 1 + begun.elapsed().as_secs() as usize / 10);
        assert!(lost <= most, "{kind:?}: {lost} connections were lost");
        assert!(stand.gateway.engine().pool_status().open <= 2, "{kind:?}");
    }
}
