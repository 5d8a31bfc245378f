//! Neo4j's older HTTP API: `/db/{db}/tx…`, and the paths of Neo4j 3.5.
//!
//! Owns its paths, headers, bodies and errors. Shares everything else with the Query API: the engine and its registry of
//! transactions, limits, idempotency, and the way in which answers are streamed. Promises that every answer but those
//! about credentials, media types, methods and unknown paths is the API's own envelope.

mod errors;
mod handle;
mod headers;
mod path;
mod request;
mod respond;
mod routes;

pub(super) use path::template;
pub(super) use routes::add;
