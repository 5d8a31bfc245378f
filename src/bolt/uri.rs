//! The address of a database: `bolt://host:port`.

use std::fmt;

/// Whether and how the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// `bolt`: unencrypted.
    Plain,
    /// `bolt+s`: TLS with a trusted certificate.
    Verified,
    /// `bolt+ssc`: TLS with any certificate, including self-signed ones.
    SelfSigned,
}

/// The address of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uri {
    /// The encryption.
    pub security: Security,
    /// The host name or IP address, without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.security {
            Security::Plain => "bolt",
            Security::Verified => "bolt+s",
            Security::SelfSigned => "bolt+ssc",
        };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_operators_write_them() {
        for (security, host, written) in [
            (Security::Plain, "localhost", "bolt://localhost:7687"),
            (Security::Verified, "db.example", "bolt+s://db.example:7687"),
            (Security::SelfSigned, "::1", "bolt+ssc://[::1]:7687"),
        ] {
            assert_eq!(Uri { security, host: host.into(), port: 7687 }.to_string(), written);
        }
    }
}
