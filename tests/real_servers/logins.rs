//! Logins on real servers: Neo4j with users, and ArcadeDB.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::sleep};

use crate::support::{
    gateway::{self, Gateway},
    http::{self, Response},
    query::{authorization, body, is_refusal, refused, transaction_id, values},
    servers::variable,
};

const SHORT: [(&str, &str); 1] = [("database.login_age", "200ms")];
const ALWAYS: [(&str, &str); 1] = [("database.login_age", "0s")];
const AGE: Duration = Duration::from_millis(250);

const OLD: &str = "correct horse";
const NEW: &str = "battery staple";

/// A real server, and a gateway in front of it that is not the one under test.
struct Server {
    uri: String,
    administrator: (&'static str, &'static str),
    administration: Gateway,
}

/// A user of a real server that nobody else uses.
struct User<'a> {
    server: &'a Server,
    name: String,
}

async fn neo4j() -> Option<Server> {
    let uri = variable("BOLTGATE_TEST_NEO4J_AUTH_BOLT")?;
    let administration = gateway::start_for(&uri).await;
    Some(Server { uri, administrator: ("neo4j", "password1"), administration })
}

async fn arcadedb() -> Option<Server> {
    let uri = variable("BOLTGATE_TEST_ARCADEDB_BOLT")?;
    let administration = gateway::start_for(&uri).await;
    Some(Server { uri, administrator: ("root", "playwithdata"), administration })
}

/// Sends a request to what is behind `/db/NAME/query/v2` of a gateway.
async fn send(gateway: &Gateway, who: (&str, &str), method: &str, path: &str, body: &Value) -> Response {
    let authorization = authorization(who.0, who.1);
    let headers = [("Content-Type", "application/json"), ("Authorization", authorization.as_str())];
    gateway.send(method, path, &headers, &body.to_string()).await
}

async fn run(gateway: &Gateway, who: (&str, &str), statement: &str) -> Response {
    send(gateway, who, "POST", "/db/neo4j/query/v2", &json!({ "statement": statement })).await
}

async fn serves(gateway: &Gateway, who: (&str, &str)) {
    assert_eq!(values(&run(gateway, who, "RETURN 1").await), json!([[1]]));
}

async fn refuses(gateway: &Gateway, who: (&str, &str)) {
    is_refusal(&run(gateway, who, "RETURN 1").await);
}

impl Server {
    async fn gateway(&self, settings: &[(&'static str, &str)]) -> Gateway {
        gateway::start_for_with(&self.uri, settings).await
    }

    async fn administer(&self, statement: &str) {
        let request = json!({ "statement": statement });
        let path = "/db/system/query/v2";
        let answer = send(&self.administration, self.administrator, "POST", path, &request).await;
        assert!(answer.status == 202 && body(&answer).get("errors").is_none(), "{statement}: {answer}");
    }

    /// Creates a user with the password [`OLD`].
    async fn user(&self) -> User<'_> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        // A name that was locked stays so when it is used again.
        let name = format!("logins_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        self.administer(&format!("CREATE USER {name} SET PASSWORD '{OLD}' CHANGE NOT REQUIRED")).await;
        User { server: self, name }
    }
}

impl User<'_> {
    fn with<'a>(&'a self, password: &'a str) -> (&'a str, &'a str) {
        (&self.name, password)
    }

    async fn change_password(&self) {
        self.server.administer(&format!("ALTER USER {} SET PASSWORD '{NEW}' CHANGE NOT REQUIRED", self.name)).await;
    }

    async fn drop(self) {
        self.server.administer(&format!("DROP USER {} IF EXISTS", self.name)).await;
    }
}

#[tokio::test]
async fn refuses_an_old_password_on_neo4j() {
    let Some(server) = neo4j().await else { return };
    let gateway = server.gateway(&SHORT).await;
    let user = server.user().await;
    serves(&gateway, user.with(OLD)).await;
    user.change_password().await;
    serves(&gateway, user.with(NEW)).await;
    sleep(AGE).await;
    refuses(&gateway, user.with(OLD)).await;
    serves(&gateway, user.with(NEW)).await;
    user.drop().await;
}

