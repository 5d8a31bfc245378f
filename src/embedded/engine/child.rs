//! A handle of the engine in a process of its own, as its parent sees it.
//!
//! The engine cannot be interrupted, but its process can be ended, and SQLite then rolls back. Owns the process from its
//! start to its end. Promises that no process outlives its handle, and that none is left for the system to collect. Every
//! call but [`Process::kill`] blocks.

use std::io::{self, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use boltr::server::ResultStream;

use crate::embedded::ENGINE_COMMAND;
use crate::embedded::engine::local::Run;
use crate::embedded::engine::wire::{self, Reply};
use crate::embedded::errors::Failure;

/// The environment that a process of the engine needs: where SQLite writes temporary files, and the local time zone.
const ENVIRONMENT: [&str; 4] = ["TMPDIR", "SQLITE_TMPDIR", "TZ", "RUST_BACKTRACE"];

/// How to start a process of the engine.
#[derive(Debug)]
pub(super) struct Launch {
    pub(super) program: PathBuf,
    pub(super) file: PathBuf,
    pub(super) temporary: bool,
}

/// A process of the engine. Ends on drop.
pub(super) struct Child {
    process: Arc<Process>,
    requests: ChildStdin,
    replies: BufReader<ChildStdout>,
    /// Whether the process may be in the middle of something, or has ended.
    broken: bool,
}

/// The process alone, to be ended from elsewhere.
#[derive(Debug)]
pub(in crate::embedded) struct Process(Mutex<std::process::Child>);

impl Process {
    /// Ends the process, whatever it does. Does not wait.
    pub(super) fn kill(&self) {
        // Fails only if it has ended.
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).kill();
    }

    fn is_running(&self) -> bool {
        matches!(self.0.lock().unwrap_or_else(PoisonError::into_inner).try_wait(), Ok(None))
    }

    /// Waits for the end of a process that has been killed or closed its output, and says how it ended.
    fn end(&self) -> String {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }
}

impl Launch {
    /// Starts a process and waits until it has opened the file.
    ///
    /// # Errors
    /// Returns an error if the process cannot be started, or cannot open the file.
    pub(super) fn start(&self) -> Result<Child, Failure> {
        let mut child = self.spawn().map_err(|error| Failure::no_engine(&self.program, &error))?;
        match child.reply()? {
            Reply::Failed(failure) => Err(failure),
            _ => Ok(child),
        }
    }

    fn spawn(&self) -> io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.arg0("boltgate").arg(ENGINE_COMMAND);
        if self.temporary {
            command.arg("--temporary");
        }
        command.arg("--").arg(&self.file);
        command.env_clear().envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        // Its own group: what a terminal sends to stop the program must not end what the program still waits for.
        command.process_group(0);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let pipes = process.stdin.take().zip(process.stdout.take());
        let process = Arc::new(Process(Mutex::new(process)));
        let Some((requests, replies)) = pipes else {
            process.kill();
            process.end();
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        Ok(Child { process, requests, replies: BufReader::new(replies), broken: false })
    }
}

impl Child {
    pub(super) fn process(&self) -> &Arc<Process> {
        &self.process
    }

    pub(super) fn is_usable(&self) -> bool {
        !self.broken && self.process.is_running()
    }

    /// As [`Local::run`](super::local::Local::run).
    pub(super) fn run(&mut self, run: &Run) -> Result<Option<ResultStream>, Failure> {
        let sent = wire::write_run(&mut self.requests, run);
        match self.answer(sent)? {
            Reply::Result(result) => Ok(Some(result)),
            Reply::NeedsTurn => Ok(None),
            Reply::Failed(failure) => Err(failure),
            Reply::Done => Err(Failure::broken()),
        }
    }

    /// As [`Local::commit`](super::local::Local::commit).
    pub(super) fn commit(&mut self) -> Result<(), Failure> {
        let sent = wire::write_commit(&mut self.requests);
        match self.answer(sent)? {
            Reply::Failed(failure) => Err(failure),
            _ => Ok(()),
        }
    }

    /// As [`Local::end`](super::local::Local::end). A process that fails to do it can no longer be used.
    pub(super) fn end(&mut self) {
        let sent = wire::write_end(&mut self.requests);
        // The failure is the same as of the statement before.
        let _ = self.answer(sent);
    }

    fn answer(&mut self, sent: io::Result<()>) -> Result<Reply, Failure> {
        match sent {
            Ok(()) => self.reply(),
            Err(error) => Err(self.fail(&error)),
        }
    }

    fn reply(&mut self) -> Result<Reply, Failure> {
        wire::read_reply(&mut self.replies).map_err(|error| self.fail(&error))
    }

    fn fail(&mut self, error: &io::Error) -> Failure {
        self.broken = true;
        if error.kind() == io::ErrorKind::InvalidData {
            tracing::error!(%error, "embedded database: a process of the engine sent an unexpected message");
            return Failure::broken();
        }
        self.process.kill();
        Failure::engine_ended(&self.process.end())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.process.kill();
        self.process.end();
    }
}

/// The program that this process runs, even if its file has been replaced since.
pub(in crate::embedded) fn this_program() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok(Path::new("/proc/self/exe").to_owned()) } else { std::env::current_exe() }
}
