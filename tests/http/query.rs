//! What a client gets for one statement: values in every format, long and short answers, over every kind of connection.
//!
//! Runs against the embedded database, and against a fake where that has nothing to show.
#![cfg(feature = "embedded")]

mod connections;
mod counters;
mod description;
mod formats;
mod http2;
mod length;
mod options;
mod values;

use crate::support::{
    bolt::fake_neo4j::{FakeNeo4j, Options},
    gateway::{Gateway, start_embedded, start_memory},
};

/// A gateway in front of a fresh embedded database, with the settings as they are by default.
async fn gateway() -> Gateway {
    start_embedded(&[]).await
}

/// A gateway in front of a fake Neo4j that takes any credentials.
async fn gateway_to_fake() -> Gateway {
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    start_memory(move || fake.connect(), &[]).await
}
