//! Parses the `Authorization` header as Neo4j's Query API does.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

use super::error::Error;

/// Padding is optional, because some clients omit it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The content of the header.
pub(super) enum Credential<'a> {
    /// No header.
    Nothing,
    /// `user:password`. Always contains a colon.
    Basic(Zeroizing<String>),
    /// A token, unchanged.
    Bearer(&'a str),
}

impl Credential<'_> {
    /// Parses the header.
    ///
    /// # Errors
    /// Returns [`Error::Malformed`] for anything except `Basic …` and `Bearer …`.
    pub(super) fn of(header: Option<&[u8]>) -> Result<Credential<'_>, Error> {
        let Some(header) = header else {
            return Ok(Credential::Nothing);
        };
        let at = header.iter().position(|&byte| byte == b' ').ok_or(Error::Malformed)?;
        let (scheme, rest) = header.split_at(at);
        let credentials = rest.trim_ascii();
        if credentials.is_empty() {
            Err(Error::Malformed)
        } else if scheme.eq_ignore_ascii_case(b"basic") {
            basic(credentials)
        } else if scheme.eq_ignore_ascii_case(b"bearer") {
            str::from_utf8(credentials).map(Credential::Bearer).map_err(|_| Error::Malformed)
        } else {
            Err(Error::Malformed)
        }
    }
}

fn basic(credentials: &[u8]) -> Result<Credential<'static>, Error> {
    let decoded = Zeroizing::new(BASE64.decode(credentials).map_err(|_| Error::Malformed)?);
    // Text that is not UTF-8 cannot be a valid password: it is forwarded with replacement characters, and refused.
    let decoded = Zeroizing::new(String::from_utf8_lossy(&decoded).into_owned());
    if decoded.contains(':') { Ok(Credential::Basic(decoded)) } else { Err(Error::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic_of(header: &str) -> Option<String> {
        match Credential::of(Some(header.as_bytes())) {
            Ok(Credential::Basic(text)) => Some(text.to_string()),
            _ => None,
        }
    }

    #[test]
    fn basic_credentials_in_every_spelling() {
        for header in ["Basic bmVvNGo6cHc=", "basic bmVvNGo6cHc=", "BASIC   bmVvNGo6cHc", "Basic bmVvNGo6cHc= "] {
            assert_eq!(basic_of(header).as_deref(), Some("neo4j:pw"), "{header}");
        }
        assert_eq!(basic_of("Basic Og==").as_deref(), Some(":"));
        assert_eq!(basic_of("Basic YTpiOmM=").as_deref(), Some("a:b:c"));
        assert_eq!(basic_of("Basic w7w6w6Q=").as_deref(), Some("ü:ä"));
    }

    #[test]
    fn a_bearer_token_is_not_changed() {
        assert!(matches!(Credential::of(Some(b"Bearer a.b.c")), Ok(Credential::Bearer("a.b.c"))));
        assert!(matches!(Credential::of(None), Ok(Credential::Nothing)));
    }

    #[test]
    fn other_headers_are_refused() {
        for header in [
            "",
            "Basic",
            "Basic ",
            "Basic\tbmVvNGo6cHc=",
            "Basic !!!",
            "Basic bmVvNGo=",
            "Digest x",
            "Just let me in. Thanks!",
        ] {
            assert!(matches!(Credential::of(Some(header.as_bytes())), Err(Error::Malformed)), "{header}");
        }
    }
}
