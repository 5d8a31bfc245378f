//! No credential that passes through, good or bad, is ever seen again: not in the log at its most talkative, not in an
//! answer, not in what the program prints of its settings.

use std::time::SystemTime;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

use crate::support::{
    bolt::{
        control::User,
        fake_memgraph::FakeMemgraph,
        fake_neo4j::{FakeNeo4j, Options},
    },
    http::{self, Response},
    process::{Process, boltgate, texts},
};

const PASSWORD: &str = "Korrekt-Pferd-Batterie-1";
const WRONG_PASSWORD: &str = "Korrekt-Pferd-Klammer-2";
const SERVICE_PASSWORD: &str = "Dienst-Pferd-Batterie-3";
const ISSUER_SECRET: &str = "Aussteller-Pferd-Batterie-Heftklammer-4";

/// What must not be seen, and what was.
#[derive(Default)]
struct Watch {
    secrets: Vec<String>,
    seen: Vec<String>,
}

impl Watch {
    /// The secret, as it is and as Basic has it, and the parts of a token that are more than a common header.
    fn keep(&mut self, secret: &str) {
        self.secrets.push(secret.to_owned());
        self.secrets.push(STANDARD.encode(secret));
        self.secrets.extend(secret.split('.').skip(1).filter(|part| part.len() > 8).map(str::to_owned));
    }

    fn saw(&mut self, response: &Response) {
        self.seen.push(format!("{response}"));
    }

    fn is_clean(&self) {
        for secret in &self.secrets {
            let place = self.seen.iter().find(|seen| seen.contains(secret.as_str()));
            assert_eq!(place, None, "{secret} was seen");
        }
    }
}

/// A token of the issuer, valid for this number of seconds.
fn token(claims: &Value, seconds: i64, secret: &str) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let mut claims = claims.clone();
    claims["exp"] = json!(i64::try_from(now).unwrap() + seconds);
    jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(secret.as_bytes()).unwrap()).unwrap()
}

/// Sends what callers send, in every way that it can go well or wrong.
async fn call(address: &str, database: &str, headers: &[(&str, &str)], watch: &mut Watch) {
    let headers = [&[("Content-Type", "application/json")], headers].concat();
    let query = format!("/db/{database}/query/v2");
    let requests = [
        ("POST", query.clone(), "{\"statement\": \"RETURN 1\"}"),
        ("POST", query.clone(), "{\"statement\": \"FAIL Neo.ClientError.Statement.SyntaxError\"}"),
        ("POST", query.clone(), "{\"statement\": 1}"),
        ("POST", query.clone(), "{\"statement\": \"RETURN 1\", \"impersonatedUser\": \"bob\"}"),
        ("POST", format!("{query}/tx"), "{\"statement\": \"RETURN 1\"}"),
        ("POST", format!("{query}/tx/0123"), "{}"),
        ("DELETE", format!("{query}/tx/0123"), ""),
        ("POST", "/db/nowhere/query/v2".to_owned(), "{\"statement\": \"RETURN 1\"}"),
        ("PUT", query.clone(), ""),
        ("GET", "/".to_owned(), ""),
    ];
    for (method, path, body) in requests {
        watch.saw(&http::request(address, method, &path, &headers, body.as_bytes()).await);
    }
}

/// A gateway with everything in its log.
fn talkative(settings: &[(&str, &str)]) -> Process {
    let mut command = boltgate(&["serve", "--log-format=json"]);
    command.env("BOLTGATE_LOG__FILTER", "trace").envs(settings.iter().copied());
    Process::serve(command)
}

/// Ends the gateway and looks at all that it said.
fn end(mut process: Process, watch: &mut Watch) {
    process.signal("TERM");
    process.exit();
    let log = process.log();
    assert!(log.iter().any(|line| line.contains("\"DEBUG\"")), "the log holds more than it does by default");
    watch.seen.extend(log);
}

