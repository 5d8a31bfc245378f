//! `/transactions` and `/pools`: what operators see of callers.

use serde_json::{Value, json};

use crate::{
    admin::{ALICE, FOR_AGES, Stand, until},
    support::query::body,
};

#[tokio::test]
async fn lists_an_open_transaction_by_an_id_that_is_no_handle() {
    for stand in Stand::both().await {
        let (path, handle) = stand.begin(&json!({ "statement": "WRITE k 1" })).await;
        let one = stand.until("idle").await;
        let id = one["id"].as_str().unwrap();
        assert!(id.len() == 16 && id.bytes().all(|digit| digit.is_ascii_hexdigit()) && !handle.contains(id), "{one}");
        let (kind, user, statement) = (&one["kind"], &one["user"], &one["statement"]);
        assert_eq!((kind, user, statement), (&json!("explicit"), &json!("alice"), &Value::Null));
        assert_eq!(Some(&one["database"]), stand.path.split('/').nth(2).map(Value::from).as_ref());
        assert_eq!(one["caller"].as_str().map(str::len), Some(16), "{one}");
        assert!(one["elapsed"].is_f64() && one["since"].as_str().unwrap().ends_with('Z'), "{one}");
        assert!(one["expires"].as_str() >= one["since"].as_str(), "{one}");
        // Knowing the id lets nobody use the transaction, not even its owner.
        for path in [format!("/tx/{id}"), format!("/tx/{id}/commit")] {
            assert_eq!(stand.send("POST", &path, &json!({})).await.status, 404);
        }
        let request = stand.start_statement(&path, FOR_AGES);
        let busy = stand.until("busy").await;
        assert_eq!((&busy["id"], &busy["statement"]), (&one["id"], &json!(FOR_AGES)));
        assert!(!stand.admin("GET", "/transactions").await.text().contains(&handle));
        stand.end(&busy).await;
        request.await.unwrap();
        assert_eq!(stand.transactions().await, [Value::Null; 0]);
    }
}

#[tokio::test]
async fn lists_all_that_runs_the_oldest_first() {
    let stand = Stand::neo4j(&[]).await;
    stand.begin(&json!({})).await;
    let mut requests = vec![stand.start_statement("", FOR_AGES)];
    until(async || stand.transactions().await, |list| list.len() == 2).await;
    let batch = json!({ "statements": [{ "statement": FOR_AGES }, { "statement": "RETURN 1" }] });
    requests.push(stand.start("/batch", &[("Content-Type", "application/json")], batch.to_string()));
    until(async || stand.transactions().await, |list| list.len() == 3).await;
    let load = format!("{}\n{{\"n\":1}}\n", json!({ "statement": FOR_AGES }));
    requests.push(stand.start("/batch", &[("Content-Type", "application/x-ndjson")], load));
    until(async || stand.transactions().await, |list| list.len() == 4).await;
    requests.push(stand.start_statement("/tx", FOR_AGES));
    let runs = |list: &Vec<Value>| list.len() == 5 && list.iter().all(|one| one["state"] != "queued");
    let all = until(async || stand.transactions().await, runs).await;
    let shown: Vec<_> = all.iter().map(|one| (one["kind"].as_str().unwrap(), one["state"].as_str().unwrap())).collect();
    let expected = [
        ("explicit", "idle"),
        ("statement", "running"),
        ("batch", "running"),
        ("load", "running"),
        ("explicit", "busy"),
    ];
    assert_eq!(shown, expected);
    assert!(all.iter().skip(1).all(|one| one["statement"] == FOR_AGES && one["user"] == "alice"), "{all:?}");
    for one in &all {
        assert_eq!(stand.end(one).await.status, 200);
    }
    for request in requests {
        request.await.unwrap();
    }
    assert_eq!(stand.transactions().await, [Value::Null; 0]);
    assert_eq!(stand.control.counts().transactions, 0);
}

#[tokio::test]
async fn counts_the_connections_of_each_caller() {
    let settings = [("database.max_connections", "2"), ("database.caller_share", "50"), ("transactions.max", "1")];
    let stand = Stand::neo4j(&settings).await;
    let nothing = json!({ "max": 2, "open": 0, "idle": 0, "in_use": 0, "recovering": 0, "waiting": 0 });
    assert_eq!(stand.pools().await, json!({ "pool": nothing, "callers": [] }));
    let (path, _) = stand.begin(&json!({})).await;
    let mut requests = vec![stand.start_statement(&path, FOR_AGES)];
    let label = stand.until("busy").await["caller"].clone();
    let caller = |open, idle, in_use, waiting| json!({ "caller": label, "user": "alice", "open": open, "idle": idle, "in_use": in_use, "waiting": waiting });
    assert_eq!(stand.pools().await["callers"], json!([caller(1, 0, 1, 0)]));
    // One connection is all that one caller may have here.
    requests.push(stand.start_statement("", "RETURN 1"));
    let waits = until(async || stand.pools().await, |pools| pools["pool"]["waiting"] == 1).await;
    assert_eq!(waits["callers"], json!([caller(1, 0, 1, 1)]));
    let pool = json!({ "max": 2, "open": 1, "idle": 0, "in_use": 1, "recovering": 0, "waiting": 1 });
    assert_eq!(waits["pool"], pool);
    let busy = until(async || stand.transactions().await, |list| list.len() == 2).await;
    let busy = busy.iter().find(|one| one["state"] == "busy").unwrap();
    assert_eq!(stand.end(busy).await.status, 200);
    for request in requests {
        request.await.unwrap();
    }
    assert_eq!(stand.pools().await["callers"], json!([caller(1, 1, 0, 0)]));
    assert!(!stand.admin("GET", "/pools").await.text().contains(ALICE));
}

#[tokio::test]
async fn has_the_users_own_list_of_running_statements_agree() {
    let stand = Stand::neo4j(&[]).await;
    let request = stand.start_statement("", FOR_AGES);
    let one = stand.until("running").await;
    let running = body(&stand.send("GET", "/running", &Value::Null).await)["running"][0].clone();
    assert_eq!((&running["id"], &running["state"]), (&one["id"], &one["state"]));
    stand.end(&one).await;
    request.await.unwrap();
}
