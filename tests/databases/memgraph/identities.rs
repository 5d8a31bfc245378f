//! User, impersonated user and database of a request never depend on what came before on the same connection.

use serde_json::{Value, json};

use super::stand::{ROOT, Stand, all_versions};
use crate::support::query::refused;

#[tokio::test]
async fn refuses_a_wrong_password() {
    for options in all_versions() {
        let stand = Stand::with_users(options).await;
        let request = json!({ "statement": "RETURN 1" });
        let wrong = ("Authorization", "Basic cm9vdDpndWVzcw==");
        for path in ["/db/memgraph/query/v2", "/db/memgraph/query/v2/tx", "/db/nope/query/v2"] {
            let answer = stand.post_as(wrong, path, &request).await;
            assert!(answer.header("WWW-Authenticate").is_some(), "{answer}");
            let error = refused(&answer);
            assert_eq!((error.status, error.code.as_str()), (401, "Neo.ClientError.Security.Unauthorized"));
            assert_eq!(error.message, "Invalid credential.");
        }
        let error = refused(&stand.post("/db/memgraph/query/v2", &request).await);
        assert_eq!((error.status, error.message.as_str()), (401, "No authentication header supplied."));
        assert_eq!(stand.post_as(ROOT, "/db/memgraph/query/v2", &request).await.status, 202);
        stand.is_content().await;
    }
}

/// Asks who runs the statement, and where.
async fn who(stand: &Stand, database: &str, as_whom: Option<&str>) -> Value {
    let request = json!({ "statement": "WHOAMI", "impersonatedUser": as_whom });
    let answer = stand.post_as(ROOT, &format!("/db/{database}/query/v2"), &request).await;
    let who = Stand::who_am_i(&answer);
    json!([who["principal"], who["imp_user"], who["db"]])
}

#[tokio::test]
async fn impersonates_for_one_request_only() {
    for options in all_versions() {
        // Impersonation needs Bolt 4.4, which the older one speaks as 5.2.
        let stand = Stand::with_users(options).await;
        assert_eq!(who(&stand, "memgraph", None).await, json!(["root", null, "memgraph"]));
        assert_eq!(who(&stand, "memgraph", Some("bob")).await, json!(["root", "bob", "memgraph"]));
        assert_eq!(who(&stand, "memgraph", None).await, json!(["root", null, "memgraph"]));
        assert_eq!(stand.fake.control.counts().accepted, 1, "one connection is enough");
        stand.is_content().await;
    }
}

/// The next one in a fixed sequence that looks like none.
fn next(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*seed >> 33).unwrap()
}

#[tokio::test]
async fn never_reuses_user_or_database_of_another_request() {
    for options in all_versions() {
        let stand = Stand::with_users(options).await;
        let mut seed = 7;
        for _ in 0..300 {
            let database = ["memgraph", "a", "b", "bad"][next(&mut seed) % 4];
            let user = [None, Some("ann"), Some("bob"), Some("nobody")][next(&mut seed) % 4];
            let path = format!("/db/{database}/query/v2");
            let request = json!({ "statement": "WHOAMI", "impersonatedUser": user });
            match (next(&mut seed) % 2, database, user) {
                (_, "bad", _) | (_, _, Some("nobody")) => {
                    let error = refused(&stand.post_as(ROOT, &path, &request).await);
                    // The user is looked at before the database.
                    let status = if user == Some("nobody") { 400 } else { 404 };
                    assert_eq!(error.status, status, "{database} {user:?}: {error:?}");
                }
                (0, ..) => assert_eq!(who(&stand, database, user).await, json!(["root", user, database])),
                (..) => {
                    let begun = stand.post_as(ROOT, &format!("{path}/tx"), &request).await;
                    let who = Stand::who_am_i(&begun);
                    assert_eq!((&who["imp_user"], &who["db"]), (&json!(user), &json!(database)));
                    let id = crate::support::query::transaction_id(&begun);
                    let path = format!("{path}/tx/{id}/commit");
                    assert_eq!(stand.post_as(ROOT, &path, &json!({})).await.status, 202);
                }
            }
        }
        stand.is_content().await;
    }
}

#[tokio::test]
async fn keeps_the_login_after_a_refused_user_or_database() {
    for options in all_versions() {
        let stand = Stand::with_users(options).await;
        for (database, user, message) in [
            ("memgraph", Some("nobody"), "Trying to impersonate a user that doesn't exist."),
            ("bad", Some("bob"), "Tried to retrieve an unknown database \"bad\"."),
            ("bad", None, "Tried to retrieve an unknown database \"bad\"."),
        ] {
            for path in ["", "/tx", "/batch"] {
                let request = json!({ "statement": "RETURN 1", "impersonatedUser": user });
                let several = json!({ "statements": [{ "statement": "RETURN 1" }], "impersonatedUser": user });
                let request = if path == "/batch" { several } else { request };
                let answer = stand.post_as(ROOT, &format!("/db/{database}/query/v2{path}"), &request).await;
                assert_eq!(crate::support::query::body(&answer)["errors"][0]["message"], message, "{answer}");
                stand.lent(0).await;
                assert_eq!(who(&stand, "memgraph", None).await, json!(["root", null, "memgraph"]));
            }
        }
        let counts = stand.fake.control.counts();
        assert_eq!((counts.accepted, counts.logons), (1, 1));
        stand.is_content().await;
    }
}

#[tokio::test]
async fn reports_missing_rights_to_impersonate() {
    let stand = Stand::with_users(Default::default()).await;
    let request = json!({ "statement": "RETURN 1", "impersonatedUser": "bob" });
    let ann = ("Authorization", "Basic YW5uOnB3");
    let error = refused(&stand.post_as(ann, "/db/memgraph/query/v2", &request).await);
    assert_eq!(error.status, 400);
    assert!(error.message.starts_with("Failed to impersonate user 'bob'"), "{}", error.message);
    stand.is_content().await;
}

#[tokio::test]
async fn keeps_separate_connections_per_user() {
    let stand = Stand::with_users(Default::default()).await;
    let mut principals = Vec::new();
    for user in ["Basic cm9vdDpwdw==", "Basic YW5uOnB3", "Basic Ym9iOnB3", "Basic cm9vdDpwdw=="] {
        let request = json!({ "statement": "WHOAMI" });
        let answer = stand.post_as(("Authorization", user), "/db/memgraph/query/v2", &request).await;
        principals.push(Stand::who_am_i(&answer)["principal"].clone());
    }
    assert_eq!(principals, ["root", "ann", "bob", "root"]);
    assert_eq!(stand.fake.control.counts().accepted, 3);
    stand.is_content().await;
}
