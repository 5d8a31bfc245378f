//! Owns the values that an operator writes. A value in hand is in range and in the form that the program uses.
//!
//! May not know keys, files or the environment.

mod address;
mod alias;
mod database;
mod instance;
mod limit;
mod names;
mod number;
mod peers;
mod realm;
mod secret;
mod size;
mod socket_mode;
mod text;
mod time;
mod url;
mod version;
mod who;

pub use address::{DatabaseUri, ListenAddr, UriScheme};
pub use alias::DatabaseAlias;
pub use database::DatabaseName;
pub use instance::InstanceName;
pub use limit::{CountLimit, SizeLimit};
pub use names::{HeaderName, ImpersonationRule, Scheme};
pub use number::{Count, Factor, Fraction, Percent, Thousandths};
pub use peers::{AllowedHost, AllowedOrigin, Network};
pub use realm::Realm;
pub use secret::Secret;
pub use size::ByteSize;
pub use socket_mode::SocketMode;
pub use text::ParseValueError;
pub(super) use text::optional;
pub use time::{Age, TimeSpan};
pub use url::HttpUrl;
pub use version::Neo4jVersion;
pub use who::WhoRule;
