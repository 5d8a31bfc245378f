//! Memory that a peak took goes back to the system.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use super::*;
use crate::support::process::{Process, boltgate};

const PEAK: usize = 4;
const SIZE: usize = 24 * MIB;

/// Resident memory of the process, in bytes.
fn resident(process: &Process) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

async fn until(what: &str, process: &Process, mut holds: impl FnMut(usize) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds(resident(process)) {
        assert!(Instant::now() < deadline, "{what}: {} bytes are resident", resident(process));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A gateway in a process of its own that has served a request.
async fn served() -> (FakeNeo4j, Process, usize) {
    let fake = FakeNeo4j::start().await;
    let mut command = boltgate(&["serve", "--log-format=json"]);
    command.env("BOLTGATE_DATABASE__URI", fake.uri());
    let process = Process::serve(command);
    assert_eq!(post(&process.address(), GOOD, &of_size(100)).await.status, 202);
    let before = resident(&process);
    (fake, process, before)
}

#[tokio::test(flavor = "multi_thread")]
async fn releases_the_memory_of_incomplete_bodies() {
    let (_fake, process, before) = served().await;
    let text = of_size(SIZE);
    let mut connections = Vec::new();
    for _ in 0..PEAK {
        let mut connection = Connection::open(&process.address()).await;
        connection.send(head(PATH, GOOD, &format!("Content-Length: {SIZE}")).as_bytes()).await;
        connection.send(&text.as_bytes()[1..]).await;
        connections.push(connection);
    }
    until("there is no peak", &process, |now| now > before + (PEAK - 1) * SIZE).await;
    drop(connections);
    // And nobody asks it anything.
    until("after the peak", &process, |now| now < before + SIZE / 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn releases_the_memory_of_a_large_body_in_an_open_transaction() {
    let (_fake, process, before) = served().await;
    let headers = [("Content-Type", "application/json"), ("Authorization", GOOD)];
    let path = format!("{PATH}/tx");
    let begun = request(&process.address(), "POST", &path, &headers, of_size(2 * SIZE).as_bytes()).await;
    assert_eq!(begun.status, 202, "{begun}");
    until("after the peak", &process, |now| now < before + SIZE / 2).await;
}
