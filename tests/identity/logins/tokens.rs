//! Tokens that expire while they are in use: on an idle connection, under a statement, under a transaction, in line.
//! Afterwards nothing is served on them.

use std::time::{Duration, SystemTime};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use super::stand::{ADMIN, BOTH, Kind, Stand};
use crate::support::{
    bolt::{control::User, fake_neo4j, value},
    http::{Connection, Response},
    query::{body, refused, transaction_id, values},
};

const EXPIRED: &str = "Neo.ClientError.Security.TokenExpired";
const SECRET: &str = "an-issuers-secret-of-more-than-32-bytes";

/// How long tokens live: long enough for a few requests on a very busy machine.
const LIFE: Duration = Duration::from_secs(10);
/// Until a moment after that.
const PAST: Duration = Duration::from_millis(10_200);

/// What the gateway does with tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// It passes them on, and only reads when they end.
    Forwarded,
    /// It verifies them, and logs in with an account of its own.
    Service,
}

const ALL: [(Kind, Mode); 4] = [
    (Kind::Neo4j, Mode::Forwarded),
    (Kind::Memgraph, Mode::Forwarded),
    (Kind::Neo4j, Mode::Service),
    (Kind::Memgraph, Mode::Service),
];

/// Runs a test on both databases and in both modes, side by side.
async fn everywhere<F: Future<Output = ()>>(test: fn(Kind, Mode) -> F) {
    join_all(ALL.map(|(kind, mode)| test(kind, mode))).await;
}

const SERVICE: [(&str, &str); 6] = [
    ("auth.bearer", "service"),
    ("auth.service_account.user", "gateway"),
    ("auth.service_account.password", "open-sesame"),
    ("auth.issuers.test.issuer", "test"),
    ("auth.issuers.test.audience", "*"),
    ("auth.issuers.test.secret", SECRET),
];

struct Scene {
    stand: Stand,
    mode: Mode,
}

impl Scene {
    async fn start(kind: Kind, mode: Mode) -> Self {
        Self::start_with(kind, mode, &[]).await
    }

    async fn start_with(kind: Kind, mode: Mode, changes: &[(&'static str, &'static str)]) -> Self {
        let mut settings = vec![("auth.leeway", "0s"), ("database.liveness_after", "1s")];
        settings.extend_from_slice(changes);
        if mode == Mode::Service {
            settings.extend_from_slice(&SERVICE);
        }
        let stand = match kind {
            Kind::Neo4j => {
                let options = fake_neo4j::Options { enterprise: true, ..Default::default() };
                Stand::neo4j(options, &settings).await
            }
            Kind::Memgraph => Stand::start(kind, &settings).await,
        };
        stand.control().set_user("gateway", User { password: "open-sesame".into(), ..User::default() });
        Self { stand, mode }
    }

    /// `Authorization` with a token that is good from now on for as long as [`LIFE`].
    fn token(&self) -> String {
        self.token_for(LIFE)
    }

    /// `Authorization` with a token that is good for this long.
    fn token_for(&self, life: Duration) -> String {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let claims = json!({ "iss": "test", "sub": "tina", "exp": (now + life).as_secs_f64() });
        let token = match self.mode {
            Mode::Forwarded => format!("e30.{}.nobody-looks", URL_SAFE_NO_PAD.encode(claims.to_string())),
            Mode::Service => {
                encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes()).unwrap()).unwrap()
            }
        };
        if self.mode == Mode::Forwarded {
            // The database would go on taking it: it is the gateway that ends it.
            self.stand.control().set_token("bearer", &token, "tina");
        }
        format!("Bearer {token}")
    }

    async fn run(&self, token: &str, path: &str, statement: &str) -> Response {
        self.stand.send_with(token, "POST", path, &json!({ "statement": statement })).await
    }

    /// How many statements with this text have reached the database.
    fn runs(&self, text: &str) -> usize {
        let seen = self.stand.control().seen();
        seen.iter().filter(|seen| seen.field(0).and_then(value::Value::as_str) == Some(text)).count()
    }

    async fn is_over(&self, what: &str) {
        self.stand.control().wait_for(what, |counts| counts.transactions == 0 && counts.running == 0).await;
        self.stand.is_content().await;
    }

    /// The value of `READ k`, for any caller.
    async fn stored(&self) -> Value {
        values(&self.stand.run(ADMIN, "", "READ k").await)[0][0].clone()
    }
}

fn is_refusal(answer: &Response) {
    let error = refused(answer);
    assert_eq!((error.status, error.code.as_str()), (401, EXPIRED), "{answer}");
    assert!(answer.header("WWW-Authenticate").is_some(), "{answer}");
}

