//! From the settings to what the rooms take: one file for each room.

pub(super) mod auth;
pub(super) mod guard;
