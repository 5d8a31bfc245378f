//! `/live` and `/ready`, as orchestrators ask.

use std::sync::Mutex;

use serde_json::json;
use tokio::io::duplex;

use crate::{
    admin::{LISTEN, Stand},
    support::{gateway::start_memory, query::body},
};

const JSON: (&str, &str) = ("Accept", "text/html;q=0.5, application/json");

#[tokio::test]
async fn is_ready_when_the_database_answers() {
    let stand = Stand::neo4j(&[]).await;
    let text = stand.gateway.admin("GET", "/ready", &[], "").await;
    assert_eq!((text.status, text.text().as_str()), (200, "ready\n"));
    let answer = stand.gateway.admin("GET", "/ready", &[JSON], "").await;
    assert_eq!((answer.status, answer.header("Content-Type")), (200, Some("application/json")));
    assert_eq!(body(&answer), json!({ "ready": true, "reasons": [], "message": "ready" }));
}

#[tokio::test]
async fn is_not_ready_when_the_database_hangs_up_or_says_nothing() {
    let gone = start_memory(|| duplex(64).0, &[LISTEN]).await;
    let kept = Mutex::default();
    let silent = move || {
        let (near, far) = duplex(64);
        Vec::push(&mut kept.lock().unwrap(), far);
        near
    };
    let silent = start_memory(silent, &[LISTEN]).await;
    for gateway in [gone, silent] {
        let text = gateway.admin("GET", "/ready", &[], "").await;
        assert_eq!(text.status, 503, "{text}");
        assert!(text.text().starts_with("not ready: ") && text.text().ends_with('\n'), "{text}");
        let answer = gateway.admin("GET", "/ready", &[JSON], "").await;
        let body = body(&answer);
        assert_eq!((answer.status, &body["ready"], &body["reasons"]), (503, &json!(false), &json!(["database"])));
        assert!(body["message"].as_str().is_some_and(|message| !message.is_empty()), "{answer}");
        assert_eq!(gateway.admin("GET", "/live", &[], "").await.text(), "alive\n");
    }
}
