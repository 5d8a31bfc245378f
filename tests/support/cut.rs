//! A proxy that ends a Bolt connection at a chosen point of its conversation.
//!
//! Owns: relaying message by message. A request is passed on once the one before it is answered, so a point of the
//! conversation is the same each time, whatever travels together.
//! Promises: one connection is cut, once; [`Cutter::until_cut`] tells that the database has let go of it, and that the client's
//! system knows of the end.
//! May not know: HTTP, statements, which database it is. A RESET is handled in order here like everything else.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::bolt::{
    frame::{Frame, FrameReader, NOOP},
    message::{self, GOODBYE, RECORD},
};

/// The longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a conversation ends, as seen from one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// The database never gets it.
    Before,
    /// The database gets it, and the end of the connection with it.
    Sent,
    /// The database has answered, and nothing of that arrives.
    Answered,
    /// Half of the bytes of the answer arrive.
    Within,
    /// The answer arrives, and nothing after it.
    Behind,
}

/// A byte stream to the database.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection to the database on its way.
pub type Dialling = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send>>;

/// A running proxy; dropping it ends everything.
pub struct Cutter {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    dial: Box<dyn Fn() -> Dialling + Send + Sync>,
    plan: Mutex<Plan>,
    now: watch::Sender<Now>,
    /// Counts how often all connections were ended.
    ended: watch::Sender<u64>,
}

#[derive(Default)]
struct Plan {
    /// Names of the requests since the last order, over all connections.
    seen: Vec<&'static str>,
    cut: Option<(usize, Point)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Now {
    open: usize,
    /// Nothing is left of the connection that was to be cut.
    cut: bool,
}

impl Cutter {
    /// Listens on a free port, and dials once for each connection.
    pub async fn start(dial: impl Fn() -> Dialling + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
        let address = listener.local_addr().expect("the address of a bound listener");
        let shared = Arc::new(Shared {
            dial: Box::new(dial),
            plan: Mutex::default(),
            now: watch::Sender::new(Now::default()),
            ended: watch::Sender::new(0),
        });
        let all = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                all.now.send_modify(|now| now.open += 1);
                tokio::spawn(serve(near, Arc::clone(&all)));
            }
        });
        Self { address, shared, accepting }
    }

    /// One in front of the server at `bolt://HOST:PORT`.
    pub async fn before(uri: &str) -> Self {
        let target = uri.trim_start_matches("bolt://").to_owned();
        Self::start(move || {
            let target = target.clone();
            Box::pin(async move {
                let stream = TcpStream::connect(target).await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream) as Box<dyn Stream>)
            })
        })
        .await
    }

    pub fn uri(&self) -> String {
        format!("bolt://{}", self.address)
    }

    /// Restarts the count of requests, and cuts nothing.
    pub fn watch(&self) {
        *self.shared.plan.lock().unwrap() = Plan::default();
    }

    /// Restarts the count of requests, and ends the connection at the request with this number, from 0.
    pub fn cut_at(&self, request: usize, point: Point) {
        self.shared.now.send_modify(|now| now.cut = false);
        *self.shared.plan.lock().unwrap() = Plan { seen: Vec::new(), cut: Some((request, point)) };
    }

    /// Names of the requests that came since the last order.
    pub fn seen(&self) -> Vec<&'static str> {
        self.shared.plan.lock().unwrap().seen.clone()
    }

    /// Waits until the cut has happened and both sides are closed; false if it never does.
    pub async fn until_cut(&self) -> bool {
        self.until(|now| now.cut).await
    }

    /// Ends all connections, which have to be idle, and waits until both sides are closed.
    pub async fn end_all(&self) {
        self.shared.ended.send_modify(|ended| *ended += 1);
        assert!(self.until(|now| now.open == 0).await, "a connection is not idle");
    }

    async fn until(&self, reached: impl Fn(&Now) -> bool) -> bool {
        let mut now = self.shared.now.subscribe();
        timeout(PATIENCE, now.wait_for(|now| reached(now))).await.is_ok()
    }
}

