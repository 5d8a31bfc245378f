//! Clients that ask and do not read: deadlines, cancelling and limits hold all the same.
//!
//! On HTTP/2 a client that grants no window is never written to; on HTTP/1.1 one that does not read fills the sockets between
//! it and the gateway. Runs against the fakes of both databases, and against a real Neo4j where there is one.
#![allow(unreachable_pub, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

#[path = "unread/clients.rs"]
mod clients;
#[path = "unread/limits.rs"]
mod limits;
#[path = "unread/real_neo4j.rs"]
mod real_neo4j;
#[path = "unread/rows.rs"]
mod rows;
#[path = "support/servers.rs"]
mod servers;
mod support;
