//! An address at which a database comes and goes.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io::copy_bidirectional,
    net::{TcpSocket, TcpStream},
    task::{JoinHandle, JoinSet},
};

use crate::support::bolt::fake_neo4j::{FakeNeo4j, Options};

/// Connections are refused as long as nobody has moved in.
pub struct Address {
    address: SocketAddr,
    /// Bound, and not listening.
    vacant: Option<TcpSocket>,
    serving: Option<JoinHandle<()>>,
}

fn bind(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

impl Address {
    pub fn new() -> Self {
        let socket = bind(SocketAddr::from(([127, 0, 0, 1], 0)));
        Self { address: socket.local_addr().unwrap(), vacant: Some(socket), serving: None }
    }

    pub fn uri(&self) -> String {
        format!("bolt://{}", self.address)
    }

    /// Forwards new connections to the server at `target`.
    pub fn move_in(&mut self, target: SocketAddr) {
        let listener = self.vacant.take().expect("the place is vacant").listen(64).unwrap();
        self.serving = Some(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                connections.spawn(async move {
                    if let Ok(mut far) = TcpStream::connect(target).await {
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        }));
    }

    /// Ends every connection, and refuses new ones.
    pub async fn move_out(&mut self) {
        let serving = self.serving.take().expect("somebody is there");
        serving.abort();
        let _ = serving.await;
        self.vacant = Some(bind(self.address));
    }
}

/// A Neo4j that lets everybody in.
pub async fn neo4j() -> Arc<FakeNeo4j> {
    Arc::new(FakeNeo4j::start_with(Options::default().without_auth()).await)
}