#[tokio::test(flavor = "multi_thread")]
async fn never_shows_forwarded_credentials() {
    let fake = FakeNeo4j::start_with(Options { enterprise: true, ..Options::default() }).await;
    fake.control.set_user("alice", User { password: PASSWORD.into(), ..User::default() });
    let good = token(&json!({ "sub": "alice" }), 3600, ISSUER_SECRET);
    let expired = token(&json!({ "sub": "alice" }), -3600, ISSUER_SECRET);
    fake.control.set_token("bearer", &good, "alice");
    let gateway = talkative(&[("BOLTGATE_DATABASE__URI", &fake.uri()), ("BOLTGATE_DATABASE__LOGIN_AGE", "0s")]);

    let mut watch = Watch::default();
    let basic = |password: &str| format!("alice:{password}");
    for secret in [PASSWORD, WRONG_PASSWORD, &basic(PASSWORD), &basic(WRONG_PASSWORD), &good, &expired] {
        watch.keep(secret);
    }
    let encoded = |password: &str| format!("Basic {}", STANDARD.encode(basic(password)));
    let headers = [
        encoded(PASSWORD),
        encoded(WRONG_PASSWORD),
        format!("Bearer {good}"),
        format!("Bearer {good}x"),
        format!("Bearer {expired}"),
        format!("Basic {PASSWORD}"),
        format!("Digest {PASSWORD}"),
    ];
    for authorization in &headers {
        call(&gateway.address(), "neo4j", &[("Authorization", authorization)], &mut watch).await;
        let twice = [("Authorization", authorization.as_str()), ("Authorization", authorization)];
        call(&gateway.address(), "neo4j", &twice, &mut watch).await;
    }
    // A connection that breaks under a login.
    fake.control.on_next("LOGON", crate::support::bolt::control::Fault::CloseBefore);
    call(&gateway.address(), "neo4j", &[("Authorization", &headers[0])], &mut watch).await;
    assert!(watch.seen.iter().any(|seen| seen.contains("HTTP 202")) && fake.control.counts().failed_logons > 0);
    end(gateway, &mut watch);
    watch.is_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn never_shows_credentials_of_service_account_callers() {
    let fake = FakeNeo4j::start_with(Options { enterprise: true, ..Options::default() }).await;
    fake.control.set_user("gateway", User { password: SERVICE_PASSWORD.into(), admin: true, ..User::default() });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, ISSUER_SECRET).unwrap();
    let settings = [
        ("BOLTGATE_DATABASE__URI", fake.uri()),
        ("BOLTGATE_AUTH__BEARER", "service".to_owned()),
        ("BOLTGATE_AUTH__SERVICE_ACCOUNT__USER", "gateway".to_owned()),
        ("BOLTGATE_AUTH__SERVICE_ACCOUNT__PASSWORD", SERVICE_PASSWORD.to_owned()),
        ("BOLTGATE_AUTH__ISSUERS__ME__ISSUER", "me".to_owned()),
        ("BOLTGATE_AUTH__ISSUERS__ME__AUDIENCE", "graph".to_owned()),
        ("BOLTGATE_AUTH__ISSUERS__ME__USER_CLAIM", "sub".to_owned()),
        ("BOLTGATE_AUTH__ISSUERS__ME__SECRET_FILE", file.to_str().unwrap().to_owned()),
    ];
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let gateway = talkative(&settings);

    let mut watch = Watch::default();
    for secret in [SERVICE_PASSWORD, ISSUER_SECRET] {
        watch.keep(secret);
    }
    let claims = json!({ "iss": "me", "aud": "graph", "sub": "alice" });
    let tokens = [
        token(&claims, 3600, ISSUER_SECRET),
        token(&claims, -3600, ISSUER_SECRET),
        token(&claims, 3600, WRONG_PASSWORD),
        token(&json!({ "iss": "me", "aud": "others", "sub": "alice" }), 3600, ISSUER_SECRET),
        token(&json!({ "iss": "you", "aud": "graph", "sub": "alice" }), 3600, ISSUER_SECRET),
        token(&json!({ "iss": "me", "aud": "graph" }), 3600, ISSUER_SECRET),
        format!("{}.x", token(&claims, 3600, ISSUER_SECRET)),
    ];
    for token in &tokens {
        watch.keep(token);
        call(&gateway.address(), "neo4j", &[("Authorization", &format!("Bearer {token}"))], &mut watch).await;
    }
    assert!(watch.seen.iter().any(|seen| seen.contains("HTTP 202")));
    // The operator has changed the password in the database only: callers learn nothing of it, the log not much.
    fake.control.set_password("gateway", "another");
    fake.control.close_all();
    call(&gateway.address(), "neo4j", &[("Authorization", &format!("Bearer {}", tokens[0]))], &mut watch).await;
    assert!(watch.seen.iter().any(|seen| seen.contains("HTTP 503")));
    end(gateway, &mut watch);

    for command in ["print-config", "check-config"] {
        let (output, complaint) = texts(&boltgate(&[command]).envs(settings.iter().copied()).output().unwrap());
        watch.seen.extend([output, complaint]);
    }
    assert!(watch.seen.iter().any(|seen| seen.contains("password = \"(hidden)\"")));
    watch.is_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn never_shows_token_pairs() {
    let fake = FakeMemgraph::start().await;
    fake.control.set_user("root", User { password: PASSWORD.into(), ..User::default() });
    let (access, id) = (token(&json!({ "sub": "a" }), 3600, "1"), token(&json!({ "sub": "a", "n": 1 }), 3600, "2"));
    let wrong = token(&json!({ "sub": "b" }), 3600, "3");
    fake.control.set_token("oidc-custom", &format!("access_token={access};id_token={id}"), "alice");
    let settings = [("BOLTGATE_DATABASE__URI", fake.uri()), ("BOLTGATE_AUTH__BEARER_SCHEME", "oidc-custom".to_owned())];
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let gateway = talkative(&settings);
    let mut watch = Watch::default();
    for secret in [&access, &id, &wrong] {
        watch.keep(secret);
    }
    for (access, id) in [(&access, &id), (&wrong, &id), (&access, &wrong), (&format!("{access};x={id}"), &id)] {
        let headers = [("Authorization", format!("Bearer {access}")), ("X-Id-Token", id.clone())];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        call(&gateway.address(), "memgraph", &headers, &mut watch).await;
    }
    assert!(watch.seen.iter().any(|seen| seen.contains("HTTP 202")) && fake.control.counts().failed_logons > 0);
    end(gateway, &mut watch);
    watch.is_clean();
}