#[tokio::test]
async fn closes_idle_connections_of_an_expired_token() {
    everywhere(|kind, mode| async move {
        let scene = Scene::start(kind, mode).await;
        let token = scene.token();
        let user = if mode == Mode::Service { "gateway" } else { "tina" };
        assert_eq!(values(&scene.run(&token, "", "WHOAMI").await)[0][0], user, "{kind:?}");
        sleep(PAST).await;
        for path in ["", "/tx", "/tx/0123456789abcdef0123456789abcdef"] {
            is_refusal(&scene.run(&token, path, "WHOAMI").await);
        }
        assert_eq!(scene.runs("WHOAMI"), 1, "{kind:?} {mode:?}: the database is not asked");
        match mode {
            Mode::Forwarded => {
                scene.stand.control().wait_for("the end of the connection", |counts| counts.open == 0).await;
            }
            Mode::Service => {
                // The next token is served on the same connection.
                assert_eq!(scene.run(&scene.token(), "", "WHOAMI").await.status, 202);
                assert_eq!(scene.stand.control().counts().accepted, 1);
            }
        }
        scene.stand.is_content().await;
    })
    .await;
}

/// Past its end nobody can log in with the token to end a statement: the database has to do so by itself.
#[tokio::test]
async fn sends_the_remaining_lifetime_as_a_timeout() {
    everywhere(|kind, mode| async move {
        let scene = Scene::start(kind, mode).await;
        let token = scene.token();
        for path in ["", "/tx"] {
            let timeout = values(&scene.run(&token, path, "WHOAMI").await)[0][4].as_u64().unwrap();
            // A second is added, so that the gateway can say why the statement ended.
            let most = u64::try_from(LIFE.as_millis()).unwrap() + 1000;
            assert!((1..=most).contains(&timeout), "{kind:?} {mode:?} {path}: {timeout}");
        }
        let timeout = values(&scene.stand.run(ADMIN, "", "WHOAMI").await)[0][4].as_u64().unwrap();
        assert_eq!(timeout, 600_000, "{kind:?}: who has no token has all the time there is");
    })
    .await;
}

#[tokio::test]
async fn cancels_statements_when_the_token_expires() {
    everywhere(|kind, mode| async move {
        let scene = Scene::start(kind, mode).await;
        let token = scene.token();
        // Before its first row, and before it has begun.
        let (slow, stuck) = tokio::join!(scene.run(&token, "", "SLEEP 60000"), scene.run(&token, "", "SLEEPRUN 60000"));
        assert_eq!(body(&slow)["errors"][0]["code"], EXPIRED, "{slow}");
        is_refusal(&stuck);
        scene.is_over("the end of the statements").await;
    })
    .await;
}

/// The end of an answer, read to its end after a pause.
async fn end_of_answer(scene: &Scene, token: &str, accept: &str, pause: Duration) -> String {
    let mut stream = TcpStream::connect(scene.stand.gateway.address()).await.unwrap();
    let statement = json!({ "statement": "ROWS 1000000000 WIDE 100" }).to_string();
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nAccept: {accept}\r\n\
         Authorization: {token}\r\nContent-Length: {}\r\n\r\n{statement}",
        scene.stand.path(""),
        statement.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut part = vec![0; 64 * 1024];
    let mut tail = Vec::new();
    stream.read_exact(&mut part[..100]).await.unwrap();
    assert!(part.starts_with(b"HTTP/1.1 202 "), "{}", String::from_utf8_lossy(&part));
    sleep(pause).await;
    loop {
        let read = timeout(Duration::from_secs(60), stream.read(&mut part)).await.expect("it ends").unwrap();
        if read == 0 {
            return String::from_utf8_lossy(&tail).into_owned();
        }
        tail.extend_from_slice(&part[..read]);
        let surplus = tail.len().saturating_sub(1000);
        tail.drain(..surplus);
    }
}

#[tokio::test]
async fn ends_streams_with_an_error_when_the_token_expires() {
    everywhere(|kind, mode| async move {
        let scene = Scene::start(kind, mode).await;
        let token = scene.token();
        let lines = "application/vnd.neo4j.query.v1.1+jsonl";
        // One reads as fast as it can, the others pause until the token has expired.
        let [document, line, paused] = join_all([
            end_of_answer(&scene, &token, "application/json", Duration::ZERO),
            end_of_answer(&scene, &token, lines, PAST),
            end_of_answer(&scene, &token, "application/json", PAST),
        ])
        .await
        .try_into()
        .unwrap();
        let what = format!("{kind:?} {mode:?}");
        for end in [&document, &paused] {
            assert!(end.contains(&format!("\"errors\":[{{\"code\":\"{EXPIRED}\"")), "{what}: {end}");
        }
        assert!(line.contains("\"$event\":\"Error\"") && line.contains(EXPIRED), "{what}: {line}");
        for end in [document, line, paused] {
            assert!(end.ends_with("\r\n0\r\n\r\n"), "{what}: it does not break off: {end}");
        }
        scene.is_over("the end of the statements").await;
    })
    .await;
}

