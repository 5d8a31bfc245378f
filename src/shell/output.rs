//! Where rows are written: standard output, or a file that is replaced as a whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, IsTerminal as _, Write as _},
    os::{fd::AsFd as _, unix::fs::PermissionsExt as _},
    path::{Path, PathBuf},
};

use hyper::body::Bytes;
use tempfile::{Builder, TempPath};
use tokio::task::spawn_blocking;

use super::failure::Failure;

/// Where rows are written.
#[derive(Debug)]
pub(super) struct Output {
    /// `None` while another thread writes to it, and forever if that thread was abandoned.
    sink: Option<File>,
    /// The temporary file, and the one that it will replace.
    replaces: Option<(TempPath, PathBuf)>,
    is_terminal: bool,
}

impl Output {
    /// Opens standard output, or what `path` names: a file is written beside it, and replaces it at the end. What is no
    /// file, such as a named pipe, is written to directly.
    ///
    /// # Errors
    /// [`Failure::Usage`] if it cannot be written.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else {
            // Without the buffer of lines that Rust puts before it.
            let sink = io::stdout().as_fd().try_clone_to_owned().map_err(Failure::system)?;
            return Ok(Self { sink: Some(sink.into()), replaces: None, is_terminal: io::stdout().is_terminal() });
        };
        let opened = Self::beside(path);
        opened.map_err(|error| Failure::Usage(format!("--output: cannot write {}: {error}", path.display())))
    }

    fn beside(path: &Path) -> io::Result<Self> {
        let existing = match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(metadata) if !metadata.is_file() => {
                let sink = OpenOptions::new().write(true).open(path)?;
                let is_terminal = sink.is_terminal();
                return Ok(Self { sink: Some(sink), replaces: None, is_terminal });
            }
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        // The file that a link leads to, not the link.
        let path = if existing.is_some() { path.canonicalize()? } else { path.to_owned() };
        if existing.is_some() {
            // A file that may not be written is not replaced, either.
            OpenOptions::new().append(true).open(&path)?;
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mode = existing.map_or(0o666, |metadata| metadata.permissions().mode() & 0o777);
        let (sink, temporary) = Builder::new()
            .prefix(".boltgate-")
            .suffix(".part")
            .permissions(fs::Permissions::from_mode(mode))
            .tempfile_in(folder)?
            .into_parts();
        Ok(Self { sink: Some(sink), replaces: Some((temporary, path)), is_terminal: false })
    }

    /// Whether a terminal shows the rows.
    pub(super) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// The columns of the terminal that shows the rows; `None` without a terminal.
    pub(super) fn columns(&self) -> Option<usize> {
        let sink = self.sink.as_ref().filter(|_| self.is_terminal)?;
        let columns = rustix::termios::tcgetwinsize(sink).ok()?.ws_col;
        Some(usize::from(columns)).filter(|columns| *columns > 0)
    }

    /// Writes rows on another thread: a pipe that is not read must not block anything else.
    ///
    /// # Errors
    /// [`Failure::ReaderLeft`], [`Failure::BrokeOff`].
    pub(super) async fn write(&mut self, bytes: Bytes) -> Result<(), Failure> {
        if bytes.is_empty() {
            return Ok(());
        }
        let Some(mut sink) = self.sink.take() else { return Err(Failure::ReaderLeft) };
        let written = spawn_blocking(move || {
            let written = sink.write_all(&bytes);
            (sink, written)
        });
        let (sink, written) =
            written.await.map_err(|error| Failure::BrokeOff(format!("cannot write the rows: {error}")))?;
        self.sink = Some(sink);
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::ReaderLeft),
            Err(error) => Err(Failure::BrokeOff(format!("cannot write the rows: {error}"))),
            Ok(()) => Ok(()),
        }
    }

    /// The result is complete: replaces the file.
    ///
    /// # Errors
    /// [`Failure::BrokeOff`].
    pub(super) fn finish(self) -> Result<(), Failure> {
        let Some((temporary, path)) = self.replaces else { return Ok(()) };
        let kept = self.sink.map_or(Ok(()), |sink| sink.sync_all());
        let kept = kept.and_then(|()| temporary.persist(&path).map_err(|error| error.error));
        kept.map_err(|error| Failure::BrokeOff(format!("--output: cannot write {}: {error}", path.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_replaced_as_a_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("there is room");
        let path = folder.path().join("rows.csv");
        let names = || fs::read_dir(folder.path()).expect("is there").count();
        fs::write(&path, "old").expect("there is room");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("it is ours");

        let mut broken = Output::open(Some(&path)).expect("opens");
        broken.write(Bytes::from_static(b"half")).await.expect("writes");
        drop(broken);
        assert_eq!((fs::read_to_string(&path).expect("is there").as_str(), names()), ("old", 1));

        let mut whole = Output::open(Some(&path)).expect("opens");
        whole.write(Bytes::from_static(b"new\n")).await.expect("writes");
        assert_eq!(fs::read_to_string(&path).expect("is there"), "old");
        whole.finish().expect("is kept");
        assert_eq!((fs::read_to_string(&path).expect("is there").as_str(), names()), ("new\n", 1));
        assert_eq!(fs::metadata(&path).expect("is there").permissions().mode() & 0o777, 0o640);
    }

    #[tokio::test]
    async fn a_link_stays_a_link_and_a_device_a_device() {
        let folder = tempfile::tempdir().expect("there is room");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").expect("there is room");
        std::os::unix::fs::symlink(&file, &link).expect("there is room");
        let mut output = Output::open(Some(&link)).expect("opens");
        output.write(Bytes::from_static(b"new")).await.expect("writes");
        output.finish().expect("is kept");
        assert!(fs::symlink_metadata(&link).expect("is there").is_symlink());
        assert_eq!(fs::read_to_string(&file).expect("is there"), "new");

        let mut null = Output::open(Some(Path::new("/dev/null"))).expect("opens");
        null.write(Bytes::from_static(b"x")).await.expect("writes");
        null.finish().expect("there is nothing to keep");
        assert!(!fs::metadata("/dev/null").expect("is there").is_file());
    }

    #[test]
    fn what_cannot_be_written_is_refused_before_anything_is_asked() {
        let folder = tempfile::tempdir().expect("there is room");
        for path in [folder.path().to_owned(), folder.path().join("no/file")] {
            let refused = Output::open(Some(&path)).expect_err("cannot be written");
            assert_eq!(refused.status(), 2);
            assert!(
                refused.to_string().starts_with(&format!("--output: cannot write {}: ", path.display())),
                "{refused}"
            );
        }
    }
}
