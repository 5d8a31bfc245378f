//! A self-test of signature verification, because a failure would go unnoticed until the first token, or the first
//! forged one.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};

/// Whether a signature is valid with its own secret and with no other.
pub(super) fn signatures_are_verified() -> bool {
    let message = b"header.claims";
    let verified = |signature: &str, secret: &[u8]| {
        DecodingKey::from_secret(secret).and_then(|key| crypto::verify(signature, message, &key, Algorithm::HS256))
    };
    let signed = EncodingKey::from_secret(b"own").and_then(|key| crypto::sign(message, &key, Algorithm::HS256));
    signed.is_ok_and(|signature| {
        matches!((verified(&signature, b"own"), verified(&signature, b"other")), (Ok(true), Ok(false)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verification_works() {
        assert!(signatures_are_verified());
    }
}
