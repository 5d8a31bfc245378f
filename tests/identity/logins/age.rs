//! Rights that are taken away while connections are pooled: gone when the login has reached its age.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::sleep;

use super::stand::{ALICE, BOB, BOTH, Stand, most_refusals};
use crate::support::query::{is_refusal, values};

/// After `AGE` a login is older than `SETTINGS` let it become.
const SETTINGS: [(&str, &str); 1] = [("database.login_age", "200ms")];
const AGE: Duration = Duration::from_millis(250);

#[tokio::test]
async fn refuses_an_old_password_after_the_login_age() {
    for kind in BOTH {
        let stand = Stand::start(kind, &SETTINGS).await;
        let now = ALICE.with("looking-glass");
        stand.serves(ALICE).await;
        stand.control().set_password(ALICE.name, now.password);
        stand.serves(now).await;
        sleep(AGE).await;
        stand.refuses(ALICE).await;
        stand.serves(now).await;
        stand.refuses(ALICE).await;
        stand.is_content().await;
    }
}

#[tokio::test]
async fn refuses_a_dropped_user_after_the_login_age() {
    for kind in BOTH {
        let stand = Stand::start(kind, &SETTINGS).await;
        stand.serves(ALICE).await;
        stand.serves(BOB).await;
        stand.control().drop_user(ALICE.name);
        sleep(AGE).await;
        stand.refuses(ALICE).await;
        stand.serves(BOB).await;
        stand.is_content().await;
    }
}

#[tokio::test]
async fn re_authenticates_every_request_with_age_zero() {
    for kind in BOTH {
        let stand = Stand::start(kind, &[("database.login_age", "0s")]).await;
        stand.serves(ALICE).await;
        stand.control().set_password(ALICE.name, "looking-glass");
        stand.refuses(ALICE).await;
        stand.serves(ALICE.with("looking-glass")).await;
        stand.is_content().await;
    }
}

#[tokio::test]
async fn refuses_every_kind_of_request_of_a_dropped_user() {
    for kind in BOTH {
        let stand = Stand::start(kind, &SETTINGS).await;
        stand.serves(ALICE).await;
        stand.control().drop_user(ALICE.name);
        sleep(AGE).await;
        let nowhere = "/tx/0123456789abcdef0123456789abcdef";
        let commit = format!("{nowhere}/commit");
        let begun = Instant::now();
        for (method, path, body) in [
            ("POST", "", json!({ "statement": "RETURN 1" })),
            ("POST", "", json!({ "statemant": "RETURN 1" })),
            ("POST", "/tx", json!({})),
            ("POST", "/tx", json!({ "statement": "RETURN 1" })),
            ("POST", nowhere, json!({})),
            ("POST", &commit, json!({})),
            ("DELETE", nowhere, json!({})),
        ] {
            is_refusal(&stand.send(ALICE, method, path, &body).await);
        }
        let failed = stand.control().counts().failed_logons;
        assert!((1..=most_refusals(begun)).contains(&failed), "{kind:?}: the database was asked {failed} times");
        stand.is_content().await;
    }
}

#[tokio::test]
async fn refuses_an_open_transaction_after_a_password_change() {
    for kind in BOTH {
        let settings = [SETTINGS[0], ("transactions.idle_timeout", "3s")];
        let stand = Stand::start(kind, &settings).await;
        let path = stand.begin(ALICE).await;
        assert_eq!(stand.run(ALICE, &path, "WRITE k 1").await.status, 202);
        let now = ALICE.with("looking-glass");
        stand.control().set_password(ALICE.name, now.password);
        sleep(AGE).await;
        let commit = format!("{path}/commit");
        let begun = Instant::now();
        for (method, path) in [("POST", &path), ("POST", &commit), ("DELETE", &path)] {
            is_refusal(&stand.send(ALICE, method, path, &json!({})).await);
        }
        is_refusal(&stand.run(ALICE, &commit, "WRITE k 2").await);
        let failed = stand.control().counts().failed_logons;
        assert!((1..=most_refusals(begun)).contains(&failed), "{kind:?}: the database was asked {failed} times");
        stand.control().wait_for("its end", |counts| counts.transactions == 0 && counts.rollbacks == 1).await;
        // Nor is its connection to anybody who knows the old password.
        stand.refuses(ALICE).await;
        assert_eq!(values(&stand.run(now, "", "READ k").await), json!([[null]]));
        stand.is_content().await;
    }
}

#[tokio::test]
async fn continues_an_open_transaction_after_re_authentication() {
    for kind in BOTH {
        let stand = Stand::start(kind, &SETTINGS).await;
        let path = stand.begin(ALICE).await;
        for proofs in 1..=3 {
            sleep(AGE).await;
            stand.control().forget_messages();
            assert_eq!(values(&stand.run(ALICE, &path, "WHOAMI").await)[0][0], ALICE.name);
            // Beside the transaction's own connection, which cannot be asked.
            assert_eq!(stand.journal().iter().filter(|name| **name == "LOGON").count(), 1, "{kind:?}");
            assert_eq!(stand.control().counts().accepted, 1 + proofs, "{kind:?}");
            stand.control().wait_for("the end of the proof", |counts| counts.open == 1).await;
        }
        assert_eq!(stand.send(ALICE, "POST", &format!("{path}/commit"), &json!({})).await.status, 202);
        stand.is_content().await;
    }
}

#[tokio::test]
async fn does_not_find_a_transaction_with_the_new_password() {
    for kind in BOTH {
        let stand = Stand::start(kind, &[]).await;
        let path = stand.begin(ALICE).await;
        let now = ALICE.with("looking-glass");
        stand.control().set_password(ALICE.name, now.password);
        for (method, path) in [("POST", path.clone()), ("POST", format!("{path}/commit")), ("DELETE", path.clone())] {
            assert_eq!(stand.send(now, method, &path, &json!({})).await.status, 404, "{method} {path}");
        }
        assert_eq!(stand.send(ALICE, "DELETE", &path, &json!({})).await.status, 200);
        stand.is_content().await;
    }
}

#[tokio::test]
async fn continues_after_re_authenticating_a_valid_login() {
    for kind in BOTH {
        let stand = Stand::start(kind, &SETTINGS).await;
        for requests in 1..=4 {
            stand.serves(ALICE).await;
            assert_eq!(stand.control().counts().logons, requests, "{kind:?}");
            sleep(AGE).await;
        }
        stand.is_content().await;
    }
}
