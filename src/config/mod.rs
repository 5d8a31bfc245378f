//! Owns the typed settings: every key, its default, and the order file < environment < flags.
//!
//! Promises that [`Settings`] are complete, in range and free of contradictions, and that every error names the key,
//! where the value was set, and what to write instead. Nothing shows the settings that are secrets. May not know any
//! other room.

mod check;
mod effective;
mod error;
mod keys;
mod load;
mod origin;
mod settings;
mod sources;
#[cfg(test)]
mod tests;
mod values;

pub use effective::Effective;
pub use error::ConfigError;
pub use origin::Origin;
pub use settings::{
    Admin, Algorithm, Auth, BearerCredentials, Cors, Database, Dialect, Discovery, Edition, Http, Idempotency,
    Impersonation, Inbound, Issuer, Limits, Log, LogFormat, Retry, Server, ServiceAccount, Settings, Statuses,
    Transactions,
};
pub use sources::{ConfigFile, Override, Sources};
pub use values::{
    Age, AllowedHost, AllowedOrigin, ByteSize, Count, DatabaseAlias, DatabaseUri, Factor, Fraction, HeaderName,
    ImpersonationRule, ListenAddr, Neo4jVersion, Network, ParseValueError, Percent, Scheme, Secret, Thousandths,
    TimeSpan, UriScheme,
};
