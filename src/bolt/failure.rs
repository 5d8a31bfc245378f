//! FAILURE: what the server says went wrong.

use super::packstream::{DecodeError, Reader, Token};

/// An error of the server, in the words of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// `Neo.ClientError.Statement.SyntaxError` and the like (`code`, from Bolt 5.7 `neo4j_code`).
    pub code: String,
    /// For people.
    pub message: String,
    /// `_classification` of the diagnostic record (Bolt 5.7 and later, where sent): whose fault it is.
    pub classification: Option<String>,
}

impl Failure {
    /// Reads the metadata map of a FAILURE. Keys that are missing get the protocol's defaults, unknown ones are
    /// passed over.
    ///
    /// # Errors
    /// As [`Reader::token`].
    pub fn parse(metadata: &[u8]) -> Result<Self, DecodeError> {
        let mut failure = Self {
            code: "Neo.DatabaseError.General.UnknownError".into(),
            message: "An unknown error occurred.".into(),
            classification: None,
        };
        let mut reader = Reader::new(metadata);
        for _ in 0..reader.expect_map()? {
            match reader.expect_string()? {
                "code" | "neo4j_code" => assign(&mut failure.code, &mut reader)?,
                "message" => assign(&mut failure.message, &mut reader)?,
                "diagnostic_record" => failure.classification = classification(reader.raw()?),
                _ => reader.skip()?,
            }
        }
        Ok(failure)
    }

    /// The server closes the connection after this, or the two sides no longer agree about its state.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.code.contains(".Request.Invalid")
            || self.code == "Memgraph.ExecutionException"
            || self.code == "Neo.TransientError.Request.NoThreadsAvailable"
            || (self.is_of_security() && !self.code.ends_with(".CredentialsExpired"))
    }

    /// Its code puts it among what concerns logins and rights.
    #[must_use]
    pub fn is_of_security(&self) -> bool {
        self.code.contains(".Security.")
    }

    /// The refusal of a login says that the credential is not good, rather than that the server does not look at it for
    /// the moment: after too many attempts, or because it cannot reach who knows.
    #[must_use]
    pub fn is_about_credential(&self) -> bool {
        const OTHERWISE: [&str; 3] = [".AuthenticationRateLimit", ".AuthProviderFailed", ".AuthProviderTimeout"];
        self.is_of_security()
            && !self.code.contains(".TransientError.")
            && !OTHERWISE.iter().any(|title| self.code.ends_with(title))
    }

    /// The refusal of a login says that the user has as many sessions as the server allows (Memgraph's user profiles).
    #[must_use]
    pub fn is_session_limit(&self) -> bool {
        self.code.ends_with(".SessionLimitReached")
    }
}

/// Takes a string; anything else leaves `text` as it is. Bytes that are not UTF-8 do as well.
fn assign(text: &mut String, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    let value = reader.raw()?;
    if let Ok(Token::String(value)) = Reader::new(value).token() {
        value.clone_into(text);
    }
    Ok(())
}

fn classification(record: &[u8]) -> Option<String> {
    let mut reader = Reader::new(record);
    for _ in 0..reader.expect_map().ok()? {
        if reader.expect_string().ok()? == "_classification" {
            return reader.expect_string().ok().map(Into::into);
        }
        reader.skip().ok()?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{super::packstream::Writer, *};

    fn metadata(pairs: &[(&str, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        writer.map(pairs.len());
        for (key, value) in pairs {
            writer.string(key);
            writer.string(value);
        }
        out
    }

    #[test]
    fn both_spellings_of_the_code() {
        for key in ["code", "neo4j_code"] {
            let failure = Failure::parse(&metadata(&[(key, "A.B.C.D"), ("message", "m")])).unwrap();
            assert_eq!((failure.code.as_str(), failure.message.as_str()), ("A.B.C.D", "m"));
        }
    }

    #[test]
    fn missing_keys_have_defaults() {
        let failure = Failure::parse(&[0xA0]).unwrap();
        assert_eq!(failure.code, "Neo.DatabaseError.General.UnknownError");
        assert_eq!(failure.message, "An unknown error occurred.");
    }

    #[test]
    fn not_every_refused_login_is_the_credentials_fault() {
        let of = |code: &str| Failure { code: code.into(), message: String::new(), classification: None };
        for code in ["Neo.ClientError.Security.Unauthorized", "Memgraph.ClientError.Security.Unauthenticated"] {
            assert!(of(code).is_about_credential(), "{code}");
        }
        for code in [
            "Neo.ClientError.Security.AuthenticationRateLimit",
            "Neo.ClientError.Security.AuthProviderTimeout",
            "Neo.TransientError.Security.ModifiedConcurrently",
            "Memgraph.ClientError.Statement.SessionLimitReached",
        ] {
            assert!(!of(code).is_about_credential(), "{code}");
        }
        assert!(of("Memgraph.ClientError.Statement.SessionLimitReached").is_session_limit());
        assert!(!of("Memgraph.ClientError.Security.Unauthenticated").is_session_limit());
    }

    #[test]
    fn fatal_codes_are_those_after_which_the_server_closes() {
        let fatal = |code: &str| Failure { code: code.into(), message: String::new(), classification: None }.is_fatal();
        assert!(fatal("Neo.ClientError.Request.Invalid") && fatal("Memgraph.ExecutionException"));
        assert!(fatal("Neo.ClientError.Security.Unauthorized"));
        assert!(!fatal("Neo.ClientError.Security.CredentialsExpired"));
        assert!(!fatal("Neo.ClientError.Statement.SyntaxError"));
    }
}
