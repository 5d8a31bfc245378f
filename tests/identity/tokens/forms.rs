//! The form of a token: what is no JWT in three parts is refused before anybody is asked for keys.

use boltgate::auth::token::{TokenError, Verifier};
use serde_json::json;

use super::{
    ISSUER, claims, issuer, refused,
    signer::{Signer, encode, jwks},
    verifier, verifier_at, with,
};
use crate::support::identity_provider::IdentityProvider;

fn believed() -> (Signer, Verifier) {
    let signer = Signer::p256("k");
    let (_file, keys) = jwks(&[signer.jwk()]);
    let verifier = verifier(vec![issuer(ISSUER, keys)]);
    (signer, verifier)
}

#[tokio::test]
async fn rejects_malformed_tokens_without_a_fetch() {
    let provider = IdentityProvider::start().await;
    let signer = Signer::p256("k");
    provider.publish(&[signer.jwk()]);
    let verifier = verifier_at(&provider);
    let good = signer.sign(&claims(provider.issuer()));
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else { unreachable!("{good}") };
    let bare = encode(r#"{"alg":"ES256"}"#);
    for token in [
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        "opaque".into(),
        format!("{header}.{payload}"),
        format!("{good}."),
        format!(".{good}"),
        format!("{good}.{signature}"),
        format!("{header}.{payload}.{signature}.{payload}.{signature}"),
        format!(".{payload}.{signature}"),
        format!("{header}..{signature}"),
        format!("{header}=.{payload}.{signature}"),
        format!(" {good}"),
        format!("{header} .{payload}.{signature}"),
        format!("{header}.{payload}\n.{signature}"),
        format!("{header}.{}.{signature}", payload.replace(['a', 'e'], "+")),
        format!("{}.{payload}.{signature}", encode("{")),
        format!("{}.{payload}.{signature}", encode("[]")),
        format!("{}.{payload}.{signature}", encode(b"{\"alg\":\"ES256\",\"kid\":\"\xff\"}")),
        format!("{}.{payload}.{signature}", encode("{\"alg\":\"ES256\"} x")),
        format!("{}.{payload}.{signature}", encode("{}")),
        format!("{}.{payload}.{signature}", encode(r#"{"alg":1}"#)),
        format!("{}.{payload}.{signature}", encode(r#"{"alg":null}"#)),
        format!("{}.{payload}.{signature}", encode(r#"{"alg":"ES256","kid":7}"#)),
        format!("{bare}.{}.{signature}", encode("null")),
        format!("{bare}.{}.{signature}", encode("[\"x\"]")),
        format!("{bare}.{}.{signature}", encode("7")),
        format!("{bare}.{}.{signature}", encode("[".repeat(4000))),
        format!("{bare}.{}.{signature}", encode("{\"iss\":".repeat(1000))),
    ] {
        assert_eq!(refused(verifier.verify(&token).await), TokenError::Malformed, "{token}");
    }
    assert_eq!(provider.asked().keys, 0);
    assert!(verifier.verify(&good).await.is_ok(), "the good one counts");
}

#[tokio::test]
async fn limits_the_length_of_a_token() {
    let (signer, verifier) = believed();
    let fill = |length: usize| signer.sign(&with(claims(ISSUER), "fill", "x".repeat(length)));
    let most = 16 * 1024;
    assert!(verifier.verify(&fill(11_000)).await.is_ok(), "long, but not too long");
    let too_long = refused(verifier.verify(&fill(most)).await);
    assert_eq!(too_long, TokenError::TooLong { limit: most });
    assert!(too_long.to_string().contains("16384"), "{too_long}");
    assert_eq!(refused(verifier.verify(&"x".repeat(1 << 20)).await), TokenError::TooLong { limit: most });
}

/// Who sets `crit` demands what is not done here, and encrypted or packed tokens are not read.
#[tokio::test]
async fn rejects_unsupported_critical_headers() {
    let (signer, verifier) = believed();
    for demand in [
        json!({ "crit": ["exp"] }),
        json!({ "crit": [] }),
        json!({ "crit": "b64" }),
        json!({ "crit": ["b64"], "b64": false }),
        json!({ "enc": "A256GCM" }),
        json!({ "zip": "DEF" }),
    ] {
        let mut header = json!({ "alg": "ES256", "kid": "k" });
        header.as_object_mut().unwrap().extend(demand.as_object().unwrap().clone());
        let answer = verifier.verify(&signer.sign_with(&header, &claims(ISSUER))).await;
        assert_eq!(answer.err(), Some(TokenError::Malformed), "{header}");
    }
    let header = r#"{"alg":"none","alg":"ES256","kid":"k"}"#;
    let twice = signer.sign_text(header, &claims(ISSUER).to_string());
    assert_eq!(refused(verifier.verify(&twice).await), TokenError::Malformed);
}

#[tokio::test]
async fn accepts_any_token_type() {
    let (signer, verifier) = believed();
    for typ in ["JWT", "jwt", "at+jwt", "application/at+jwt", "x"] {
        let token = signer.sign_with(&json!({ "alg": "ES256", "kid": "k", "typ": typ }), &claims(ISSUER));
        assert!(verifier.verify(&token).await.is_ok(), "{typ}");
    }
    assert!(verifier.verify(&signer.sign_with(&json!({ "alg": "ES256", "kid": "k" }), &claims(ISSUER))).await.is_ok());
}

/// A signed token inside a signed token is not opened.
#[tokio::test]
async fn rejects_nested_tokens() {
    let (signer, verifier) = believed();
    let inner = signer.sign(&claims(ISSUER));
    let header = json!({ "alg": "ES256", "kid": "k", "cty": "JWT" }).to_string();
    assert_eq!(refused(verifier.verify(&signer.sign_text(&header, &inner)).await), TokenError::Malformed);
    assert_eq!(
        refused(verifier.verify(&signer.sign_text(&header, &format!("\"{inner}\""))).await),
        TokenError::Malformed
    );
}
