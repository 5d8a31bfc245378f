//! Issuers that fail: their tokens are refused as nobody's fault, nothing hangs, and all is well once they are back.

use boltgate::auth::token::{KeySource, Verifier};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpSocket},
    runtime::Builder,
    time::{self, Duration, timeout},
};

use super::{ISSUER, PATIENCE, claims, issuer, pass, refused, signer::Signer, until, verifier, verifier_at};
use crate::support::identity_provider::{Answer, Asked, IdentityProvider};

/// The longest that a fetch may take, and some more.
const DEADLINE: Duration = Duration::from_secs(6);
/// The pause after a fetch that failed.
const RETRY: Duration = Duration::from_secs(5);

struct World {
    provider: IdentityProvider,
    token: String,
}

impl World {
    async fn new() -> Self {
        let provider = IdentityProvider::start().await;
        let signer = Signer::p256("k");
        provider.publish(&[signer.jwk()]);
        let token = signer.sign(&claims(provider.issuer()));
        Self { provider, token }
    }

    fn discovering(&self) -> Verifier {
        verifier(vec![issuer(self.provider.issuer(), KeySource::Discovery)])
    }

    async fn is_unavailable(&self, verifier: &Verifier) {
        let answer = timeout(PATIENCE, verifier.verify(&self.token)).await.expect("ends");
        let problem = refused(answer);
        assert!(problem.is_unavailable() && !problem.is_expired(), "{problem}");
    }

    /// The token is accepted as soon as another fetch may begin.
    async fn is_well(&self, verifier: &Verifier) {
        self.is_unavailable(verifier).await;
        self.provider.answer_keys(Answer::Document);
        self.provider.answer_discovery(Answer::Document);
        let before = self.provider.asked();
        self.is_unavailable(verifier).await;
        assert_eq!(self.provider.asked(), before, "nobody asks again at once");
        pass(RETRY).await;
        assert!(verifier.verify(&self.token).await.is_ok());
    }
}

fn bad_answers(elsewhere: &str) -> Vec<Answer> {
    vec![
        Answer::Status(500),
        Answer::Status(404),
        Answer::Status(204),
        Answer::Status(206),
        Answer::Redirect(elsewhere.into()),
        Answer::Body(Vec::new()),
        Answer::Body(b"<html>".to_vec()),
        Answer::Body(b"[]".to_vec()),
        Answer::Body(b"{}".to_vec()),
        Answer::Body(b"{\"keys\":{}}".to_vec()),
        Answer::Body(b"{\"keys\":[]}".to_vec()),
        Answer::Body(b"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}".to_vec()),
        Answer::Body(vec![0xFF; 1000]),
        Answer::Body(b"[".repeat(100_000)),
        Answer::Body(vec![b' '; 300 * 1024]),
        Answer::Endless,
    ]
}

#[tokio::test]
async fn rejects_invalid_key_documents_until_valid() {
    for answer in bad_answers("https://elsewhere.example/keys") {
        let world = World::new().await;
        world.provider.answer_keys(answer.clone());
        let verifier = verifier_at(&world.provider);
        world.is_well(&verifier).await;
        assert_eq!(world.provider.asked(), Asked { discovery: 0, keys: 2 }, "{answer:?}");
    }
}

#[tokio::test]
async fn rejects_invalid_discovery_documents_until_valid() {
    for answer in bad_answers("https://elsewhere.example/keys") {
        let world = World::new().await;
        world.provider.answer_discovery(answer.clone());
        let verifier = world.discovering();
        world.is_well(&verifier).await;
        assert_eq!(world.provider.asked(), Asked { discovery: 2, keys: 1 }, "{answer:?}");
    }
}

#[tokio::test]
async fn requires_the_issuers_own_discovery_document() {
    let world = World::new().await;
    let (own, keys) = (world.provider.issuer().to_owned(), world.provider.keys_url());
    for (described, keys) in [
        (format!("{own}/"), keys.clone()),
        ("https://login.example".into(), keys.clone()),
        (String::new(), keys.clone()),
        (own.to_uppercase(), keys),
        (own.clone(), String::new()),
        (own.clone(), "/keys".into()),
        (own.clone(), "file:///etc/passwd".into()),
        (own.clone(), own.replace("http://", "http://user:password@")),
    ] {
        world.provider.describe(&described, &keys);
        let verifier = world.discovering();
        world.is_unavailable(&verifier).await;
        assert_eq!(world.provider.asked().keys, 0, "{described} {keys}");
    }
}

