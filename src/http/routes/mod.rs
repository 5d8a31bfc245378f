//! What is served beside the statements, a file each.

pub(super) mod discovery;
pub(super) mod load;
pub(super) mod running;
