//! The program itself, as a process of its own.
//!
//! Promises that no process outlives its test, and that no setting comes from the tester's environment.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// The longest wait for a process, which counts as hung afterwards.
const PATIENCE: Duration = Duration::from_secs(120);

/// What it says first when it serves: where clients are served.
const SERVING: &str = "serving ";

/// A `boltgate serve` that has begun to serve.
pub struct Process {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
}

/// `boltgate` with these arguments and without any of the tester's own settings.
pub fn boltgate(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_boltgate"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if ["BOLTGATE_", "OTEL_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs `boltgate` to its end.
pub fn run(arguments: &[&str]) -> Output {
    boltgate(arguments).output().expect("the program starts")
}

/// What it wrote to standard output and to standard error.
pub fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the program writes UTF-8");
    (text(&output.stdout), text(&output.stderr))
}

impl Process {
    /// The number by which the system knows it.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Serves with an embedded database, on a free port, with JSON lines in its log.
    pub fn embedded(arguments: &[&str]) -> Self {
        Self::embedded_with(&[], arguments)
    }

    /// Serves an embedded database, with settings from the environment.
    pub fn embedded_with(settings: &[(&str, &str)], arguments: &[&str]) -> Self {
        let mut command = boltgate(&[&["serve", "--embedded", "--log-format=json"], arguments].concat());
        command.envs(settings.iter().copied());
        Self::serve(command)
    }

    /// Serves an embedded database in `file`.
    pub fn embedded_in(file: &Path, arguments: &[&str]) -> Self {
        let file = file.to_str().expect("the test's path is UTF-8");
        Self::serve(boltgate(&[&["serve", "--embedded", file, "--log-format=json"], arguments].concat()))
    }

    /// Starts `command` on a free port and waits until it serves.
    pub fn serve(mut command: Command) -> Self {
        command.args(["--listen", "127.0.0.1:0"]);
        Self::start(command)
    }

    /// Starts `command` where it says, and waits until it serves.
    pub fn start(mut command: Command) -> Self {
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let log = Arc::new(Mutex::new(Vec::new()));
        let (lines, kept) = (BufReader::new(child.stderr.take().expect("it was piped")).lines(), Arc::clone(&log));
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        let process = Self { child, log };
        process.wait_for_line(SERVING);
        process
    }

    /// `127.0.0.1:PORT`, where clients are served.
    pub fn address(&self) -> String {
        authority(&self.wait_for_line(SERVING))
    }

    /// `127.0.0.1:PORT`, where operators are served.
    pub fn admin_address(&self) -> String {
        authority(&self.wait_for_line("serving operators at http://"))
    }

    /// Waits for the first line of the log that has `text` in it.
    pub fn wait_for_line(&self, text: &str) -> String {
        wait(text, || {
            // Looked at first: once it is complete, a line that is not in it never comes.
            let complete = self.is_drained();
            let log = self.log();
            let found = log.iter().find(|line| line.contains(text)).cloned();
            assert!(found.is_some() || !complete, "it ended without saying {text:?}: {log:#?}");
            found
        })
    }

    /// Whether the process has ended and all that it said is in the log.
    fn is_drained(&self) -> bool {
        Arc::strong_count(&self.log) == 1
    }

    /// The log so far, line by line.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends a signal: `TERM`, `INT`.
    pub fn signal(&self, name: &str) {
        let command = format!("kill -s {name} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &command]).status().expect("there is a shell");
        assert!(sent.success(), "{command}");
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_none()
    }

    /// Waits for its end; then the log is complete.
    pub fn exit(&mut self) -> ExitStatus {
        let status = wait("the end of the process", || self.child.try_wait().expect("it is our child"));
        wait("the end of its log", || self.is_drained().then_some(()));
        status
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks until there is something.
///
/// # Panics
/// When there never is.
pub fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The first `HOST:PORT` after `http://` or `https://`.
fn authority(line: &str) -> String {
    let rest = line.split_once("://").map_or("", |(_, rest)| rest);
    rest.chars().take_while(|character| character.is_ascii_digit() || ".:".contains(*character)).collect()
}
