//! What a token has to say, and by when.

use std::time::{Duration, SystemTime};

use boltgate::auth::token::{ClaimPath, KeySource, TokenError, Verifier, unverified_expiry};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    ISSUER, LEEWAY, claims, from_now, issuer, refused,
    signer::{Signer, encode, jwks},
    verifier, with, without,
};

/// Somebody whom `Verifier` believes.
fn believed(audience: &[&str], user_claim: Option<&str>) -> (Signer, Verifier) {
    let signer = Signer::p256("k");
    let (_file, keys) = jwks(&[signer.jwk()]);
    let mut settings = issuer(ISSUER, keys);
    settings.audience = audience.iter().map(|&audience| audience.to_owned()).collect();
    settings.user_claim = user_claim.map(ClaimPath::new);
    (signer, verifier(vec![settings]))
}

fn claim(name: &str) -> TokenError {
    TokenError::Claim(name.into())
}

#[tokio::test]
async fn returns_subject_and_expiry_of_a_valid_token() {
    let (signer, verifier) = believed(&["other", "boltgate"], None);
    let exp = from_now(600);
    let token = signer.sign(&with(claims(ISSUER), "exp", exp));
    let verified = verifier.verify(&token).await.unwrap();
    assert_eq!((verified.issuer, verified.subject.as_deref(), verified.user.as_deref()), (0, Some("alice"), None));
    let seconds = verified.expires.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(seconds, Duration::from_secs(exp.unsigned_abs()), "without the leeway");
    let nobody = verifier.verify(&signer.sign(&without(claims(ISSUER), "sub"))).await.unwrap();
    assert_eq!(nobody.subject, None);
}

#[tokio::test]
async fn checks_times_with_leeway() {
    let (signer, verifier) = believed(&["boltgate"], None);
    let leeway = LEEWAY.as_secs().cast_signed();
    let good = claims(ISSUER);
    for (name, value, problem) in [
        ("exp", from_now(-leeway - 5), Some(TokenError::Expired)),
        ("exp", 0, Some(TokenError::Expired)),
        ("exp", from_now(5 - leeway), None),
        ("nbf", from_now(leeway + 60), Some(TokenError::NotYetValid)),
        ("nbf", i64::MAX, Some(TokenError::NotYetValid)),
        ("nbf", from_now(leeway - 5), None),
        ("nbf", 0, None),
        // Says when the token was made, not from when on it is good.
        ("iat", from_now(10_000), None),
    ] {
        let answer = verifier.verify(&signer.sign(&with(good.clone(), name, value))).await;
        assert_eq!(answer.err(), problem, "{name}: {value}");
    }
    assert!(TokenError::Expired.is_expired() && !TokenError::NotYetValid.is_expired());
}

/// A string was taken for no `exp` at all by others, and so for a token that never ends.
#[tokio::test]
async fn rejects_an_expiry_that_is_not_a_number() {
    let (signer, verifier) = believed(&["boltgate"], None);
    let good = claims(ISSUER);
    let far = from_now(600);
    for exp in [json!(far.to_string()), json!("soon"), json!(""), Value::Null, json!(true), json!(1e300)] {
        let answer = verifier.verify(&signer.sign(&with(good.clone(), "exp", exp.clone()))).await;
        assert_eq!(answer.err(), Some(claim("exp")), "{exp}");
    }
    for exp in [json!([far]), json!({ "exp": far })] {
        let problem = refused(verifier.verify(&signer.sign(&with(good.clone(), "exp", exp.clone()))).await);
        assert!(matches!(problem, TokenError::Claim(_) | TokenError::Malformed), "{exp}: {problem}");
    }
    assert_eq!(refused(verifier.verify(&signer.sign(&without(good.clone(), "exp"))).await), claim("exp"));
    let text = verifier.verify(&signer.sign(&with(good.clone(), "nbf", far.to_string()))).await;
    assert_eq!(refused(text), claim("nbf"), "a moment that cannot be read");
    let negative = verifier.verify(&signer.sign(&with(good, "exp", -1))).await;
    assert!(matches!(refused(negative), TokenError::Expired | TokenError::Claim(_)));
}

#[tokio::test]
async fn accepts_an_expiry_in_the_far_future() {
    let (signer, verifier) = believed(&["boltgate"], None);
    for exp in [json!(u64::MAX), json!(i64::MAX), json!(1e18), json!(253_402_300_800_u64)] {
        let verified = verifier.verify(&signer.sign(&with(claims(ISSUER), "exp", exp.clone()))).await.expect("counts");
        assert!(verified.expires > SystemTime::now() + Duration::from_secs(1 << 32), "{exp}");
        assert!(verified.expires.checked_add(Duration::from_secs(1 << 40)).is_some(), "{exp}: sums still work");
    }
    let fraction = f64::from(u32::MAX) + 0.5;
    assert!(verifier.verify(&signer.sign(&with(claims(ISSUER), "exp", fraction))).await.is_ok());
}

