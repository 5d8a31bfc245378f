//! The identity of a request: a value that pools, transactions and caches carry along whole.

use std::{fmt, sync::Arc};

use crate::bolt::AuthToken;

/// Makes identities. One per process: keys of different makers cannot be compared.
pub struct Identities {
    secret: [u8; blake3::KEY_LEN],
}

/// Who is asking, and how to tell the database.
#[derive(Clone)]
pub struct Identity {
    token: Arc<AuthToken>,
    key: IdentityKey,
}

/// Stands for the whole of a credential: equal exactly when the credentials are, and of no use to anybody who
/// sees it, since it is hashed with a secret that never leaves the process.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdentityKey([u8; blake3::OUT_LEN]);

impl Identities {
    /// A maker with a fresh secret.
    ///
    /// # Errors
    /// When the system has no random numbers to give.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut secret = [0; blake3::KEY_LEN];
        getrandom::fill(&mut secret)?;
        Ok(Self { secret })
    }

    /// The identity of whoever holds `token`.
    #[must_use]
    pub fn identity(&self, token: AuthToken) -> Identity {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        for (name, value) in token.entries() {
            // Lengths keep "ab" + "c" apart from "a" + "bc".
            for part in [name, value] {
                hasher.update(&part.len().to_le_bytes());
                hasher.update(part.as_bytes());
            }
        }
        Identity { token: Arc::new(token), key: IdentityKey(hasher.finalize().into()) }
    }
}

impl Identity {
    /// What the database is told at login.
    #[must_use]
    pub fn token(&self) -> &AuthToken {
        &self.token
    }

    /// What stands for it in maps.
    #[must_use]
    pub fn key(&self) -> IdentityKey {
        self.key
    }

    /// Nobody in particular: the request carried no credentials.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.token.scheme() == "none"
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identities")
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("scheme", &self.token.scheme()).finish_non_exhaustive()
    }
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_stands_for_the_whole_credential() {
        let identities = Identities::new().unwrap();
        let tokens = [
            AuthToken::none(),
            AuthToken::basic("a", "bc"),
            AuthToken::basic("ab", "c"),
            AuthToken::basic("a", "bc").with_realm(Some("native")),
            AuthToken::bearer("bc"),
        ];
        for (i, one) in tokens.iter().enumerate() {
            for (j, other) in tokens.iter().enumerate() {
                let equal = identities.identity(one.clone()).key() == identities.identity(other.clone()).key();
                assert_eq!(equal, i == j, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn keys_of_two_processes_cannot_be_compared() {
        let key = || Identities::new().unwrap().identity(AuthToken::none()).key();
        assert_ne!(key(), key());
    }
}
