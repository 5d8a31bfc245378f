//! `Expect: 100-continue`: a request that its head alone refuses gets its status, and is not asked for its body.

use serde_json::json;

use super::{GOOD, PATH};
use crate::support::{
    bolt::fake_neo4j::FakeNeo4j,
    gateway::{self, Gateway, start_embedded},
    http::{Connection, Response},
    query::{refused, values},
};

/// The first that is said to a request with these header lines, before its body is sent.
async fn first(gateway: &Gateway, target: &str, lines: &str) -> (Connection, Response) {
    let mut connection = Connection::open(gateway.address()).await;
    let head = format!("{target} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n{lines}\r\n");
    connection.send(head.as_bytes()).await;
    let head = connection.head().await;
    (connection, head)
}

#[tokio::test]
async fn rejects_by_the_head_without_asking_for_the_body() {
    let gateway = start_embedded(&[("limits.body", "1MiB")]).await;
    let json = "Content-Type: application/json\r\nContent-Length: 29\r\n";
    let post = &format!("POST {PATH}");
    for (target, lines, status) in [
        ("POST /nothing", json, 404),
        ("POST /db/neo4j/nothing", json, 404),
        ("POST /", json, 405),
        (&format!("PUT {PATH}"), json, 405),
        (post, "Content-Type: text/plain\r\nContent-Length: 29\r\n", 415),
        (post, "Content-Length: 29\r\n", 415),
        (post, "Content-Type: a/b/c\r\nContent-Length: 29\r\n", 400),
        (post, &format!("{json}Accept: text/html\r\n"), 406),
        (post, "Content-Type: application/json\r\nContent-Length: 1048577\r\n", 413),
        (post, &format!("{json}Authorization: Nope\r\n"), 400),
        (post, &format!("{json}Boltgate-Statuses: nonsense\r\n"), 400),
        (post, &format!("{json}Idempotency-Key: {}\r\n", "x".repeat(1000)), 400),
    ] {
        for sends_all_the_same in [false, true] {
            let (mut connection, head) = first(&gateway, target, lines).await;
            assert_eq!(head.status, status, "{target} {lines}");
            let answer = connection.rest(head).await;
            assert_eq!(refused(&answer).status, status);
            assert_eq!(answer.header("Connection"), Some("close"), "the body may come or not");
            if sends_all_the_same {
                connection.send(&[b' '; 29]).await;
            }
            connection.finish_sending().await;
            assert_eq!(connection.orderly_end().await, b"");
        }
    }
}

#[tokio::test]
async fn asks_for_the_body_when_it_decides() {
    let gateway = start_embedded(&[]).await;
    let json = "Content-Type: application/json\r\nContent-Length: 29\r\n";
    for target in [format!("POST {PATH}"), format!("POST {PATH}/tx")] {
        let (mut connection, head) = first(&gateway, &target, json).await;
        assert_eq!(head.status, 100);
        connection.send(GOOD.as_bytes()).await;
        assert_eq!(values(&connection.answer().await), json!([[1]]));
        connection.post(PATH, GOOD).await;
        assert_eq!(values(&connection.answer().await), json!([[1]]), "the connection goes on");
    }
}

/// An unverified caller is only told to log in.
#[tokio::test]
async fn tells_an_unverified_caller_only_about_its_credentials() {
    let fake = FakeNeo4j::start().await;
    let gateway = gateway::start_for(&fake.uri()).await;
    let lines = "Content-Type: text/plain\r\nContent-Length: 29\r\nAuthorization: Basic bm9ib2R5Om5vdGhpbmc=\r\n";
    let (mut connection, head) = first(&gateway, &format!("POST {PATH}"), lines).await;
    assert_eq!(head.status, 401);
    let answer = connection.rest(head).await;
    assert_eq!(refused(&answer).code, "Neo.ClientError.Security.Unauthorized");
}
