//! How long attempts go on: as the request says, never beyond its time, and not when nobody waits.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;

use super::stand::{PRECISE, Stand, at_once, attempts, error, neo4j, stands, statements, with};
use crate::support::{
    bolt::control::When,
    http::Connection,
    query::{body, refused, values},
};

/// A pause that no test waits for.
fn for_ages() -> Value {
    json!({ "initialRetryDelay": 3000, "maxTransactionRetryTime": 3600, "retryDelayJitterFactor": 0 })
}

#[tokio::test]
async fn rejects_invalid_retry_options_before_sending() {
    for stand in stands(&[]).await {
        for (retry, named) in [
            (json!(1), "must be true, false, null or an object, not the number 1"),
            (json!("false"), "must be true, false, null or an object, not the string"),
            (json!([]), "must be true, false, null or an object, not an array"),
            (json!({ "maxTime": 1 }), "retry: unknown field `maxTime`"),
            (json!({ "maxTransactionRetryTime": -0.001 }), "retry.maxTransactionRetryTime"),
            (json!({ "maxTransactionRetryTime": 3600.5 }), "retry.maxTransactionRetryTime"),
            (json!({ "maxTransactionRetryTime": "30s" }), "retry.maxTransactionRetryTime"),
            (json!({ "initialRetryDelay": -1 }), "retry.initialRetryDelay"),
            (json!({ "initialRetryDelay": true }), "retry.initialRetryDelay"),
            (json!({ "retryDelayMultiplier": 0.99 }), "retry.retryDelayMultiplier"),
            (json!({ "retryDelayMultiplier": 101 }), "retry.retryDelayMultiplier"),
            (json!({ "retryDelayJitterFactor": 1.01 }), "retry.retryDelayJitterFactor"),
            (json!({ "retryDelayJitterFactor": [] }), "retry.retryDelayJitterFactor"),
            (json!({ "initialRetryDelay": 1, "x": {} }), "retry: unknown field `x`"),
        ] {
            let more = json!({ "retry": retry });
            for answer in [stand.query("ADD a 1", &more).await, stand.batch(&["ADD a 1"], &more).await] {
                let told = refused(&answer);
                assert_eq!((told.status, told.code.as_str()), (400, "Neo.ClientError.Request.Invalid"), "{retry}");
                assert!(told.message.contains(named), "{retry}: {}", told.message);
            }
        }
        assert_eq!((stand.control.count("RUN"), stand.control.count("BEGIN")), (0, 0));
    }
}

#[tokio::test]
async fn rejects_retry_options_on_open_transactions() {
    let stand = neo4j(&[]).await;
    let request = json!({ "statement": "ADD a 1", "retry": false });
    let path = stand.begin().await;
    for behind in ["/tx".to_owned(), path.clone(), format!("{path}/commit")] {
        let told = refused(&stand.post(&behind, &[], &request).await);
        assert!(told.status == 400 && told.message.contains("retry"), "{behind}: {told:?}");
    }
}

#[tokio::test]
async fn makes_one_attempt_without_time() {
    for settings in [&[][..], &[("retry.max_time", "0s")]] {
        for stand in stands(settings).await {
            let wish = if settings.is_empty() { json!({ "maxTransactionRetryTime": 0 }) } else { json!({}) };
            for retry in [json!(false), wish] {
                stand.control.forget_messages();
                stand.conflicts("ADD a", 1, When::Commit);
                let answer = stand.query("ADD a 1 ROWS 1", &json!({ "retry": retry })).await;
                assert_eq!(error(&answer)["code"], stand.conflict.0, "{answer}");
                assert_eq!((stand.control.count("RUN"), attempts(&answer)), (1, None), "{retry}: {answer}");
                stand.conflicts("ADD a", 1, When::Commit);
                let answer = stand.batch(&["ADD a 1"], &json!({ "retry": retry })).await;
                assert_eq!((answer.status, &error(&answer)["code"]), (400, &json!(stand.conflict.0)), "{answer}");
                assert_eq!((stand.control.count("COMMIT"), attempts(&answer)), (1, None), "{retry}: {answer}");
            }
            assert_eq!(stand.committed("a"), 0);
            stand.is_content().await;
        }
    }
}

