//! The turn to write of the embedded database: who has it, and who need not wait for it.

use serde_json::json;

use super::{commit, gateway, run};
use crate::support::query::{begin, count, refused, values};

/// A forgotten transaction must not stop every writer.
#[tokio::test]
async fn a_transaction_that_has_not_written_stops_no_writer() {
    let gateway = gateway().await;
    begin(&gateway, &json!({})).await;
    begin(&gateway, &json!({ "statement": "MATCH (a:A) RETURN count(a) AS n" })).await;
    assert_eq!(gateway.query("CREATE (:A)").await.status, 202);
    let path = begin(&gateway, &json!({ "statement": "CREATE (:A)" })).await;
    assert_eq!(commit(&gateway, &path).await.status, 202);
    assert_eq!(count(&gateway, "A").await, 2);
}

#[tokio::test]
async fn a_transaction_sees_what_it_began_with_and_does_not_write_on_it() {
    let gateway = gateway().await;
    let reading = "MATCH (a:A) RETURN count(a) AS n";
    let path = begin(&gateway, &json!({ "statement": reading })).await;
    assert_eq!(gateway.query("CREATE (:A)").await.status, 202);
    assert_eq!(values(&run(&gateway, &path, reading).await), json!([[0]]));
    let refused = refused(&run(&gateway, &path, "CREATE (:A)").await);
    assert_eq!(refused.code, "Neo.TransientError.Transaction.Outdated");
    assert_eq!(count(&gateway, "A").await, 1);
    let path = begin(&gateway, &json!({ "statement": reading })).await;
    run(&gateway, &path, "CREATE (:A)").await;
    assert_eq!(commit(&gateway, &path).await.status, 202);
    assert_eq!(count(&gateway, "A").await, 2, "nothing had changed");
}
