//! Unix sockets as the server sees them, and their files.
//!
//! Promises that a file never admits more users than its mode says, that a socket which somebody serves is left alone,
//! and that the file is removed with the listener.

use std::{
    fs::{self, Metadata, Permissions},
    io::{self, ErrorKind},
    net::IpAddr,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    net::{
        UnixListener, UnixSocket, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::sleep,
};

use super::listener::{Listener, Transport};

/// Connections that the system accepts ahead of the gateway. It may have a lower limit of its own.
const BACKLOG: u32 = 1024;
/// How often it is looked whether a client that has closed its sending half has gone.
const LOOK: Duration = Duration::from_secs(1);

/// A Unix socket with its file, which is removed when this is dropped.
pub(super) struct UnixSocketListener {
    listener: UnixListener,
    _file: SocketFile,
}

/// A file that was made for a socket.
struct SocketFile {
    path: PathBuf,
    /// Tells this file from another one that has taken its place.
    identity: (u64, u64),
}

impl UnixSocketListener {
    /// Listens at `path`, whose file gets this mode. The file of a socket that is no longer served is replaced.
    ///
    /// # Errors
    /// [`ErrorKind::AddrInUse`] if another process serves it, or the system's error.
    pub(super) async fn bind(path: &Path, mode: u32) -> io::Result<Self> {
        check_unused(path).await?;
        let (socket, made) = bind_beside(path)?;
        let listener = (|| {
            // No client can connect before `listen`, or knows this name.
            fs::set_permissions(&made.path, Permissions::from_mode(mode))?;
            let listener = socket.listen(BACKLOG)?;
            fs::rename(&made.path, path)?;
            Ok(listener)
        })();
        match listener {
            Ok(listener) => Ok(Self { listener, _file: made.renamed(path) }),
            Err(error) => Err(error),
        }
    }
}

/// Makes sure that there is nothing at `path`, or only a socket that is no longer served.
async fn check_unused(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(io::Error::new(ErrorKind::AlreadyExists, "there is a file that is not a socket"));
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path).await {
        Err(error) if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound) => Ok(()),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(error),
        // Even a queue that is full shows that somebody listens.
        Ok(_) | Err(_) => Err(io::Error::new(ErrorKind::AddrInUse, "another process serves this socket")),
    }
}

/// Binds a socket to an unused name in the folder of `path`.
fn bind_beside(path: &Path) -> io::Result<(UnixSocket, SocketFile)> {
    let mut attempts = 0;
    loop {
        let [one, other, ..] = getrandom::u32().map_err(io::Error::other)?.to_ne_bytes();
        // Short: the system allows little more than a hundred bytes.
        let name = path.with_file_name(format!(".{one:02x}{other:02x}"));
        let socket = UnixSocket::new_stream()?;
        match socket.bind(&name) {
            Ok(()) => {
                let identity = identity(&fs::symlink_metadata(&name)?);
                return Ok((socket, SocketFile { path: name, identity }));
            }
            Err(error) if error.kind() == ErrorKind::AddrInUse && attempts < 16 => attempts += 1,
            Err(error) => return Err(error),
        }
    }
}

fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

impl SocketFile {
    fn renamed(mut self, path: &Path) -> Self {
        path.clone_into(&mut self.path);
        self
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|file| identity(&file) == self.identity)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove the file of the socket");
        }
    }
}

impl Listener for UnixSocketListener {
    type Accepted = std::os::unix::net::UnixStream;
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<(Self::Accepted, Option<IpAddr>)> {
        let (stream, _) = self.listener.accept().await?;
        Ok((stream.into_std()?, None))
    }

    async fn open(accepted: Self::Accepted) -> io::Result<UnixStream> {
        UnixStream::from_std(accepted)
    }
}

impl Transport for UnixStream {
    type ReadHalf = OwnedReadHalf;
    type WriteHalf = OwnedWriteHalf;

    fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        UnixStream::into_split(self)
    }

    async fn reset(read: OwnedReadHalf) {
        // A Unix socket has no reset. That a client has gone shows when something is written to it, even an empty
        // write.
        while !matches!(read.as_ref().try_write(&[]), Err(error) if error.kind() != ErrorKind::WouldBlock) {
            sleep(LOOK).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncWriteExt as _, time::timeout};

    use super::*;

    /// Far longer than any test needs.
    const PATIENCE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_file_has_its_mode_and_goes_with_its_listener() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        for mode in [0o600, 0o660, 0o777] {
            let listener = UnixSocketListener::bind(&path, mode).await.unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no other name is left");
            drop(listener);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }

    #[tokio::test]
    async fn only_the_file_of_a_socket_that_nobody_serves_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let first = UnixSocketListener::bind(&path, 0o600).await.unwrap();
        let error = UnixSocketListener::bind(&path, 0o600).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::AddrInUse, "{error}");
        // Another process has removed the file and made its own.
        fs::remove_file(&path).unwrap();
        let _second = UnixSocketListener::bind(&path, 0o600).await.unwrap();
        drop(first);
        assert!(path.exists(), "it is the second one's");

        let file = folder.path().join("f");
        fs::write(&file, "precious").unwrap();
        let error = UnixSocketListener::bind(&file, 0o600).await.err().unwrap();
        assert!(error.to_string().contains("not a socket"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
        assert!(UnixSocketListener::bind(&folder.path().join("no/s"), 0o600).await.is_err());
    }

    #[tokio::test]
    async fn a_client_that_has_gone_is_told_from_one_that_waits() {
        let (client, ours) = UnixStream::pair().unwrap();
        let (read, _write) = Transport::into_split(ours);
        let (waiting, mut sending) = client.into_split();
        sending.shutdown().await.unwrap();
        let mut reset = std::pin::pin!(UnixStream::reset(read));
        tokio::select! {
            biased;
            () = reset.as_mut() => panic!("it waits"),
            () = tokio::task::yield_now() => {}
        }
        drop((waiting, sending));
        timeout(PATIENCE, reset).await.unwrap();
    }
}
