//! Any text as a token, and any header and claims that are signed by a trusted issuer.
#![no_main]

use std::{
    cell::RefCell,
    sync::{Arc, LazyLock},
    time::{Duration, SystemTime},
};

use boltgate::{
    auth::token::{Algorithm, ClaimPath, IssuerSettings, KeySource, Settings, Verified, Verifier, unverified_expiry},
    telemetry::event_log::EventLog,
};
use jsonwebtoken::{EncodingKey, crypto::sign};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use zeroize::Zeroizing;

const ISSUER: &str = "https://id.example";
const AUDIENCE: &str = "boltgate";
const SECRET: &str = "a secret that everybody may know";
const LEEWAY: Duration = Duration::from_secs(30);

thread_local! {
    static RUNTIME: RefCell<Runtime> = RefCell::new(
        Builder::new_current_thread().build().expect("a runtime for one thread"),
    );
}

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let issuer = IssuerSettings {
        name: "fuzz".into(),
        issuer: ISSUER.into(),
        audience: vec![AUDIENCE.into()],
        algorithms: vec![Algorithm::HS256],
        keys: KeySource::Secret(Zeroizing::new(SECRET.into())),
        ca_file: None,
        allow_http: false,
        user_claim: Some(ClaimPath::new("/realm/user")),
    };
    let settings = Settings { issuers: vec![issuer], leeway: LEEWAY, stale_keys: Duration::ZERO };
    Verifier::new(settings, Arc::new(EventLog)).expect("the settings are good")
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    // Nobody finds a signature by chance.
    assert!(verified(text).is_none(), "a token without a signature counts: {text:?}");
    let Some((header, claims)) = text.split_once('\n') else {
        return;
    };
    let message = format!("{}.{}", encode(header), encode(claims));
    let key = EncodingKey::from_secret(SECRET.as_bytes()).expect("it is not empty");
    let signature = sign(message.as_bytes(), &key, Algorithm::HS256).expect("a secret signs");
    if let Some(verified) = verified(&format!("{message}.{signature}")) {
        judge(header, claims, &verified);
    }
});

/// Verifies `token` twice: the second answer, from the cache, must be the same.
fn verified(token: &str) -> Option<Verified> {
    let _ = unverified_expiry(token);
    RUNTIME.with_borrow(|runtime| {
        let first = runtime.block_on(VERIFIER.verify(token)).ok();
        let second = runtime.block_on(VERIFIER.verify(token)).ok();
        assert_eq!(first, second, "{token}");
        first.map(|verified| verified.as_ref().clone())
    })
}

/// Panics unless everything holds that has to.
fn judge(header: &str, claims: &str, verified: &Verified) {
    let header: Value = serde_json::from_str(header).expect("the header is JSON");
    assert_eq!(header["alg"], "HS256", "{header}");
    assert!(header.get("crit").is_none_or(Value::is_null), "{header}");
    let claims: Value = serde_json::from_str(claims).expect("the claims are JSON");
    assert_eq!(claims["iss"], ISSUER, "{claims}");
    let audience = &claims["aud"];
    let names = |audience: &Value| audience == AUDIENCE;
    assert!(names(audience) || audience.as_array().is_some_and(|all| all.iter().any(names)), "{claims}");
    assert!(claims["exp"].is_number(), "{claims}");
    let now = SystemTime::now();
    assert!(verified.expires + LEEWAY + Duration::from_secs(1) >= now, "{claims}");
    assert_eq!(verified.user.as_deref(), claims.pointer("/realm/user").and_then(Value::as_str), "{claims}");
    assert!(verified.user.as_ref().is_some_and(|user| !user.is_empty()), "{claims}");
}

/// Encodes as Base64 for URLs, without padding (RFC 7515, appendix C).
fn encode(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::with_capacity(text.len().div_ceil(3) * 4);
    for chunk in text.as_bytes().chunks(3) {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | u32::from(chunk.get(at).copied().unwrap_or_default()));
        for at in 0..=chunk.len() {
            out.push(char::from(ALPHABET[(bits >> (18 - 6 * at) & 63) as usize]));
        }
    }
    out
}
