//! An HTTP/2 client for tests: plain text, by prior knowledge.

use axum::http::{Method, Request, Response, header};
use bytes::{Bytes, BytesMut};
use h2::{
    Error, RecvStream,
    client::{self, SendRequest},
};
use serde_json::Value;
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};

use super::http::DEADLINE;

/// A connection, and what it ends with.
pub type Ending = JoinHandle<Result<(), Error>>;

/// A connection over which requests can be sent.
pub async fn connect(address: &str) -> SendRequest<Bytes> {
    connect_and_watch(address).await.0
}

/// Connects, and returns also a handle that ends with the connection.
pub async fn connect_and_watch(address: &str) -> (SendRequest<Bytes>, Ending) {
    let stream = TcpStream::connect(address).await.expect("the gateway takes connections");
    let (requests, connection) = client::handshake(stream).await.expect("the gateway speaks HTTP/2");
    let ending = tokio::spawn(connection);
    (requests.ready().await.expect("the connection is good for a request"), ending)
}

/// The head of a request with a JSON body.
pub fn post(address: &str, path: &str) -> axum::http::request::Builder {
    let builder = Request::builder().method(Method::POST).uri(format!("http://{address}{path}"));
    builder.header(header::CONTENT_TYPE, "application/json")
}

/// Sends a request and gives the head of its answer.
pub async fn send(
    requests: &mut SendRequest<Bytes>,
    head: Request<()>,
    body: impl Into<Bytes>,
) -> Result<Response<RecvStream>, Error> {
    let (response, mut sending) = requests.send_request(head, false)?;
    sending.send_data(body.into(), true)?;
    timeout(DEADLINE, response).await.expect("it is answered")
}

/// The whole body of an answer.
pub async fn whole(response: Response<RecvStream>) -> Result<Bytes, Error> {
    let mut incoming = response.into_body();
    let mut whole = BytesMut::new();
    while let Some(piece) = timeout(DEADLINE, incoming.data()).await.expect("the answer goes on") {
        let piece = piece?;
        incoming.flow_control().release_capacity(piece.len())?;
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

/// Runs a statement and gives the status and the body of its answer.
pub async fn query(requests: &mut SendRequest<Bytes>, address: &str, request: Value) -> (u16, Value) {
    let head = post(address, "/db/neo4j/query/v2").body(()).expect("the head is good");
    let response = send(requests, head, request.to_string()).await.expect("it is answered");
    let status = response.status().as_u16();
    let body = whole(response).await.expect("the answer is not broken off");
    (status, serde_json::from_slice(&body).expect("the answer is JSON"))
}
