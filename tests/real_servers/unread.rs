//! A real Neo4j lists none of the statements whose rows nobody read.

use serde_json::{Value, json};

use crate::support::{
    gateway::{Gateway, start_for_with},
    servers::Server,
    unread::{PROTOCOLS, Unread},
};

const FLOOD: &str = "UNWIND range(1, 1000000000) AS x RETURN x, [n IN range(1, 1000) | n] AS list";
const PATH: &str = "/db/neo4j/query/v2";

struct Stage {
    server: Server,
    gateway: Gateway,
    name: String,
}

impl Stage {
    async fn enter(name: &str, settings: &[(&'static str, &str)]) -> Option<Self> {
        let server = Server::neo4j()?;
        let gateway = start_for_with(&server.bolt, settings).await;
        Some(Self { server, gateway, name: format!("unread-{name}-{}", std::process::id()) })
    }

    fn request(&self, members: Value) -> Value {
        let mut request = json!({ "statement": FLOOD, "txMetadata": { "test": self.name } });
        request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        request
    }

    async fn is_listed(&self) {
        self.server.until("it to run", &self.name, |list| list.len() == 1).await;
    }

    async fn is_free(&self, unread: Unread) {
        self.server.until("it to end", &self.name, <[_]>::is_empty).await;
        drop(unread);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cuts_off_a_stalled_reader() {
    for protocol in PROTOCOLS {
        let Some(stage) = Stage::enter("stall", &[("server.write_stall_timeout", "2s")]).await else { return };
        let unread = protocol.ask(stage.gateway.address(), PATH, &stage.request(json!({}))).await;
        stage.is_free(unread).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cancels_a_statement() {
    for protocol in PROTOCOLS {
        let Some(stage) = Stage::enter("cancel", &[("server.write_stall_timeout", "1h")]).await else { return };
        let unread = protocol.ask(stage.gateway.address(), PATH, &stage.request(json!({}))).await;
        stage.is_listed().await;
        let running = stage.gateway.send("GET", &format!("{PATH}/running"), &[], "").await;
        let running: Value = serde_json::from_slice(&running.body).unwrap();
        let id = running["running"][0]["id"].as_str().unwrap();
        assert_eq!(stage.gateway.send("DELETE", &format!("{PATH}/running/{id}"), &[], "").await.status, 200);
        stage.is_free(unread).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_a_transaction_at_its_maximum_age() {
    for protocol in PROTOCOLS {
        let settings = [
            ("server.write_stall_timeout", "1h"),
            ("transactions.max_lifetime", "3s"),
            ("transactions.idle_timeout", "3s"),
        ];
        let Some(stage) = Stage::enter("lifetime", &settings).await else { return };
        let unread = protocol.ask(stage.gateway.address(), &format!("{PATH}/tx"), &stage.request(json!({}))).await;
        stage.is_free(unread).await;
    }
}
