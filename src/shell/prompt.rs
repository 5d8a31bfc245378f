//! Questions to the person at the terminal.
//!
//! Asks on the terminal itself, since standard input may be a statement. Promises that the terminal shows again what is
//! typed, however the question ends.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, IsTerminal as _, Read as _, Write as _},
};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::failure::Failure;

/// The longest answer, in bytes; a terminal's own limit is lower.
const MAX_ANSWER: u64 = 64 * 1024;

/// Whether a person can be asked.
pub(super) fn is_possible() -> bool {
    io::stderr().is_terminal() && open().is_ok()
}

/// Asks, and returns the line that was typed. Without `echo`, the terminal does not show it. Can be cancelled.
///
/// # Errors
/// [`Failure::Usage`] if there is no terminal, or the answer is empty because Ctrl-D was pressed.
pub(super) async fn ask(question: &str, echo: bool) -> Result<Zeroizing<String>, Failure> {
    let failed = |error: io::Error| Failure::Usage(format!("cannot ask on the terminal: {error}"));
    let mut terminal = open().map_err(failed)?;
    let silence = if echo { None } else { Some(Silence::of(&terminal).map_err(failed)?) };
    terminal.write_all(question.as_bytes()).map_err(failed)?;
    let reader = terminal.try_clone().map_err(failed)?;
    let answer = spawn_blocking(move || line(reader)).await.map_err(io::Error::from).flatten();
    if silence.is_some() {
        // The end of the line was not shown, either.
        terminal.write_all(b"\n").map_err(failed)?;
    }
    match answer.map_err(failed)? {
        Some(answer) => Ok(answer),
        None => Err(Failure::Usage("nothing was typed".to_owned())),
    }
}

fn open() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty")
}

/// A line without its end; `None` if there is no line.
fn line(terminal: File) -> io::Result<Option<Zeroizing<String>>> {
    let mut line = Zeroizing::new(String::new());
    BufReader::new(terminal.take(MAX_ANSWER)).read_line(&mut line)?;
    Ok(line.strip_suffix('\n').map(|line| Zeroizing::new(line.to_owned())))
}

/// While this exists, the terminal does not show what is typed.
struct Silence {
    terminal: File,
    before: Termios,
}

impl Silence {
    fn of(terminal: &File) -> io::Result<Self> {
        let terminal = terminal.try_clone()?;
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        // Forgets what was typed ahead, and was shown.
        tcsetattr(&terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // There is no way to report a failure.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}
