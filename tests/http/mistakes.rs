//! What a newcomer does wrong, and what the answer says: which part of the request, what is wrong with it, and what to do.
//!
//! Each table has the requests with the status, code and text of their answers. A text that a table holds is what people
//! read; whoever changes one looks here at how it reads beside the others. Where Neo4j's Query API has a text, it is Neo4j's.

mod addresses;
mod bodies;
mod credentials;
mod databases;
mod heads;

use crate::support::{http::Response, query::refused};

const INVALID: &str = "Neo.ClientError.Request.Invalid";
const FORMAT: &str = "Neo.ClientError.Request.InvalidFormat";
const UNAUTHORIZED: &str = "Neo.ClientError.Security.Unauthorized";
const QUERY: &str = "/db/neo4j/query/v2";
const JSON: (&str, &str) = ("Content-Type", "application/json");
const ONE: &str = r#"{"statement": "RETURN 1"}"#;

/// Compares answers with a table, and shows all that differ at once.
struct Differences(Vec<String>);

impl Differences {
    fn look(&mut self, mistake: &str, response: &Response, status: u16, code: &str, text: &str) {
        if response.status < 400 {
            self.0.push(format!("{mistake}\n  {}", response.text()));
            return;
        }
        let told = refused(response);
        if (told.status, told.code.as_str(), told.message.as_str()) != (status, code, text) {
            self.0.push(format!("{mistake}\n  {} {}\n  {}", told.status, told.code, told.message));
        }
    }
}

impl Drop for Differences {
    fn drop(&mut self) {
        assert!(self.0.is_empty() || std::thread::panicking(), "other answers:\n{}", self.0.join("\n"));
    }
}
