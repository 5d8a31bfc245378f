//! Clients that ask and do not read: deadlines, cancelling and limits hold all the same.
//!
//! On HTTP/2 a client that grants no window is never written to; on HTTP/1.1 one that does not read fills the sockets between
//! it and the gateway. Runs against the fakes of both databases, and against a real Neo4j where there is one.

mod limits;
mod rows;
