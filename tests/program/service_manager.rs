//! What the program tells systemd.
#![cfg(all(feature = "embedded", unix))]

use std::{fs, os::unix::net::UnixDatagram, time::Duration};

use tempfile::TempDir;

use crate::support::process::{Process, boltgate, wait};

/// The socket of a service manager.
struct Manager {
    socket: UnixDatagram,
    folder: TempDir,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("there is room for a socket");
        let socket = UnixDatagram::bind(folder.path().join("notify")).expect("there is room for a socket");
        socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a socket has timeouts");
        Self { socket, folder }
    }

    fn start(&self, environment: &[(&str, &str)]) -> Process {
        let file = self.folder.path().join("b.toml");
        fs::write(&file, "").expect("there is room for a file");
        let mut command = boltgate(&["serve", "--embedded", "--admin-listen=127.0.0.1:0", "--config"]);
        command.arg(file).env("NOTIFY_SOCKET", self.folder.path().join("notify"));
        command.envs(environment.iter().copied());
        Process::serve(command)
    }

    /// The next message: its assignments.
    fn message(&self) -> Vec<String> {
        let mut bytes = [0; 4096];
        let length = wait("a message", || self.socket.recv(&mut bytes).ok());
        let text = String::from_utf8(bytes[..length].to_vec()).expect("messages are text");
        text.lines().map(str::to_owned).collect()
    }
}

#[test]
fn says_when_it_serves_reloads_and_stops() {
    let manager = Manager::new();
    let mut process = manager.start(&[]);
    let serving = format!("STATUS=Serving {}", process.address());
    process.admin_address();
    assert_eq!(manager.message(), ["READY=1", &serving]);
    for (text, status) in [
        ("[log]\nfilter = 'debug'", serving.clone()),
        ("[log]\nfilter = 'x'", format!("{serving}; the last reload failed, see the log")),
    ] {
        fs::write(manager.folder.path().join("b.toml"), text).expect("there is room for a file");
        process.signal("HUP");
        let reloading = manager.message();
        assert_eq!(reloading[0], "RELOADING=1");
        let time = reloading[1].strip_prefix("MONOTONIC_USEC=").expect("a time follows");
        assert!(time.parse::<u64>().is_ok_and(|time| time > 0), "{time}");
        assert_eq!(manager.message(), ["READY=1", &status]);
    }
    process.signal("TERM");
    assert_eq!(manager.message()[0], "STOPPING=1");
    assert_eq!(process.exit().code(), Some(0));
}

#[test]
fn says_that_it_is_alive() {
    let manager = Manager::new();
    let _process = manager.start(&[("WATCHDOG_USEC", "40000")]);
    assert_eq!(manager.message()[0], "READY=1");
    for _ in 0..3 {
        assert_eq!(manager.message(), ["WATCHDOG=1"]);
    }
}

#[test]
fn serves_without_a_service_manager_that_listens() {
    let manager = Manager::new();
    let process = manager.start(&[("NOTIFY_SOCKET", "/nowhere/notify")]);
    process.wait_for_line("could not be told");
}
