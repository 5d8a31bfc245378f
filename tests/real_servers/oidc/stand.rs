//! A gateway that takes the tokens of one provider, in front of a fake Memgraph.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    bolt::{
        control::User,
        fake_memgraph::{FakeMemgraph, Options},
    },
    gateway::{self, Gateway},
    http::Response,
    oidc_provider::OidcProvider,
    query::{refused, values},
};

/// For whom the gateway's tokens are.
pub const AUDIENCE: &str = "https://graph.example";

/// Longer than the gateway ever waits before it asks a provider again.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a caller is told whose token is past its time.
pub const EXPIRED: &str = "Neo.ClientError.Security.TokenExpired";
/// What all others are told whose token is not taken.
pub const UNAUTHORIZED: &str = "Neo.ClientError.Security.Unauthorized";

pub struct Stand {
    pub provider: OidcProvider,
    pub fake: FakeMemgraph,
    pub gateway: Gateway,
}

/// Settings under which a gateway takes the provider's tokens and logs in as `gateway`.
pub const SERVICE: [(&str, &str); 4] = [
    ("auth.bearer", "service"),
    ("auth.service_account.user", "gateway"),
    ("auth.service_account.password", "pw"),
    ("auth.leeway", "0s"),
];

/// A gateway at `uri` that takes tokens of `provider` for [`AUDIENCE`], found by discovery.
pub async fn gateway_for(provider: &OidcProvider, uri: &str, changes: &[(&'static str, &str)]) -> Gateway {
    let issuer = provider.issuer();
    let of_issuer = [
        ("auth.issuers.test.issuer", issuer.as_str()),
        ("auth.issuers.test.audience", AUDIENCE),
        ("auth.issuers.test.allow_http", "true"),
    ];
    gateway::start_for_with(uri, &[&of_issuer, changes].concat()).await
}

/// A database with the users `gateway`, who may act as others, `alice` and `bob`.
pub async fn memgraph() -> FakeMemgraph {
    let fake = FakeMemgraph::start_with(Options::default()).await;
    for name in ["gateway", "alice", "bob"] {
        fake.control.set_user(name, User { password: "pw".into(), admin: name == "gateway", ..User::default() });
    }
    fake
}

impl Stand {
    /// Callers with a valid token work through the account `gateway`.
    pub async fn start() -> Option<Self> {
        Self::start_with(&[]).await
    }

    pub async fn start_with(changes: &[(&'static str, &str)]) -> Option<Self> {
        Some(Self::of(OidcProvider::find().await?, changes).await)
    }

    pub async fn of(provider: OidcProvider, changes: &[(&'static str, &str)]) -> Self {
        let fake = memgraph().await;
        let gateway = gateway_for(&provider, &fake.uri(), &[&SERVICE, changes].concat()).await;
        Self { provider, fake, gateway }
    }

    pub async fn ask(&self, token: &str) -> Response {
        ask(&self.gateway, &[("Authorization", &format!("Bearer {token}"))]).await
    }

    pub async fn lets_in(&self, token: &str) {
        assert_eq!(who(&self.ask(token).await)["principal"], json!("gateway"));
    }

    pub async fn turns_away(&self, token: &str, code: &str, message: &str) {
        is_turned_away(&self.ask(token).await, code, message);
    }

    /// Asks again and again until the answer is what it has to become. No answer on the way may be an error of the
    /// gateway's own.
    pub async fn becomes(&self, token: &str, status: u16) -> Response {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.ask(token).await;
            if answer.status == status {
                return answer;
            }
            assert!([202, 401, 503].contains(&answer.status), "{answer}");
            assert!(Instant::now() < deadline, "waited in vain for {status}: {answer}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// Asks the database as whom it takes the caller.
pub async fn ask(gateway: &Gateway, headers: &[(&str, &str)]) -> Response {
    let headers = [&[("Content-Type", "application/json")], headers].concat();
    let body = json!({ "statement": "WHOAMI" }).to_string();
    gateway.send("POST", "/db/memgraph/query/v2", &headers, &body).await
}

/// The cells of `WHOAMI` that say who.
pub fn who(response: &Response) -> Value {
    let row = &values(response)[0];
    json!({ "principal": row[0], "imp_user": row[1] })
}

/// The whole answer to a token that is not taken.
#[track_caller]
pub fn is_turned_away(response: &Response, code: &str, message: &str) {
    let error = refused(response);
    assert_eq!((error.status, error.code.as_str(), error.message.as_str()), (401, code, message));
    assert_eq!(response.header("Content-Type"), Some("application/json;charset=utf-8"));
    let challenge = "Basic realm=\"boltgate\", Bearer realm=\"boltgate\", error=\"invalid_token\"";
    assert_eq!(response.header("WWW-Authenticate"), Some(challenge));
}

/// The time this number of seconds from now, in seconds since 1970.
pub fn seconds_from_now(seconds: i64) -> i64 {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("it is after 1970").as_secs();
    i64::try_from(now).expect("and long before the end") + seconds
}

/// What callers are told.
pub mod message {
    pub const ALGORITHM: &str = "The token's algorithm is not allowed for its issuer.";
    pub const AUDIENCE: &str = "The token is meant for another audience.";
    pub const EXPIRED: &str = "The token has expired.";
    pub const ISSUER: &str = "This gateway does not accept tokens from the token's issuer.";
    pub const KEY: &str = "The token was signed with a key that its issuer does not publish.";
    pub const MALFORMED: &str = "The token is not a JWT that this gateway can read.";
    pub const NOT_YET: &str = "The token is not valid yet.";
    pub const NO_AUDIENCE: &str = "The token's claim `aud` is missing or cannot be used.";
    pub const NO_EXPIRY: &str = "The token's claim `exp` is missing or cannot be used.";
    pub const NO_USER: &str = "The token's claim `/realm/user` is missing or cannot be used.";
    pub const SIGNATURE: &str = "The token's signature is not valid.";
    pub const UNAVAILABLE: &str = "The keys of the token's issuer are not available at the moment; try again later.";
}