#[tokio::test]
async fn limits_the_wait_for_keys() {
    for answer in [Answer::Never, Answer::Beginning] {
        let world = World::new().await;
        world.provider.answer_keys(answer.clone());
        let verifier = verifier_at(&world.provider);
        let (waiting, ()) = tokio::join!(verifier.verify(&world.token), async {
            world.provider.asked_for_keys(1).await;
            pass(DEADLINE).await;
        });
        assert!(refused(waiting).is_unavailable(), "{answer:?}");
        world.is_well(&verifier).await;
    }
}

/// However many requests it takes.
#[tokio::test]
async fn limits_discovery_and_keys_together() {
    let world = World::new().await;
    world.provider.answer_keys(Answer::Never);
    world.provider.hold();
    let verifier = world.discovering();
    let waiting = tokio::spawn({
        let (verifier, token) = (verifier.clone(), world.token.clone());
        async move { verifier.verify(&token).await }
    });
    until("discovery is asked for", async || world.provider.asked().discovery == 1).await;
    pass(Duration::from_secs(2)).await;
    world.provider.release();
    world.provider.asked_for_keys(1).await;
    // The time is over, and stands still until the caller has been told.
    time::pause();
    time::advance(Duration::from_secs(4)).await;
    let limit = std::time::Instant::now() + PATIENCE;
    while !waiting.is_finished() {
        assert!(std::time::Instant::now() < limit, "the keys have a time of their own");
        tokio::task::yield_now().await;
    }
    assert!(refused(waiting.await.unwrap()).is_unavailable());
}

/// A fetch dies with its runtime. The next runtime begins another.
#[test]
fn restarts_a_fetch_that_was_aborted() {
    let lasting = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let world = lasting.block_on(World::new());
    let verifier = lasting.block_on(async { verifier_at(&world.provider) });
    world.provider.hold();
    let passing = Builder::new_current_thread().enable_all().build().unwrap();
    passing.block_on(async {
        verifier.warm_up();
        world.provider.asked_for_keys(1).await;
    });
    drop(passing);
    world.provider.release();
    assert!(lasting.block_on(verifier.verify(&world.token)).is_ok());
}

/// What was given up is let go of: a provider that hangs collects no connections.
#[tokio::test]
async fn closes_the_connection_after_the_fetch() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let verifier = verifier(vec![issuer(ISSUER, KeySource::Url(url))]);
    verifier.warm_up();
    let (mut connection, _) = listener.accept().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.unwrap());
    }
    pass(DEADLINE).await;
    let end = timeout(PATIENCE, connection.read(&mut [0])).await.expect("the connection ends");
    assert!(!matches!(end, Ok(1..)), "{end:?}");
}

#[tokio::test]
async fn starts_before_its_issuer() {
    // Bound, and not listening yet: nobody else gets the port meanwhile.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let name = format!("http://{}", socket.local_addr().unwrap());
    let verifier = verifier(vec![issuer(&name, KeySource::Discovery)]);
    verifier.warm_up();
    let signer = Signer::p256("k");
    let token = signer.sign(&claims(&name));
    let problem = refused(verifier.verify(&token).await);
    assert!(problem.is_unavailable(), "{problem}");
    let back = IdentityProvider::start_on(socket);
    back.publish(&[signer.jwk()]);
    pass(RETRY).await;
    assert!(verifier.verify(&token).await.is_ok());
    assert_eq!(back.asked(), Asked { discovery: 1, keys: 1 });
}

#[tokio::test]
async fn does_not_ask_an_unavailable_issuer_for_every_token() {
    let world = World::new().await;
    world.provider.answer_keys(Answer::Status(503));
    let verifier = verifier_at(&world.provider);
    for round in 1..=3 {
        for _ in 0..50 {
            world.is_unavailable(&verifier).await;
        }
        assert_eq!(world.provider.asked().keys, round);
        pass(RETRY).await;
    }
}

#[tokio::test]
async fn fetches_keys_while_warming_up() {
    let world = World::new().await;
    let verifier = world.discovering();
    assert_eq!(world.provider.asked(), Asked::default(), "nobody is asked unless told to");
    verifier.warm_up();
    world.provider.asked_for_keys(1).await;
    until("the token counts", async || verifier.verify(&world.token).await.is_ok()).await;
    assert_eq!(world.provider.asked(), Asked { discovery: 1, keys: 1 });
}
