//! A client of a gateway that may lose its connection, and that says what an answer means to it.

use serde_json::Value;

use super::http::{Response, try_request};

pub const QUERY: &str = "/db/neo4j/query/v2";
pub const BATCH: &str = "/db/neo4j/query/v2/batch";
pub const TX: &str = "/db/neo4j/query/v2/tx";

/// Where a gateway is, and who asks it.
#[derive(Debug, Clone)]
pub struct Client {
    pub address: String,
    pub authorization: Option<&'static str>,
}

/// What an answer says.
#[derive(Debug)]
pub enum Said {
    /// It is done.
    Yes(Value),
    /// It is not done.
    No(Refusal),
    /// Nobody can say, for the reason given.
    Unknown(String),
}

/// An error of an answer.
#[derive(Debug)]
pub struct Refusal {
    pub status: u16,
    pub code: String,
    pub message: String,
    pub retryable: bool,
}

impl Client {
    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Result<Response, String> {
        let mut all = vec![("Content-Type", "application/json"), ("Boltgate-Statuses", "precise")];
        all.extend(self.authorization.map(|value| ("Authorization", value)));
        all.extend(headers);
        try_request(&self.address, method, path, &all, body.to_string().as_bytes()).await
    }

    /// The same of a connection that holds.
    pub async fn send(&self, method: &str, path: &str, body: &Value) -> Response {
        let answer = self.try_send(method, path, &[], body).await;
        answer.unwrap_or_else(|reason| panic!("{method} {path}: {reason}"))
    }

    /// POSTs on a connection that holds.
    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.send("POST", path, body).await
    }
}

impl Said {
    /// What `response` says.
    pub fn by(response: &Response) -> Self {
        let body: Value = serde_json::from_slice(&response.body)
            .unwrap_or_else(|error| panic!("an answer that is not JSON ({error}): {response}"));
        let Some(error) = body["errors"].get(0) else {
            assert!((200..300).contains(&response.status), "{response}");
            return Self::Yes(body);
        };
        let text = |key: &str| error[key].as_str().unwrap_or_else(|| panic!("no {key}: {response}")).to_owned();
        let (code, message) = (text("code"), text("message"));
        let retryable = error["retryable"].as_bool().unwrap_or_else(|| panic!("no retryable: {response}"));
        if code == "Boltgate.DatabaseError.Transaction.OutcomeUnknown" || response.status == 504 {
            assert!(!retryable, "{response}");
            return Self::Unknown(format!("{code}: {message}"));
        }
        Self::No(Refusal { status: response.status, code, message, retryable })
    }

    /// The body of a success.
    pub fn yes(self) -> Value {
        match self {
            Self::Yes(body) => body,
            other => panic!("{other:?}"),
        }
    }
}

/// The handle of the transaction that an answer opened.
pub fn transaction(body: &Value) -> String {
    body["transaction"]["id"].as_str().unwrap_or_else(|| panic!("no transaction: {body}")).to_owned()
}
