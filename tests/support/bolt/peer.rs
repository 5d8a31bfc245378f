//! A scripted Bolt peer: does exactly what a script says and holds the client to it.
//!
//! Owns: connections and their scripts, the report.
//! Promises: the first difference on any connection is what [`Peer::join`] reports, with the step,
//! what was expected and what came.
//! May not know: what a message means, states, the crate under test.

mod line;
mod script;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::host::{MEMORY_BUFFER, Transport};
use line::{Line, Mismatch};
pub use script::{Handshake, Pattern, Script, Step};

/// How long a step waits for the client.
pub const STEP_PATIENCE: Duration = Duration::from_secs(60);

/// A running peer. Dropping it ends its connections.
pub struct Peer {
    addr: Option<SocketAddr>,
    finish: watch::Sender<bool>,
    tasks: Arc<Mutex<Vec<JoinHandle<()>>>>,
    outcomes: mpsc::UnboundedReceiver<Result<(), String>>,
    scripts: usize,
}

impl Peer {
    /// Listens on a free port of 127.0.0.1; the k-th connection follows the k-th script.
    pub async fn listen(scripts: impl IntoIterator<Item = Script>) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
        let addr = listener.local_addr().expect("the address of a bound listener");
        let scripts: Vec<Script> = scripts.into_iter().collect();
        let (peer, outcome) = Peer::new(Some(addr), scripts.len());
        let finish = peer.finish.subscribe();
        let tasks = Arc::clone(&peer.tasks);
        let accepting = tokio::spawn(async move {
            for (k, script) in scripts.into_iter().enumerate() {
                let mut over = finish.clone();
                let accepted = tokio::select! {
                    biased;
                    accepted = listener.accept() => accepted,
                    // Whoever connects does so before `join`; a late one gets a moment.
                    () = given_up(&mut over) => {
                        let never = format!("connection {k} was never opened");
                        let _ = outcome.send(Err(never));
                        continue;
                    }
                };
                let Ok((stream, _)) = accepted else { return };
                let _ = stream.set_nodelay(true);
                let play = play(k, Transport::Tcp(stream), script, finish.clone(), outcome.clone());
                tasks.lock().unwrap().push(tokio::spawn(play));
            }
            // More connections than scripts are refused as long as the peer lives.
            while let Ok((stream, _)) = listener.accept().await {
                let _ = outcome.send(Err("a connection more than there are scripts".to_owned()));
                drop(stream);
            }
        });
        peer.tasks.lock().unwrap().push(accepting);
        peer
    }

    /// One in-memory connection for the client.
    pub fn in_memory(script: Script) -> (DuplexStream, Peer) {
        let (mut streams, peer) = Peer::in_memory_each([script]);
        (streams.remove(0), peer)
    }

    /// One in-memory connection per script.
    pub fn in_memory_each(scripts: impl IntoIterator<Item = Script>) -> (Vec<DuplexStream>, Peer) {
        let scripts: Vec<Script> = scripts.into_iter().collect();
        let (peer, outcome) = Peer::new(None, scripts.len());
        let mut clients = Vec::new();
        for (k, script) in scripts.into_iter().enumerate() {
            let (ours, theirs) = tokio::io::duplex(MEMORY_BUFFER);
            let finish = peer.finish.subscribe();
            let play = play(k, Transport::Memory(theirs), script, finish, outcome.clone());
            peer.tasks.lock().unwrap().push(tokio::spawn(play));
            clients.push(ours);
        }
        (clients, peer)
    }

    fn new(addr: Option<SocketAddr>, scripts: usize) -> (Peer, mpsc::UnboundedSender<Result<(), String>>) {
        let (outcome, outcomes) = mpsc::unbounded_channel();
        let finish = watch::Sender::new(false);
        (Peer { addr, finish, tasks: Arc::default(), outcomes, scripts }, outcome)
    }

    /// # Panics
    /// For an in-memory peer.
    pub fn addr(&self) -> SocketAddr {
        self.addr.expect("an in-memory peer has no address")
    }

    pub fn uri(&self) -> String {
        format!("bolt://{}", self.addr())
    }

    /// Waits until every script has ended.
    ///
    /// # Errors
    /// The first step of any connection that did not go as written, or a connection too many or
    /// too few.
    pub async fn try_join(mut self) -> Result<(), String> {
        self.finish.send_replace(true);
        for _ in 0..self.scripts {
            self.outcomes.recv().await.unwrap_or_else(|| Err("the peer was lost".to_owned()))?;
        }
        // Something beyond the scripts may have been noticed too.
        self.outcomes.try_recv().unwrap_or(Ok(()))
    }

    /// [`Peer::try_join`].
    ///
    /// # Panics
    /// With its error.
    pub async fn join(self) {
        if let Err(what) = self.try_join().await {
            panic!("{what}");
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.tasks.lock().unwrap().iter().for_each(JoinHandle::abort);
    }
}

/// Resolves a moment after `join` was called. A connection that was made before is accepted first, however late.
async fn given_up(finish: &mut watch::Receiver<bool>) {
    // An error means that the peer is gone, which ends the waiting just as well.
    let _ = finish.wait_for(|over| *over).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
}

async fn play(
    k: usize,
    transport: Transport,
    script: Script,
    mut finish: watch::Receiver<bool>,
    outcome: mpsc::UnboundedSender<Result<(), String>>,
) {
    let mut line = Line::new(transport);
    let mut steps = script.steps;
    let mut number = 0;
    let mut result = Ok(());
    while let Some(step) = steps.pop_front() {
        number += 1;
        if let Err(Mismatch(what)) = line.perform(step).await {
            result = Err(format!("connection {k}, step {number}: {what}"));
            break;
        }
    }
    if result.is_ok() {
        // The connection stays open until `join`; only GOODBYE may come without being written.
        let _ = finish.wait_for(|over| *over).await;
        if let Err(Mismatch(what)) = line.nothing_left().await {
            result = Err(format!("connection {k}, after the script: {what}"));
        }
    }
    let _ = outcome.send(result);
}
