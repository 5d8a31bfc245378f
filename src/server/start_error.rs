//! Why the gateway cannot start, in words for the operator.

use std::io;

use thiserror::Error;

use super::tls::TlsFileError;
use crate::{
    auth::token::SetupError,
    config::ListenAddr,
    named::FileError,
    query,
    telemetry::{logs::LogsError, otlp::OtlpError},
    tls::TlsConfigError,
};

/// Why the gateway cannot start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is in use, or cannot be bound.
    #[error("cannot listen on {address} ({key}): {source}{}", advice(source, address, key))]
    Listen {
        /// The address.
        address: ListenAddr,
        /// The setting.
        key: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The name of the address means nothing to this machine.
    #[error(
        "cannot listen on {address} ({key}): cannot look up the name: {source}; write an IP address instead, such as 127.0.0.1"
    )]
    Lookup {
        /// The address.
        address: ListenAddr,
        /// The setting.
        key: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The files for TLS to clients cannot be used.
    #[error(transparent)]
    ClientTls(#[from] TlsFileError),
    /// TLS to the database cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsConfigError),
    /// Traces cannot be exported.
    #[error(transparent)]
    Otlp(#[from] OtlpError),
    /// The settings ask for tools for agents, and the program was built without them.
    #[cfg(not(feature = "mcp"))]
    #[error("this program was built without the feature `mcp`, so it has no tools for agents; set mcp.enabled = false")]
    NoAgents,
    /// Files of named queries cannot be used.
    #[error("{}", lines(.0))]
    Named(Vec<FileError>),
    /// The database does not accept named queries.
    #[error("the database does not accept named queries (named.check = \"fail\"):\n  {}", .0.join("\n  "))]
    NamedRefused(Vec<String>),
    /// The database could not be asked whether it accepts the named queries.
    #[error(
        "cannot ask the database whether it accepts the named query {file} (named.check = \"fail\"): {error}; start the \
         database first, let auth.service_account log in to it, or set named.check = \"warn\""
    )]
    NamedUnchecked {
        /// The file of the query.
        file: String,
        /// What the database, or the way to it, says.
        error: query::Error,
    },
    /// Callers cannot be authenticated.
    #[error(transparent)]
    Auth(#[from] SetupError),
    /// The thread of the admin listener cannot be started.
    #[error("cannot start the thread of the admin listener (admin.listen): {0}")]
    Thread(#[from] io::Error),
    /// The log cannot be filtered as wanted.
    #[error(transparent)]
    Log(#[from] LogsError),
}

/// What is wrong with files, a line for each mistake.
fn lines(mistakes: &[FileError]) -> String {
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ")
}

impl StartError {
    /// Whether named queries are at fault, so that another start will fail as well until they are corrected.
    #[must_use]
    pub fn is_of_named_queries(&self) -> bool {
        matches!(self, Self::Named(_) | Self::NamedRefused(_))
    }
}

/// What to do about an address that cannot be bound.
fn advice(error: &io::Error, address: &ListenAddr, key: &str) -> String {
    let flag = if key == "admin.listen" { "--admin-listen" } else { "--listen" };
    let is_path = matches!(address, ListenAddr::Unix(_));
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("; stop the process that uses it, or choose another address with {flag}")
        }
        io::ErrorKind::PermissionDenied if !is_path => format!(
            "; ports below 1024 need a privilege (AmbientCapabilities=CAP_NET_BIND_SERVICE in systemd): choose a higher \
             port with {flag}"
        ),
        io::ErrorKind::AddrNotAvailable => format!(
            "; no network of this machine has this address: choose one with {flag} that it has, or 0.0.0.0 for all"
        ),
        io::ErrorKind::AlreadyExists => format!("; remove the file, or choose another path with {flag}"),
        io::ErrorKind::NotFound if is_path => "; create the folder first".to_owned(),
        io::ErrorKind::PermissionDenied => format!("; choose a folder with {flag} that this user may write to"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_needs_a_privilege_is_explained() {
        let address: ListenAddr = "127.0.0.1:80".parse().unwrap();
        let refused = |key, address: &ListenAddr| StartError::Listen {
            address: address.clone(),
            key,
            source: io::ErrorKind::PermissionDenied.into(),
        };
        assert_eq!(
            refused("server.listen", &address).to_string(),
            "cannot listen on 127.0.0.1:80 (server.listen): permission denied; ports below 1024 need a privilege \
             (AmbientCapabilities=CAP_NET_BIND_SERVICE in systemd): choose a higher port with --listen"
        );
        let path = "unix:/run/b.sock".parse().unwrap();
        let said = refused("admin.listen", &path).to_string();
        assert!(said.ends_with("; choose a folder with --admin-listen that this user may write to"), "{said}");
    }
}