#[tokio::test]
async fn fills_missing_retry_options_from_settings() {
    // No attempt but the first, unless a request asks for more; then there are pauses of an hour.
    let stand = neo4j(&[("retry.max_time", "0s"), ("retry.initial_delay", "1h")]).await;
    stand.conflicts("ADD a", 4, When::Run);
    for (retry, tries) in [
        (json!(null), 1),
        (json!({ "initialRetryDelay": 0.001, "maxTransactionRetryTime": null }), 1),
        (json!({ "maxTransactionRetryTime": 60 }), 1),
        (json!({ "initialRetryDelay": 0.001, "maxTransactionRetryTime": 60 }), 2),
    ] {
        stand.control.forget_messages();
        stand.query("ADD a 1", &json!({ "retry": retry })).await;
        assert_eq!(stand.control.count("RUN"), tries, "{retry}");
    }
    assert_eq!(stand.committed("a"), 1);
}

/// Time passes by itself as soon as all wait, so that it is exact: an attempt at once, then one every 300 ms.
#[tokio::test(start_paused = true)]
async fn bounds_all_attempts_by_the_request_timeout() {
    let pauses = json!({ "initialRetryDelay": 0.3, "retryDelayMultiplier": 1, "retryDelayJitterFactor": 0 });
    for stand in stands(&[]).await {
        for (behind, message, request) in [
            ("", "RUN", json!({ "statement": "CONFLICT 1000" })),
            ("/batch", "BEGIN", statements(&["ADD a 1", "CONFLICT 1001"])),
        ] {
            stand.control.forget_messages();
            let request = with(request, &json!({ "maxExecutionTime": 1, "retry": pauses }));
            let answer = stand.post(behind, &[PRECISE], &request).await;
            let told = error(&answer);
            assert_eq!(
                (answer.status, &told["retryable"], attempts(&answer)),
                (409, &json!(true), Some(4)),
                "{answer}"
            );
            assert_eq!(told["code"], stand.conflict.0, "{answer}");
            // Each is given what is left.
            let limits = stand.extras(message, "tx_timeout");
            let limits: Vec<_> = limits.iter().map(|limit| limit.as_ref().unwrap().as_int().unwrap()).collect();
            let expected = [1000, 700, 400, 100];
            let is_right =
                limits.iter().zip(expected).all(|(limit, expected)| (expected - 50..=expected).contains(limit));
            assert!(is_right && limits.len() == 4, "{}, {behind}: {limits:?}", stand.name);
        }
        assert_eq!(stand.committed("a"), 0);
    }
}

/// 50 ms, 100 ms, 200 ms, and so on, but no more than two seconds, for half a minute after the first failure.
#[tokio::test(start_paused = true)]
async fn retries_for_thirty_seconds_by_default() {
    for stand in stands(&[("retry.jitter", "0")]).await {
        let start = tokio::time::Instant::now();
        let answer = stand.query("CONFLICT 1000", &json!({})).await;
        assert_eq!(attempts(&answer), Some(20), "{answer}");
        assert_eq!(start.elapsed().as_secs(), 29, "3.15 s for the first seven, then one every two seconds");
    }
}

/// Waits until what the caller has under way is in this state; `null` when there is nothing.
async fn until(stand: &Stand, state: Value) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let list = body(&stand.gateway.send("GET", &stand.path("/running"), &[], "").await);
        if list["running"][0]["state"] == state {
            return;
        }
        assert!(Instant::now() < deadline, "{state}: {list}");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn stops_retrying_when_the_client_disconnects() {
    for stand in stands(&[]).await {
        for (behind, message, request) in
            [("", "RUN", json!({ "statement": "ADD a 1" })), ("/batch", "BEGIN", statements(&["ADD a 1", "RETURN 1"]))]
        {
            stand.control.forget_messages();
            stand.conflicts("ADD a", 1, When::Run);
            let mut client = Connection::open(stand.gateway.address()).await;
            let request = with(request, &json!({ "retry": at_ages_within_time() }));
            client.post(&stand.path(behind), &request.to_string()).await;
            until(&stand, json!("retrying")).await;
            drop(client);
            until(&stand, Value::Null).await;
            assert_eq!(stand.control.count(message), 1, "{}, {behind}", stand.name);
        }
        assert_eq!(stand.committed("a"), 0);
        stand.is_content().await;
    }
}

