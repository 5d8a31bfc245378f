//! The database takes back what it has granted: `AuthorizationExpired` asks for another login, `TokenExpired` is final.

use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinSet;

use super::stand::{ALICE, BOB, Kind, Stand};
use crate::support::{
    http::Response,
    query::{refused, values},
};

const AUTHORIZATION: &str = "Neo.ClientError.Security.AuthorizationExpired";
const TOKEN: &str = "Neo.ClientError.Security.TokenExpired";

fn is_expired(answer: &Response, code: &str, message: &str) {
    let error = refused(answer);
    assert_eq!((error.status, error.code.as_str(), error.message.as_str()), (401, code, message), "{answer}");
    assert!(answer.header("WWW-Authenticate").is_some(), "{answer}");
}

#[tokio::test]
async fn logs_in_once_after_an_expired_authorization() {
    for (message, path) in [("RUN", ""), ("RUN", "/tx"), ("BEGIN", "/tx")] {
        let stand = Stand::start(Kind::Neo4j, &[]).await;
        stand.serves(ALICE).await;
        stand.control().fail_next(message, AUTHORIZATION, "Authorization info expired.");
        let answer = stand.run(ALICE, path, "RETURN 1").await;
        assert_eq!(answer.status, 202, "{message} {path}: {answer}");
        assert_eq!(stand.control().counts().logons, 2, "{message} {path}");
        if path == "/tx" {
            let path = format!("/tx/{}", crate::support::query::transaction_id(&answer));
            assert_eq!(stand.send(ALICE, "POST", &format!("{path}/commit"), &json!({})).await.status, 202);
        }
        stand.serves(ALICE).await;
        assert_eq!(stand.control().counts().logons, 2, "{message} {path}: and no more");
        stand.is_content().await;
    }
}

#[tokio::test]
async fn opens_a_transaction_after_an_expired_authorization() {
    let stand = Stand::start(Kind::Neo4j, &[]).await;
    stand.serves(ALICE).await;
    stand.control().fail_next("BEGIN", AUTHORIZATION, "Authorization info expired.");
    let path = stand.begin(ALICE).await;
    assert_eq!(stand.send(ALICE, "DELETE", &path, &json!({})).await.status, 200);
    stand.is_content().await;
}

#[tokio::test]
async fn logs_in_again_on_all_pooled_connections() {
    let stand = Stand::start(Kind::Neo4j, &[]).await;
    stand.warm(ALICE, 3).await;
    stand.warm(BOB, 2).await;
    stand.control().forget_messages();
    stand.control().fail_next("RUN", AUTHORIZATION, "Authorization info expired.");
    stand.serves(ALICE).await;
    stand.control().wait_for("the end of the connection", |counts| counts.open == 4).await;
    stand.warm(ALICE, 3).await;
    stand.warm(BOB, 2).await;
    let names: Vec<_> = (0..6).map(|connection| stand.control().names(connection)).collect();
    assert_eq!(names.iter().filter(|names| names[..] == ["RUN", "PULL"]).count(), 1, "the one that failed: {names:?}");
    assert_eq!(names.iter().filter(|names| names[..2] == ["HELLO", "LOGON"]).count(), 1, "in its place: {names:?}");
    let proved: Vec<_> = names.iter().filter(|names| names[..2] == ["LOGOFF", "LOGON"]).collect();
    assert_eq!(proved.len(), 4, "all others, before anything else: {names:?}");
    assert_eq!(stand.control().count("LOGON"), 5, "{names:?}");
    stand.control().forget_messages();
    stand.warm(ALICE, 3).await;
    stand.warm(BOB, 2).await;
    assert_eq!(stand.control().count("LOGON"), 0, "they stay proved");
    stand.is_content().await;
}

#[tokio::test]
async fn hides_expired_authorizations_from_concurrent_callers() {
    let stand = Arc::new(Stand::start(Kind::Neo4j, &[]).await);
    stand.warm(ALICE, 10).await;
    stand.warm(BOB, 10).await;
    for _ in 0..3 {
        stand.control().expire_authorization();
        let mut crowd = JoinSet::new();
        for who in [ALICE, BOB].repeat(25) {
            let stand = Arc::clone(&stand);
            crowd.spawn(async move { stand.serves(who).await });
        }
        while let Some(ended) = crowd.join_next().await {
            ended.unwrap();
        }
    }
    assert_eq!(stand.control().counts().failed_logons, 0);
    stand.is_content().await;
}

#[tokio::test]
async fn makes_no_third_attempt_after_repeated_expiry() {
    let stand = Stand::start(Kind::Neo4j, &[]).await;
    stand.serves(ALICE).await;
    for _ in 0..2 {
        stand.control().fail_next("RUN", AUTHORIZATION, "Authorization info expired.");
    }
    let runs = stand.control().count("RUN");
    is_expired(&stand.run(ALICE, "", "RETURN 1").await, AUTHORIZATION, "Authorization info expired.");
    assert_eq!(stand.control().count("RUN"), runs + 2);
    stand.serves(ALICE).await;
    stand.is_content().await;
}

#[tokio::test]
async fn ends_a_transaction_with_its_authorization() {
    let stand = Stand::start(Kind::Neo4j, &[]).await;
    let path = stand.begin(ALICE).await;
    assert_eq!(stand.run(ALICE, &path, "WRITE k 1").await.status, 202);
    stand.control().expire_authorization();
    is_expired(&stand.run(ALICE, &path, "WRITE k 2").await, AUTHORIZATION, "Authorization info expired.");
    stand.control().wait_for("the end of the transaction", |counts| counts.transactions == 0).await;
    stand.control().forget_messages();
    assert_eq!(stand.send(ALICE, "POST", &format!("{path}/commit"), &json!({})).await.status, 404);
    assert_eq!(stand.control().count("LOGON"), 1, "the next request logs in anew");
    assert_eq!(values(&stand.run(ALICE, "", "READ k").await), json!([[null]]));
    stand.is_content().await;
}

#[tokio::test]
async fn reports_an_expired_token_to_the_caller() {
    for (message, path) in [("RUN", ""), ("RUN", "/tx"), ("BEGIN", "/tx")] {
        let stand = Stand::start(Kind::Neo4j, &[]).await;
        stand.serves(ALICE).await;
        stand.control().fail_next(message, TOKEN, "Token expired.");
        let logons = stand.control().counts().logons;
        is_expired(&stand.run(ALICE, path, "RETURN 1").await, TOKEN, "Token expired.");
        assert_eq!(stand.control().counts().logons, logons, "{message} {path}: nothing is tried again");
        stand.is_content().await;
    }
}

#[tokio::test]
async fn passes_on_the_refusal_of_an_expired_token() {
    for kind in super::stand::BOTH {
        let stand = Stand::start(kind, &[]).await;
        stand.control().fail_next("LOGON", TOKEN, "Token expired.");
        is_expired(&stand.run(ALICE, "", "RETURN 1").await, TOKEN, "Token expired.");
    }
}
