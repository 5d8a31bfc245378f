//! Listeners whose addresses are taken, of every kind that settings can name.
//!
//! Promises that a name is served at all of its addresses that this machine has, with one port. Knows nothing of what is served.

use std::{io, net::SocketAddr};

use tokio::net::{TcpListener, lookup_host};

use super::{
    acceptor::Acceptor, connection::HttpService, start_error::StartError, tcp::TcpListeners, unix::UnixSocketListener,
};
use crate::{
    config::{ListenAddr, SocketMode},
    http::Peer,
};

/// A listener whose address is taken.
pub(super) struct Bound {
    /// The port is the real one.
    pub(super) address: ListenAddr,
    /// Whether only this machine can reach it.
    pub(super) is_local: bool,
    socket: Socket,
}

enum Socket {
    Tcp(TcpListeners),
    Unix(UnixSocketListener),
}

impl Bound {
    /// Takes the address that the setting `key` names. The file of a Unix socket gets this mode.
    ///
    /// # Errors
    /// [`StartError::Listen`], [`StartError::Lookup`].
    pub(super) async fn to(wanted: &ListenAddr, mode: SocketMode, key: &'static str) -> Result<Self, StartError> {
        let refused = |address: &ListenAddr, source| StartError::Listen { address: address.clone(), key, source };
        match wanted {
            ListenAddr::Tcp(address) => Self::to_tcp(*address).await.map_err(|source| refused(wanted, source)),
            ListenAddr::Name { host, port } => {
                let looked_up = lookup_host((host.as_str(), *port)).await;
                let addresses = looked_up.map(Iterator::collect).map_err(|source| StartError::Lookup {
                    address: wanted.clone(),
                    key,
                    source,
                })?;
                let listeners = bind_all(addresses).await;
                let listeners = listeners.map_err(|(address, source)| refused(&ListenAddr::Tcp(address), source))?;
                Self::to_name(host, listeners).map_err(|source| refused(wanted, source))
            }
            ListenAddr::Unix(path) => {
                let listener = UnixSocketListener::bind(path, mode.get()).await;
                let listener = listener.map_err(|source| refused(wanted, source))?;
                Ok(Self { address: wanted.clone(), is_local: true, socket: Socket::Unix(listener) })
            }
        }
    }

    async fn to_tcp(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = ListenAddr::Tcp(listener.local_addr()?);
        Ok(Self { is_local: address.is_local(), address, socket: Socket::Tcp(TcpListeners(vec![listener])) })
    }

    fn to_name(host: &str, listeners: Vec<TcpListener>) -> io::Result<Self> {
        let addresses = listeners.iter().map(TcpListener::local_addr).collect::<io::Result<Vec<_>>>()?;
        Ok(Self {
            address: ListenAddr::Name { host: host.to_owned(), port: addresses.first().map_or(0, SocketAddr::port) },
            is_local: addresses.iter().all(|address| ListenAddr::Tcp(*address).is_local()),
            socket: Socket::Tcp(TcpListeners(listeners)),
        })
    }

    /// Serves what `acceptor` accepts, in a task that is tracked like a connection: a stop waits until the last one was
    /// accepted and the address is free.
    pub(super) fn serve<S: HttpService>(self, acceptor: Acceptor, service: impl Fn(Peer) -> S + Send + Sync + 'static) {
        let tracker = acceptor.tracker.clone();
        match self.socket {
            Socket::Tcp(listener) => tracker.spawn(acceptor.run(listener, service)),
            Socket::Unix(listener) => tracker.spawn(acceptor.run(listener, service)),
        };
    }
}

/// Takes all addresses of a name. One that this machine does not have, such as `::1` without IPv6, is left out as long as
/// there is another one. The system chooses a port once, for all.
async fn bind_all(addresses: Vec<SocketAddr>) -> Result<Vec<TcpListener>, (SocketAddr, io::Error)> {
    let mut listeners: Vec<TcpListener> = Vec::new();
    let mut missing = None;
    for mut address in addresses {
        let bound = listeners.iter().filter_map(|listener| listener.local_addr().ok());
        let bound: Vec<SocketAddr> = bound.collect();
        if let Some(first) = bound.first()
            && address.port() == 0
        {
            address.set_port(first.port());
        }
        if bound.contains(&address) {
            // Some systems know the same address by several sockets' types.
            continue;
        }
        match TcpListener::bind(address).await {
            Ok(listener) => listeners.push(listener),
            Err(error) if matches!(error.raw_os_error(), Some(libc::EADDRNOTAVAIL | libc::EAFNOSUPPORT)) => {
                missing = Some((address, error));
            }
            Err(error) => return Err((address, error)),
        }
    }
    match missing {
        Some(missing) if listeners.is_empty() => Err(missing),
        _ => Ok(listeners),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::listener::Listener;

    #[tokio::test]
    async fn a_name_is_served_at_all_of_its_addresses_with_one_port() {
        let local = |text: &str| text.parse::<SocketAddr>().unwrap();
        let listeners = bind_all(vec![local("127.0.0.1:0"), local("127.0.0.2:0"), local("192.0.2.1:0")]).await.unwrap();
        let addresses: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
        assert_eq!(addresses.len(), 2, "this machine does not have the third");
        assert_eq!(addresses[0].port(), addresses[1].port());
        let listeners = TcpListeners(listeners);
        for address in addresses.iter().rev() {
            let _client = tokio::net::TcpStream::connect(address).await.unwrap();
            Listener::accept(&listeners).await.unwrap();
        }
        let (refused, _) = bind_all(addresses).await.unwrap_err();
        assert_eq!(refused, listeners.0[0].local_addr().unwrap(), "an address in use is not left out");
        let (missing, _) = bind_all(vec![local("192.0.2.1:0")]).await.unwrap_err();
        assert_eq!(missing, local("192.0.2.1:0"));
    }
}