/// Waits until the client's system knows that the connection has ended. A busy one learns it after the client has sent its
/// next request, and nobody could then tell whether the database has got that.
async fn has_learnt(client: SocketAddr, cutter: SocketAddr) {
    let learns = async {
        while is_established(client, cutter) {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(PATIENCE, learns).await.expect("the end of the connection arrives");
}

/// Whether the system still believes that a socket with the address `own` is connected to `peer`. Only Linux tells. Both
/// count: a port is free for another peer as soon as one connection of it has ended.
fn is_established(own: SocketAddr, peer: SocketAddr) -> bool {
    let (SocketAddr::V4(own), SocketAddr::V4(peer)) = (own, peer) else { return false };
    let [own, peer] =
        [own, peer].map(|socket| format!("{:08X}:{:04X}", u32::from_ne_bytes(socket.ip().octets()), socket.port()));
    std::fs::read_to_string("/proc/net/tcp").unwrap_or_default().lines().any(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        [fields.next(), fields.next(), fields.next()] == [Some(own.as_str()), Some(peer.as_str()), Some("01")]
    })
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    /// Counts a request, and says where it is to be cut, if it is.
    fn note(&self, name: &'static str) -> Option<Point> {
        let mut plan = self.plan.lock().unwrap();
        let number = plan.seen.len();
        plan.seen.push(name);
        plan.cut.take_if(|(request, _)| *request == number).map(|(_, point)| point)
    }
}

/// Both sides of a connection, and what has been read of them.
struct Relay {
    near: TcpStream,
    far: Box<dyn Stream>,
    requests: FrameReader,
    replies: FrameReader,
}

/// Whether a connection continues.
#[derive(PartialEq)]
enum Flow {
    Go,
    Cut,
    /// One of its sides has ended it.
    Over,
}

async fn serve(near: TcpStream, shared: Arc<Shared>) {
    let mut was_cut = false;
    let ends = near.peer_addr().and_then(|client| Ok((client, near.local_addr()?)));
    if let Ok(far) = (shared.dial)().await {
        let mut relay = Relay { near, far, requests: FrameReader::default(), replies: FrameReader::default() };
        was_cut = matches!(relay.work(&shared).await, Ok(Flow::Cut));
        let Relay { near, mut far, .. } = relay;
        drop(near);
        // What the database still does with its last request, it has done when it closes its side, too.
        let _ = far.shutdown().await;
        let _ = timeout(PATIENCE, tokio::io::copy(&mut far, &mut tokio::io::sink())).await;
        if let Ok((client, cutter)) = ends {
            has_learnt(client, cutter).await;
        }
    }
    shared.now.send_modify(|now| {
        now.open -= 1;
        now.cut |= was_cut;
    });
}

impl Relay {
    async fn work(&mut self, shared: &Shared) -> io::Result<Flow> {
        self.near.set_nodelay(true)?;
        handshake(&mut self.near, &mut self.far).await?;
        let mut ended = shared.ended.subscribe();
        loop {
            let request = tokio::select! {
                request = self.requests.next(&mut self.near) => request?,
                unasked = self.replies.next(&mut self.far) => match unasked? {
                    Some(frame) => {
                        self.near.write_all(&bytes(&frame)).await?;
                        continue;
                    }
                    None => None,
                },
                _ = ended.changed() => None,
            };
            let Some(request) = request else { return Ok(Flow::Over) };
            // A connection that was discarded before says goodbye whenever it gets to it.
            let counted = tag(&request).filter(|tag| *tag != GOODBYE);
            let point = counted.and_then(|tag| shared.note(message::name(tag)));
            let flow = self.exchange(&request, point).await?;
            if flow != Flow::Go {
                return Ok(flow);
            }
        }
    }

    /// Passes a request and its reply on, as far as `point`.
    async fn exchange(&mut self, request: &Frame, point: Option<Point>) -> io::Result<Flow> {
        if point == Some(Point::Before) {
            return Ok(Flow::Cut);
        }
        self.far.write_all(&bytes(request)).await?;
        self.far.flush().await?;
        if point == Some(Point::Sent) {
            return Ok(Flow::Cut);
        }
        if matches!(tag(request), None | Some(GOODBYE)) {
            return Ok(Flow::Go);
        }
        let mut held = Vec::new();
        loop {
            let Some(reply) = self.replies.next(&mut self.far).await? else { return Ok(Flow::Over) };
            match point {
                None => self.near.write_all(&bytes(&reply)).await?,
                Some(_) => held.extend(bytes(&reply)),
            }
            if tag(&reply).is_some_and(|tag| tag != RECORD) {
                break;
            }
        }
        let arriving = match point {
            None => return Ok(Flow::Go),
            Some(Point::Within) => held.len() / 2,
            Some(Point::Behind) => held.len(),
            Some(_) => 0,
        };
        self.near.write_all(&held[..arriving]).await?;
        Ok(Flow::Cut)
    }
}

/// Passes the choice of a version on, with ranges or with the manifest.
async fn handshake(near: &mut TcpStream, far: &mut Box<dyn Stream>) -> io::Result<()> {
    pass(near, far, 20).await?;
    if pass(far, near, 4).await? == [0, 0, 1, 0xFF] {
        let versions = pass_varint(far, near).await?;
        pass(far, near, 4 * versions).await?;
        pass_varint(far, near).await?;
        pass(near, far, 4).await?;
        pass_varint(near, far).await?;
    }
    Ok(())
}

async fn pass(from: &mut impl Stream, to: &mut impl Stream, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    from.read_exact(&mut bytes).await?;
    to.write_all(&bytes).await?;
    to.flush().await?;
    Ok(bytes)
}

async fn pass_varint(from: &mut impl Stream, to: &mut impl Stream) -> io::Result<usize> {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = pass(from, to, 1).await?[0];
        value |= usize::from(byte & 0x7F) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
}

/// A frame in the chunks in which it came.
fn bytes(frame: &Frame) -> Vec<u8> {
    let mut out = Vec::new();
    if let Frame::Message { payload, chunks } = frame {
        let mut rest = payload.as_slice();
        for length in chunks {
            let (chunk, behind) = rest.split_at(*length);
            out.extend_from_slice(&u16::try_from(*length).expect("a chunk fits its header").to_be_bytes());
            out.extend_from_slice(chunk);
            rest = behind;
        }
    }
    out.extend_from_slice(&NOOP);
    out
}

/// The tag of a message; a NOOP has none.
fn tag(frame: &Frame) -> Option<u8> {
    match frame {
        Frame::Noop => None,
        Frame::Message { payload, .. } => payload.get(1).copied(),
    }
}
