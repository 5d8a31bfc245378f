//! Logins that the database refuses, answers oddly, or takes.

use std::sync::{Arc, Mutex};

use boltgate::bolt::{AuthToken, Connection, Error, Failure, Recognition};

use super::connection::{LIMITS, ask, hear, neo4j, open};
use crate::support::bolt::{
    control::User,
    fake_memgraph::{self, FakeMemgraph},
    fake_neo4j::{FakeNeo4j, Options},
    frame::frame,
    message as msg,
    peer::{Handshake, Peer, Script, Step},
    value::{map, v},
};

async fn login(stream: tokio::io::DuplexStream, auth: &AuthToken) -> Result<Connection, Error> {
    Connection::open(Box::new(stream), auth, Recognition::default(), LIMITS).await
}

/// The code with which a login is refused.
fn code(refused: Result<Connection, Error>) -> String {
    match refused {
        Err(Error::Login(failure)) => failure.code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn passes_on_the_refusal_of_a_wrong_password() {
    let wrong = AuthToken::basic("neo4j", "guess");
    for version in [(4, 4), (5, 0), (5, 1), (5, 8)] {
        let fake = FakeNeo4j::start_with(Options::only(version.0, version.1)).await;
        assert_eq!(code(login(fake.connect(), &wrong).await), "Neo.ClientError.Security.Unauthorized");
        assert!(login(fake.connect(), &neo4j()).await.is_ok(), "{version:?}");
    }
    for version in [(4, 3), (5, 2)] {
        let fake = FakeMemgraph::start_with(fake_memgraph::Options::only(version.0, version.1)).await;
        fake.control.set_password("ann", "secret");
        let wrong = AuthToken::basic("ann", "guess");
        assert_eq!(code(login(fake.connect(), &wrong).await), "Memgraph.ClientError.Security.Unauthenticated");
        assert!(login(fake.connect(), &AuthToken::basic("ann", "secret")).await.is_ok());
        assert_eq!(fake.violations(), [""; 0]);
    }
}

#[tokio::test]
async fn distinguishes_the_authentication_rate_limit() {
    let fake = FakeNeo4j::start().await;
    for _ in 0..3 {
        login(fake.connect(), &AuthToken::basic("neo4j", "guess")).await.unwrap_err();
    }
    assert_eq!(code(login(fake.connect(), &neo4j()).await), "Neo.ClientError.Security.AuthenticationRateLimit");
}

#[tokio::test]
async fn rejects_a_too_large_token() {
    let fake = FakeNeo4j::start().await;
    let refused = login(fake.connect(), &AuthToken::bearer(&"t".repeat(9000))).await;
    assert_eq!(code(refused), "Neo.ClientError.Request.Invalid");
}

#[tokio::test]
async fn reports_an_expired_password() {
    let fake = FakeNeo4j::start().await;
    fake.control.set_user("eve", User { password: "old".into(), expired: true, ..User::default() });
    let mut connection = login(fake.connect(), &AuthToken::basic("eve", "old")).await.unwrap();
    ask(&mut connection, "RETURN 1");
    let expected = ["FAILURE Neo.ClientError.Security.CredentialsExpired", "IGNORED"];
    assert_eq!(hear(&mut connection, 2).await, expected);
    connection.reset();
    assert_eq!(hear(&mut connection, 1).await, ["SUCCESS"]);
}

#[tokio::test]
async fn treats_an_ignored_login_as_failed() {
    let hello = msg::success(map([("server", v("Neo4j/5.26.0"))]));
    for (first, second) in [(hello.clone(), msg::ignored()), (msg::ignored(), msg::ignored()), (hello, msg::record([]))]
    {
        let script = Script::new()
            .accept(5, 4)
            .expect_tag(msg::HELLO)
            .expect_tag(msg::LOGON)
            .send(first)
            .send(second)
            .step(Step::ExpectEnd);
        let (stream, peer) = Peer::in_memory(script);
        let error = open(stream).await.unwrap_err();
        assert!(matches!(error, Error::Protocol(_)), "{error:?}");
        peer.join().await;
    }
}

#[tokio::test]
async fn prefers_a_refusal_to_the_close_behind_it() {
    // The server answers and closes without having read the login.
    let refusal = msg::failure("Neo.TransientError.Request.NoThreadsAvailable", "no threads");
    let bytes = [vec![0, 0, 4, 5], frame(&refusal.encode())].concat();
    for script in [
        Script::new().step(Step::Handshake(Handshake::Raw(bytes.clone()))).close(),
        Script::new().step(Step::Handshake(Handshake::Raw(bytes))).step(Step::ExpectEnd),
    ] {
        let (stream, peer) = Peer::in_memory(script);
        assert_eq!(code(login(stream, &neo4j()).await), "Neo.TransientError.Request.NoThreadsAvailable");
        drop(peer);
    }
}

#[tokio::test]
async fn ends_the_connection_after_a_failed_second_login() {
    let fake = FakeNeo4j::start().await;
    let mut connection = open(fake.connect()).await.unwrap();
    let heard = Arc::new(Mutex::new(None));
    let witness = Arc::clone(&heard);
    let tell = move |outcome: Result<(), &Failure>| *witness.lock().unwrap() = outcome.err().cloned();
    connection.queue_login(&AuthToken::basic("alice", "guess"), Box::new(tell));
    ask(&mut connection, "RETURN 1");
    let Error::Login(failure) = connection.reply().await.unwrap_err() else { panic!("the login was not refused") };
    assert_eq!(heard.lock().unwrap().as_ref(), Some(&failure));
    assert!(!connection.is_clean());
    fake.control.wait_for("the end of the connection", |counts| counts.open == 0).await;
}
