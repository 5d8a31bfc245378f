//! Passwords that are wrong: asked of the database as seldom as can be, so that its brake on guessing does not lock
//! out those who know the right one.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{task::JoinSet, time::sleep};

use super::stand::{ALICE, BOB, BOTH, Caller, Kind, Stand, most_refusals};
use crate::support::{
    bolt::fake_neo4j,
    http::Response,
    query::{Refused, is_refusal, refused},
};

/// So many requests of one caller at a time.
async fn crowd(stand: &Arc<Stand>, who: Caller, requests: usize) -> Vec<Response> {
    let mut crowd = JoinSet::new();
    for _ in 0..requests {
        let stand = Arc::clone(stand);
        crowd.spawn(async move { stand.run(who, "", "WHOAMI").await });
    }
    crowd.join_all().await
}

#[tokio::test]
async fn checks_one_wrong_password_once() {
    for kind in BOTH {
        let stand = Arc::new(Stand::start(kind, &[]).await);
        let begun = Instant::now();
        for answer in crowd(&stand, ALICE.with("guess"), 50).await {
            is_refusal(&answer);
        }
        let failed = stand.control().counts().failed_logons;
        assert!((1..=most_refusals(begun)).contains(&failed), "{kind:?}: {failed} times");
        // This delays neither the same user with the right password nor anybody else.
        stand.serves(ALICE).await;
        stand.serves(BOB).await;
        stand.is_content().await;
    }
}

#[tokio::test]
async fn serves_concurrent_logins_with_a_valid_password() {
    for kind in BOTH {
        let stand = Arc::new(Stand::start(kind, &[]).await);
        for answer in crowd(&stand, ALICE, 50).await {
            assert_eq!(answer.status, 202, "{answer}");
        }
        assert_eq!(stand.control().counts().failed_logons, 0);
        stand.is_content().await;
    }
}

#[tokio::test]
async fn checks_each_wrong_password_once() {
    for kind in BOTH {
        let stand = Arc::new(Stand::start(kind, &[]).await);
        let begun = Instant::now();
        let mut crowd = JoinSet::new();
        for at in 0..60 {
            let names = ["carol", "dave", "erin", "frank", "grace"];
            let who = Caller { name: names[at % names.len()], password: "guess" };
            let stand = Arc::clone(&stand);
            crowd.spawn(async move { is_refusal(&stand.run(who, "", "WHOAMI").await) });
        }
        crowd.join_all().await;
        let failed = stand.control().counts().failed_logons;
        assert!((5..=5 * most_refusals(begun)).contains(&failed), "{kind:?}: {failed} times");
        stand.is_content().await;
    }
}

/// The password changes while 20 idle connections have the old one, and a crowd that does not know comes.
async fn password_changed_under_a_crowd(kind: Kind, pause: Duration) {
    // Connections are looked through every second.
    let settings = |login_age| [("database.login_age", login_age), ("database.liveness_after", "1s")];
    let stand = Arc::new(Stand::start(kind, &settings("1h")).await);
    stand.warm(ALICE, 20).await;
    assert_eq!(stand.control().counts().open, 20);
    // Only now, since Memgraph's connections are closed when their logins are that old.
    stand.reload(&settings("200ms"));
    stand.control().set_password(ALICE.name, "looking-glass");
    sleep(pause).await;
    let begun = Instant::now();
    for answer in crowd(&stand, ALICE, 50).await {
        is_refusal(&answer);
    }
    let failed = stand.control().counts().failed_logons;
    assert!((1..=2 * most_refusals(begun)).contains(&failed), "{kind:?}: the old password was tried {failed} times");
    stand.serves(ALICE.with("looking-glass")).await;
    stand.is_content().await;
}

#[tokio::test]
async fn detects_a_changed_password_with_one_login() {
    for kind in BOTH {
        password_changed_under_a_crowd(kind, Duration::from_millis(1200)).await;
    }
}

#[tokio::test]
async fn detects_a_just_changed_password_with_one_login() {
    for kind in BOTH {
        password_changed_under_a_crowd(kind, Duration::from_millis(250)).await;
    }
}

#[tokio::test]
async fn passes_on_the_databases_rate_limit() {
    let options = fake_neo4j::Options { lock_time: Duration::from_secs(60), ..Default::default() };
    let stand = Stand::neo4j(options, &[]).await;
    for guess in ["a", "b", "c"] {
        stand.refuses(ALICE.with(guess)).await;
    }
    let braked = Refused {
        status: 429,
        code: "Neo.ClientError.Security.AuthenticationRateLimit".into(),
        message: "Too many failed authentication requests. Please wait 5 seconds and try again.".into(),
    };
    // The right password, too: the database does not look at it any more.
    for password in ["d", ALICE.password] {
        assert_eq!(refused(&stand.run(ALICE.with(password), "", "WHOAMI").await), braked);
    }
    stand.serves(BOB).await;
    assert_eq!(stand.control().counts().failed_logons, 5);
    stand.is_content().await;
}

#[tokio::test]
async fn remembers_a_refusal_only_briefly() {
    for kind in BOTH {
        let stand = Stand::start(kind, &[]).await;
        let hopeful = ALICE.with("looking-glass");
        stand.refuses(hopeful).await;
        stand.control().set_password(ALICE.name, hopeful.password);
        sleep(Duration::from_millis(2100)).await;
        stand.serves(hopeful).await;
        stand.is_content().await;
    }
}

#[tokio::test]
async fn hands_an_abandoned_login_to_the_next_caller() {
    for kind in BOTH {
        let stand = Arc::new(Stand::start(kind, &[]).await);
        let hang = crate::support::bolt::control::Fault::Hang;
        stand.control().on_next("LOGON", hang);
        let first = tokio::spawn({
            let stand = Arc::clone(&stand);
            async move { stand.run(ALICE, "", "WHOAMI").await }
        });
        stand.control().wait_for("the login", |counts| counts.messages.get("LOGON") == Some(&1)).await;
        let second = tokio::spawn({
            let stand = Arc::clone(&stand);
            async move { stand.serves(ALICE).await }
        });
        first.abort();
        second.await.unwrap();
        stand.is_content().await;
    }
}
