//! `GET /config`: the settings in force, and where each one comes from.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{Admin, answer::respond};
use crate::config::Entry;

#[derive(Serialize)]
struct Document {
    #[serde(serialize_with = "in_order")]
    settings: Vec<Entry>,
}

#[derive(Serialize)]
struct Setting<'a> {
    value: &'a Value,
    origin: &'a str,
    reload: bool,
}

/// Lists every setting, in the order of the file.
pub(super) async fn list(State(admin): State<Admin>) -> Response {
    let settings = admin.parts.settings.snapshot().entries();
    respond(StatusCode::OK, &Document { settings })
}

/// Writes an object whose members keep their order.
fn in_order<S: Serializer>(entries: &[Entry], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(entries.iter().map(|entry| {
        let Entry { key, value, origin, reload } = entry;
        (key, Setting { value, origin, reload: *reload })
    }))
}