#[tokio::test]
async fn refuses_a_dropped_user_on_neo4j() {
    let Some(server) = neo4j().await else { return };
    let gateway = server.gateway(&SHORT).await;
    let user = server.user().await;
    serves(&gateway, user.with(OLD)).await;
    server.administer(&format!("DROP USER {}", user.name)).await;
    sleep(AGE).await;
    refuses(&gateway, user.with(OLD)).await;
    user.drop().await;
}

#[tokio::test]
async fn re_authenticates_every_request_on_neo4j() {
    let Some(server) = neo4j().await else { return };
    let gateway = server.gateway(&ALWAYS).await;
    let user = server.user().await;
    serves(&gateway, user.with(OLD)).await;
    user.change_password().await;
    refuses(&gateway, user.with(OLD)).await;
    serves(&gateway, user.with(NEW)).await;
    server.administer(&format!("DROP USER {}", user.name)).await;
    refuses(&gateway, user.with(NEW)).await;
    user.drop().await;
}

#[tokio::test]
async fn refuses_an_open_transaction_on_neo4j() {
    let Some(server) = neo4j().await else { return };
    let gateway = server.gateway(&SHORT).await;
    let user = server.user().await;
    let opened = send(&gateway, user.with(OLD), "POST", "/db/neo4j/query/v2/tx", &json!({})).await;
    let path = format!("/db/neo4j/query/v2/tx/{}", transaction_id(&opened));
    let one = json!({ "statement": "RETURN 1" });
    sleep(AGE).await;
    // Its login is still valid, so it continues.
    assert_eq!(values(&send(&gateway, user.with(OLD), "POST", &path, &one).await), json!([[1]]));
    user.change_password().await;
    sleep(AGE).await;
    is_refusal(&send(&gateway, user.with(OLD), "POST", &path, &one).await);
    is_refusal(&send(&gateway, user.with(OLD), "POST", &format!("{path}/commit"), &json!({})).await);
    assert_eq!(send(&gateway, user.with(NEW), "POST", &path, &one).await.status, 404);
    user.drop().await;
}

/// Opens this number of transactions at a time, and leaves as many idle connections.
async fn warm(gateway: &Gateway, who: (&str, &str), connections: usize) {
    let mut paths = Vec::new();
    for _ in 0..connections {
        let opened = send(gateway, who, "POST", "/db/neo4j/query/v2/tx", &json!({})).await;
        paths.push(format!("/db/neo4j/query/v2/tx/{}", transaction_id(&opened)));
    }
    for path in paths {
        assert_eq!(send(gateway, who, "DELETE", &path, &json!({})).await.status, 200);
    }
}

/// So many requests of one caller at a time.
async fn crowd(gateway: &Arc<Gateway>, who: (&str, &str), requests: usize) -> Vec<Response> {
    let mut crowd = JoinSet::new();
    for _ in 0..requests {
        let (gateway, name, password) = (Arc::clone(gateway), who.0.to_owned(), who.1.to_owned());
        crowd.spawn(async move { run(&gateway, (&name, &password), "RETURN 1").await });
    }
    crowd.join_all().await
}

#[tokio::test]
async fn locks_nobody_out_by_wrong_passwords_on_neo4j() {
    let Some(server) = neo4j().await else { return };
    let gateway = Arc::new(server.gateway(&SHORT).await);
    let user = server.user().await;
    for answer in crowd(&gateway, user.with("guess guess"), 50).await {
        is_refusal(&answer);
    }
    serves(&gateway, user.with(OLD)).await;
    // Once more with connections under the old password.
    warm(&gateway, user.with(OLD), 20).await;
    user.change_password().await;
    sleep(Duration::from_millis(1200)).await;
    for answer in crowd(&gateway, user.with(OLD), 50).await {
        is_refusal(&answer);
    }
    serves(&gateway, user.with(NEW)).await;
    user.drop().await;
}

#[tokio::test]
async fn passes_on_the_rate_limit_of_neo4j() {
    let Some(server) = neo4j().await else { return };
    let gateway = server.gateway(&[]).await;
    let user = server.user().await;
    for guess in ["guess one", "guess two", "guess three"] {
        refuses(&gateway, user.with(guess)).await;
    }
    for password in ["guess four", OLD] {
        let braked = refused(&run(&gateway, user.with(password), "RETURN 1").await);
        let code = "Neo.ClientError.Security.AuthenticationRateLimit";
        assert_eq!((braked.status, braked.code.as_str()), (429, code), "{}", braked.message);
    }
    serves(&gateway, server.administrator).await;
    user.drop().await;
}

