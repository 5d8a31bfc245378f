//! Users whose profile limits their sessions.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::{task::JoinSet, time::sleep};

use super::stand::{ANN, Stand};
use crate::support::{
    bolt::{
        control::{Control, User},
        fake_memgraph::FakeMemgraph,
    },
    gateway,
    http::Connection,
    query::{body, transaction_id, values},
};

const PATH: &str = "/db/memgraph/query/v2";
const FOR_AGES: &str = "SLEEP 600000";

/// `ann` may have this number of sessions.
async fn limited(sessions: usize, settings: &[(&'static str, &str)]) -> Stand {
    let fake = FakeMemgraph::start().await;
    fake.control.set_user("ann", User { password: "pw".into(), ..User::default() });
    fake.limit_sessions("ann", sessions);
    let gateway = gateway::start_for_with(&fake.uri(), settings).await;
    Stand { fake, gateway }
}

/// A client of `ann` that waits for a statement without end.
async fn endless(stand: &Stand) -> Connection {
    let mut client = Connection::open(stand.gateway.address()).await;
    let request = json!({ "statement": FOR_AGES }).to_string();
    client.request("POST", PATH, &[("Content-Type", "application/json"), ANN], &request).await;
    stand.fake.control.wait_for("the statement", |counts| counts.running == 1).await;
    client
}

/// The first identifier of what `ann` runs.
async fn running(stand: &Stand) -> String {
    let answer = stand.gateway.send("GET", &format!("{PATH}/running"), &[ANN], "").await;
    assert_eq!(answer.status, 200, "{answer}");
    body(&answer)["running"][0]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

fn sent(control: &Control, beginning: &str) -> usize {
    let runs = control.seen().into_iter().filter(|seen| seen.name() == "RUN");
    runs.filter(|run| run.field(0).and_then(|text| text.as_str()).is_some_and(|text| text.starts_with(beginning)))
        .count()
}

#[tokio::test]
async fn waits_for_a_session_of_the_same_user() {
    let stand = Arc::new(limited(2, &[("database.acquire_timeout", "60s")]).await);
    let mut crowd = JoinSet::new();
    for number in 0..30 {
        let stand = Arc::clone(&stand);
        crowd.spawn(async move {
            let answer = stand.post_as(ANN, PATH, &json!({ "statement": format!("SLEEP 20 ECHO {number}") })).await;
            answer.status
        });
    }
    assert_eq!(crowd.join_all().await, [202; 30]);
    assert!(stand.fake.control.counts().open <= 2);
    stand.is_content().await;
}

#[tokio::test]
async fn returns_the_databases_error_when_the_wait_for_a_session_ends() {
    let stand = limited(1, &[("database.acquire_timeout", "60s")]).await;
    let _client = endless(&stand).await;
    // The only session is in use, so only what is refused has to be in time.
    stand.gateway.reload(&[("database.uri", stand.fake.uri().as_str()), ("database.acquire_timeout", "300ms")]);
    let answer = stand.post_as(ANN, PATH, &json!({ "statement": "RETURN 1" })).await;
    let error = &body(&answer)["errors"][0];
    assert_eq!((answer.status, answer.header("Retry-After")), (503, Some("1")), "{answer}");
    assert_eq!(error["code"], "Memgraph.ClientError.Statement.SessionLimitReached", "{answer}");
}

#[tokio::test]
async fn allows_cancelling_when_all_sessions_are_busy() {
    let stand = limited(1, &[("database.login_age", "200ms")]).await;
    let mut client = endless(&stand).await;
    // The login would have to be re-authenticated, and cannot be.
    sleep(Duration::from_millis(250)).await;
    for _ in 0..2 {
        running(&stand).await;
    }
    let path = format!("{PATH}/running/{}", running(&stand).await);
    assert_eq!(stand.gateway.send("DELETE", &path, &[ANN], "").await.status, 200);
    assert!(body(&client.answer().await)["errors"][0]["code"].is_string());
}

#[tokio::test]
async fn does_not_verify_a_caller_by_a_session_limit() {
    let stand = limited(0, &[]).await;
    for _ in 0..2 {
        let answer = stand.gateway.send("GET", &format!("{PATH}/running"), &[ANN], "").await;
        assert_eq!(answer.status, 503, "{answer}");
    }
}

#[tokio::test]
async fn terminates_over_an_idle_session_of_the_same_user() {
    let stand = limited(2, &[]).await;
    let mut open = Vec::new();
    for _ in 0..2 {
        let begun = stand.post_as(ANN, &format!("{PATH}/tx"), &json!({})).await;
        open.push(format!("{PATH}/tx/{}", transaction_id(&begun)));
    }
    for path in open {
        assert_eq!(stand.gateway.send("DELETE", &path, &[ANN], "").await.status, 200);
    }
    drop(endless(&stand).await);
    stand.fake.control.wait_for("its end", |counts| counts.running == 0 && counts.transactions == 0).await;
    assert_eq!(sent(&stand.fake.control, "TERMINATE"), 1);
    stand.lent(0).await;
    assert_eq!(values(&stand.post_as(ANN, PATH, &json!({ "statement": "ECHO 7" })).await), json!([[7]]));
    stand.is_content().await;
}

#[tokio::test]
async fn closes_sessions_with_stale_logins() {
    let stand = limited(1, &[("database.login_age", "200ms")]).await;
    assert_eq!(values(&stand.post_as(ANN, PATH, &json!({ "statement": "ECHO 7" })).await), json!([[7]]));
    stand.fake.control.wait_for("its end, without another request", |counts| counts.open == 0).await;
    stand.is_content().await;
}
