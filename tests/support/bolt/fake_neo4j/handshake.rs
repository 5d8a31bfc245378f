//! Magic, version slots, manifest.
//!
//! May not know: messages.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::host::Transport;
use super::Options;

const MAGIC: [u8; 4] = [0x60, 0x60, 0xB0, 0x17];
const MANIFEST: [u8; 4] = [0x00, 0x00, 0x01, 0xFF];

/// What follows from the version.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caps {
    pub version: (u8, u8),
    /// Negotiated by manifest, so HELLO's reply names the version.
    pub by_manifest: bool,
    /// HELLO asked for the patch `utc` on 4.3 or 4.4.
    pub utc_patch: bool,
}

impl Caps {
    pub fn at_least(&self, major: u8, minor: u8) -> bool {
        self.version >= (major, minor)
    }

    /// Zoned date-times travel as `I`/`i` with UTC seconds.
    pub fn utc(&self) -> bool {
        self.at_least(5, 0) || self.utc_patch
    }

    pub fn has_logon(&self) -> bool {
        self.at_least(5, 1)
    }
}

/// `None`: no agreement, or no Bolt at all; the connection ends.
pub(super) async fn negotiate(transport: &mut Transport, options: &Options) -> io::Result<Option<Caps>> {
    let mut magic = [0; 4];
    transport.read_exact(&mut magic).await?;
    if &magic == b"GET " {
        let reply = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n";
        transport.write_all(reply).await?;
        return Ok(None);
    }
    if magic != MAGIC {
        return Ok(None);
    }
    let mut slots = [0; 16];
    transport.read_exact(&mut slots).await?;
    for slot in slots.as_chunks::<4>().0 {
        if *slot == MANIFEST && options.manifest {
            return by_manifest(transport, options).await;
        }
        match (range(*slot), slot[3]) {
            (Slot::Malformed, _) => return Ok(None),
            (Slot::Versions(newest, oldest), _) => {
                let offered = |v: &&(u8, u8)| (oldest..=newest).contains(*v);
                if let Some(version) = options.versions.iter().rev().find(offered) {
                    transport.write_all(&[0, 0, version.1, version.0]).await?;
                    return Ok(Some(Caps { version: *version, by_manifest: false, utc_patch: false }));
                }
            }
            (Slot::Unused, _) => {}
        }
    }
    transport.write_all(&[0; 4]).await?;
    Ok(None)
}

enum Slot {
    Unused,
    Malformed,
    /// Newest and oldest version of the offer.
    Versions((u8, u8), (u8, u8)),
}

fn range([_, range, minor, major]: [u8; 4]) -> Slot {
    match (major, minor.checked_sub(range)) {
        (0, _) => Slot::Unused,
        (_, None) => Slot::Malformed,
        (_, Some(oldest)) => Slot::Versions((major, minor), (major, oldest)),
    }
}

/// Runs of minor versions, ascending: `00 RANGE MINOR MAJOR` each.
pub(super) fn entries(versions: &[(u8, u8)]) -> Vec<[u8; 4]> {
    let mut entries: Vec<[u8; 4]> = Vec::new();
    for (major, minor) in versions {
        match entries.last_mut() {
            Some(last) if last[3] == *major && last[2] + 1 == *minor => {
                last[1] += 1;
                last[2] = *minor;
            }
            _ => entries.push([0, 0, *minor, *major]),
        }
    }
    entries
}

async fn by_manifest(transport: &mut Transport, options: &Options) -> io::Result<Option<Caps>> {
    let entries = entries(&options.versions);
    let mut reply = MANIFEST.to_vec();
    reply.push(entries.len() as u8);
    entries.iter().for_each(|entry| reply.extend_from_slice(entry));
    reply.push(0);
    transport.write_all(&reply).await?;

    let mut choice = [0; 4];
    transport.read_exact(&mut choice).await?;
    let mut capabilities = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = transport.read_u8().await?;
        capabilities |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let version = (choice[3], choice[2]);
    let fine = choice[1] == 0 && capabilities == 0 && options.versions.contains(&version);
    Ok(fine.then_some(Caps { version, by_manifest: true, utc_patch: false }))
}
