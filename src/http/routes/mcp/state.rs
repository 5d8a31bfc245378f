//! What all messages of agents share, as long as the settings stay as they are.

use std::sync::Arc;

use super::{schema::Cache, tools::Toolbox};
use crate::http::McpSettings;

/// The settings, and what follows from them.
pub(super) struct State {
    pub(super) settings: McpSettings,
    pub(super) tools: Toolbox,
    pub(super) schemas: Cache,
}

impl State {
    pub(super) fn new(settings: McpSettings) -> Arc<Self> {
        Arc::new(Self { tools: Toolbox::new(&settings), settings, schemas: Cache::default() })
    }
}
