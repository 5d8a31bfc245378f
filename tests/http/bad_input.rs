//! Requests that are wrong in every way that comes to mind: each gets one clear error, and the next good request works.
#![cfg(feature = "embedded")]

mod bodies;
mod heads;
mod limits;
mod slow;
mod values;

use crate::support::{
    gateway::{Gateway, start_embedded},
    http::{Response, request},
    query::{Refused, refused, works},
};

const PATH: &str = "/db/neo4j/query/v2";
const INVALID: &str = "Neo.ClientError.Request.Invalid";
const PLAIN: &str = "application/json";
const TYPED: &str = "application/vnd.neo4j.query";

async fn gateway() -> Gateway {
    start_embedded(&[]).await
}

/// POSTs any bytes.
async fn post(gateway: &Gateway, content_type: &str, body: &[u8]) -> Response {
    request(gateway.address(), "POST", PATH, &[("Content-Type", content_type)], body).await
}

/// The body is refused as a bad request; gives the words for what is wrong with it.
async fn complaint(gateway: &Gateway, content_type: &str, body: impl AsRef<[u8]>) -> String {
    let body = body.as_ref();
    let refused = refused(&post(gateway, content_type, body).await);
    let shown = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
    assert_eq!((refused.status, refused.code.as_str()), (400, INVALID), "{shown}: {refused:?}");
    works(gateway).await;
    refused.message
}

/// What HTTP has a word for is said in that word.
fn says(refused: &Refused, status: u16, message: &str) {
    assert_eq!((refused.status, refused.code.as_str(), refused.message.as_str()), (status, INVALID, message));
}

/// The message ends with what to send instead; returns that part.
fn advises<'a>(refused: &'a Refused, status: u16, word: &str) -> &'a str {
    assert_eq!((refused.status, refused.code.as_str()), (status, INVALID), "{refused:?}");
    let advice = refused.message.strip_prefix(word).and_then(|rest| rest.strip_prefix(": "));
    advice.unwrap_or_else(|| panic!("it does not begin with {word:?}: {refused:?}"))
}
