//! A database that cannot be reached, and statements that it refuses.

use serde_json::json;

use super::{Differences, ONE, QUERY};
use crate::support::gateway::{start_embedded, start_for_with};

#[tokio::test]
async fn a_database_that_is_down() {
    let gateway = start_for_with("bolt://127.0.0.1:9", &[]).await;
    let text = "cannot connect to 127.0.0.1:9: Connection refused (os error 111); check that the database runs, and the \
                setting database.uri";
    let unavailable = "Neo.TransientError.General.DatabaseUnavailable";
    Differences(Vec::new()).look("nothing listens there", &gateway.post(QUERY, ONE).await, 503, unavailable, text);
}

#[tokio::test]
async fn a_statement_that_is_wrong() {
    let gateway = start_embedded(&[]).await;
    let mut differences = Differences(Vec::new());
    for (mistake, statement, code, text) in [(
        "a parameter that is missing",
        "RETURN $x",
        "Neo.ClientError.Statement.ParameterMissing",
        "Expected parameter(s): x",
    )] {
        let body = json!({ "statement": statement }).to_string();
        differences.look(mistake, &gateway.post(QUERY, &body).await, 400, code, text);
    }
}
