//! One connection of the pool.

use super::slots::ConnectionSlot;
use crate::bolt::Connection;

/// An open connection, and its place in the count of them.
pub(super) struct PooledConnection {
    // Boxed: it is moved about a lot, and large.
    pub(super) connection: Box<Connection>,
    pub(super) slot: ConnectionSlot,
}