/// A pause that no test waits for, and that the request's time allows.
fn at_ages_within_time() -> Value {
    with(for_ages(), &json!({ "initialRetryDelay": 100 }))
}

#[tokio::test]
async fn skips_a_pause_beyond_the_request_timeout() {
    for stand in stands(&[]).await {
        stand.conflicts("ADD a", 1, When::Run);
        let answer = stand.query("ADD a 1", &json!({ "retry": for_ages(), "maxExecutionTime": 60 })).await;
        assert_eq!((refused(&answer).code.as_str(), attempts(&answer)), (stand.conflict.0, None), "{answer}");
        assert_eq!(stand.committed("a"), 0);
    }
}

#[tokio::test]
async fn cancels_a_batch_between_attempts() {
    for stand in stands(&[]).await {
        stand.conflicts("ADD a", 1, When::Commit);
        let more = json!({ "retry": at_ages_within_time() });
        let request = stand.batch(&["ADD a 1"], &more);
        let cancel = async {
            until(&stand, json!("retrying")).await;
            let list = body(&stand.gateway.send("GET", &stand.path("/running"), &[], "").await);
            let path = stand.path(&format!("/running/{}", list["running"][0]["id"].as_str().unwrap()));
            assert_eq!(stand.gateway.send("DELETE", &path, &[], "").await.status, 200);
        };
        let (answer, ()) = tokio::join!(request, cancel);
        assert_eq!(refused(&answer).code, "Neo.ClientError.Transaction.Terminated");
        assert_eq!(attempts(&answer), None, "the second one was never made: {answer}");
        assert_eq!((stand.control.count("COMMIT"), stand.committed("a")), (1, 0));
        stand.is_content().await;
    }
}

#[tokio::test]
async fn holds_no_connection_between_attempts() {
    for stand in stands(&[("database.max_connections", "2"), ("transactions.max", "1")]).await {
        let mut clients = Vec::new();
        for n in 0..5 {
            let part = format!("ADD k{n}");
            stand.conflicts(&part, 1, When::Run);
            let mut client = Connection::open(stand.gateway.address()).await;
            let request = json!({ "statement": format!("{part} 1"), "retry": at_ages_within_time() });
            client.post(&stand.path(""), &request.to_string()).await;
            stand.control.wait_for("its failure", |counts| counts.rollbacks == n + 1).await;
            clients.push(client);
        }
        assert_eq!(values(&stand.query("RETURN 7", &json!({})).await), json!([[7]]));
        assert_eq!(values(&stand.query("RETURN 8", &json!({ "retry": at_once() })).await), json!([[8]]));
    }
}

#[tokio::test]
async fn keeps_retrying_during_shutdown() {
    for stand in stands(&[]).await {
        stand.conflicts("ADD a", 1, When::Commit);
        let mut client = Connection::open(stand.gateway.address()).await;
        let retry = json!({ "initialRetryDelay": 0.5, "retryDelayJitterFactor": 0 });
        client.post(&stand.path(""), &json!({ "statement": "ADD a 1", "retry": retry }).to_string()).await;
        stand.control.wait_for("its failure", |counts| counts.rollbacks == 1).await;
        stand.gateway.shutdown().await;
        let answer = client.answer().await;
        assert_eq!((answer.status, attempts(&answer)), (202, Some(2)), "{}: {answer}", stand.name);
        assert_eq!(stand.control.counts().commits, 1, "{}", stand.name);
    }
}
