//! Where a database is: `bolt://host:port`.

use std::fmt;

/// How the bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// `bolt`: as they are.
    Plain,
    /// `bolt+s`: TLS, and the server's certificate must be trusted.
    Verified,
    /// `bolt+ssc`: TLS, whatever the server's certificate (self-signed ones too).
    SelfSigned,
}

/// A database's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uri {
    /// Plain or TLS.
    pub security: Security,
    /// Name or address, without brackets.
    pub host: String,
    /// TCP port.
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
