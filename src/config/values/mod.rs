//! Owns the values that an operator writes. A value in hand is in range and in the form that the program uses.
//!
//! May not know keys, files or the environment.

mod address;
mod alias;
mod names;
mod number;
mod peers;
mod secret;
mod size;
mod text;
mod time;
mod version;

pub use address::{DatabaseUri, ListenAddr, UriScheme};
pub use alias::DatabaseAlias;
pub use names::{HeaderName, ImpersonationRule, Scheme};
pub use number::{Count, Factor, Fraction, Percent, Thousandths};
pub use peers::{AllowedHost, AllowedOrigin, Network};
pub use secret::Secret;
pub(super) use secret::is_hidden;
pub use size::ByteSize;
pub use text::ParseValueError;
pub(super) use text::optional;
pub use time::{Age, TimeSpan};
pub use version::Neo4jVersion;
