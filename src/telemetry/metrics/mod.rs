//! The metrics: what happened since the start, as numbers that Prometheus reads.
//!
//! Owns every series: its name, meaning, labels and buckets, a file for each subject. Promises that counting takes no
//! lock that a scrape holds for long and allocates nothing; that counters are exact; that every series whose labels are
//! a closed set is there from the first scrape; and that no label holds what a client can choose. May not know the rooms
//! that report: it learns everything from events, and from the numbers that a scrape brings along.

mod bounded;
mod connections;
mod events;
mod families;
mod gateway;
mod pool;
mod process;
mod requests;
mod scrape;
mod series;
mod statements;
mod transactions;
mod websockets;

pub use pool::PoolGauges;
pub use scrape::{CONTENT_TYPE, Scrape};

use connections::Connections;
use gateway::Gateway;
use pool::Pool;
use requests::Requests;
use statements::Statements;
use transactions::Transactions;
use websockets::WebSockets;

/// Counts every event. Everything starts at zero.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: Requests,
    connections: Connections,
    websockets: WebSockets,
    pool: Pool,
    statements: Statements,
    transactions: Transactions,
    gateway: Gateway,
}
