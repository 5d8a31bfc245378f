//! HTTP/2 over plain text, by clients that know beforehand that it is spoken.

use serde_json::json;

use super::gateway;
use crate::support::http2::{connect, query};

#[tokio::test]
async fn serves_concurrent_requests_on_one_connection() {
    let gateway = gateway().await;
    let requests = connect(gateway.address()).await;
    let answers = (0..30).map(|number| {
        let (mut requests, address) = (requests.clone(), gateway.address().to_owned());
        tokio::spawn(async move {
            let request = json!({ "statement": "RETURN $n AS n", "parameters": { "n": number } });
            let (status, body) = query(&mut requests, &address, request).await;
            assert_eq!((status, &body["data"]["values"]), (202, &json!([[number]])));
        })
    });
    for answer in answers.collect::<Vec<_>>() {
        answer.await.expect("it was answered");
    }
}

#[tokio::test]
async fn isolates_errors_of_one_stream() {
    let gateway = gateway().await;
    let mut requests = connect(gateway.address()).await;
    let (status, body) = query(&mut requests, gateway.address(), json!({ "statement": "RETURN x" })).await;
    assert_eq!((status, body["errors"].as_array().map(Vec::len)), (400, Some(1)));
    let request = json!({ "statement": "UNWIND range(1, 50000) AS i RETURN i" });
    let (status, body) = query(&mut requests, gateway.address(), request).await;
    let values = body["data"]["values"].as_array().unwrap();
    assert_eq!((status, values.len(), &values[49_999]), (202, 50_000, &json!([50_000])));
}
