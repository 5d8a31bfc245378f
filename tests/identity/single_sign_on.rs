//! Single sign-on: tokens as Memgraph's auth modules take them, over a fake that reads LOGON byte for byte and judges
//! tokens as the reference module does.
#![allow(unreachable_pub, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

#[path = "single_sign_on/bytes.rs"]
mod bytes;
#[path = "single_sign_on/people.rs"]
mod people;
#[path = "single_sign_on/refused.rs"]
mod refused;
#[path = "single_sign_on/schemes.rs"]
mod schemes;
#[path = "single_sign_on/stand.rs"]
mod stand;
#[path = "single_sign_on/unsendable.rs"]
mod unsendable;
