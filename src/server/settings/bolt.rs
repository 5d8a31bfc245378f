//! Settings of the connections to the database.

use std::{sync::Arc, time::Duration};

use crate::{
    bolt::{
        Dialer, Endpoint, Security, Uri,
        connection::Limits,
        dialect::{Dialect, MEMGRAPH, NEO4J, STRICT},
    },
    config::{self, Settings, UriScheme},
    tls::{self, TlsConfigError},
};

/// How much longer a server that waits for a bookmark may be silent.
const BOOKMARK_WAIT: Duration = Duration::from_secs(60);

/// The endpoint that the settings name.
pub(in crate::server) fn endpoint(settings: &config::Database) -> Result<Endpoint, TlsConfigError> {
    let (security, tls) = match settings.uri.scheme() {
        UriScheme::Bolt => (Security::Plain, None),
        UriScheme::BoltS => (Security::Verified, Some(tls::verified(settings.ca_file.as_deref())?)),
        UriScheme::BoltSsc => (Security::SelfSigned, Some(tls::unverified()?)),
    };
    let uri = Uri { security, host: settings.uri.host().to_owned(), port: settings.uri.port() };
    Ok(Endpoint::Network { uri, tls })
}

/// The dialer of `endpoint`.
pub(in crate::server) fn dialer(settings: &Settings, endpoint: Endpoint) -> Dialer {
    let database = &settings.database;
    Dialer {
        endpoint,
        dialect: dialect(database.dialect).into(),
        timeout: database.connect_timeout.get(),
        limits: limits(settings),
        traffic: Arc::default(),
    }
}

/// The limits of a connection.
pub(in crate::server) fn limits(settings: &Settings) -> Limits {
    let database = &settings.database;
    let silence = database.max_execution_time.get() + database.termination_grace.get() + BOOKMARK_WAIT;
    Limits { max_message: settings.limits.record.get(), silence }
}

fn dialect(setting: config::Dialect) -> Option<&'static Dialect> {
    match setting {
        config::Dialect::Auto => None,
        config::Dialect::Neo4j => Some(&NEO4J),
        config::Dialect::Memgraph => Some(&MEMGRAPH),
        config::Dialect::Strict => Some(&STRICT),
    }
}