#[tokio::test]
async fn re_authenticates_with_statements_of_any_size_on_neo4j() {
    let Some(server) = neo4j().await else { return };
    let gateway = Arc::new(server.gateway(&ALWAYS).await);
    let user = server.user().await;
    let request = |value: Value| json!({ "statement": "RETURN $value AS value", "parameters": { "value": value } });
    let wide: Vec<_> = (0..70).collect();
    for at in 0..201 {
        let value = [json!(at), json!(wide), json!("x".repeat(20_000))][at % 3].clone();
        let answer = send(&gateway, user.with(OLD), "POST", "/db/neo4j/query/v2", &request(value.clone())).await;
        assert_eq!(values(&answer), json!([[value]]), "request {at}");
    }
    assert_eq!(gateway.engine().pool_status().open, 1, "on one connection");
    // And side by side.
    for round in 0..10 {
        for answer in crowd(&gateway, user.with(OLD), 20).await {
            assert_eq!(values(&answer), json!([[1]]), "round {round}");
        }
    }
    user.drop().await;
}

#[tokio::test]
async fn hands_connections_over_on_neo4j() {
    let Some(server) = neo4j().await else { return };
    let settings = [("database.max_connections", "2"), ("transactions.max", "1"), ("database.caller_share", "50")];
    let gateway = server.gateway(&settings).await;
    let (one, other) = (server.user().await, server.user().await);
    for _ in 0..20 {
        for who in [one.with(OLD), other.with(OLD), server.administrator] {
            let answer = run(&gateway, who, "SHOW CURRENT USER YIELD user RETURN user").await;
            assert_eq!(values(&answer), json!([[who.0]]));
            assert!(gateway.engine().pool_status().open <= 2);
        }
    }
    one.drop().await;
    other.drop().await;
}

/// Runs a command of ArcadeDB's own, past the gateway.
async fn command(text: &str) {
    let address = std::env::var("BOLTGATE_TEST_ARCADEDB_HTTP").expect("it stands beside the Bolt address");
    let authorization = format!("Basic {}", STANDARD.encode("root:playwithdata"));
    let headers = [("Content-Type", "application/json"), ("Authorization", authorization.as_str())];
    let request = json!({ "command": text }).to_string();
    let answer = http::request(&address, "POST", "/api/v1/server", &headers, request.as_bytes()).await;
    assert_eq!(answer.status, 200, "{text}: {answer}");
}

/// It says so in words of its own.
async fn arcadedb_refuses(gateway: &Gateway, who: (&str, &str)) {
    let error = refused(&run(gateway, who, "RETURN 1").await);
    assert_eq!(
        (error.status, error.code.as_str()),
        (401, "Neo.ClientError.Security.Unauthorized"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn accepts_user_and_password_on_arcadedb() {
    let Some(server) = arcadedb().await else { return };
    for settings in [&SHORT, &ALWAYS] {
        let gateway = server.gateway(settings).await;
        for _ in 0..3 {
            serves(&gateway, server.administrator).await;
            arcadedb_refuses(&gateway, ("root", "guess guess")).await;
            arcadedb_refuses(&gateway, ("nobody", "playwithdata")).await;
            sleep(AGE).await;
        }
        assert_eq!(refused(&gateway.query("RETURN 1").await).status, 401);
        serves(&gateway, server.administrator).await;
    }
}

#[tokio::test]
async fn refuses_a_dropped_user_on_arcadedb() {
    let Some(server) = arcadedb().await else { return };
    let gateway = server.gateway(&SHORT).await;
    let name = format!("logins{}", std::process::id());
    let user = json!({ "name": name, "password": OLD, "databases": { "neo4j": ["admin"] } });
    command(&format!("create user {user}")).await;
    serves(&gateway, (&name, OLD)).await;
    command(&format!("drop user {name}")).await;
    sleep(AGE).await;
    arcadedb_refuses(&gateway, (&name, OLD)).await;
    serves(&gateway, server.administrator).await;
}
