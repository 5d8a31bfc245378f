//! The gateway's own account.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use super::stand::{ALICE, BOB, BOTH, Kind, Stand, most_refusals};
use crate::support::{
    bolt::control::User,
    query::{refused, values},
};

fn settings(password: &str) -> [(&'static str, &str); 4] {
    [
        ("auth.basic", "service"),
        ("auth.anonymous", "service"),
        ("auth.service_account.user", "gateway"),
        ("auth.service_account.password", password),
    ]
}

async fn start(kind: Kind, password: &str) -> Stand {
    let stand = Stand::start(kind, &settings(password)).await;
    let user = User { password: "open-sesame".into(), ..User::default() };
    stand.control().set_user("gateway", user);
    stand
}

#[tokio::test]
async fn returns_503_when_the_database_refuses_the_service_account() {
    for kind in BOTH {
        let stand = start(kind, "misspelt").await;
        let begun = std::time::Instant::now();
        for _ in 0..3 {
            let answer = stand.run(ALICE, "", "WHOAMI").await;
            let error = refused(&answer);
            assert_eq!(
                (error.status, error.code.as_str()),
                (503, "Neo.TransientError.General.DatabaseUnavailable"),
                "{answer}"
            );
            assert_eq!(answer.header("WWW-Authenticate"), None);
            let told = answer.to_string();
            assert!(!told.contains("misspelt") && !told.contains("credential"), "{told}");
        }
        let failed = stand.control().counts().failed_logons;
        assert!(
            (1..=most_refusals(begun)).contains(&failed),
            "{kind:?}: its logins are not counted by callers: {failed}"
        );
        // Somebody puts it right, and no request has to wait for long.
        stand.control().set_password("gateway", "misspelt");
        let deadline = Instant::now() + Duration::from_secs(60);
        while stand.run(ALICE, "", "WHOAMI").await.status != 202 {
            assert!(Instant::now() < deadline, "{kind:?}: it is still refused");
            sleep(Duration::from_millis(50)).await;
        }
        stand.is_content().await;
    }
}

#[tokio::test]
async fn shares_connections_but_not_transactions() {
    for kind in BOTH {
        let stand = start(kind, "open-sesame").await;
        for who in [ALICE, BOB.with("whatever")] {
            assert_eq!(values(&stand.run(who, "", "WHOAMI").await)[0][0], "gateway");
        }
        assert_eq!(stand.control().counts().logons, 1, "{kind:?}");
        let path = stand.begin(ALICE).await;
        for stranger in [BOB, ALICE.with("other")] {
            for (method, path) in [("POST", &path), ("POST", &format!("{path}/commit")), ("DELETE", &path)] {
                assert_eq!(stand.send(stranger, method, path, &json!({})).await.status, 404, "{stranger:?}");
            }
        }
        assert_eq!(stand.send(ALICE, "DELETE", &path, &json!({})).await.status, 200);
        stand.is_content().await;
    }
}

#[tokio::test]
async fn detects_a_changed_password_of_the_service_account() {
    for kind in BOTH {
        let mut changes = settings("open-sesame").to_vec();
        changes.push(("database.login_age", "200ms"));
        let stand = Stand::start(kind, &changes).await;
        let user = User { password: "open-sesame".into(), ..User::default() };
        stand.control().set_user("gateway", user);
        assert_eq!(stand.run(ALICE, "", "WHOAMI").await.status, 202);
        stand.control().set_password("gateway", "changed");
        sleep(Duration::from_millis(250)).await;
        assert_eq!(refused(&stand.run(ALICE, "", "WHOAMI").await).status, 503, "{kind:?}");
        stand.is_content().await;
    }
}
