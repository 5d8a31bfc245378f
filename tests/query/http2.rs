//! HTTP/2 over plain text, by clients that know beforehand that it is spoken.

use axum::http::{Method, Request, header};
use bytes::{Bytes, BytesMut};
use h2::client::{self, SendRequest};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::gateway;

/// A connection over which requests can be sent.
async fn connect(address: &str) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await.expect("the gateway takes connections");
    let (requests, connection) = client::handshake(stream).await.expect("the gateway speaks HTTP/2");
    tokio::spawn(connection);
    requests.ready().await.expect("the connection is good for a request")
}

/// Runs a statement and gives the status and the body of its answer.
async fn query(requests: &mut SendRequest<Bytes>, address: &str, request: Value) -> (u16, Value) {
    let head = Request::builder()
        .method(Method::POST)
        .uri(format!("http://{address}/db/neo4j/query/v2"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(())
        .unwrap();
    let (response, mut body) = requests.send_request(head, false).expect("a stream is free");
    body.send_data(request.to_string().into(), true).expect("the body goes out");
    let response = response.await.expect("it is answered");
    let status = response.status().as_u16();
    let mut incoming = response.into_body();
    let mut whole = BytesMut::new();
    while let Some(piece) = incoming.data().await {
        let piece = piece.expect("the answer is not broken off");
        incoming.flow_control().release_capacity(piece.len()).expect("it was counted");
        whole.extend_from_slice(&piece);
    }
    (status, serde_json::from_slice(&whole).expect("the answer is JSON"))
}

#[tokio::test]
async fn requests_share_one_connection() {
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
async fn a_long_answer_is_complete_and_an_error_ends_only_its_own_request() {
    let gateway = gateway().await;
    let mut requests = connect(gateway.address()).await;
    let (status, body) = query(&mut requests, gateway.address(), json!({ "statement": "RETURN x" })).await;
    assert_eq!((status, body["errors"].as_array().map(Vec::len)), (400, Some(1)));
    let request = json!({ "statement": "UNWIND range(1, 50000) AS i RETURN i" });
    let (status, body) = query(&mut requests, gateway.address(), request).await;
    let values = body["data"]["values"].as_array().unwrap();
    assert_eq!((status, values.len(), &values[49_999]), (202, 50_000, &json!([50_000])));
}
