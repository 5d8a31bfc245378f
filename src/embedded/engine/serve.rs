//! The process of the engine itself: answers requests on its standard input until that ends.
//!
//! Promises to end at once, whatever it does, when the program that started it has ended or let go of it, and to ignore
//! the signals that ask that program to stop. Bounds its own memory.

use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, Signal, getpid, getrlimit, kill_process, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use crate::embedded::MEMORY_GIB;
use crate::embedded::engine::local::Local;
use crate::embedded::engine::wire::{Reply, Request, read_request, write_reply};
use crate::embedded::errors::Failure;

/// Serves the database at `path` on standard input and output.
///
/// # Errors
/// Returns an error if the process cannot be set up or the program sends what it should not.
pub(in crate::embedded) fn serve(path: &Path, temporary: bool) -> io::Result<()> {
    bound_memory()?;
    thread::Builder::new().name("parent".to_owned()).spawn(end_with_parent)?;
    let signals = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _entered = signals.enter();
    // A signal that is waited for has no other effect.
    let _ignored = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
    let mut output = BufWriter::new(io::stdout().lock());
    let mut local = match Local::open(path, temporary) {
        Ok(local) => local,
        Err(error) => {
            write_reply(&mut output, Reply::Failed(Failure::of_engine(&error)))?;
            return output.flush();
        }
    };
    write_reply(&mut output, Reply::Done)?;
    output.flush()?;
    let mut input = BufReader::new(io::stdin().lock());
    while let Some(request) = read_request(&mut input)? {
        write_reply(&mut output, answer(&mut local, &request))?;
        output.flush()?;
    }
    Ok(())
}

fn answer(local: &mut Local, request: &Request) -> Reply {
    let done = match request {
        Request::Run(run) => match local.run(run) {
            Ok(Some(result)) => return Reply::Result(result),
            Ok(None) => return Reply::NeedsTurn,
            Err(failure) => Err(failure),
        },
        Request::Commit => local.commit(),
        Request::End => {
            local.end();
            Ok(())
        }
    };
    done.map_or_else(Reply::Failed, |()| Reply::Done)
}

/// Lets a statement that needs too much memory end this process, and not another.
fn bound_memory() -> io::Result<()> {
    let given = getrlimit(Resource::Data);
    let bound = (MEMORY_GIB << 30).min(given.maximum.unwrap_or(u64::MAX)).min(given.current.unwrap_or(u64::MAX));
    Ok(setrlimit(Resource::Data, Rlimit { current: Some(bound), maximum: given.maximum })?)
}

/// Waits until the other end of the standard input is closed, and ends the process without waiting for its statement.
fn end_with_parent() {
    let input = io::stdin();
    // Without any flags, it returns only when the other end is closed. If it fails, the process ends as well: it might
    // otherwise run forever.
    while let Err(Errno::INTR) = poll(&mut [PollFd::new(&input, PollFlags::empty())], None) {}
    let _ = kill_process(getpid(), Signal::KILL);
}
