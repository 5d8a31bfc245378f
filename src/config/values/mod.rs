//! Owns the values that an operator writes. A value in hand is in range and in the form that the program uses.
//!
//! May not know keys, files or the environment.

mod address;
mod age;
mod alias;
mod factor;
mod names;
mod peers;
mod secret;
mod text;
mod value;

pub use address::{DatabaseUri, ListenAddr, UriScheme};
pub use age::{Age, Percent};
pub use alias::DatabaseAlias;
pub use factor::{Factor, Fraction, Thousandths};
pub use names::{HeaderName, ImpersonationRule, Scheme};
pub use peers::{AllowedHost, AllowedOrigin, Network};
pub use secret::Secret;
pub(super) use secret::is_hidden;
pub(super) use text::optional;
pub use value::{ByteSize, Count, Neo4jVersion, ParseValueError, TimeSpan};
