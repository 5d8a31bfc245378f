//! Owns the typed settings: every key, its default, and the order file < environment < flags.
//!
//! Promises that [`Settings`] are complete, in range and free of contradictions, and that every error names the key,
//! where the value was set, and what to write instead. Nothing shows the settings that are secrets. May not know any
//! other room.

mod catalogue;
mod change;
mod check;
mod derived;
mod effective;
mod entry;
mod error;
mod example;
mod findings;
mod keys;
mod load;
mod origin;
mod schema;
mod settings;
mod sources;
#[cfg(test)]
mod tests;
mod values;

pub use change::Change;
pub use effective::Effective;
pub use entry::Entry;
pub use error::{ConfigError, Ignored, Mistakes};
pub use example::EXAMPLE;
pub use load::Reading;
pub use origin::Origin;
pub use schema::schema;
pub use settings::{
    AccessLog, Admin, Algorithm, Auth, BearerCredentials, ClientAuth, Console, Cors, CsvFormulas, Cypher, Database,
    Dialect, Discovery, Edition, Formats, Http, Idempotency, Impersonation, Inbound, Issuer, Limits, Log, LogFormat,
    Mcp, Named, NamedCheck, Otlp, Retry, Server, ServerTls, ServiceAccount, Settings, Statuses, Telemetry,
    Transactions, WebSocket,
};
pub use sources::{ConfigFile, Override, Sources};
pub use values::{
    Age, AllowedHost, AllowedOrigin, ByteSize, Count, CountLimit, DatabaseAlias, DatabaseName, DatabaseUri, Factor,
    Fraction, HeaderName, HttpUrl, ImpersonationRule, InstanceName, ListenAddr, Neo4jVersion, Network, ParseValueError,
    Percent, Realm, Scheme, Secret, SizeLimit, SocketMode, Thousandths, TimeSpan, UriScheme, WhoRule,
};
