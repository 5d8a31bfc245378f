//! A real OpenID provider, and what tests make it do (`tests/servers/oidc-provider`).
//!
//! Owns the grants as clients and browsers do them, over HTTP, and the handles that only a provider for tests has.
//! Each [`OidcProvider`] is a realm of its own: rotating its keys affects no other realm.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

use super::{
    http::{self, Response},
    query, servers,
};

/// Where the client `browser` is sent back to. Nobody listens there: the address is all that is needed.
const REDIRECT_URI: &str = "http://127.0.0.1/callback";
/// The pair from RFC 7636, appendix B.
const CODE_VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CODE_CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// `service:service-secret` and `short:short-secret`.
const SERVICE: &str = "Basic c2VydmljZTpzZXJ2aWNlLXNlY3JldA==";
const SHORT: &str = "Basic c2hvcnQ6c2hvcnQtc2VjcmV0";
/// Login, consent and the way back are six pages; more are a circle.
const MOST_PAGES: usize = 12;

/// One issuer with keys of its own.
pub struct OidcProvider {
    /// `http://127.0.0.1:PORT`.
    origin: String,
    /// `/realms/N`.
    path: String,
}

/// What a person brings home from a login.
pub struct PersonTokens {
    pub access: String,
    pub id: String,
}

/// How often the provider was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetches {
    pub discovery: u64,
    pub keys: u64,
}

/// What becomes of the old keys when a new one signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldKeys {
    Stay,
    Go,
}

/// Who signs a token that no grant gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// The provider, with the key of its grants.
    Provider,
    /// Somebody with another key, under the id of the provider's.
    Stranger,
    /// Somebody who takes the provider's public key (PEM) for a secret: HS256.
    PublicKey,
    /// Nobody: `alg` is `none`.
    Nobody,
}

impl OidcProvider {
    /// A fresh realm of the provider that the environment names, or `None` with the reason printed.
    pub async fn find() -> Option<Self> {
        let origin = servers::variable("BOLTGATE_TEST_OIDC")?;
        let root = Self { origin, path: String::new() };
        let issuer = root.control("POST", "realms", &json!({})).await["issuer"].clone();
        let path = issuer.as_str().and_then(|issuer| issuer.strip_prefix(&root.origin)).map(str::to_owned);
        Some(Self { path: path.expect("a realm is below its provider"), ..root })
    }

    /// The `iss` of its tokens.
    pub fn issuer(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }

    /// Where its keys are.
    pub fn jwks_url(&self) -> String {
        format!("{}/jwks", self.issuer())
    }

    /// An access token for a program, by the grant `client_credentials`.
    pub async fn token(&self, audience: &str) -> String {
        self.client_credentials(SERVICE, audience).await
    }

    /// Like [`OidcProvider::token`], valid for one second.
    pub async fn short_token(&self, audience: &str) -> String {
        self.client_credentials(SHORT, audience).await
    }

    async fn client_credentials(&self, client: &str, audience: &str) -> String {
        let fields = [("grant_type", "client_credentials"), ("resource", audience)];
        text(&self.grant(&[("Authorization", client)], &fields).await, "access_token")
    }