#[tokio::test]
async fn rolls_back_open_transactions_when_the_token_expires() {
    everywhere(|kind, mode| async move {
        let scene = Scene::start(kind, mode).await;
        let token = scene.token();
        let opened = scene.run(&token, "/tx", "WRITE k 1").await;
        let path = format!("/tx/{}", transaction_id(&opened));
        assert_eq!(scene.run(&token, &path, "READ k").await.status, 202);
        sleep(PAST).await;
        let commit = format!("{path}/commit");
        for (method, path) in [("POST", &path), ("POST", &commit), ("DELETE", &path)] {
            is_refusal(&scene.stand.send_with(&token, method, path, &json!({})).await);
        }
        scene.is_over("the roll-back").await;
        // Nobody else finds it.
        assert_eq!(scene.stand.send_with(&scene.token(), "POST", &commit, &json!({})).await.status, 404);
        assert_eq!(scene.stored().await, Value::Null, "{kind:?} {mode:?}");
        scene.stand.is_content().await;
    })
    .await;
}

#[tokio::test]
async fn ends_a_transaction_in_use_when_the_token_expires() {
    everywhere(|kind, mode| async move {
        let scene = Scene::start(kind, mode).await;
        let token = scene.token();
        let opened = scene.run(&token, "/tx", "WRITE k 1").await;
        let path = format!("/tx/{}", transaction_id(&opened));
        let slow = scene.run(&token, &path, "SLEEP 60000").await;
        assert_eq!(body(&slow)["errors"][0]["code"], EXPIRED, "{slow}");
        scene.is_over("the roll-back").await;
        assert_eq!(scene.stand.gateway.engine().open_transactions(), 0);
        assert_eq!(scene.stored().await, Value::Null, "{kind:?} {mode:?}");
    })
    .await;
}

#[tokio::test]
async fn refuses_waiting_requests_when_the_token_expires() {
    everywhere(|kind, mode| async move {
        let settings = [
            ("database.max_connections", "2"),
            ("transactions.max", "1"),
            ("database.caller_share", "100"),
            ("database.acquire_timeout", "60s"),
        ];
        let scene = Scene::start_with(kind, mode, &settings).await;
        let busy = scene.stand.begin(ADMIN).await;
        let mut slow = Connection::open(scene.stand.gateway.address()).await;
        let authorization = ADMIN.authorization();
        let headers = [("Content-Type", "application/json"), ("Authorization", authorization.as_str())];
        slow.request("POST", &scene.stand.path(""), &headers, r#"{"statement":"SLEEP 600000"}"#).await;
        scene.stand.control().wait_for("the slow one", |counts| counts.running == 1).await;
        is_refusal(&scene.run(&scene.token(), "", "WRITE k 1").await);
        drop(slow);
        assert_eq!(scene.stored().await, Value::Null, "{kind:?} {mode:?}");
        assert_eq!(scene.runs("WRITE k 1"), 0, "{kind:?} {mode:?}: it is not even sent");
        assert_eq!(scene.stand.send(ADMIN, "DELETE", &busy, &json!({})).await.status, 200);
        scene.stand.is_content().await;
    })
    .await;
}

#[tokio::test]
async fn leaves_other_tokens_undisturbed() {
    join_all(BOTH.map(|kind| async move {
        let scene = Scene::start(kind, Mode::Service).await;
        let ending = scene.token();
        let opened = scene.run(&ending, "/tx", "WRITE k 1").await;
        assert_eq!(opened.status, 202, "{opened}");
        // A token that lives longer, on the same account.
        let staying = scene.token_for(LIFE * 10);
        let other = scene.run(&staying, "/tx", "WRITE other 1").await;
        let path = format!("/tx/{}/commit", transaction_id(&other));
        sleep(PAST).await;
        is_refusal(&scene.run(&ending, "", "RETURN 1").await);
        assert_eq!(scene.stand.send_with(&staying, "POST", &path, &json!({})).await.status, 202);
        scene.is_over("both transactions").await;
        assert_eq!(values(&scene.stand.run(ADMIN, "", "READ other").await), json!([[1]]));
        assert_eq!(scene.stored().await, Value::Null);
    }))
    .await;
}
