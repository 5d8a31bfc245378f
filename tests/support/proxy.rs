//! A TCP proxy in front of a database, whose connections can be cut.
//!
//! Promises that a cut connection ends on both sides at once, and that no byte is passed on after it.

use std::sync::{
    Arc, Mutex, Weak,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    select,
    sync::Notify,
    task::JoinHandle,
};

use super::chance::below;

/// Where a connection is cut: at once, or where it is next used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    Now,
    BeforeRequest,
    AfterRequest,
    BeforeReply,
    AmidReply,
}

const CUTS: [Cut; 5] = [Cut::Now, Cut::BeforeRequest, Cut::AfterRequest, Cut::BeforeReply, Cut::AmidReply];

pub struct Proxy {
    uri: String,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    links: Mutex<Vec<Weak<Link>>>,
    cut: AtomicUsize,
}

#[derive(Default)]
struct Link {
    doom: Mutex<Option<Cut>>,
    now: Notify,
}

impl Proxy {
    /// In front of `bolt://HOST:PORT`.
    pub async fn start(target: &str) -> Self {
        let target = target.strip_prefix("bolt://").expect("it is bolt://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let uri = format!("bolt://{}", listener.local_addr().expect("it has an address"));
        let shared = Arc::new(Shared::default());
        let accepting = tokio::spawn(accept(listener, target, Arc::clone(&shared)));
        Self { uri, shared, accepting }
    }

    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Dooms any one connection in any way.
    pub fn cut_any(&self) {
        let links = self.shared.links.lock().unwrap();
        let links: Vec<_> = links.iter().filter_map(Weak::upgrade).collect();
        if links.is_empty() {
            return;
        }
        let link = &links[below(u32::try_from(links.len()).unwrap()) as usize];
        *link.doom.lock().unwrap() = Some(CUTS[below(5) as usize]);
        link.now.notify_one();
    }

    /// How many connections were cut.
    pub fn cuts(&self) -> usize {
        self.shared.cut.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, target: String, shared: Arc<Shared>) {
    while let Ok((near, _)) = listener.accept().await {
        let link = Arc::new(Link::default());
        {
            let mut links = shared.links.lock().unwrap();
            links.retain(|link| link.strong_count() > 0);
            links.push(Arc::downgrade(&link));
        }
        let (target, shared) = (target.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            let Ok(far) = TcpStream::connect(&target).await else { return };
            if pass_on(near, far, &link).await.is_err_and(|end| end == End::Cut) {
                shared.cut.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
}

/// Why nothing is passed on any more.
#[derive(PartialEq, Eq)]
enum End {
    Cut,
    Closed,
}

impl From<std::io::Error> for End {
    fn from(_: std::io::Error) -> Self {
        Self::Closed
    }
}

async fn pass_on(mut near: TcpStream, mut far: TcpStream, link: &Link) -> Result<(), End> {
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (mut requests, mut replies) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        // Where both sides have something to say, which comes first is up to chance, as on any wire.
        select! {
            read = near.read(&mut requests) => match read? {
                0 => return Ok(()),
                _ if link.is_doomed(Cut::BeforeRequest) => return Err(End::Cut),
                count => {
                    far.write_all(&requests[..count]).await?;
                    if link.is_doomed(Cut::AfterRequest) {
                        return Err(End::Cut);
                    }
                }
            },
            read = far.read(&mut replies) => match read? {
                0 => return Ok(()),
                _ if link.is_doomed(Cut::BeforeReply) => return Err(End::Cut),
                count if link.is_doomed(Cut::AmidReply) => {
                    near.write_all(&replies[..count / 2]).await?;
                    return Err(End::Cut);
                }
                count => near.write_all(&replies[..count]).await?,
            },
            () = link.now.notified() => {
                if link.is_doomed(Cut::Now) {
                    return Err(End::Cut);
                }
            }
        }
    }
}

impl Link {
    fn is_doomed(&self, cut: Cut) -> bool {
        *self.doom.lock().unwrap() == Some(cut)
    }
}
