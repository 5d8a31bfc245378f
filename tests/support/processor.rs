//! The processor time of another process of this machine, as Linux counts it.

use std::{
    fs::{read_dir, read_link, read_to_string},
    path::PathBuf,
    time::{Duration, Instant},
};

use tokio::time::sleep;

/// The longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);
const WINDOW: Duration = Duration::from_millis(500);
/// Linux counts in hundredths of a second.
const TICKS_IN_WINDOW: u64 = 50;

pub struct Processor {
    stat: PathBuf,
}

impl Processor {
    /// Of the process that listens at this port, if it is one of ours.
    pub fn of_listener(port: u16) -> Option<Self> {
        let socket = ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| listener(table, port))?;
        let is_it = |process: &PathBuf| {
            let files = read_dir(process.join("fd")).into_iter().flatten().flatten();
            files.filter_map(|file| read_link(file.path()).ok()).any(|target| target.to_string_lossy() == socket)
        };
        let processes = read_dir("/proc").ok()?.flatten().map(|entry| entry.path());
        let process = processes.filter(|path| path.join("stat").exists()).find(is_it)?;
        Some(Self { stat: process.join("stat") })
    }

    /// Time used so far, in ticks.
    fn used(&self) -> u64 {
        let stat = read_to_string(&self.stat).expect("the process lives");
        // The program's name, in parentheses, may hold anything.
        let fields: Vec<_> = stat.rsplit(')').next().expect("there is a name").split_whitespace().collect();
        // User and system time are fields 14 and 15, the name is field 2.
        fields[11..13].iter().map(|field| field.parse::<u64>().expect("a number of ticks")).sum()
    }

    /// Waits until it is at work: until it has used a quarter of a window within the last ten, since on a busy machine
    /// it gets only a part of a processor.
    pub async fn until_busy(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let before = self.used();
            for _ in 0..10 {
                sleep(WINDOW).await;
                if self.used() - before > TICKS_IN_WINDOW / 4 {
                    return;
                }
            }
            assert!(Instant::now() < deadline, "the statement does not keep the database busy");
        }
    }

    /// Waits until it does next to nothing for a while, and says when that began.
    pub async fn until_idle(&self, what: &str) -> Duration {
        self.until(what, |used| used < TICKS_IN_WINDOW / 10).await
    }

    async fn until(&self, what: &str, is_right: impl Fn(u64) -> bool) -> Duration {
        let began = Instant::now();
        loop {
            let (at, before) = (began.elapsed(), self.used());
            sleep(WINDOW).await;
            let used = self.used() - before;
            if is_right(used) {
                return at;
            }
            assert!(at < PATIENCE, "not so within {PATIENCE:?}: {what}; it used {used} of {TICKS_IN_WINDOW} ticks");
        }
    }
}

/// The socket that listens at `port`, as open files are called.
fn listener(table: &str, port: u16) -> Option<String> {
    let text = read_to_string(table).ok()?;
    let address = format!(":{port:04X}");
    let mut lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let listens = |fields: &Vec<&str>| fields.len() > 9 && fields[1].ends_with(&address) && fields[3] == "0A";
    lines.find(listens).map(|fields| format!("socket:[{}]", fields[9]))
}
