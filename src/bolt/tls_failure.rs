//! TLS errors as sentences for operators: what is wrong, and what to do.

use std::io;

use jiff::Timestamp;
use rustls::{
    AlertDescription, CertificateError, Error,
    pki_types::{ServerName, UnixTime},
};

const NO_TLS: &str = "the port may not speak TLS: try bolt://";

/// Returns the same error in plain words.
pub(super) fn in_words(error: io::Error) -> io::Error {
    let words = match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(error) => of_rustls(error),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            format!("the server closed the connection during the handshake; {NO_TLS}")
        }
        None => return error,
    };
    io::Error::new(error.kind(), words)
}

/// The error for a host name that no certificate can be valid for.
pub(super) fn of_host(host: &str) -> io::Error {
    let words = format!("\"{host}\" is neither a host name nor an IP address; correct database.uri");
    io::Error::new(io::ErrorKind::InvalidInput, words)
}

fn of_rustls(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(error) => of_certificate(error),
        Error::NoCertificatesPresented => "the server presented no certificate; install one on it".into(),
        Error::InvalidMessage(_) => format!("the server did not answer in TLS; {NO_TLS}"),
        Error::PeerIncompatible(_) | Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            "the server supports neither TLS 1.2 nor 1.3 with secure ciphers; update it, or change its settings".into()
        }
        Error::AlertReceived(AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity) => {
            "the server and Boltgate have no TLS version or cipher in common; Boltgate supports TLS 1.2 and 1.3".into()
        }
        Error::AlertReceived(AlertDescription::CertificateRequired | AlertDescription::NoCertificate) => {
            "the server requires a client certificate, which Boltgate does not have; turn that off for this port".into()
        }
        Error::AlertReceived(AlertDescription::UnrecognisedName) => {
            "the server does not know the host name of database.uri; use the name that its certificate is for".into()
        }
        Error::AlertReceived(_) => "the server aborted the handshake; its log may say why".into(),
        _ => "the server violated the TLS protocol; check that database.uri names the right server".into(),
    }
}

fn of_certificate(error: &CertificateError) -> String {
    use CertificateError as E;
    const RENEW: &str = "renew it on the server";
    match error {
        // The signature is also wrong if an issuer was replaced by another one of the same name.
        E::UnknownIssuer | E::BadSignature => {
            "its certificate is from an issuer that is not trusted; name the issuer's \
             certificate in database.ca_file, or use bolt+ssc:// to accept any certificate"
                .into()
        }
        E::Expired => format!("its certificate has expired; {RENEW}"),
        E::ExpiredContext { not_after, .. } => format!("its certificate expired on {}; {RENEW}", date(*not_after)),
        E::NotValidYet => "its certificate is not valid yet; compare the clocks of both machines".into(),
        E::NotValidYetContext { not_before, .. } => {
            let from = date(*not_before);
            format!("its certificate is not valid before {from}; compare the clocks of both machines")
        }
        E::NotValidForName => {
            "its certificate is not valid for the name in database.uri; use a name that it is valid for".into()
        }
        E::NotValidForNameContext { expected, presented } => {
            let expected = name(expected);
            let valid = match &presented[..] {
                [] => "no name at all".into(),
                names => names.iter().map(|presented| plain(presented)).collect::<Vec<_>>().join(", "),
            };
            format!(
                "its certificate is not valid for name {expected}, but for {valid}; use such a name in database.uri, \
                 or install another certificate on the server"
            )
        }
        E::Revoked => format!("its certificate has been revoked; {RENEW}"),
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => {
            "its certificate is not meant for servers; install another one on the server".into()
        }
        E::BadEncoding => "its certificate is malformed; install another one on the server".into(),
        _ => "its certificate cannot be verified; install another one on the server, or use bolt+ssc:// to accept any \
              certificate"
            .into(),
    }
}

fn name(name: &ServerName<'_>) -> String {
    name.to_str().into_owned()
}

/// The plain name: rustls writes `DnsName("db.example")`.
fn plain(presented: &str) -> &str {
    let inner = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.map_or(presented, |inner| inner.trim_matches('"'))
}

fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).ok();
    let timestamp = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    timestamp.map_or_else(|| "a date outside the calendar".into(), |time| time.strftime("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::{ExtendedKeyPurpose, InvalidMessage};

    use super::*;

    fn words(error: Error) -> String {
        in_words(io::Error::new(io::ErrorKind::InvalidData, error)).to_string()
    }

    #[test]
    fn each_error_says_what_to_do() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let (time, first) = (at(1_800_000_000), at(1_580_515_200));
        let expected = ServerName::try_from("localhost").unwrap();
        let presented = vec!["DnsName(\"db.example\")".to_owned(), "IpAddress(10.0.0.1)".to_owned()];
        let certificate = Error::InvalidCertificate;
        for (error, says, advises) in [
            (certificate(CertificateError::UnknownIssuer), "an issuer that is not trusted", "database.ca_file"),
            (certificate(CertificateError::BadSignature), "an issuer that is not trusted", "bolt+ssc://"),
            (certificate(CertificateError::Expired), "has expired", "renew"),
            (
                certificate(CertificateError::ExpiredContext { time, not_after: first }),
                "expired on 2020-02-01",
                "renew",
            ),
            (
                certificate(CertificateError::NotValidYetContext { time: first, not_before: time }),
                "not valid before 2027-01-15",
                "clocks",
            ),
            (
                certificate(CertificateError::NotValidForNameContext { expected, presented }),
                "not valid for name localhost, but for db.example, 10.0.0.1;",
                "database.uri",
            ),
            (
                certificate(CertificateError::InvalidPurposeContext {
                    required: ExtendedKeyPurpose::ServerAuth,
                    presented: Vec::new(),
                }),
                "not meant for servers",
                "another one",
            ),
            (Error::InvalidMessage(InvalidMessage::InvalidContentType), "did not answer in TLS", "bolt://"),
            (
                Error::AlertReceived(AlertDescription::CertificateRequired),
                "requires a client certificate",
                "turn that off",
            ),
            (Error::AlertReceived(AlertDescription::InternalError), "aborted the handshake", "log"),
        ] {
            let said = words(error);
            assert!(said.contains(says) && said.contains(advises), "{said}");
            // The text contains nothing of Rust's debug format.
            assert!(!said.contains(['{', '}', '[', '\n', '"']) && !said.contains("Name("), "{said}");
        }
    }

    #[test]
    fn a_port_without_tls_closes_during_the_handshake() {
        let said = in_words(io::Error::new(io::ErrorKind::UnexpectedEof, "tls handshake eof")).to_string();
        assert!(said.contains("try bolt://") && !said.contains("eof"), "{said}");
        let reset = in_words(io::Error::from(io::ErrorKind::ConnectionReset));
        assert_eq!(reset.kind(), io::ErrorKind::ConnectionReset);
    }
}
