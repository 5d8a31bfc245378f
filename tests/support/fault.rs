//! A TCP proxy that does to connections what networks, middleboxes and dying peers do.
//!
//! Promises that a fault strikes at most once per connection, at a place that chance chooses, and that [`FaultProxy::calm`]
//! ends every connection that a fault has struck. Knows nothing of what it relays.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    select,
    sync::watch,
    task::JoinHandle,
    time::sleep,
};

use super::chance::{below, between, percent};

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is closed as soon as it is open.
    Refuse,
    /// It is open, and nothing comes through.
    BlackHole,
    /// Everything takes longer.
    Delay,
    /// Replies come byte by byte.
    Trickle,
    /// Both sides see an orderly end.
    Cut,
    /// Both sides see a reset.
    Reset,
    /// Part of a reply comes, then an orderly end.
    Truncate,
    /// From some point on, nothing comes through, and neither side is told.
    HalfOpen,
    /// Bytes that no server sends come between the replies.
    Garbage,
}

/// Every fault that there is.
pub const FAULTS: [Fault; 9] = [
    Fault::Refuse,
    Fault::BlackHole,
    Fault::Delay,
    Fault::Trickle,
    Fault::Cut,
    Fault::Reset,
    Fault::Truncate,
    Fault::HalfOpen,
    Fault::Garbage,
];

/// The latest place at which a fault strikes, in bytes of the replies.
const LATEST: u32 = 4096;
/// Neither Bolt nor HTTP.
const GARBAGE: [&[u8]; 3] =
    [b"HTTP/1.1 000 \x00\r\n\r\n", b"\xff\xff\xff\xff\xff\xff\xff\xff", b"\x00\x02\xff\xff\x00\x00"];

/// What new connections meet.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    pub faults: &'static [Fault],
    /// How many of a hundred connections meet one.
    pub percent: u32,
}

/// No faults.
pub const CALM: Weather = Weather { faults: &[], percent: 0 };

/// A proxy that relays until it is dropped.
pub struct FaultProxy {
    address: String,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    target: String,
    weather: Mutex<Weather>,
    /// Counts how often it became calm.
    calmed: watch::Sender<u64>,
    struck: [AtomicU64; FAULTS.len()],
}

impl FaultProxy {
    /// Relays to `HOST:PORT`.
    pub async fn start(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it has an address").to_string();
        let shared = Arc::new(Shared {
            target: target.to_owned(),
            weather: Mutex::new(CALM),
            calmed: watch::Sender::new(0),
            struck: Default::default(),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, accepting }
    }

    /// `HOST:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Changes what new connections meet.
    pub fn set(&self, weather: Weather) {
        *self.shared.weather.lock().unwrap() = weather;
    }

    /// Ends what faults have struck; new connections meet none.
    pub fn calm(&self) {
        self.set(CALM);
        self.shared.calmed.send_modify(|count| *count += 1);
    }

    /// How often each fault has struck.
    pub fn struck(&self) -> Vec<(Fault, u64)> {
        FAULTS.iter().zip(&self.shared.struck).map(|(fault, count)| (*fault, count.load(Ordering::Relaxed))).collect()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((near, _)) = listener.accept().await {
        let Weather { faults, percent: share } = *shared.weather.lock().unwrap();
        let fault = percent(share).then(|| faults[below(u32::try_from(faults.len()).unwrap()) as usize]);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let mut calmed = shared.calmed.subscribe();
            calmed.mark_unchanged();
            select! {
                // However it ends, it has ended.
                _ = relay(near, fault, &shared) => {}
                // Connections without a fault go on.
                Ok(()) = calmed.changed(), if fault.is_some() => {}
            }
        });
    }
}

async fn relay(mut near: TcpStream, fault: Option<Fault>, shared: &Shared) -> io::Result<()> {
    let strike = |fault: Fault| {
        shared.struck[FAULTS.iter().position(|known| *known == fault).unwrap()].fetch_add(1, Ordering::Relaxed);
    };
    if let Some(at_once @ (Fault::Refuse | Fault::BlackHole)) = fault {
        strike(at_once);
        if at_once == Fault::BlackHole {
            swallow(&mut near).await?;
        }
        return Ok(());
    }
    let mut far = TcpStream::connect(&shared.target).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    // Slow connections are slow from the start.
    let mut left = if matches!(fault, Some(Fault::Delay | Fault::Trickle)) { 0 } else { below(LATEST) as usize };
    let (mut requests, mut replies) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut struck = false;
    loop {
        select! {
            read = near.read(&mut requests) => match read? {
                0 => return Ok(()),
                count => far.write_all(&requests[..count]).await?,
            },
            read = far.read(&mut replies) => {
                let count = read?;
                let reply = &replies[..count];
                let due = fault.filter(|_| count > left);
                left = left.saturating_sub(count);
                if let Some(fault) = due && !struck {
                    strike(fault);
                    struck = true;
                    match fault {
                        Fault::Cut => return Ok(()),
                        Fault::Reset => {
                            reset(&near)?;
                            return reset(&far);
                        }
                        Fault::Truncate => {
                            near.write_all(&reply[..count / 2]).await?;
                            return Ok(());
                        }
                        Fault::HalfOpen => {
                            near.write_all(&reply[..count / 2]).await?;
                            return swallow(&mut near).await;
                        }
                        Fault::Garbage => near.write_all(GARBAGE[below(3) as usize]).await?,
                        Fault::Refuse | Fault::BlackHole | Fault::Delay | Fault::Trickle => {}
                    }
                }
                match fault {
                    _ if count == 0 => return Ok(()),
                    Some(Fault::Delay) => {
                        sleep(between(Duration::ZERO, Duration::from_millis(50))).await;
                        near.write_all(reply).await?;
                    }
                    Some(Fault::Trickle) => trickle(&mut near, reply).await?,
                    _ => near.write_all(reply).await?,
                }
            }
        }
    }
}

/// Byte by byte for the first part; the rest at once, or large replies would take forever.
async fn trickle(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    let (slowly, rest) = bytes.split_at(bytes.len().min(64));
    for byte in slowly {
        stream.write_all(&[*byte]).await?;
        sleep(Duration::from_millis(1)).await;
    }
    stream.write_all(rest).await
}

/// Reads until the other side closes, and answers nothing.
async fn swallow(stream: &mut TcpStream) -> io::Result<()> {
    let mut nothing = vec![0; 1 << 12];
    while stream.read(&mut nothing).await? > 0 {}
    Ok(())
}

/// Has the connection end with a reset when it is dropped.
fn reset(stream: &TcpStream) -> io::Result<()> {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO))
}