#[tokio::test]
async fn requires_the_audience() {
    let (signer, verifier) = believed(&["one", "other"], None);
    for aud in [json!("one"), json!(["x", "other"]), json!(["one"])] {
        assert!(verifier.verify(&signer.sign(&with(claims(ISSUER), "aud", aud.clone()))).await.is_ok(), "{aud}");
    }
    for aud in [json!("x"), json!(""), json!("*"), json!("ONE"), json!("one "), json!(["x"]), json!([])] {
        let answer = verifier.verify(&signer.sign(&with(claims(ISSUER), "aud", aud.clone()))).await;
        assert_eq!(answer.err(), Some(TokenError::Audience), "{aud}");
    }
    for aud in [Value::Null, json!(1), json!({ "one": 1 }), json!([1])] {
        let answer = verifier.verify(&signer.sign(&with(claims(ISSUER), "aud", aud.clone()))).await;
        assert_eq!(answer.err(), Some(claim("aud")), "{aud}");
    }
    assert_eq!(refused(verifier.verify(&signer.sign(&without(claims(ISSUER), "aud"))).await), claim("aud"));
}

#[tokio::test]
async fn accepts_any_or_no_audience_with_a_star() {
    let (signer, verifier) = believed(&["*"], None);
    for claims in [without(claims(ISSUER), "aud"), with(claims(ISSUER), "aud", "x"), with(claims(ISSUER), "aud", 1)] {
        assert!(verifier.verify(&signer.sign(&claims)).await.is_ok(), "{claims}");
    }
    let expired = with(without(claims(ISSUER), "aud"), "exp", 1);
    assert_eq!(refused(verifier.verify(&signer.sign(&expired)).await), TokenError::Expired, "all else still counts");
}

#[tokio::test]
async fn reads_the_user_from_the_configured_claim() {
    let people = json!({ "realm": { "user": "anna", "none": "", "number": 1 }, "https://x.example/user": "beth" });
    let all = |mut claims: Value| {
        claims.as_object_mut().unwrap().extend(people.as_object().unwrap().clone());
        claims
    };
    for (path, user) in
        [("sub", "alice"), ("/sub", "alice"), ("/realm/user", "anna"), ("https://x.example/user", "beth")]
    {
        let (signer, verifier) = believed(&["boltgate"], Some(path));
        let verified = verifier.verify(&signer.sign(&all(claims(ISSUER)))).await.unwrap();
        assert_eq!(verified.user.as_deref(), Some(user), "{path}");
    }
    for path in ["user", "realm", "realm/user", "/realm", "/realm/none", "/realm/number", "/realm/user/0", "exp"] {
        let (signer, verifier) = believed(&["boltgate"], Some(path));
        let problem = refused(verifier.verify(&signer.sign(&all(claims(ISSUER)))).await);
        assert_eq!(problem, claim(path));
        assert!(problem.to_string().contains(path), "it is named: {problem}");
    }
}

#[tokio::test]
async fn rejects_repeated_claims() {
    let (signer, verifier) = believed(&["boltgate"], None);
    let header = json!({ "alg": "ES256", "kid": "k" }).to_string();
    let (exp, expired) = (from_now(600), from_now(-600));
    for twice in [
        format!(r#"{{"iss":"{ISSUER}","aud":"boltgate","exp":{expired},"exp":{exp}}}"#),
        format!(r#"{{"iss":"x","iss":"{ISSUER}","aud":"boltgate","exp":{exp}}}"#),
        format!(r#"{{"iss":"{ISSUER}","aud":"x","aud":"boltgate","exp":{exp}}}"#),
    ] {
        assert_eq!(
            refused(verifier.verify(&signer.sign_text(&header, &twice)).await),
            TokenError::Malformed,
            "{twice}"
        );
    }
}

#[tokio::test]
async fn verifies_shared_secrets() {
    let secret = "a secret that is long enough to be one";
    let mut settings = issuer(ISSUER, KeySource::Secret(Zeroizing::new(secret.into())));
    settings.algorithms = vec!["HS256".parse().unwrap(), "HS512".parse().unwrap()];
    let verifier = verifier(vec![settings]);
    for (algorithm, problem) in [("HS256", None), ("HS512", None), ("HS384", Some(TokenError::Algorithm))] {
        let signer = Signer::secret(secret.as_bytes(), algorithm.parse().unwrap());
        assert_eq!(verifier.verify(&signer.sign(&claims(ISSUER))).await.err(), problem, "{algorithm}");
    }
    let guess = Signer::secret(b"a secret that is long enough to be two", "HS256".parse().unwrap());
    assert_eq!(refused(verifier.verify(&guess.sign(&claims(ISSUER))).await), TokenError::Signature);
}

#[test]
fn reads_the_expiry_of_an_unverified_token() {
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let token = |claims: &str| format!("x.{}.", encode(claims));
    assert_eq!(unverified_expiry(&token(r#"{"exp":1700000000}"#)), Some(at(1_700_000_000)));
    assert!(unverified_expiry(&token(r#"{"exp":18446744073709551615}"#)).unwrap() > at(1 << 35));
    for none in ["", "opaque", "a.b", "a.b.c", "..", &token("{}"), &token("[1]"), &token("{"), &token(r#"{"exp":[]}"#)]
    {
        assert_eq!(unverified_expiry(none), None, "{none}");
    }
}
