//! Whose an answer is: the caller's who got it first, as long as the database knows that caller.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::{JSON, is_replay, refusal, settled};
use crate::support::{
    bolt::{
        control::{Control, User},
        fake_memgraph::FakeMemgraph,
        fake_neo4j::FakeNeo4j,
    },
    gateway::{Gateway, start_memory},
    http::Response,
    query::values,
};

/// A gateway that proves every login, in front of a database with users.
struct Stand {
    gateway: Gateway,
    control: Control,
    path: &'static str,
}

const ALICE: (&str, &str) = ("alice", "wonderland");
const BOB: (&str, &str) = ("bob", "builder");
const ADD: &str = r#"{"statement":"ADD a 1"}"#;
const UNAUTHORIZED: &str = "Neo.ClientError.Security.Unauthorized";

async fn stands() -> [Stand; 2] {
    let settings = [("database.login_age", "0s")];
    let neo4j = FakeNeo4j::start().await;
    let memgraph = FakeMemgraph::start().await;
    for (name, password) in [ALICE, BOB] {
        let user = User { password: password.to_owned(), ..User::default() };
        memgraph.control.set_user(name, user);
    }
    let controls = [neo4j.control.clone(), memgraph.control.clone()];
    let [one, other] = controls;
    [
        Stand {
            gateway: start_memory(move || neo4j.connect(), &settings).await,
            control: one,
            path: "/db/neo4j/query/v2",
        },
        Stand {
            gateway: start_memory(move || memgraph.connect(), &settings).await,
            control: other,
            path: "/db/memgraph/query/v2",
        },
    ]
}

impl Stand {
    async fn send(&self, (name, password): (&str, &str), key: &str, request: &str) -> Response {
        let authorization = format!("Basic {}", STANDARD.encode(format!("{name}:{password}")));
        let headers = [JSON, ("Idempotency-Key", key), ("Authorization", &*authorization)];
        self.gateway.send("POST", self.path, &headers, request).await
    }

    /// How much has been added, as Bob sees it.
    async fn read(&self, key: &str) -> serde_json::Value {
        values(&self.send(BOB, key, r#"{"statement":"READ a"}"#).await)[0][0].clone()
    }
}

#[tokio::test]
async fn separates_the_keys_of_two_callers() {
    for stand in stands().await {
        let alices = stand.send(ALICE, "k", ADD).await;
        let bobs = stand.send(BOB, "k", ADD).await;
        assert!(!is_replay(&alices) && !is_replay(&bobs), "{bobs}");
        assert_eq!(stand.read("r").await, 2);
        for (who, first) in [(ALICE, alices), (BOB, bobs)] {
            let again = stand.send(who, "k", ADD).await;
            assert!(is_replay(&again) && again.body == first.body, "{again}");
        }
        assert_eq!(stand.read("s").await, 2);
    }
}

#[tokio::test]
async fn replays_nothing_to_callers_who_cannot_log_in() {
    for stand in stands().await {
        let wrong = ("alice", "rabbit");
        let refused = stand.send(wrong, "k", ADD).await;
        assert_eq!(refusal(&refused), (401, UNAUTHORIZED.to_owned()), "{refused}");
        let first = stand.send(ALICE, "k", ADD).await;
        assert!(first.status == 202 && !is_replay(&first), "{first}");
        let refused = stand.send(wrong, "k", ADD).await;
        assert!(refused.status == 401 && !is_replay(&refused), "{refused}");
        // An unverified caller is told to log in, whatever else is wrong.
        for (key, request) in [("not a key", ADD), ("k", "{"), ("k", r#"{"statement":"ADD a 2"}"#)] {
            assert_eq!(stand.send(("nobody", "x"), key, request).await.status, 401, "{key} {request}");
        }
        assert!(is_replay(&stand.send(ALICE, "k", ADD).await));
        assert_eq!(stand.read("r").await, 1);
    }
}

#[tokio::test]
async fn replays_nothing_to_a_dropped_user() {
    for stand in stands().await {
        assert_eq!(stand.send(ALICE, "k", ADD).await.status, 202);
        stand.control.set_password("alice", "hatter");
        let old = stand.send(ALICE, "k", ADD).await;
        assert_eq!(refusal(&old), (401, UNAUTHORIZED.to_owned()), "{old}");
        // Callers are told apart by the whole of their credential.
        let new = stand.send(("alice", "hatter"), "k", ADD).await;
        assert!(new.status == 202 && !is_replay(&new), "{new}");
        stand.control.drop_user("alice");
        let dropped = stand.send(("alice", "hatter"), "k", ADD).await;
        assert_eq!(refusal(&dropped), (401, UNAUTHORIZED.to_owned()), "{dropped}");
        assert_eq!(stand.read("r").await, 2);
        // A 401 is not kept: the user comes back, and so does the answer.
        stand.control.set_user("alice", User { password: "hatter".to_owned(), ..User::default() });
        let back = settled(async || {
            let answer = stand.send(("alice", "hatter"), "k", ADD).await;
            (answer.status != 401).then_some(answer)
        })
        .await;
        assert!(is_replay(&back) && back.body == new.body, "{back}");
        assert_eq!(stand.read("s").await, json!(2));
    }
}
