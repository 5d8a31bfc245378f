//! FAILURE: an error that the server reports.

use super::packstream::{DecodeError, Reader, Token};

/// An error that the server reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// `Neo.ClientError.Statement.SyntaxError` and the like (`code`, from Bolt 5.7 `neo4j_code`).
    pub code: String,
    /// The description for people.
    pub message: String,
    /// `_classification` of the diagnostic record (Bolt 5.7 and later, if sent): whose fault the error is.
    pub classification: Option<String>,
}

impl Failure {
    /// Reads the metadata map of a FAILURE. Missing keys get the protocol's defaults; unknown keys are ignored.
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

    /// Whether the server closes the connection after this failure, or its state is uncertain.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.code.contains(".Request.Invalid")
            || self.code == "Memgraph.ExecutionException"
            || self.code == "Neo.TransientError.Request.NoThreadsAvailable"
            || (self.is_of_security() && !self.code.ends_with(".CredentialsExpired"))
    }

    /// Whether the failure is about logins or privileges, according to its code.
    #[must_use]
    pub fn is_of_security(&self) -> bool {
        self.code.contains(".Security.")
    }

    /// Whether the refusal of a login means that the credential is wrong, and not that the server did not examine it:
    /// after too many attempts, or because it cannot reach its provider.
    #[must_use]
    pub fn is_about_credential(&self) -> bool {
        const OTHERWISE: [&str; 3] = [".AuthenticationRateLimit", ".AuthProviderFailed", ".AuthProviderTimeout"];
        self.is_of_security()
            && !self.code.contains(".TransientError.")
            && !OTHERWISE.iter().any(|title| self.code.ends_with(title))
    }

    /// Whether a login was refused because the user has as many sessions as the server allows (Memgraph's user
    /// profiles).
    #[must_use]
    pub fn is_session_limit(&self) -> bool {
        self.code.ends_with(".SessionLimitReached")
    }

    /// Whether a login was not examined because there were too many failed ones.
    #[must_use]
    pub fn is_rate_limit(&self) -> bool {
        self.code.ends_with(".AuthenticationRateLimit")
    }
}

/// Reads a string into `text`. Other values, and strings that are not UTF-8, leave it unchanged.
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
    use super::{super::packstream::map_of, *};

    #[test]
    fn both_keys_of_the_code_are_read() {
        for key in ["code", "neo4j_code"] {
            let failure = Failure::parse(&map_of(&[(key, "A.B.C.D"), ("message", "m")])).unwrap();
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
    fn not_every_refused_login_means_a_wrong_credential() {
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
    fn failures_after_which_the_server_closes_are_fatal() {
        let fatal = |code: &str| Failure { code: code.into(), message: String::new(), classification: None }.is_fatal();
        assert!(fatal("Neo.ClientError.Request.Invalid") && fatal("Memgraph.ExecutionException"));
        assert!(fatal("Neo.ClientError.Security.Unauthorized"));
        assert!(!fatal("Neo.ClientError.Security.CredentialsExpired"));
        assert!(!fatal("Neo.ClientError.Statement.SyntaxError"));
    }
}