    /// The tokens of a person who logs in with a browser: authorization code and PKCE, login form and consent.
    pub async fn person(&self, user: &str, audience: &str) -> PersonTokens {
        let query = form(&[
            ("client_id", "browser"),
            ("response_type", "code"),
            ("scope", "openid"),
            ("resource", audience),
            ("redirect_uri", REDIRECT_URI),
            ("code_challenge", CODE_CHALLENGE),
            ("code_challenge_method", "S256"),
            ("state", "of the client"),
            ("nonce", "once"),
        ]);
        let mut browser = Browser { origin: &self.origin, cookies: Vec::new() };
        let callback = browser.log_in(&format!("{}/auth?{query}", self.path), user).await;
        assert_eq!(parameter(&callback, "state"), "of the client");
        assert_eq!(parameter(&callback, "iss"), self.issuer());
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", "browser"),
            ("code", &parameter(&callback, "code")),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", CODE_VERIFIER),
        ];
        let answer = self.grant(&[], &fields).await;
        PersonTokens { access: text(&answer, "access_token"), id: text(&answer, "id_token") }
    }

    async fn grant(&self, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Value {
        let headers = [headers, &[FORM]].concat();
        let path = format!("{}/token", self.path);
        let answer = http::request(&self.origin, "POST", &path, &headers, form(fields).as_bytes()).await;
        assert_eq!(answer.status, 200, "{answer}");
        query::body(&answer)
    }

    /// A token that no grant gives: that of `alice` with `claims` over its own (null takes one away).
    pub async fn mint(&self, signer: Signer, claims: &Value) -> String {
        self.mint_with_header(signer, claims, &json!({})).await
    }

    /// The same, with `header` over the header.
    pub async fn mint_with_header(&self, signer: Signer, claims: &Value, header: &Value) -> String {
        let key = match signer {
            Signer::Provider => "current",
            Signer::Stranger => "other",
            Signer::PublicKey => "public",
            Signer::Nobody => "none",
        };
        let order = json!({ "key": key, "claims": claims, "header": header });
        text(&self.control("POST", "mint", &order).await, "token")
    }

    /// From now on a new key signs; gives its id.
    pub async fn rotate(&self, old: OldKeys) -> String {
        text(&self.control("POST", "rotate", &json!({ "keep": old == OldKeys::Stay })).await, "kid")
    }

    /// Whether it answers those who ask for its keys.
    pub async fn publish(&self, up: bool) {
        self.control("POST", "publish", &json!({ "up": up })).await;
    }

    /// Allows its keys to be cached for this number of seconds.
    pub async fn publish_for(&self, max_age: u32) {
        self.control("POST", "publish", &json!({ "up": true, "maxAge": max_age })).await;
    }

    /// How often it was asked for its keys so far.
    pub async fn fetches(&self) -> Fetches {
        let counts = self.control("GET", "fetches", &json!({})).await;
        let count = |key: &str| counts[key].as_u64().expect("a count is a number");
        Fetches { discovery: count("discovery"), keys: count("keys") }
    }

    async fn control(&self, method: &str, route: &str, order: &Value) -> Value {
        let path = format!("{}/test/{route}", self.path);
        let answer = http::request(&self.origin, method, &path, &[], order.to_string().as_bytes()).await;
        assert_eq!(answer.status, 200, "{answer}");
        query::body(&answer)
    }
}

/// A person's browser, as far as a login needs one.
struct Browser<'a> {
    origin: &'a str,
    cookies: Vec<Cookie>,
}

struct Cookie {
    name: String,
    value: String,
    path: String,
}

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

impl Browser<'_> {
    /// Goes where it is sent and fills in what it is shown, until it is sent back to the client: to there.
    async fn log_in(&mut self, start: &str, user: &str) -> String {
        let mut page = start.to_owned();
        for _ in 0..MOST_PAGES {
            let mut answer = self.send("GET", &page, "").await;
            if answer.status == 200 {
                let fields = filled_in(&answer, user);
                answer = self.send("POST", &page, &form(&fields)).await;
            }
            let location = answer.header("Location").unwrap_or_else(|| panic!("{page} leads nowhere: {answer}"));
            if location.starts_with(REDIRECT_URI) {
                return location.to_owned();
            }
            page = location.strip_prefix(self.origin).unwrap_or(location).to_owned();
        }
        panic!("the login goes round in circles, now at {page}");
    }

    async fn send(&mut self, method: &str, page: &str, body: &str) -> Response {
        let fitting = self.cookies.iter().filter(|cookie| page.starts_with(&cookie.path));
        let cookies: Vec<_> = fitting.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        let headers = [FORM, ("Cookie", &cookies.join("; "))];
        let answer = http::request(self.origin, method, page, &headers, body.as_bytes()).await;
        for (name, value) in &answer.headers {
            if name.eq_ignore_ascii_case("Set-Cookie") {
                self.keep(value);
            }
        }
        answer
    }

    fn keep(&mut self, header: &str) {
        let mut parts = header.split("; ");
        let (name, value) = parts.next().and_then(|first| first.split_once('=')).expect("a cookie has a name");
        let path = parts.find_map(|part| part.strip_prefix("path=")).unwrap_or("/");
        self.cookies.retain(|cookie| (cookie.name.as_str(), cookie.path.as_str()) != (name, path));
        // One without a value is being taken away.
        if !value.is_empty() {
            self.cookies.push(Cookie { name: name.into(), value: value.into(), path: path.into() });
        }
    }
}

/// The fields of the form that the page shows.
fn filled_in<'a>(page: &Response, user: &'a str) -> Vec<(&'static str, &'a str)> {
    let asks_for = |prompt: &str| page.text().contains(&format!("name=\"prompt\" value=\"{prompt}\""));
    if asks_for("login") {
        vec![("prompt", "login"), ("login", user), ("password", "any")]
    } else {
        assert!(asks_for("consent"), "neither login nor consent: {page}");
        vec![("prompt", "consent")]
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

fn parameter(url: &str, name: &str) -> String {
    let (_, query) = url.split_once('?').unwrap_or_default();
    let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let found = found.unwrap_or_else(|| panic!("no {name} in {url}")).replace('+', " ");
    percent_decode_str(&found).decode_utf8().expect("parameters are UTF-8").into_owned()
}

fn text(answer: &Value, key: &str) -> String {
    answer[key].as_str().unwrap_or_else(|| panic!("no {key} in {answer}")).to_owned()
}
