//! The hosts that the gateway answers to.
//!
//! This defeats DNS rebinding: if another site has its own name resolve to this machine, a browser takes the gateway for the
//! same origin as that site's pages. Only the host in the request gives it away.

use super::authority::{Authority, Host};
use crate::config::AllowedHost;

/// The rule for hosts.
#[derive(Debug)]
pub(super) enum Hosts {
    Any,
    /// Loopback names and addresses only: nothing is configured, and only this machine can reach the listener.
    Local,
    Listed(Vec<AllowedHost>),
}

impl Hosts {
    /// The hosts in `allowed`. If it is empty, any host, or only local ones for a listener on loopback.
    pub(super) fn new(allowed: Vec<AllowedHost>, loopback: bool) -> Self {
        match allowed.is_empty() {
            true if loopback => Self::Local,
            false if !allowed.contains(&AllowedHost::Any) => Self::Listed(allowed),
            _ => Self::Any,
        }
    }

    pub(super) fn allow(&self, authority: &Authority<'_>) -> bool {
        match self {
            Self::Any => true,
            // Nearly all requests name one of these, so they skip the parser.
            Self::Local if matches!(authority.written, b"localhost" | b"127.0.0.1") => true,
            Self::Local => match authority.host() {
                Host::Address(_) => true,
                Host::Name(name) => name.eq_ignore_ascii_case(b"localhost") || is_below(name, b"localhost"),
            },
            Self::Listed(allowed) => {
                let host = authority.host();
                allowed.iter().any(|allowed| covers(allowed, host))
            }
        }
    }
}

fn covers(allowed: &AllowedHost, host: Host<'_>) -> bool {
    match (allowed, host) {
        (AllowedHost::Any, _) => true,
        (AllowedHost::Address(allowed), Host::Address(address)) => *allowed == address,
        (AllowedHost::Name(allowed), Host::Name(name)) => allowed.as_bytes().eq_ignore_ascii_case(name),
        (AllowedHost::Below(domain), Host::Name(name)) => is_below(name, domain.as_bytes()),
        _ => false,
    }
}

fn is_below(name: &[u8], domain: &[u8]) -> bool {
    let parts = name.len().checked_sub(domain.len()).and_then(|at| name.split_at_checked(at));
    parts.is_some_and(|(labels, rest)| matches!(labels, [.., _, b'.']) && rest.eq_ignore_ascii_case(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(hosts: &Hosts, host: &str) -> bool {
        hosts.allow(&Authority::parse(host.as_bytes()).expect(host))
    }

    #[test]
    fn a_loopback_listener_answers_to_local_names_and_addresses() {
        let hosts = Hosts::new(Vec::new(), true);
        for host in ["localhost", "LOCALHOST.:1", "app.localhost", "127.0.0.1", "[::1]:7474", "10.1.2.3"] {
            assert!(allow(&hosts, host), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "notlocalhost", ".localhost", "127.1", "a.localhost.x"] {
            assert!(!allow(&hosts, host), "{host}");
        }
    }

    #[test]
    fn any_other_listener_answers_to_any_name() {
        assert!(allow(&Hosts::new(Vec::new(), false), "graph.example"));
    }

    #[test]
    fn only_listed_hosts_are_answered() {
        let name = |name: &str| AllowedHost::Name(name.to_owned());
        let listed = vec![
            name("graph.example"),
            AllowedHost::Below("db.example".to_owned()),
            AllowedHost::Address("10.0.0.7".parse().unwrap()),
        ];
        for loopback in [true, false] {
            let hosts = Hosts::new(listed.clone(), loopback);
            for host in ["graph.example", "Graph.Example.:80", "a.db.example", "a.b.DB.example", "10.0.0.7:7474"] {
                assert!(allow(&hosts, host), "{host}");
            }
            for host in ["localhost", "db.example", "xdb.example", "a.graph.example", "10.0.0.8", "127.0.0.1"] {
                assert!(!allow(&hosts, host), "{host}");
            }
        }
        assert!(allow(&Hosts::new(vec![name("x"), AllowedHost::Any], true), "evil.example"));
    }
}
