//! What other clients of the embedded database do while a section is played.

use super::{play::Gateway, shell::Shell};

/// The section whose request meets a transaction that writes.
const CONFLICT: &str = "A conflict without a retry";

/// Whether somebody else is at work in this section, which therefore needs a database of its own.
pub(crate) fn is_disturbed(title: &str) -> bool {
    title == CONFLICT
}

/// Does what another client does before the section begins. The transaction that it opens ends with the gateway.
pub(crate) fn disturb(title: &str, gateway: &Gateway) {
    if is_disturbed(title) {
        let other = Shell::start(&gateway.address(), None, &[])
            .run("curl http://127.0.0.1:7474/db/memgraph/query/v2/tx --json '{\"statement\": \"CREATE (:Order)\"}'");
        assert_eq!(other.status, Some(202), "{}{}", other.printed, other.complaints);
    }
}
