//! Magic and version slots, the way this server reads them.
//!
//! May not know: messages.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::host::Transport;
use super::Server;

const MAGIC: [u8; 4] = [0x60, 0x60, 0xB0, 0x17];

/// `None`: no agreement; the caller answers with a chunked FAILURE, not with zeros.
///
/// Never returns for a range byte `FF`: the real server loops for ever then.
pub(super) async fn negotiate(transport: &mut Transport, server: &Server) -> io::Result<Option<(u8, u8)>> {
    let mut bytes = [0; 20];
    transport.read_exact(&mut bytes).await?;
    if bytes[..4] != MAGIC {
        return Ok(None);
    }
    for slot in bytes[4..].as_chunks::<4>().0 {
        if slot[1] == 0xFF {
            server.knobs.violation("fatal: handshake slot with range byte FF");
            std::future::pending::<()>().await;
        }
        match choose(*slot, &server.options.versions) {
            Choice::Version(major, minor) => {
                transport.write_all(&[0, 0, minor, major]).await?;
                return Ok(Some((major, minor)));
            }
            Choice::NextSlot => {}
            Choice::Stop => break,
        }
    }
    Ok(None)
}

enum Choice {
    Version(u8, u8),
    NextSlot,
    /// A slot of zeros: the ones behind it are not looked at.
    Stop,
}

fn choose([_, range, minor, major]: [u8; 4], versions: &[(u8, u8)]) -> Choice {
    let known = |minor: &u8| versions.contains(&(major, *minor));
    if major != 0 && minor != 0 {
        let oldest = minor - range.min(minor);
        if let Some(minor) = (oldest..=minor).rev().find(known) {
            return Choice::Version(major, minor);
        }
    }
    match (major, minor) {
        (0, 0) => Choice::Stop,
        _ if known(&minor) => Choice::Version(major, minor),
        _ => Choice::NextSlot,
    }
}
