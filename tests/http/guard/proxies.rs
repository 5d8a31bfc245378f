//! What proxies say of the address that a client used. It stands in `GET /`, by which clients find everything else.

use crate::support::{
    gateway::{Gateway, start_embedded},
    query::body,
};

const SAID: [(&str, &str); 3] =
    [("Host", "localhost:7474"), ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "https")];

/// The address that the gateway gives as its own.
async fn address(gateway: &Gateway) -> String {
    let document = gateway.send("GET", "/", &SAID, "").await;
    assert_eq!(document.header("Cache-Control"), Some("no-store"), "what one client says is for no other");
    let query = body(&document)["query"].as_str().unwrap().to_owned();
    query.strip_suffix("/db/{databaseName}/query/v2").unwrap().to_owned()
}

#[tokio::test]
async fn ignores_forwarded_headers_by_default() {
    assert_eq!(address(&start_embedded(&[]).await).await, "http://localhost:7474");
    // Nor somebody else than who is named.
    for others in ["127.0.0.2", "10.0.0.0/8, ::1", "128.0.0.0/1"] {
        let gateway = start_embedded(&[("server.trusted_proxies", others)]).await;
        assert_eq!(address(&gateway).await, "http://localhost:7474", "{others}");
    }
}

#[tokio::test]
async fn believes_forwarded_headers_of_a_trusted_proxy() {
    for proxies in ["127.0.0.1", "10.0.0.0/8, 127.0.0.0/8", "0.0.0.0/0"] {
        let gateway = start_embedded(&[("server.trusted_proxies", proxies)]).await;
        assert_eq!(address(&gateway).await, "https://evil.example:7474", "{proxies}");
    }
}

#[tokio::test]
async fn checks_the_real_host_behind_a_proxy() {
    let gateway = start_embedded(&[("server.trusted_proxies", "127.0.0.1")]).await;
    let headers = [("Host", "evil.example"), ("X-Forwarded-Host", "localhost")];
    assert_eq!(gateway.send("GET", "/", &headers, "").await.status, 421);
}
