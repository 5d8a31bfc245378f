//! Transactions that end by themselves, and how many there can be.

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{PATIENCE, PAUSE, TX, commit, gateway, is_gone, is_gone_because, reading, run, until_none_is_open};
use crate::support::{
    gateway::start_embedded,
    query::{begin, body, count, refused, values, works},
};

#[tokio::test]
async fn rolls_back_an_unused_transaction() {
    let gateway = start_embedded(&[("transactions.idle_timeout", "300ms")]).await;
    let path = begin(&gateway, &json!({ "statement": "CREATE (:A)" })).await;
    until_none_is_open(&gateway).await;
    let because = "It was rolled back because no request had used it for 300ms (transactions.idle_timeout).";
    is_gone_because(&gateway, &path, because).await;
    // Elsewhere, and for anybody else, it never was.
    is_gone(&gateway, &path.replace("/neo4j/", "/other/")).await;
    let id = path.rsplit('/').next().expect("the handle is last");
    let stranger = [("Authorization", "Basic Ym9iOnB3"), ("Content-Type", "application/json")];
    let refused = refused(&gateway.send("POST", &path, &stranger, "{}").await);
    assert!(refused.message.starts_with(&format!("Transaction with Id: \"{id}\" was not found. It may have")));
    assert_eq!(count(&gateway, "A").await, 0);
    // Its turn to write is over, too.
    assert_eq!(gateway.query("CREATE (:B)").await.status, 202);
}

#[tokio::test]
async fn extends_the_expiry_with_every_use() {
    let gateway = gateway().await;
    let path = begin(&gateway, &reading()).await;
    for request in ["{}", r#"{"statement":"RETURN 1 AS a"}"#] {
        let expires = |body: Value| body["transaction"]["expires"].as_str().expect("it is open").to_owned();
        let first = expires(body(&gateway.post(&path, request).await));
        let deadline = Instant::now() + PATIENCE;
        // Times of the same length compare as text.
        while expires(body(&gateway.post(&path, request).await)) <= first {
            assert!(Instant::now() < deadline, "it still expires at {first}");
            sleep(PAUSE).await;
        }
    }
    assert_eq!(commit(&gateway, &path).await.status, 202);
}

#[tokio::test]
async fn ends_a_transaction_in_use_at_its_maximum_age() {
    let settings = [("transactions.idle_timeout", "1s"), ("transactions.max_lifetime", "1s")];
    let gateway = start_embedded(&settings).await;
    let path = begin(&gateway, &json!({ "statement": "CREATE (:A)" })).await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let response = gateway.post(&path, "{}").await;
        if response.status == 404 {
            break;
        }
        assert_eq!(response.status, 202, "{response}");
        assert!(Instant::now() < deadline, "it still lives");
        sleep(PAUSE).await;
    }
    let because = "It was rolled back because it was older than 1s (transactions.max_lifetime).";
    is_gone_because(&gateway, &path, because).await;
    assert_eq!(count(&gateway, "A").await, 0);
}

#[tokio::test]
async fn limits_the_share_of_one_caller() {
    let settings = [("transactions.max", "4"), ("transactions.caller_share", "50")];
    let gateway = start_embedded(&settings).await;
    let mine = [begin(&gateway, &reading()).await, begin(&gateway, &reading()).await];
    let refused = refused(&gateway.post(TX, &reading().to_string()).await);
    let code = "Neo.TransientError.Transaction.MaximumTransactionLimitReached";
    assert_eq!((refused.status, refused.code.as_str()), (503, code));
    assert!(refused.message.contains("transactions.caller_share"), "{}", refused.message);
    let other = [("Authorization", "Basic Ym9iOnB3"), ("Content-Type", "application/json")];
    for _ in 0..2 {
        assert_eq!(gateway.send("POST", TX, &other, &reading().to_string()).await.status, 202);
    }
    // One's own place is free again as soon as one's own transaction ends.
    commit(&gateway, &mine[0]).await;
    begin(&gateway, &reading()).await;
}

#[tokio::test]
async fn limits_the_number_of_transactions() {
    let gateway = start_embedded(&[("transactions.max", "2")]).await;
    let (one, other) = (begin(&gateway, &reading()).await, begin(&gateway, &reading()).await);
    for request in [reading(), json!({ "accessMode": "READ", "statement": "RETURN 1 AS a" })] {
        let response = gateway.post(TX, &request.to_string()).await;
        let refused = refused(&response);
        let code = "Neo.TransientError.Transaction.MaximumTransactionLimitReached";
        assert_eq!((refused.status, refused.code.as_str()), (503, code));
        assert!(refused.message.contains("transactions.max"), "{}", refused.message);
        assert_eq!(response.header("Retry-After"), Some("1"));
    }
    // Those that are open work on, and so do single statements.
    assert_eq!(values(&run(&gateway, &one, "RETURN 1 AS a").await), json!([[1]]));
    works(&gateway).await;
    // Every way to end one makes room for another.
    commit(&gateway, &one).await;
    let third = begin(&gateway, &reading()).await;
    gateway.send("DELETE", &other, &[], "").await;
    let fourth = begin(&gateway, &reading()).await;
    run(&gateway, &third, "RETURN x").await;
    begin(&gateway, &reading()).await;
    assert_eq!(gateway.engine().open_transactions(), 2);
    is_gone(&gateway, &third).await;
    assert_eq!(commit(&gateway, &fourth).await.status, 202);
}

#[tokio::test]
async fn releases_the_permit_when_a_transaction_cannot_be_opened() {
    let gateway = start_embedded(&[("transactions.max", "1")]).await;
    for (path, request, status) in [
        (TX, json!({ "statement": "RETURN x" }), 400),
        ("/db/nope/query/v2/tx", json!({}), 404),
        (TX, json!({ "unknown": 1 }), 400),
    ] {
        for _ in 0..2 {
            assert_eq!(refused(&gateway.post(path, &request.to_string()).await).status, status, "{request}");
            assert_eq!(gateway.engine().open_transactions(), 0);
        }
    }
    begin(&gateway, &reading()).await;
}
