//! The handshake: the two sides agree on a version.
//!
//! The offer is the manifest marker (Neo4j from 5.26 answers with its list), then 5.8 down to 5.0, 4.4 down to 4.2, and
//! 4.1. It contains no range of 255, which crashes some Memgraph versions, and no slot of zeros before another slot.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{
    error::{Error, HandshakeError},
    version::Version,
};

const OFFER: [u8; 20] = [
    0x60, 0x60, 0xB0, 0x17, // magic
    0x00, 0x00, 0x01, 0xFF, // manifest, version 1
    0x00, 0x08, 0x08, 0x05, // 5.8 to 5.0
    0x00, 0x02, 0x04, 0x04, // 4.4 to 4.2
    0x00, 0x00, 0x01, 0x04, // 4.1
];

/// A manifest with more entries than this is an attack.
const MAX_MANIFEST: u64 = 64;

/// The agreed version, and what has to be written before the first message.
#[derive(Debug, PartialEq, Eq)]
pub struct Agreement {
    /// The version that both sides speak.
    pub version: Version,
    /// The choice from a manifest. It has no reply, so it is sent together with HELLO.
    pub choice: Option<[u8; 5]>,
}

/// Negotiates over `io`.
///
/// # Errors
/// [`Error::Io`], or [`Error::Handshake`] with what was received instead of a version.
pub async fn negotiate(io: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<Agreement, Error> {
    io.write_all(&OFFER).await.map_err(Error::Io)?;
    io.flush().await.map_err(Error::Io)?;
    let answer = match read_array::<4>(io).await {
        Ok(answer) => answer,
        Err(Error::Closed) => return Err(HandshakeError::Closed.into()),
        Err(error) => return Err(error),
    };
    match answer {
        [0, 0, 0, 0] => Err(HandshakeError::NoCommonVersion.into()),
        [0, 0, 1, 0xFF] => choose(io).await,
        [b'H', b'T', b'T', b'P'] => Err(HandshakeError::Http.into()),
        [0x15, 3, ..] => Err(HandshakeError::TlsAlert.into()),
        [_, _, 0xB1, 0x7F] => Err(HandshakeError::MemgraphRefusal.into()),
        [0, 0, minor, major] => {
            let version = Version::new(major, minor);
            if !version.is_spoken() || version.major > 5 {
                return Err(HandshakeError::NotOffered(version).into());
            }
            Ok(Agreement { version, choice: None })
        }
        other => Err(HandshakeError::NotBolt(other).into()),
    }
}

/// Reads the manifest and chooses the newest version that both sides speak.
async fn choose(io: &mut (impl AsyncRead + Unpin)) -> Result<Agreement, Error> {
    let entries = variable(io).await?;
    if entries > MAX_MANIFEST {
        return Err(HandshakeError::BadManifest.into());
    }
    let mut best = None;
    for _ in 0..entries {
        let [_, range, minor, major] = read_array::<4>(io).await?;
        let oldest = minor.checked_sub(range).ok_or(HandshakeError::BadManifest)?;
        let spoken = (oldest..=minor).map(|minor| Version::new(major, minor)).filter(|v| v.is_spoken());
        best = best.max(spoken.max());
    }
    variable(io).await?; // the capabilities, which are not used
    let version = best.ok_or(HandshakeError::NoCommonVersion)?;
    Ok(Agreement { version, choice: Some([0, 0, version.minor, version.major, 0]) })
}

/// Reads a number in groups of seven bits, the lowest first.
async fn variable(io: &mut (impl AsyncRead + Unpin)) -> Result<u64, Error> {
    let mut value = 0_u64;
    for shift in (0..70).step_by(7) {
        let [byte] = read_array::<1>(io).await?;
        value |= u64::from(byte & 0x7F).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(HandshakeError::BadManifest.into())
}

async fn read_array<const N: usize>(io: &mut (impl AsyncRead + Unpin)) -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    match io.read_exact(&mut bytes).await {
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(Error::Closed),
        Err(error) => Err(Error::Io(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answered(answer: &[u8]) -> Result<Agreement, Error> {
        let (mut ours, mut theirs) = tokio::io::duplex(1024);
        let answer = answer.to_vec();
        let server = tokio::spawn(async move {
            let mut offer = [0; 20];
            theirs.read_exact(&mut offer).await.unwrap();
            assert_eq!(offer, OFFER);
            theirs.write_all(&answer).await.unwrap();
        });
        let result = negotiate(&mut ours).await;
        server.await.unwrap();
        result
    }

    async fn refused(answer: &[u8]) -> HandshakeError {
        match answered(answer).await {
            Err(Error::Handshake(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn the_newest_version_of_a_manifest_is_chosen_wherever_it_stands() {
        let neo4j_2026 = [0, 0, 1, 0xFF, 4, 0, 4, 4, 4, 0, 4, 4, 5, 0, 2, 8, 5, 0, 1, 1, 6, 0];
        let agreement = answered(&neo4j_2026).await.unwrap();
        assert_eq!(agreement.version, Version::new(6, 1));
        assert_eq!(agreement.choice, Some([0, 0, 1, 6, 0]));

        let neo4j_5_26 = [0, 0, 1, 0xFF, 3, 0, 4, 4, 4, 0, 4, 4, 5, 0, 2, 8, 5, 0];
        assert_eq!(answered(&neo4j_5_26).await.unwrap().version, Version::new(5, 8));

        let wide_capabilities = [0, 0, 1, 0xFF, 1, 0, 0, 4, 5, 0xFF, 0x82, 0x71];
        assert_eq!(answered(&wide_capabilities).await.unwrap().version, Version::new(5, 4));
    }

    #[tokio::test]
    async fn plain_answers_are_understood() {
        for version in [Version::new(5, 2), Version::new(4, 1), Version::new(5, 8)] {
            let agreement = answered(&[0, 0, version.minor, version.major]).await.unwrap();
            assert_eq!(agreement, Agreement { version, choice: None });
        }
    }

    #[tokio::test]
    async fn refusals_say_what_was_received() {
        assert_eq!(refused(&[0, 0, 0, 0]).await, HandshakeError::NoCommonVersion);
        assert_eq!(refused(b"HTTP/1.1 400 Bad Request").await, HandshakeError::Http);
        assert_eq!(refused(&[0x15, 3, 3, 0, 2, 2, 70]).await, HandshakeError::TlsAlert);
        assert_eq!(refused(&[0, 0x86, 0xB1, 0x7F, 0xA2]).await, HandshakeError::MemgraphRefusal);
        assert_eq!(refused(&[]).await, HandshakeError::Closed);
        assert_eq!(refused(&[0, 0, 5, 5]).await, HandshakeError::NotOffered(Version::new(5, 5)));
        assert_eq!(refused(b"SSH-").await, HandshakeError::NotBolt(*b"SSH-"));
    }

    #[tokio::test]
    async fn a_hostile_manifest_is_refused() {
        assert_eq!(refused(&[0, 0, 1, 0xFF, 0xFF, 0xFF, 0x7F]).await, HandshakeError::BadManifest);
        assert_eq!(refused(&[0, 0, 1, 0xFF, 1, 0, 9, 8, 5, 0]).await, HandshakeError::BadManifest);
        let mut endless = vec![0, 0, 1, 0xFF];
        endless.extend([0x80; 12]);
        assert_eq!(refused(&endless).await, HandshakeError::BadManifest);
        assert_eq!(refused(&[0, 0, 1, 0xFF, 1, 0, 0, 9, 9, 0]).await, HandshakeError::NoCommonVersion);
    }
}
