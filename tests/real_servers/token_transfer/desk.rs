//! The gateway that customers go to, a process that can be killed.

use std::{
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
};

use tokio::{sync::RwLock, task::block_in_place};

use crate::support::{
    client::Client,
    process::{Process, boltgate},
};

pub struct Desk {
    command: Box<dyn Fn() -> Command + Send + Sync>,
    authorization: Option<&'static str>,
    /// Held during a restart; all others wait.
    process: RwLock<Process>,
    /// Counts the processes; it goes up before one is killed, when nobody gets the address of that one any more.
    generation: AtomicU64,
}

/// Room for all customers, and for those transactions that they have walked away from.
const SETTINGS: [(&str, &str); 5] = [
    ("BOLTGATE_TRANSACTIONS__MAX", "120"),
    ("BOLTGATE_TRANSACTIONS__CALLER_SHARE", "100"),
    ("BOLTGATE_TRANSACTIONS__IDLE_TIMEOUT", "1s"),
    ("BOLTGATE_DATABASE__MAX_CONNECTIONS", "160"),
    ("BOLTGATE_DATABASE__CALLER_SHARE", "100"),
];

impl Desk {
    pub fn in_front_of(uri: &str, authorization: Option<&'static str>) -> Self {
        let uri = uri.to_owned();
        Self::of(move || boltgate(&["serve", "--log-format=json", "--database-uri", &uri]), authorization)
    }

    #[cfg(feature = "embedded")]
    pub fn embedded(file: std::path::PathBuf) -> Self {
        let file = file.to_str().expect("the test's path is UTF-8").to_owned();
        Self::of(move || boltgate(&["serve", "--log-format=json", "--embedded", &file]), None)
    }

    fn of(command: impl Fn() -> Command + Send + Sync + 'static, authorization: Option<&'static str>) -> Self {
        let command = move || {
            let mut command = command();
            command.envs(SETTINGS);
            command
        };
        let process = block_in_place(|| Process::serve(command()));
        let generation = AtomicU64::new(0);
        Self { command: Box::new(command), authorization, process: RwLock::new(process), generation }
    }

    /// Who asks the process that runs now. Waits while it is being restarted.
    pub async fn client(&self) -> Client {
        Client { address: self.process.read().await.address(), authorization: self.authorization }
    }

    /// Which process it is. Whoever asks for a client afterwards gets one of this process or of a later one.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// SIGKILL, and another process in its place.
    pub async fn kill_and_restart(&self) {
        let mut process = self.process.write().await;
        self.generation.fetch_add(1, Ordering::SeqCst);
        block_in_place(|| {
            process.signal("KILL");
            process.exit();
            *process = Process::serve((self.command)());
        });
    }

    /// SIGTERM, which it has to follow.
    pub async fn stop(&self) {
        let mut process = self.process.write().await;
        process.signal("TERM");
        assert_eq!(block_in_place(|| process.exit()).code(), Some(0), "{:#?}", process.log());
    }
}
