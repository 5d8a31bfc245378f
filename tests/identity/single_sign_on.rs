//! Single sign-on: tokens as Memgraph's auth modules take them, over a fake that reads LOGON byte for byte and judges
//! tokens as the reference module does.

mod bytes;
mod people;
mod refused;
mod schemes;
mod stand;
mod unsendable;
