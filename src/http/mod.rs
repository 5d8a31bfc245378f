//! HTTP: routes, media types, request bodies, and answers.
//!
//! Owns the shape of Neo4j's Query API v2 in HTTP, and the table from errors to statuses. Promises that every answer,
//! including errors, is the API's own JSON. Knows nothing of sockets, Bolt messages or pools.

mod access_log;
mod admission;
mod affinity;
mod authenticated;
mod base_url;
mod body;
mod body_memory;
mod caller;
mod challenge;
mod coded;
mod compressed;
mod encode;
mod ending;
mod etag;
mod exchange;
mod gateway;
mod guard;
mod keyed;
mod media;
mod methods;
mod path;
mod query_api;
mod refusal;
mod request;
mod rest;
mod results;
mod routes;
mod server_timing;
mod service;
mod settings;
mod statement;
mod status;
mod stream;
mod traced;
mod transactional;
mod vary;
mod verbs;
mod verdict;

pub use crate::idempotency::Settings as IdempotencySettings;
pub use body::BodyLimits;
pub use guard::{CorsSettings, GuardSettings};
pub use media::Formulas as CsvFormulas;
pub use routes::{openapi, openapi_with};
pub use service::{Peer, Service, service};
pub use settings::{ConsoleIssuer, ConsoleSettings, McpSettings, Settings, WebSocketSettings};
pub use status::Statuses;
