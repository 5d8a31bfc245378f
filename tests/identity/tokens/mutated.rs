//! Any text, and tokens that were good until somebody touched them: none of them counts, and none does harm.

use std::sync::LazyLock;

use boltgate::auth::token::{Verifier, unverified_expiry};
use proptest::prelude::*;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use super::{
    ISSUER, claims, issuer,
    signer::{RSA, Signer, encode, jwks},
    verifier,
};

struct World {
    signer: Signer,
    tokens: Vec<String>,
    verifier: Verifier,
    runtime: Runtime,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let (signer, ed) = (Signer::p256("ec"), Signer::ed25519("ed"));
    let (_file, keys) = jwks(&[signer.jwk(), ed.jwk(), RSA.jwk()]);
    let verifier = verifier(vec![issuer(ISSUER, keys)]);
    let tokens = [&signer, &ed, &RSA].map(|signer| signer.sign(&claims(ISSUER))).to_vec();
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    World { signer, tokens, verifier, runtime }
});

fn counts(token: &str) -> bool {
    let _ = unverified_expiry(token);
    WORLD.runtime.block_on(WORLD.verifier.verify(token)).is_ok()
}

/// Any character that can stand in a token, and some that cannot.
fn character() -> impl Strategy<Value = char> {
    prop_oneof![prop::sample::select("ABCXYZabcxyz0189-_.=+/ ".chars().collect::<Vec<_>>()), any::<char>(),]
}

#[test]
fn accepts_the_unmodified_tokens() {
    assert!(WORLD.tokens.iter().all(|token| counts(token)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn rejects_arbitrary_text(text in any::<String>()) {
        prop_assert!(!counts(&text));
    }

    #[test]
    fn rejects_arbitrary_three_part_text(header in any::<Vec<u8>>(), claims in any::<Vec<u8>>(), signature in any::<Vec<u8>>()) {
        let token = format!("{}.{}.{}", encode(header), encode(claims), encode(signature));
        prop_assert!(!counts(&token));
    }

    #[test]
    fn rejects_a_changed_character(which in 0..3_usize, at in any::<prop::sample::Index>(), to in character()) {
        let token = &WORLD.tokens[which];
        let mut characters: Vec<char> = token.chars().collect();
        let at = at.index(characters.len());
        prop_assume!(characters[at] != to);
        characters[at] = to;
        prop_assert!(!counts(&characters.into_iter().collect::<String>()));
    }

    #[test]
    fn rejects_a_missing_or_added_character(
        which in 0..3_usize, at in any::<prop::sample::Index>(), added in prop::option::of(character())
    ) {
        let mut token = WORLD.tokens[which].clone();
        let at = at.index(token.len());
        match added {
            Some(character) => token.insert(at, character),
            None => { token.remove(at); }
        }
        prop_assert!(!counts(&token));
    }

    #[test]
    fn rejects_parts_of_another_token(which in 0..3_usize, other in 0..3_usize, part in 0..3_usize) {
        prop_assume!(which != other);
        let mut parts: Vec<&str> = WORLD.tokens[which].split('.').collect();
        let others: Vec<&str> = WORLD.tokens[other].split('.').collect();
        // The claims are the same in all three.
        prop_assume!(parts[part] != others[part]);
        parts[part] = others[part];
        prop_assert!(!counts(&parts.join(".")));
    }

    /// Signed, but not by what the operator allows; or by it, but saying anything.
    #[test]
    fn survives_signed_nonsense(header in any::<String>(), claims in any::<String>(), exp in any::<f64>()) {
        let signer = &WORLD.signer;
        prop_assert!(!counts(&signer.sign_text(&header, &claims)));
        let good = json!({ "alg": "ES256", "kid": "ec" }).to_string();
        prop_assert!(!counts(&signer.sign_text(&good, &claims)));
        // A number that JSON has no word for is null.
        let ends = json!({ "iss": ISSUER, "aud": "boltgate", "exp": exp });
        let now = f64::from(u32::try_from(super::from_now(0)).unwrap());
        let counted = counts(&signer.sign_text(&good, &ends.to_string()));
        prop_assert!(!counted || exp > now - 60.0, "{exp}");
    }
}
