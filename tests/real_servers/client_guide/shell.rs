//! A shell into which the page's requests are typed.
//!
//! Promises to change nothing about them: that they reach the test's gateway, and with whose credentials, is in the
//! configuration of curl.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use tempfile::TempDir;

/// One shell, in a folder of its own, for all requests of a section.
pub(crate) struct Shell {
    folder: TempDir,
    shell: Child,
    keyboard: ChildStdin,
    screen: BufReader<ChildStdout>,
    typed: usize,
}

/// What a block of shell has shown.
pub(crate) struct Shown {
    pub(crate) printed: String,
    /// Of the last answer whose status the block itself does not ask curl for.
    pub(crate) status: Option<u16>,
    /// What curl and the shell had to complain about.
    pub(crate) complaints: String,
}

impl Shell {
    /// `gateway` is where `http://127.0.0.1:7474` really is; `user` is sent unless the request names one.
    pub(crate) fn start(gateway: &str, user: Option<&str>, variables: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let mut settings = format!("connect-to = \"127.0.0.1:7474:{gateway}\"\nsilent\nshow-error\nmax-time = 60\n");
        settings.push_str("write-out = \"%{stderr}status %{http_code}\\n\"\n");
        if let Some(user) = user {
            writeln!(settings, "user = \"{user}\"").expect("a string takes everything");
        }
        fs::write(folder.path().join(".curlrc"), settings).expect("it can be written");
        let mut command = Command::new("sh");
        command.current_dir(folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        command.env_clear().env("CURL_HOME", folder.path()).envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        let mut shell = command.envs(variables.iter().copied()).spawn().expect("there is a shell");
        let keyboard = shell.stdin.take().expect("it was piped");
        let screen = BufReader::new(shell.stdout.take().expect("it was piped"));
        Self { folder, shell, keyboard, screen, typed: 0 }
    }

    /// Types a block, and waits until the shell is ready for the next one.
    pub(crate) fn run(&mut self, script: &str) -> Shown {
        self.typed += 1;
        let (script_file, out, err) = (self.file("sh"), self.file("out"), self.file("err"));
        fs::write(self.folder.path().join(&script_file), script).expect("it can be written");
        let line = format!(". ./{script_file} </dev/null >{out} 2>{err}; echo ready\n");
        self.keyboard.write_all(line.as_bytes()).and_then(|()| self.keyboard.flush()).expect("the shell listens");
        let mut ready = String::new();
        self.screen.read_line(&mut ready).expect("the shell answers");
        let read = |name: &str| fs::read(self.folder.path().join(name)).unwrap_or_default();
        let printed = String::from_utf8(read(&out)).expect("answers are UTF-8");
        let said = String::from_utf8_lossy(&read(&err)).into_owned();
        assert_eq!(ready, "ready\n", "the shell has gone: {said}\n{script}");
        let mut statuses = said.lines().filter_map(|line| line.strip_prefix("status "));
        let status = statuses.next_back().and_then(|status| status.parse().ok());
        let complaints = said.lines().filter(|line| !line.starts_with("status ")).collect();
        Shown { printed, status, complaints }
    }

    /// From now on `$name` is this.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let quoted = value.replace('\'', "'\\''");
        self.keyboard.write_all(format!("{name}='{quoted}'\n").as_bytes()).expect("the shell listens");
    }

    fn file(&self, kind: &str) -> String {
        format!("typed-{}.{kind}", self.typed)
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
