//! TLS of the listener, without sockets.
