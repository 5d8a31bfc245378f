//! Hostile clients of a real process: what they cost, and what honest clients notice of them.
//!
//! Every attack runs beside an honest client, whose answers all have to be right; the memory of the process stays within
//! a bound that does not depend on how long the attack lasts. How much slower the honest client is than without the attack
//! is printed, and not asserted, because it depends on the machine.
#![cfg(target_os = "linux")]

mod attack;
mod honest;

use std::{sync::Arc, time::Duration};

use tokio::task::JoinSet;

use crate::support::{
    bolt::fake_neo4j::{FakeNeo4j, Options},
    process::{Process, boltgate},
    tls::{Authority, Client, Mounted},
};
use attack::{ATTACKS, Attack, handshakes};
use honest::{Honest, p99};

/// The memory that an attack may cost, beyond what the process has after its first requests, in KiB.
const MEMORY: u64 = 192 * 1024;
/// The memory that one attack may not give back at once, in KiB.
const LEFT: u64 = 96 * 1024;

struct Stand {
    process: Process,
    _database: FakeNeo4j,
}

/// The resident memory of a process, in KiB.
fn memory(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("Linux tells");
    line.split_ascii_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

impl Stand {
    async fn new() -> Self {
        let database = FakeNeo4j::start_with(Options::default().without_auth()).await;
        let mut command = boltgate(&["serve", "--log-format=json", "--database-uri", &database.uri()]);
        command.envs([
            ("BOLTGATE_SERVER__HEADER_TIMEOUT", "10s"),
            ("BOLTGATE_SERVER__BODY_TIMEOUT", "10s"),
            ("BOLTGATE_SERVER__WRITE_STALL_TIMEOUT", "10s"),
            // One large body of 40 MiB fits, with all bombs as far as they are unpacked; what is left is for honest clients,
            // who would be refused without it.
            ("BOLTGATE_LIMITS__BODY", "48MiB"),
            ("BOLTGATE_LIMITS__DECOMPRESSED_BODY", "1MiB"),
            ("BOLTGATE_LIMITS__BODY_MEMORY", "64MiB"),
        ]);
        Self { process: tokio::task::block_in_place(|| Process::serve(command)), _database: database }
    }

    fn memory(&self) -> u64 {
        memory(&self.process)
    }

    /// Attacks until the honest client has had all its answers.
    async fn survives(&self, attack: &Attack) {
        let address: Arc<str> = self.process.address().into();
        let honest = Honest::new(Arc::clone(&address));
        let undisturbed = honest.ask(100).await;
        let before = self.memory();
        let mut attackers = JoinSet::new();
        for number in 0..attack.clients {
            attackers.spawn((attack.play)(Arc::clone(&address), number));
        }
        (attack.is_on)(Arc::clone(&address), attack.clients).await;
        let mut most = self.memory();
        let mut disturbed = Vec::new();
        for _ in 0..10 {
            disturbed.extend(honest.ask(10).await);
            most = most.max(self.memory());
        }
        attackers.shutdown().await;
        println!(
            "{}: {} clients; memory {} → {} MiB; p99 of an honest client {:.1?} → {:.1?}",
            attack.name,
            attack.clients,
            before / 1024,
            most / 1024,
            p99(undisturbed),
            p99(disturbed)
        );
        assert!(most < before + MEMORY, "{} takes too much memory: {before} → {most} KiB", attack.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn honest_clients_are_served_beside_hostile_ones() {
    let stand = Stand::new().await;
    let first = stand.memory();
    for attack in &ATTACKS {
        stand.survives(attack).await;
    }
    // The allocator returns memory within seconds.
    let given_back = async {
        while stand.memory() > first + LEFT {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let patience = Duration::from_secs(60);
    let left = tokio::time::timeout(patience, given_back).await;
    assert!(left.is_ok(), "the process keeps {} KiB, and had {first} KiB", stand.memory());
}

#[tokio::test(flavor = "multi_thread")]
async fn honest_clients_are_served_beside_a_flood_of_handshakes() {
    let authority = Authority::new("ours");
    let mounted = Mounted::new(&authority.certify());
    let database = FakeNeo4j::start_with(Options::default().without_auth()).await;
    let mut command = boltgate(&["serve", "--log-format=json", "--database-uri", &database.uri()]);
    command.args(["--tls-certificate", &mounted.text("certificate.pem"), "--tls-key", &mounted.text("key.pem")]);
    let process = tokio::task::block_in_place(|| Process::serve(command));
    let (address, client): (Arc<str>, _) = (process.address().into(), Client::trusting(&authority));
    let ask = async || {
        let mut took = Vec::new();
        for _ in 0..50 {
            let began = std::time::Instant::now();
            let answer = client.get(&address, "/").await.expect("it is answered");
            took.push(began.elapsed());
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        }
        took
    };
    let (undisturbed, before) = (ask().await, memory(&process));
    let hello: Arc<[u8]> = client.hello().into();
    let mut attackers = JoinSet::new();
    for _ in 0..64 {
        attackers.spawn(handshakes(Arc::clone(&address), Arc::clone(&hello)));
    }
    let (disturbed, most) = (ask().await, memory(&process));
    attackers.shutdown().await;
    println!(
        "handshakes: 64 clients; memory {} → {} MiB; p99 of an honest client {:.1?} → {:.1?}",
        before / 1024,
        most / 1024,
        p99(undisturbed),
        p99(disturbed)
    );
    assert!(most < before + MEMORY, "handshakes take too much memory: {before} → {most} KiB");
}
