//! The page that a request comes from. A page of another origin cannot read an answer, but its browser sends what it likes:
//! a form, or `fetch` with `mode: "no-cors"`.

use super::{CROSS_ORIGIN, PATH, PLAIN, is_refused, open, open_transaction};
use crate::support::{
    gateway::start_embedded,
    query::{begin, count, refused, transaction_id, works},
};

/// What browsers say of pages that are not of the gateway's own origin, `http://localhost:7474`.
const FOREIGN: [&[(&str, &str)]; 8] = [
    &[("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")],
    &[("Sec-Fetch-Site", "same-site"), ("Origin", "http://localhost:3000")],
    &[("Sec-Fetch-Site", "cross-site"), ("Origin", "null")],
    &[("Sec-Fetch-Site", "cross-site")],
    // Whatever the origin says, the browser says more.
    &[("Sec-Fetch-Site", "cross-site"), ("Origin", "http://localhost:7474")],
    &[("Origin", "http://evil.example")],
    &[("Origin", "http://localhost:3000")],
    &[("Origin", "null")],
];

/// And of those that are, and of what is no page.
const OWN: [&[(&str, &str)]; 6] = [
    &[],
    &[("Sec-Fetch-Site", "same-origin"), ("Origin", "http://localhost:7474")],
    &[("Sec-Fetch-Site", "none")],
    // Behind a proxy that has a name of its own.
    &[("Sec-Fetch-Site", "same-origin"), ("Origin", "https://graph.example")],
    &[("Origin", "http://localhost:7474")],
    &[("Origin", "http://LOCALHOST:7474")],
];

fn asked<'a>(page: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[("Host", "localhost:7474")], page].concat()
}

#[tokio::test]
async fn rejects_writes_from_another_sites_page() {
    let gateway = start_embedded(&[]).await;
    let transaction = begin(&gateway, &serde_json::json!({})).await;
    for page in FOREIGN {
        let refusal = open_transaction(&gateway, &asked(page)).await;
        assert!(is_refused(&refusal, 403, CROSS_ORIGIN), "{page:?}: {refusal}");
        assert!(refused(&refusal).message.contains("cors.allowed_origins"), "{refusal}");

        let headers = [&asked(page)[..], &[("Content-Type", PLAIN)]].concat();
        for (method, path) in [
            ("POST", PATH.to_owned()),
            ("POST", format!("{PATH}/batch")),
            ("POST", format!("{transaction}/commit")),
            ("DELETE", transaction.clone()),
            ("DELETE", format!("{PATH}/running/0")),
            ("PUT", PATH.to_owned()),
            ("PATCH", "/".to_owned()),
            ("POST", "/nothing".to_owned()),
        ] {
            let refusal = gateway.send(method, &path, &headers, r#"{"statement":"CREATE (:Foreign)"}"#).await;
            assert!(is_refused(&refusal, 403, CROSS_ORIGIN), "{page:?} {method} {path}: {refusal}");
        }
    }
    assert_eq!(open(&gateway), 1, "only the transaction that was open before");
    assert_eq!(gateway.send("DELETE", &transaction, &[], "").await.status, 200, "and it still is");
    assert_eq!(count(&gateway, "Foreign").await, 0);
}

#[tokio::test]
async fn rejects_foreign_pages_before_checking_credentials() {
    let gateway = start_embedded(&[("auth.anonymous", "refuse")]).await;
    for authorization in [&[][..], &[("Authorization", "nonsense")]] {
        let headers = [&asked(FOREIGN[0])[..], authorization].concat();
        let refusal = open_transaction(&gateway, &headers).await;
        assert!(is_refused(&refusal, 403, CROSS_ORIGIN), "{refusal}");
    }
}

#[tokio::test]
async fn allows_safe_methods_from_any_page() {
    let gateway = start_embedded(&[]).await;
    for page in FOREIGN {
        for (method, path, expected) in [
            ("GET", "/", 200),
            ("HEAD", "/", 200),
            ("GET", "/openapi.json", 200),
            ("OPTIONS", PATH, 200),
            ("GET", "/db/neo4j/query/v2/running", 200),
            ("GET", PATH, 405),
        ] {
            let response = gateway.send(method, path, &asked(page), "").await;
            assert_eq!(response.status, expected, "{page:?} {method} {path}");
        }
    }
}

#[tokio::test]
async fn allows_the_same_origin_and_non_browsers() {
    let gateway = start_embedded(&[]).await;
    for page in OWN {
        // With neither a body nor a type, which `fetch` sends without asking first.
        let opened = open_transaction(&gateway, &asked(page)).await;
        assert_eq!(opened.status, 202, "{page:?}: {opened}");
        let path = format!("{PATH}/tx/{}", transaction_id(&opened));
        assert_eq!(gateway.send("DELETE", &path, &asked(page), "").await.status, 200, "{page:?}");
    }
    works(&gateway).await;
}

#[tokio::test]
async fn allows_everything_to_a_listed_origin() {
    let gateway = start_embedded(&[("cors.allowed_origins", "https://app.example, http://localhost:3000")]).await;
    for page in [
        &[("Sec-Fetch-Site", "cross-site"), ("Origin", "https://app.example")][..],
        &[("Sec-Fetch-Site", "same-site"), ("Origin", "http://localhost:3000")],
        &[("Origin", "https://app.example")],
    ] {
        let opened = open_transaction(&gateway, &asked(page)).await;
        assert_eq!(opened.status, 202, "{page:?}: {opened}");
        let path = format!("{PATH}/tx/{}", transaction_id(&opened));
        assert_eq!(gateway.send("DELETE", &path, &asked(page), "").await.status, 200, "{page:?}");
    }
    for page in FOREIGN {
        if !page.contains(&("Origin", "http://localhost:3000")) {
            let refusal = open_transaction(&gateway, &asked(page)).await;
            assert!(is_refused(&refusal, 403, CROSS_ORIGIN), "{page:?}: {refusal}");
        }
    }
}

#[tokio::test]
async fn does_not_match_a_null_origin_with_a_star() {
    let gateway = start_embedded(&[("cors.allowed_origins", "*")]).await;
    let page = [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")];
    assert_eq!(open_transaction(&gateway, &asked(&page)).await.status, 202);
    let page = [("Sec-Fetch-Site", "cross-site"), ("Origin", "null")];
    assert!(is_refused(&open_transaction(&gateway, &asked(&page)).await, 403, CROSS_ORIGIN));
}
