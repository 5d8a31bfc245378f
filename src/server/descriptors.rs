//! File descriptors: each connection needs one, and the system limits them.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use thiserror::Error;

use super::admin_thread;
use crate::config::Settings;

/// What everything but connections needs: threads, files, listeners, names that are looked up, keys that are fetched.
const OTHERS: usize = 100;

/// The process may open fewer files than the settings need.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "this process may open {allowed} files, but server.max_connections = {clients}{sockets} and \
     database.max_connections = {database} need {needed}: raise the limit (`ulimit -n {needed}`, or LimitNOFILE={needed} in systemd), or {lower}"
)]
pub struct Shortage {
    allowed: u64,
    clients: usize,
    /// What WebSockets need in addition, in words; empty if they are off.
    sockets: String,
    database: usize,
    needed: u64,
    lower: String,
}

/// Raises the limit of this process as far as its system allows without a privilege, if the settings need more.
///
/// # Errors
/// The [`Shortage`] that is left.
pub fn provide_descriptors(settings: &Settings) -> Result<(), Shortage> {
    let shortage = |limit: Rlimit| shortage(settings, limit.current);
    let limit = getrlimit(Resource::Nofile);
    if shortage(limit).is_ok() {
        return Ok(());
    }
    // The outcome shows next.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    shortage(getrlimit(Resource::Nofile))
}

/// `allowed` is `None` without a limit.
fn shortage(settings: &Settings, allowed: Option<u64>) -> Result<(), Shortage> {
    let (clients, database) = (settings.server.max_connections.get(), settings.database.max_connections.get());
    let mut besides = database.saturating_add(admin_thread::CONNECTIONS + OTHERS) as u64;
    let mut sockets = String::new();
    if settings.websocket.enabled {
        // Each has a connection to the database, and one of a client, which is among `clients`.
        let most = settings.websocket.max_connections.get();
        besides = besides.saturating_add(most as u64);
        sockets = format!(", websocket.max_connections = {most}");
    }
    let needed = besides.saturating_add(clients as u64);
    let Some(allowed) = allowed.filter(|allowed| *allowed < needed) else { return Ok(()) };
    let lower = match allowed.saturating_sub(besides) {
        0 => "lower these settings".to_owned(),
        fits => format!("set server.max_connections = {fits}"),
    };
    Err(Shortage { allowed, clients, sockets, database, needed, lower })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortage_is_described_with_what_to_do() {
        let settings = Settings::default();
        for enough in [Some(10_232), None] {
            assert_eq!(shortage(&settings, enough), Ok(()));
        }
        let text = |allowed| shortage(&settings, Some(allowed)).expect_err("too few").to_string();
        assert_eq!(
            text(1024),
            "this process may open 1024 files, but server.max_connections = 10000 and database.max_connections = 100 need \
             10232: raise the limit (`ulimit -n 10232`, or LimitNOFILE=10232 in systemd), or set server.max_connections = \
             792"
        );
        assert!(text(232).ends_with("or lower these settings"), "{}", text(232));

        let mut settings = settings;
        settings.websocket.enabled = true;
        let text = shortage(&settings, Some(10_331)).expect_err("too few").to_string();
        assert!(
            text.contains(", websocket.max_connections = 100 and database.max_connections = 100 need 10332"),
            "{text}"
        );
        assert_eq!(shortage(&settings, Some(10_332)), Ok(()));
    }
}
